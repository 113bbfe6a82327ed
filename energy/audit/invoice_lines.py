"""Invoice lines that are not energy times price: fixed and minimum charges, contracts, hedges.

Heat reuse from raw inputs: what a schedule's halls hand over, and the invoice lines of it.

Demand charges on the invoice: measured peaks, look-back, bands, the share a horizon bears and what it adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.site_prices import Facts, _pump_price, clock
from energy.inputs.contracts import CappedPrice, Contract, Hedge, TakeOrPay
from energy.inputs.dated import ALWAYS, at
from energy.inputs.fleet import Site
from energy.inputs.state import ChargeSoFar
from energy.inputs.tariffs import Demand, Energy, Fixed, MinimumBill, SpotShare, Tariff
from energy.schema import Bools, Floats, Times

C = TypeVar("C", Energy, SpotShare, Demand, Fixed, MinimumBill)


@dataclass(frozen=True)
class Line:
    """One invoice line, in EUR without VAT. `rate_eur` is per unit, the mean where it changes by the hour.

    `so_far_eur` is what the month's invoice holds of the line already; `amount_eur` comes on top of it.
    """

    site: str
    month: str
    component: str
    kind: str
    quantity: float
    unit: str
    rate_eur: float
    amount_eur: float
    so_far_eur: float = 0.0


def latest(tariff: Tariff, kind: type[C], day: date) -> list[C]:
    """Components of a kind in force on a day: of each name the version that began last; if none has, the first."""
    mine = [c for c in tariff.components if isinstance(c, kind)]
    out = []
    for name in dict.fromkeys(c.name for c in mine):
        begun = [c for c in mine if c.name == name and c.valid_from <= day]
        first = min((c for c in mine if c.name == name), key=lambda c: c.valid_from)
        out.append(max(begun, key=lambda c: c.valid_from, default=first))
    return out


def month_hours(month: str, site: Site) -> float:
    """Length of a calendar month on the site's clock [h]."""
    start = pd.Timestamp(f"{month}-01")
    return _hours_between(start, start + pd.offsets.MonthBegin(1), site.time_zone)


def _hours_between(start: pd.Timestamp, after: pd.Timestamp, zone: Any) -> float:
    """Hours between two local midnights."""
    return float((after.tz_localize(zone) - start.tz_localize(zone)).total_seconds() / 3600)


def day_shares(local: pd.DatetimeIndex, dt: Floats) -> Floats:
    """Share of its local day that each period is, (T,): 24ths, 23rds or 25ths of it where periods are hours."""
    days = sorted(set(local.date))
    whole = {d: _hours_between(pd.Timestamp(d), pd.Timestamp(d) + timedelta(days=1), local.tz) for d in days}
    return np.asarray(dt / np.array([whole[day] for day in local.date]))


def first_day(time: Times, site: Site, inside: Bools) -> date:
    """First site-local day of the month that the horizon covers."""
    return clock(time, site)[inside][0].date()


def fixed_lines(facts: Facts, name: str, month: str, time: Times, dt: Floats, inside: Bools) -> list[Line]:
    """Fixed charges, by the part of the day, month or year that each period is, in the money of its day."""
    site, tariff = facts.fleet.sites[name], facts.tariffs[name]
    money = facts.fx.at(tariff.currency, time)[inside]
    of_month = dt[inside] / month_hours(month, site)
    shares = {"day": day_shares(clock(time, site)[inside], dt[inside]), "month": of_month, "year": of_month / 12}
    out = []
    for c in latest(tariff, Fixed, first_day(time, site, inside)):
        per = c.unit.split("/")[1]
        quantity, amount = float(shares[per].sum()), c.value * float(shares[per] @ money)
        out.append(Line(name, month, c.name, "fixed", quantity, per, amount / quantity, amount))
    return out


def minimum_lines(
    facts: Facts, name: str, month: str, time: Times, dt: Floats, inside: Bools, own: Sequence[Line]
) -> list[Line]:
    """What a minimum bill adds to the tariff's own lines; lines that follow spot do not count."""
    site, tariff = facts.fleet.sites[name], facts.tariffs[name]
    following = {c.name for c in tariff.components if isinstance(c, SpotShare)}
    counted = sum(x.amount_eur for x in own if x.component not in following)
    money = float(facts.fx.at(tariff.currency, time)[inside].mean())
    share = float(dt[inside].sum()) / month_hours(month, site)
    out = []
    for c in latest(tariff, MinimumBill, first_day(time, site, inside)):
        added = max(c.value * money * share - counted, 0.0)
        out.append(Line(name, month, c.name, "minimum", share, "month", c.value * money, added))
    return out


