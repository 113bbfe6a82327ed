"""The bill: a replay or a meter reading priced from raw inputs as supplier and grid company would, line by line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.invoice_lines import (
    Line,
    contract_lines,
    demand_lines,
    fixed_lines,
    heat_lines,
    hedge_lines,
    minimum_lines,
)
from energy.audit.site_prices import Facts, charges, clock, feed_in_price, spot
from energy.inputs.state import InvoiceSoFar
from energy.schema import Bools, Floats, Times


@dataclass(frozen=True)
class Bill:
    """All lines over the horizon, in EUR without VAT."""

    lines: tuple[Line, ...]

    def total(self, site: str | None = None, kind: str | None = None) -> float:
        """Sum of the lines, of one site or kind (spot, energy, demand, contract, …) where given [EUR]."""
        return sum(x.amount_eur for x in self.lines if site in (None, x.site) and kind in (None, x.kind))

    def frame(self) -> pd.DataFrame:
        """The lines as a table."""
        return pd.DataFrame([asdict(x) for x in self.lines])


def bill(facts: Facts, replayed: xr.Dataset) -> Bill:
    """Price a replay (import_mw, export_mw and heat_mw by site and period)."""
    time, dt = replayed["time"].values, replayed["dt"].values
    lines: list[Line] = []
    for s, name in enumerate(facts.fleet.sites):
        drawn, fed = replayed["import_mw"].values[s], replayed["export_mw"].values[s]
        lines += site_lines(facts, name, time, dt, drawn, fed)
    return Bill(tuple(lines + heat_lines(facts, replayed)))


def site_lines(facts: Facts, name: str, time: Times, dt: Floats, drawn: Floats, fed: Floats) -> list[Line]:
    """Invoice lines of one site, month by month in site-local time.

    Where the state has the month's invoice so far, the lines are what these periods add to it.

    Parameters
    ----------
    drawn, fed : power drawn and fed in, from a replay or a meter [MW], (T,)
    """
    months = clock(time, facts.fleet.sites[name]).strftime("%Y-%m").to_numpy()
    market = spot(facts, facts.fleet.sites[name], time, dt)
    prices = charges(facts, name, time, dt)
    earned = feed_in_price(facts, name, time, dt)
    lines: list[Line] = []
    for month in sorted(set(months)):
        inside = months == month
        energy = np.where(inside, drawn * dt, 0.0)
        own = [_priced(name, month, c, "energy", np.where(counts, energy, 0.0), p) for c, (p, counts) in prices.items()]
        own += demand_lines(facts, name, str(month), time, dt, drawn)
        own += fixed_lines(facts, name, str(month), time, dt, inside)
        lines.append(_priced(name, month, "spot", "spot", energy, market))
        lines += own + _topped_up(facts, name, str(month), time, dt, inside, own)
        lines += contract_lines(facts, name, str(month), dt, time, inside, drawn, market)
        lines += hedge_lines(facts, name, str(month), dt, time, inside, market)
        if (fed[inside] > 0).any():
            lines.append(_priced(name, month, "feed_in", "feed_in", np.where(inside, fed * dt, 0.0), -earned))
    return lines


def _topped_up(
    facts: Facts, name: str, month: str, time: Times, dt: Floats, inside: Bools, own: list[Line]
) -> list[Line]:
    """Minimum bill of the month up to now, less what it has added before: less than nothing where use catches up."""
    so_far = facts.state.site(name).invoice_so_far.get(month, InvoiceSoFar())
    before = Line(name, month, "so_far", "carried", 0.0, "EUR", 0.0, so_far.counted_eur - so_far.minimum_eur)
    return [
        replace(x, amount_eur=x.amount_eur - so_far.top_up_eur, so_far_eur=so_far.top_up_eur)
        for x in minimum_lines(facts, name, month, time, dt, inside, [*own, before])
    ]


def _priced(site: str, month: str, component: str, kind: str, energy: Floats, price: Floats) -> Line:
    """Energy [MWh] times price [EUR/MWh], period by period."""
    amount, quantity = float(energy @ price), float(energy.sum())
    return Line(site, month, component, kind, quantity, "MWh", amount / quantity if quantity else 0.0, amount)
