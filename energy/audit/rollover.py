"""State after a horizon: what the next one has to know of peaks, invoices, balances and rolling windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.compliance import drawn as balance
from energy.audit.invoice import component_lines
from energy.audit.site_prices import Facts, clock, metered
from energy.inputs.components import RollOver
from energy.inputs.metered import Line
from energy.inputs.state import Balance, InvoiceSoFar, PastPeriod, SiteState, State
from energy.inputs.tariffs import Tariff
from energy.schema import Floats, Times


def carry(facts: Facts, replayed: xr.Dataset) -> State:
    """State after the horizon of a replay or a meter reading; work done is the schedule's to say."""
    sites = {name: _site(facts, name, replayed.sel(site=name), replayed) for name in facts.fleet.sites}
    return facts.state.model_copy(update={"sites": sites})


def _site(facts: Facts, name: str, mine: xr.Dataset, replayed: xr.Dataset) -> SiteState:
    """Peaks and history of all the horizon; invoice and year-to-date of what goes on after it."""
    site, old = facts.fleet.sites[name], facts.state.site(name)
    time, dt = replayed["time"].values, replayed["dt"].values
    end = clock(np.array([time[-1] + np.timedelta64(round(float(dt[-1]) * 3600), "s")]), site)[0]
    meter = metered(facts, name, time, dt, mine["import_mw"].values)
    running = f"{end:%Y-%m}" if f"{end:%Y-%m}" in meter.months else None
    lines = component_lines(facts.tariffs[name], meter, running) if running else {}
    left = {
        component: type(versions[0]).roll_over(versions, meter, running, lines.get(component, []))
        for component, versions in facts.tariffs[name].versions.items()
    }
    peaks = {**old.window_peaks_mw, **{k: v for x in left.values() for k, v in x.peaks.items()}}
    return SiteState(
        peak_so_far_mw=meter.raised(old.peak_so_far_mw, np.full(len(time), True)),
        window_peaks_mw={k: v for k, v in peaks.items() if v},
        invoice_so_far={running: _invoice(facts.tariffs[name], old, running, left, lines)} if running else {},
        year_to_date=_year(old.year_to_date, replayed, name, meter.local.year.to_numpy(), end.year),
        history=_history(facts, name, old, mine, time, dt),
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


def _year(old: Balance, replayed: xr.Dataset, name: str, years: Any, running: int) -> Balance:
    """Year-to-date balance of the local year that goes on after the horizon."""
    now = balance(replayed, name, years == running)
    before = old if years[0] == running else Balance(facility_mwh=0, it_mwh=0)
    return Balance(**{k: getattr(before, k) + getattr(now, k) for k in Balance.model_fields})


def _history(
    facts: Facts, name: str, old: SiteState, mine: xr.Dataset, time: Times, dt: Floats
) -> tuple[PastPeriod, ...]:
    """Periods that the longest rolling cap still looks back on."""
    caps = [*facts.fleet.sites[name].pue_caps, *facts.fleet.fleet_pue_caps]
    longest = max((c.window_h or 0.0 for c in caps), default=0.0)
    stamps = pd.DatetimeIndex(time).tz_localize(UTC)
    since = stamps[-1] + pd.Timedelta(hours=float(dt[-1]) - longest)
    powers = zip(stamps, dt, mine["facility_mw"].values * dt, mine["site_it_mw"].values * dt, strict=True)
    new = [
        PastPeriod(start=t.to_pydatetime(), hours=float(h), facility_mwh=float(f), it_mwh=float(i))
        for t, h, f, i in powers
    ]
    return tuple(p for p in (*old.history, *new) if _utc(p) >= since) if longest else ()


def _utc(past: PastPeriod) -> pd.Timestamp:
    stamp = pd.Timestamp(past.start)
    return stamp if stamp.tzinfo else stamp.tz_localize(UTC)
