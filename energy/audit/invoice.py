"""The bill: a replay or a meter reading priced from raw inputs as supplier and grid company would, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.invoice_lines import heat_lines
from energy.audit.site_prices import Facts, feed_in_price, metered
from energy.inputs.contracts import Contract
from energy.inputs.metered import Line, Metered
from energy.inputs.tariffs import Tariff
from energy.schema import Floats, Times
from energy.schema.invoice import LINE_KINDS


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
    meter, earned = metered(facts, name, time, dt, drawn), feed_in_price(facts, name, time, dt)
    lines: list[Line] = []
    for month in map(str, sorted(set(meter.months))):
        lines.append(meter.energy_line(month, "spot", "spot", drawn, meter.spot))
        for mine in component_lines(facts.tariffs[name], meter, month).values():
            lines += mine
        lines += contract_lines(facts.fleet.sites[name].contracts, meter, month)
        if (fed[meter.inside(month)] > 0).any():
            lines.append(meter.energy_line(month, "feed_in", "feed_in", fed, -earned))
    return lines


def component_lines(tariff: Tariff, meter: Metered, month: str) -> dict[str, list[Line]]:
    """Lines of a month by component, in the order of an invoice."""
    out: dict[str, list[Line]] = {}
    counted: list[Line] = []
    for name, versions in sorted(tariff.versions.items(), key=lambda x: LINE_KINDS.index(x[1][0].line_kind)):
        out[name] = type(versions[0]).lines(versions, meter, month, counted)
        counted += out[name] if versions[0].counted else []
    return out


def contract_lines(contracts: Sequence[Contract], meter: Metered, month: str) -> list[Line]:
    """Lines of a month by contract, in the order of an invoice.

    What is drawn is taken from the contract that saves most in the hour first; where none saves, at spot.
    """
    inside, nothing = meter.inside(month), np.zeros(len(meter.time))
    saves = {c.name: saved for c in contracts if (saved := c.saves(meter)) is not None}
    volume = {c.name: np.where(inside, c.volume(meter), 0.0) for c in contracts if c.name in saves}
    taken = _taken(volume, saves, np.where(inside, meter.drawn, 0.0))
    ordered = sorted(contracts, key=lambda c: LINE_KINDS.index(c.line_kind))
    return [line for c in ordered for line in c.lines(meter, month, taken.get(c.name, nothing))]


def _taken(volume: dict[str, Floats], saves: dict[str, Floats], drawn: Floats) -> dict[str, Floats]:
    """Power taken from each contract, (T,) [MW]: the dearest spot avoided first."""
    left, out = drawn.copy(), {n: np.zeros(len(drawn)) for n in volume}
    for t in np.flatnonzero(drawn > 0) if volume else []:
        for n in sorted(volume, key=lambda n: -saves[n][t]):
            if saves[n][t] > 0:
                out[n][t] = min(left[t], volume[n][t])
                left[t] -= out[n][t]
    return out
