"""The bill: a replay priced from raw inputs as supplier and grid company would, line by line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.replay import Facts, charges, in_eur, spot
from energy.inputs.fleet import Site
from energy.inputs.state import State
from energy.schema import Floats


@dataclass(frozen=True)
class Line:
    """One invoice line, in EUR without VAT. `rate_eur` is per unit, the mean where it changes by the hour."""

    site: str
    month: str
    component: str
    quantity: float
    unit: str
    rate_eur: float
    amount_eur: float


@dataclass(frozen=True)
class Bill:
    """All lines of a schedule over the horizon."""

    lines: tuple[Line, ...]

    def total(self, unit: str | None = None, site: str | None = None) -> float:
        """Sum of the lines, of one unit (MWh: energy, MW: demand) or site where given [EUR]."""
        return sum(x.amount_eur for x in self.lines if unit in (None, x.unit) and site in (None, x.site))

    def frame(self) -> pd.DataFrame:
        """The lines as a table."""
        return pd.DataFrame([asdict(x) for x in self.lines])


def bill(facts: Facts, replayed: xr.Dataset, state: State) -> Bill:
    """Price a replay: spot, each energy component and each demand charge per site and local month."""
    lines: list[Line] = []
    time, dt = replayed["time"].values, replayed["dt"].values
    for s, (name, site) in enumerate(facts.fleet.sites.items()):
        power = replayed["facility_mw"].values[s]
        months = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone).strftime("%Y-%m").to_numpy()
        prices = {"spot": spot(facts, site, time, dt), **charges(facts, site, name, time)}
        for month in sorted(set(months)):
            inside = months == month
            lines += [_energy(name, month, c, power[inside] * dt[inside], p[inside]) for c, p in prices.items()]
            so_far = state.sites[name].peak_so_far_mw.get(month, 0.0) if name in state.sites else 0.0
            peak = max(float(power[inside].max()), so_far)
            lines += _demand(facts, name, site, str(month), peak, float(dt[inside].sum()))
    return Bill(tuple(lines))


def _energy(site: str, month: str, component: str, energy: Floats, price: Floats) -> Line:
    """Energy [MWh] times price [EUR/MWh], hour by hour."""
    amount, quantity = float(energy @ price), float(energy.sum())
    return Line(site, month, component, quantity, "MWh", amount / quantity if quantity else 0.0, amount)


def _demand(facts: Facts, name: str, site: Site, month: str, peak: float, covered_h: float) -> list[Line]:
    """Each demand charge of the month, times the share of the month that the horizon covers."""
    first = date.fromisoformat(f"{month}-01")
    tariff = facts.tariffs[name]
    start, after = (pd.Timestamp(first) + pd.DateOffset(months=k) for k in (0, 1))
    length_h = (after.tz_localize(site.time_zone) - start.tz_localize(site.time_zone)).total_seconds() / 3600
    latest: dict[str, float] = {}
    for c in sorted(tariff.components, key=lambda c: c.valid_from):
        if c.kind == "monthly_peak" and c.valid_from <= first:
            latest[c.name] = c.value * in_eur(facts.case, tariff.currency) * covered_h / length_h
    return [Line(name, month, c, peak, "MW", rate, peak * rate) for c, rate in latest.items()]


def month_peaks(replayed: xr.Dataset, problem: xr.Dataset) -> Floats:
    """Highest facility power per site and billing month, never below the peak so far, (S, M)."""
    month_of, power = problem["month_of"].values, replayed["facility_mw"].values
    out = problem["peak_so_far"].values.copy()
    for s in range(len(out)):
        np.maximum.at(out[s], month_of[s], power[s])
    return out