def contract_lines(
    facts: Facts, name: str, month: str, dt: Floats, time: Times, inside: Bools, drawn: Floats, market: Floats
) -> list[Line]:
    """Take-or-pay volumes and what drawing them saves; capped prices and their premiums.

    What is drawn is taken from the contract that saves most in the hour first; where none saves, at spot.
    """
    site = facts.fleet.sites[name]
    offers = [c for c in site.contracts if not isinstance(c, Hedge)]
    volume = {c.name: np.where(inside, _volume(c, site, time), 0.0) for c in offers}
    worth = {c.name: _worth(facts, c, time, market) for c in offers}
    taken = _taken([c.name for c in offers], volume, worth, np.where(inside, drawn, 0.0))
    out = []
    for c in offers:
        out += _sunk(facts, name, month, c, volume[c.name] * dt, time)
        out.append(_line(name, month, f"{c.name}_taken", taken[c.name] * dt, -worth[c.name]))
    return out


def _taken(names: list[str], volume: dict[str, Floats], worth: dict[str, Floats], drawn: Floats) -> dict[str, Floats]:
    """Power taken from each offer, (T,) [MW]: the dearest spot avoided first."""
    left, out = drawn.copy(), {n: np.zeros(len(drawn)) for n in names}
    for t in np.flatnonzero(drawn > 0) if names else []:
        for n in sorted(names, key=lambda n: -worth[n][t]):
            if worth[n][t] > 0:
                out[n][t] = min(left[t], volume[n][t])
                left[t] -= out[n][t]
    return out


def hedge_lines(
    facts: Facts, name: str, month: str, dt: Floats, time: Times, inside: Bools, market: Floats
) -> list[Line]:
    """Settlement of hedges against spot."""
    site = facts.fleet.sites[name]
    return [
        _line(name, month, c.name, np.where(inside, _volume(c, site, time) * dt, 0.0), c.price * facts.fx.at(c.currency, time) - market, "hedge")
        for c in site.contracts if isinstance(c, Hedge)
    ]  # fmt: skip


def _sunk(facts: Facts, name: str, month: str, c: Contract, energy: Floats, time: Times) -> list[Line]:
    """What is paid whether drawn or not."""
    money = facts.fx.at(c.currency, time)
    if isinstance(c, TakeOrPay):
        return [_line(name, month, c.name, energy, c.price * money)]
    return [_line(name, month, f"{c.name}_premium", energy, c.premium * money)] if isinstance(c, CappedPrice) else []


def _volume(c: Contract, site: Site, time: Times) -> Floats:
    return np.where(c.when.holds(clock(time, site), site.country), at(c.mw, time, site.time_zone), 0.0)


def _worth(facts: Facts, c: Contract, time: Times, market: Floats) -> Floats:
    """Saved against spot per MWh taken, never below 0 [EUR/MWh]."""
    strike = c.price * facts.fx.at(c.currency, time) if isinstance(c, CappedPrice) else 0.0
    return np.maximum(market - strike, 0.0)


def _line(name: str, month: str, component: str, energy: Floats, price: Floats, kind: str = "contract") -> Line:
    amount, quantity = float(energy @ np.broadcast_to(price, energy.shape)), float(energy.sum())
    return Line(name, month, component, kind, quantity, "MWh", amount / quantity if quantity else 0.0, amount)


def heat_lines(facts: Facts, replayed: xr.Dataset) -> list[Line]:
    """Heat sold and the power of heat pumps, by site and month in site-local time."""
    time, dt = replayed["time"].values, replayed["dt"].values
    lines = []
    for s, (name, site) in enumerate(facts.fleet.sites.items()):
        if site.heat_reuse is None:
            continue
        energy = replayed["heat_mw"].values[s] * dt
        pump, months = _pump_price(facts, name, time, dt), clock(time, site).strftime("%Y-%m").to_numpy()
        for month in sorted(set(months)):
            mine = np.where(months == month, energy, 0.0)
            sold, rate = float(mine.sum()), site.heat_reuse.price_eur_per_mwh
            lines.append(Line(name, str(month), "heat_sales", "heat", sold, "MWh heat", -rate, -rate * sold))
            if site.heat_reuse.heat_pump_cop is not None:
                power, cost = sold / site.heat_reuse.heat_pump_cop, float(mine @ pump)
                lines.append(
                    Line(
                        name,
                        str(month),
                        "heat_pump",
                        "heat",
                        power,
                        "MWh heat pump",
                        cost / power if power else 0.0,
                        cost,
                    )
                )
    return lines


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
