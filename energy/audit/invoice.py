"""The bill: a replay or a meter reading priced from raw inputs as supplier and grid company would, line by line.

With it the state after a horizon: peaks, invoices, balances and rolling windows that the next one starts from.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.compliance import drawn
from energy.audit.replay import replay
from energy.audit.site_prices import feed_in_price, metered, pump_price
from energy.inputs.contracts import Contract
from energy.inputs.load import Inputs
from energy.inputs.metered import Line, Metered
from energy.inputs.state import Balance, InvoiceSoFar, PastPeriod, SiteState, State
from energy.inputs.tariffs import Tariff
from energy.schema import Floats
from energy.schema.calendar import BillingMonth, Horizon, local_moment, month_of, to_local
from energy.schema.invoice import LINE_KINDS


@dataclass(frozen=True)
class Bill:
    """All lines over the horizon, in EUR without VAT."""

    lines: tuple[Line, ...]

    def total(self, site: str | None = None, kind: str | None = None) -> float:
        """Sum of the lines, of one site or kind (spot, energy, demand, contract, …) where given [EUR]."""
        return sum(x.amount_eur for x in self.lines if site in (None, x.site) and kind in (None, x.kind))

    def gross_eur(self) -> float:
        """Sum of the absolute lines [EUR]: all the money that moves, where costs and revenues may cancel in the total."""
        return sum(abs(x.amount_eur) for x in self.lines)

    def frame(self) -> pd.DataFrame:
        """The lines as a table."""
        return pd.DataFrame([asdict(x) for x in self.lines])


@dataclass(frozen=True)
class Priced:
    """A Schedule with what it draws and costs."""

    schedule: xr.Dataset
    replay: xr.Dataset
    bill: Bill


def price(inputs: Inputs, schedule: xr.Dataset) -> Priced:
    """Replay a Schedule and price what it draws."""
    replayed = replay(inputs, schedule)
    return Priced(schedule, replayed, bill(inputs, replayed))


def bill(inputs: Inputs, replayed: xr.Dataset) -> Bill:
    """Price a replay (import_mw, export_mw and heat_mw by site and period)."""
    horizon, lines = Horizon.of(replayed), list[Line]()
    for s, name in enumerate(inputs.fleet.sites):
        drawn, fed = replayed["import_mw"].values[s], replayed["export_mw"].values[s]
        lines += site_lines(inputs, name, horizon, drawn, fed)
    return Bill(tuple(lines + heat_lines(inputs, replayed)))


def site_lines(inputs: Inputs, name: str, horizon: Horizon, drawn: Floats, fed: Floats) -> list[Line]:
    """Invoice lines of one site, month by month in site-local time.

    Where the state has the month's invoice so far, the lines are what these periods add to it.

    Parameters
    ----------
    drawn, fed : power drawn and fed in, from a replay or a meter [MW], (T,)
    """
    meter, earned = metered(inputs, name, horizon, drawn), feed_in_price(inputs, name, horizon)
    lines: list[Line] = []
    for month in meter.calendar.months.values():
        lines.append(meter.energy_line(month, "spot", "spot", drawn, meter.spot))
        for mine in component_lines(inputs.tariffs[name], meter, month).values():
            lines += mine
        lines += contract_lines(inputs.fleet.sites[name].contracts, meter, month)
        if (fed[month.inside] > 0).any():
            lines.append(meter.energy_line(month, "feed_in", "feed_in", fed, -earned))
    return lines


def component_lines(tariff: Tariff, meter: Metered, month: BillingMonth) -> dict[str, list[Line]]:
    """Lines of a month by component, in the order of an invoice."""
    out: dict[str, list[Line]] = {}
    counted: list[Line] = []
    for name, versions in sorted(tariff.versions.items(), key=lambda x: LINE_KINDS.index(x[1][0].line_kind)):
        out[name] = type(versions[0]).lines(versions, meter, month, counted)
        counted += out[name] if versions[0].counted else []
    return out


def contract_lines(contracts: Sequence[Contract], meter: Metered, month: BillingMonth) -> list[Line]:
    """Lines of a month by contract, in the order of an invoice.

    What is drawn is taken hour by hour from the contract that saves most; where none saves, at spot.
    """
    saves = {c.name: saved for c in contracts if (saved := c.saves(meter)) is not None}
    volume = {c.name: np.where(month.inside, c.volume(meter), 0.0) for c in contracts if c.name in saves}
    left = np.where(month.inside, meter.drawn, 0.0)
    taken = {c.name: np.zeros(len(left)) for c in contracts}
    for t in np.flatnonzero(left > 0) if volume else []:
        for n in sorted(volume, key=lambda n: -saves[n][t]):
            if saves[n][t] > 0:
                taken[n][t] = min(left[t], volume[n][t])
                left[t] -= taken[n][t]
    ordered = sorted(contracts, key=lambda c: LINE_KINDS.index(c.line_kind))
    return [line for c in ordered for line in c.lines(meter, month, taken[c.name])]


def heat_lines(inputs: Inputs, replayed: xr.Dataset) -> list[Line]:
    """Heat sold and the power of heat pumps, by site and month in site-local time."""
    horizon, lines = Horizon.of(replayed), list[Line]()
    for s, (name, site) in enumerate(inputs.fleet.sites.items()):
        buyer = site.heat_reuse
        if buyer is None:
            continue
        energy, pump = replayed["heat_mw"].values[s] * horizon.dt, pump_price(inputs, name, horizon)
        rate = buyer.price_eur_per_mwh
        for label, month in horizon.on_clock(site.time_zone).months.items():
            mine = np.where(month.inside, energy, 0.0)
            sold = float(mine.sum())
            lines.append(Line(name, label, "heat_sales", "heat", sold, "MWh heat", -rate, -rate * sold))
            if buyer.heat_pump_cop is not None:
                power, cost = sold / buyer.heat_pump_cop, float(mine @ pump)
                mean = cost / power if power else 0.0
                lines.append(Line(name, label, "heat_pump", "heat", power, "MWh heat pump", mean, cost))
    return lines


def roll_forward(inputs: Inputs, replayed: xr.Dataset) -> State:
    """State after the horizon of a replay or a meter reading; work done comes from the schedule, not from here."""
    sites = {name: _left_behind(inputs, name, replayed) for name in inputs.fleet.sites}
    return inputs.state.model_copy(update={"sites": sites})


def _left_behind(inputs: Inputs, name: str, replayed: xr.Dataset) -> SiteState:
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
    invoice = old.invoice_so_far.get(running.label, InvoiceSoFar()) if running else InvoiceSoFar()
    counted = sum(x.amount_eur for k, added in lines.items() if tariff.versions[k][0].counted for x in added)
    invoice = InvoiceSoFar(
        charges={account: charge for x in left.values() for account, charge in x.charges.items()},
        minimum_eur=invoice.minimum_eur + sum(x.minimum_eur for x in left.values()),
        counted_eur=invoice.counted_eur + counted,
        top_up_eur=max(invoice.top_up_eur + sum(x.top_up_eur for x in left.values()), 0.0),  # -1e-16 is rounding
    )
    past = old.year_to_date if years[0] == end.year else Balance(facility_mwh=0, it_mwh=0)
    return SiteState(
        peak_so_far_mw=meter.raised(old.peak_so_far_mw, np.full(len(horizon), True)),
        window_peaks_mw={k: v for k, v in peaks.items() if v},
        invoice_so_far={running.label: invoice} if running else {},
        year_to_date=past + drawn(replayed, name, years == end.year),
        history=_history(inputs, name, old, mine, horizon),
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
