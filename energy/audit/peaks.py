"""Demand charges on the invoice: measured peaks, look-back, bands, the share a horizon bears and what it adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from energy.audit.facts import Facts, clock
from energy.audit.lines import Line, latest, month_hours
from energy.inputs.fleet import Site
from energy.inputs.state import ChargeSoFar
from energy.inputs.tariffs import Demand, Tariff
from energy.inputs.windows import ALWAYS
from energy.schema import Bools, Floats, Times


@dataclass(frozen=True)
class Band:
    """One band of a demand charge in a month.

    Attributes
    ----------
    rate : EUR/MW, by the hours on record and of the horizon
    spread_h : hours that the month's rate is spread over
    billed : what the month's invoice holds already [EUR]
    """

    label: str
    width: float
    rate: float
    spread_h: float
    billed: float


def demand_lines(facts: Facts, name: str, month: str, time: Times, dt: Floats, drawn: Floats) -> list[Line]:
    """One line per demand charge and band of the month: its sum up to now less what was billed before."""
    site, tariff, state = facts.fleet.sites[name], facts.tariffs[name], facts.state.site(name)
    local = clock(time, site)
    months = local.strftime("%Y-%m").to_numpy()
    inside, out = months == month, list[Line]()
    for c in latest(tariff, Demand, local[inside][0].date()):
        counted = counted_hours(tariff, c, local, site)
        if not (counted & inside).any() and not state.knows(month, _window(c), c.name):
            continue
        measured = raised({}, months, drawn, counted)
        peak = billed(c, month, measured, state.peaks_of(_window(c)))
        out += _lines(name, month, bands(facts, name, month, time, dt, c), peak)
    return out


def counted_hours(tariff: Tariff, c: Demand, local: pd.DatetimeIndex, site: Site) -> Bools:
    """Hours that count for a charge: in every month, look-back months too, those of the version that bills it."""
    if c.when == ALWAYS:
        return np.full(len(local), True)
    months, out = local.strftime("%Y-%m").to_numpy(), np.full(len(local), False)
    for month in sorted(set(months)):
        inside = months == month
        for v in latest(tariff, Demand, local[inside][0].date()):
            if v.name == c.name and v.when != ALWAYS:
                out |= inside & v.when.holds(local, site.country)
    return out


def billed(c: Demand, month: str, measured: dict[str, float], before: dict[str, float]) -> float:
    """Billed peak [MW]: the month's highest, or the ratchet's share of the highest look-back month."""

    def highest(label: str) -> float:
        return max(measured.get(label, 0.0), before.get(label, 0.0))

    earlier = [highest(str(pd.Period(month, "M") - k)) for k in range(1, c.look_back_months + 1)]
    return max([highest(month), *(c.ratchet_share * p for p in earlier)])


def bands(facts: Facts, name: str, month: str, time: Times, dt: Floats, c: Demand) -> Iterator[Band]:
    """Bands of a demand charge, each at the rate of the hours so far.

    A month's rate accrues hour by hour, in the money of the day: so the sum over any nights is the month's invoice.
    """
    site, state = facts.fleet.sites[name], facts.state.site(name)
    local = clock(time, site)
    inside = local.strftime("%Y-%m").to_numpy() == month
    money = float(facts.fx.at(facts.tariffs[name].currency, time)[inside] @ dt[inside])
    yearly = 12 if c.unit.endswith("/year") else 1
    whole = _spread(state.begins_anew(month, _window(c)), month, local[inside][0], site)
    for label, (width, rate) in zip(c.line_names(), c.rates(), strict=True):
        known = state.invoice_so_far[month].charges.get(label) if month in state.invoice_so_far else None
        known = known or ChargeSoFar(rate_eur_per_mw=0, spread_h=whole, billed_eur=0)
        accrued = known.rate_eur_per_mw + rate * money / known.spread_h / yearly
        yield Band(label, width, accrued, known.spread_h, known.billed_eur)


def _lines(name: str, month: str, of: Iterator[Band], peak: float) -> list[Line]:
    """The peak cut into bands, each at its rate."""
    out, left = [], peak
    for i, b in enumerate(of):
        part = min(left, b.width)
        if b.rate and (part > 0 or i == 0):
            added = part * b.rate - b.billed
            out.append(Line(name, month, b.label, "demand", part, "MW", b.rate, added, b.billed))
        left -= part
    return out


def _spread(begins_anew: bool, month: str, first: pd.Timestamp, site: Site) -> float:
    """Hours of the whole month; of its remainder where the month already has a peak on record."""
    after = (pd.Timestamp(f"{month}-01") + pd.offsets.MonthBegin(1)).tz_localize(site.time_zone)
    return float((after - first).total_seconds() / 3600) if begins_anew else month_hours(month, site)


def _window(c: Demand) -> str | None:
    """The name under which the state keeps the charge's own peaks; None: those of all hours."""
    return None if c.when == ALWAYS else c.name


def raised(peaks: dict[str, float], months: object, drawn: Floats, counted: Bools) -> dict[str, float]:
    """Peaks by month after some more hours; a month without an hour that counts gets none."""
    out = dict(peaks)
    for month in sorted(set(np.asarray(months)[counted])):
        highest = float(drawn[(months == month) & counted].max(initial=0.0))
        out[str(month)] = max(out.get(str(month), 0.0), highest)
    return out
