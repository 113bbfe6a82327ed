"""State after a horizon: peaks, invoices, balances and rolling windows that the next one starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from energy.audit.compliance import drawn as balance
from energy.audit.invoice import component_lines
from energy.audit.site_prices import metered
from energy.inputs.components import RollOver
from energy.inputs.load import Inputs
from energy.inputs.metered import Line
from energy.inputs.state import Balance, InvoiceSoFar, PastPeriod, SiteState, State
from energy.inputs.tariffs import Tariff
from energy.schema.calendar import Horizon, local_moment, month_of, to_local


def roll_forward(inputs: Inputs, replayed: xr.Dataset) -> State:
    """State after the horizon of a replay or a meter reading; work done comes from the schedule, not from here."""
    sites = {name: _site(inputs, name, replayed) for name in inputs.fleet.sites}
    return inputs.state.model_copy(update={"sites": sites})


def _site(inputs: Inputs, name: str, replayed: xr.Dataset) -> SiteState:
    """Peaks and history of all the horizon; invoice and year-to-date of what goes on after it."""
    tariff, old, mine = inputs.tariffs[name], inputs.state.site(name), replayed.sel(site=name)
    horizon = Horizon.of(replayed)
    meter = metered(inputs, name, horizon, mine["import_mw"].values)
    end = local_moment(horizon.end, meter.calendar.zone)
    running = meter.calendar.months.get(month_of(end))
    lines = component_lines(tariff, meter, running) if running else {}
    left = {
        component: type(versions[0]).roll_over(versions, meter, running, lines.get(component, []))
        for component, versions in tariff.versions.items()
    }
    peaks = {**old.window_peaks_mw, **{k: v for x in left.values() for k, v in x.peaks.items()}}
    years = meter.calendar.years
    past = old.year_to_date if years[0] == end.year else Balance(facility_mwh=0, it_mwh=0)
    return SiteState(
        peak_so_far_mw=meter.raised(old.peak_so_far_mw, np.full(len(horizon), True)),
        window_peaks_mw={k: v for k, v in peaks.items() if v},
        invoice_so_far={running.label: _invoice(tariff, old, running.label, left, lines)} if running else {},
        year_to_date=past + balance(replayed, name, years == end.year),
        history=_history(inputs, name, old, mine, horizon),
    )


def _invoice(
    tariff: Tariff, state: SiteState, month: str, left: Mapping[str, RollOver], lines: Mapping[str, Sequence[Line]]
) -> InvoiceSoFar:
    """The month's invoice with the lines of the horizon added to what it held."""
    old = state.invoice_so_far.get(month, InvoiceSoFar())
    counted = sum(x.amount_eur for name, mine in lines.items() if tariff.versions[name][0].counted for x in mine)
    return InvoiceSoFar(
        charges={account: charge for x in left.values() for account, charge in x.charges.items()},
        minimum_eur=old.minimum_eur + sum(x.minimum_eur for x in left.values()),
        counted_eur=old.counted_eur + counted,
        top_up_eur=max(old.top_up_eur + sum(x.top_up_eur for x in left.values()), 0.0),  # -1e-16 is rounding
    )


def _history(inputs: Inputs, name: str, old: SiteState, mine: xr.Dataset, horizon: Horizon) -> tuple[PastPeriod, ...]:
    """Periods that the longest rolling cap still looks back on."""
    caps = [*inputs.fleet.sites[name].pue_caps, *inputs.fleet.fleet_pue_caps]
    longest = max((c.window_h or 0.0 for c in caps), default=0.0)
    since, dt = horizon.end - np.timedelta64(round(longest * 3600), "s"), horizon.dt
    energies = (mine[name].values * dt for name in ("facility_mw", "site_it_mw"))
    new = [
        PastPeriod(start=t.to_pydatetime(), hours=float(h), facility_mwh=float(f), it_mwh=float(i))
        for t, h, f, i in zip(to_local(horizon.time, "UTC"), dt, *energies, strict=True)
    ]
    return tuple(p for p in (*old.history, *new) if p.utc >= since) if longest else ()
