"""Invoice lines that are not energy times price: fixed and minimum charges, contracts, hedges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from energy.audit.facts import Facts, clock
from energy.inputs.contracts import CappedPrice, Contract, Hedge, TakeOrPay
from energy.inputs.dated import at
from energy.inputs.fleet import Site
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
