"""Tariffs as arrays: energy and fixed charges, demand charges by month and band, minimum bills.

A demand charge costs what its billed peak comes to on top of what the running month's invoice holds. A minimum bill counts
what still adds to it, and is left out where no plan can stay below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar, assert_never

import numpy as np
import pandas as pd

from energy.inputs.dated import ALWAYS
from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.state import ChargeSoFar, InvoiceSoFar, SiteState, State
from energy.inputs.tariffs import Tariff
from energy.inputs.terms import EnergyPrice, FixedCost, MinimumSum, PeakCharge
from energy.schema import UNLIMITED_MW, Bools, Floats, Ints
from energy.schema.calendar import BillingMonth, Horizon, SiteCalendar

T = TypeVar("T", EnergyPrice, PeakCharge, FixedCost, MinimumSum)


@dataclass(frozen=True)
class DatedTerm(Generic[T]):
    """A term of a component, from a site-local day on; `key` is the component's name and the term's place in it."""

    key: tuple[str, int]
    valid_from: date
    term: T


@dataclass
class Terms:
    """Terms of a site's tariff by their sort, in the order of the file."""

    prices: list[DatedTerm[EnergyPrice]] = field(default_factory=list)
    peaks: list[DatedTerm[PeakCharge]] = field(default_factory=list)
    fixed: list[DatedTerm[FixedCost]] = field(default_factory=list)
    minimums: list[DatedTerm[MinimumSum]] = field(default_factory=list)


def terms_of(site: Site, tariff: Tariff) -> Terms:
    """All terms of a tariff at a site."""
    out = Terms()
    for c in tariff.components:
        for i, term in enumerate(c.terms(reduced=c.name in site.reduced_rates)):
            key = c.name, i
            match term:
                case EnergyPrice():
                    out.prices.append(DatedTerm(key, c.valid_from, term))
                case PeakCharge():
                    out.peaks.append(DatedTerm(key, c.valid_from, term))
                case FixedCost():
                    out.fixed.append(DatedTerm(key, c.valid_from, term))
                case MinimumSum():
                    out.minimums.append(DatedTerm(key, c.valid_from, term))
                case _:
                    assert_never(term)
    return out


def in_force(terms: Sequence[DatedTerm[T]], day: date) -> dict[tuple[str, int], T]:
    """Terms on a site-local day by key: the latest that is valid, before the first one that one."""
    out: dict[tuple[str, int], T] = {}
    for d in sorted(terms, key=lambda d: d.valid_from):
        if d.valid_from <= day or d.key not in out:
            out[d.key] = d.term
    return out


def energy_charge(site: Site, tariff: Tariff, spot: Floats, fx: Fx, horizon: Horizon) -> tuple[Floats, Floats]:
    """What a MWh costs beside spot [EUR/MWh], (T,): all of it, and the part that counts for a minimum bill."""
    calendar, rate = horizon.on_clock(site.time_zone), fx.at(tariff.currency, horizon.time)
    counted, other = np.zeros(len(horizon)), np.zeros(len(horizon))
    prices = terms_of(site, tariff).prices
    for key in dict.fromkeys(d.key for d in prices):
        versions = sorted((d for d in prices if d.key == key), key=lambda d: d.valid_from)
        begins = np.array([d.valid_from.toordinal() for d in versions])
        # Before the first known date the first rate holds.
        in_use = np.maximum(np.searchsorted(begins, [d.toordinal() for d in calendar.days], side="right") - 1, 0)
        for i, term in enumerate(d.term for d in versions):
            here = (in_use == i) & term.when.holds(calendar, site.country)
            price = np.where(here, term.price * rate + term.spot_share * spot, 0.0)
            counted, other = (counted + price, other) if term.counted else (counted, other + price)
    return counted + other, counted


def fixed_eur(site: Site, tariff: Tariff, fx: Fx, horizon: Horizon) -> dict[str, float]:
    """Fixed charges by month: the share of month, year or day that each period is, at its day's rate of exchange [EUR]."""
    calendar, out, fixed = horizon.on_clock(site.time_zone), {}, terms_of(site, tariff).fixed
    rate, dt, day_h = fx.at(tariff.currency, horizon.time), horizon.dt, calendar.day_h
    for label, month in calendar.months.items():
        money, hours = rate[month.inside], dt[month.inside]
        per = {
            "month": (hours * money).sum() / month.whole_h,
            "year": (hours * money).sum() / month.whole_h / 12,
            "day": (hours / day_h[month.inside] * money).sum(),
        }
        out[label] = float(sum(f.value * per[f.per] for f in in_force(fixed, month.first_day).values()))
    return out


@dataclass(frozen=True)
class Charge:
    """A demand charge of a site in a billing month.

    Attributes
    ----------
    rates : of its bands, by the hours on record and of the horizon [EUR/MW]
    billed_eur : what the month's invoice holds of it already [EUR]
    """

    site: str
    month: BillingMonth
    key: tuple[str, int]
    of: PeakCharge
    rates: tuple[float, ...]
    billed_eur: float

    @property
    def label(self) -> str:
        """Such as north:peak@2024-03."""
        return f"{self.site}:{self.of.name}@{self.month.label}"


def demand_charges(fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, fx: Fx, horizon: Horizon) -> list[Charge]:
    """All demand charges of the horizon, by site and month."""
    return [
        Charge(name, month, key, c, *_accrued(c, month, state.site(name), fx.at(tariffs[name].currency, horizon.time)))
        for name, site in fleet.sites.items()
        for month in horizon.on_clock(site.time_zone).months.values()
        for key, c in _counting(site, tariffs[name], month, horizon, state.site(name))
    ]


def demand_arrays(
    charges: list[Charge],
    fleet: Fleet,
    tariffs: Mapping[str, Tariff],
    state: State,
    horizon: Horizon,
    month_names: list[str],
) -> dict[str, Floats]:
    """charge_site, charge_month, charge_floor (D,), charge_weight (D, T), charge_rate and charge_band_mw (D, bands)."""
    bands = max([len(c.rates) for c in charges], default=1)
    widths = [[min(b.width_mw, UNLIMITED_MW) for b in c.of.bands] for c in charges]
    number, sites = len(charges), list(fleet.sites)
    return {
        "charge_site": np.array([sites.index(c.site) for c in charges], dtype=np.int64),
        "charge_month": np.array([month_names.index(c.month.label) for c in charges], dtype=np.int64),
        "charge_floor": np.array([floor(state.site(c.site), c.of, c.month.label) for c in charges], dtype=float),
        "charge_weight": np.array([_weight(c, fleet.sites[c.site], tariffs[c.site], horizon) for c in charges],
                                  dtype=float).reshape(number, len(horizon)),
        "charge_rate": np.array([_filled(c.rates, bands) for c in charges], dtype=float).reshape(number, bands),
        "charge_band_mw": np.array([_filled(w, bands) for w in widths], dtype=float).reshape(number, bands),
    }  # fmt: skip


def _filled(values: Sequence[float], length: int) -> list[float]:
    return [*values, *[0.0] * (length - len(values))]


def _accrued(c: PeakCharge, month: BillingMonth, past: SiteState, money: Floats) -> tuple[tuple[float, ...], float]:
    """Rates of the bands [EUR/MW] and what they have billed [EUR].

    With K the rate on record, k the horizon's own, P the billed peak at its end and F the sum billed before, the
    month's invoice grows by (K + k) P - F. Nothing of it depends on how the month was cut into horizons. A MW above
    the record costs K + k: the share of the month after the horizon's end, which is the probability that
    the new record stays the month's highest where all hours are alike.
    """
    so_far = past.invoice_so_far.get(month.label)
    spread = month.spread_h(past.peak_without_invoice(month.label, c.window))
    new = ChargeSoFar(rate_eur_per_mw=0, spread_h=spread, billed_eur=0)
    known = [so_far.charges.get(name, new) if so_far else new for name in (b.account for b in c.bands)]
    covered = month.covered_h * float(money[month.inside].mean()) / (12 if c.per == "year" else 1)
    rates = (k.rate_eur_per_mw + b.rate * covered / k.spread_h for k, b in zip(known, c.bands, strict=True))
    return tuple(rates), sum(k.billed_eur for k in known)


def _counting(
    site: Site, tariff: Tariff, month: BillingMonth, horizon: Horizon, past: SiteState
) -> Iterator[tuple[tuple[str, int], PeakCharge]]:
    """Demand charges in force on the first day that the horizon covers, if any hour of it or on record sets the peak."""
    calendar = horizon.on_clock(site.time_zone)
    for key, c in in_force(terms_of(site, tariff).peaks, month.first_day).items():
        counts = (month.inside & c.when.holds(calendar, site.country)).any() and any(b.rate for b in c.bands)
        if counts or past.knows(month.label, c.window, c.name):
            yield key, c


def _weight(charge: Charge, site: Site, tariff: Tariff, horizon: Horizon) -> Floats:
    """1 in hours of the month that count, the ratchet's share in look-back months inside the horizon."""
    calendar, c = horizon.on_clock(site.time_zone), charge.of
    counted = _counted(charge, site, terms_of(site, tariff).peaks, calendar)
    back = _months_between(calendar, charge.month)
    earlier = (back > 0) & (back <= c.look_back_months)
    return np.where(counted & charge.month.inside, 1.0, np.where(counted & earlier, c.ratchet_share, 0.0))


def _counted(charge: Charge, site: Site, peaks: Sequence[DatedTerm[PeakCharge]], calendar: SiteCalendar) -> Bools:
    """Hours that set the charge's peaks; a look-back month has kept those that its own version declared."""
    if charge.of.when == ALWAYS:
        return np.full(len(calendar.local), True)
    out = np.full(len(calendar.local), False)
    for month in calendar.months.values():
        version = in_force(peaks, month.first_day)[charge.key]
        if version.when != ALWAYS:
            out |= month.inside & version.when.holds(calendar, site.country)
    return out


def _months_between(calendar: SiteCalendar, month: BillingMonth) -> Ints:
    """Months from each period to the billing month; 0 inside it, negative after it."""
    first, local = month.first_day, calendar.local
    return np.asarray((first.year - local.year) * 12 + first.month - local.month)


def floor(past: SiteState, c: PeakCharge, label: str) -> float:
    """Billed peak that the past has set [MW]: the month's own, and the ratchet's share of look-back months."""
    peaks, first = past.peaks_of(c.window), pd.Period(label, "M")
    earlier = [peaks.get(str(first - k), 0.0) for k in range(1, c.look_back_months + 1)]
    return max(peaks.get(label, 0.0), c.ratchet_share * max(earlier, default=0.0))


def minimum_arrays(
    fleet: Fleet, tariffs: Mapping[str, Tariff], own_charge: Mapping[str, Floats], fx: Fx, horizon: Horizon,
    month_names: list[str], state: State, demand: Sequence[Charge],
) -> tuple[list[str], dict[str, Floats]]:  # fmt: skip
    """Labels and arrays of minimum bills: minimum_site, minimum_month, minimum_eur (B,), minimum_rate (B, T).

    On the running month's invoice: the least sum grows by what it was, less the lines that counted and the demand
    charges of `demand`, which stand in the program with all that they come to.
    """
    labels: list[str] = []
    sites, when, eur, rate = [], [], [], []
    for s, (name, site) in enumerate(fleet.sites.items()):
        fixed = fixed_eur(site, tariffs[name], fx, horizon)
        for month in horizon.on_clock(site.time_zone).months.values():
            so_far = state.site(name).invoice_so_far.get(month.label, InvoiceSoFar())
            held = sum(d.billed_eur for d in demand if (d.site, d.month.label) == (name, month.label))
            for (component, _), least in in_force(terms_of(site, tariffs[name]).minimums, month.first_day).items():
                money = float(fx.at(tariffs[name].currency, horizon.time)[month.inside].mean())
                own = least.value * money * month.covered_h / month.whole_h - fixed[month.label]
                labels.append(f"{name}:{component}@{month.label}")
                sites.append(s)
                when.append(month_names.index(month.label))
                eur.append(own + so_far.minimum_eur - so_far.counted_eur + held)
                rate.append(np.where(month.inside, own_charge[name], 0.0))
    return labels, {
        "minimum_site": np.array(sites, dtype=np.int64), "minimum_month": np.array(when, dtype=np.int64),
        "minimum_eur": np.array(eur, dtype=float), "minimum_rate": np.array(rate, dtype=float).reshape(len(eur), len(horizon)),
    }  # fmt: skip


def billed_before(fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, horizon: Horizon,
                  demand: Sequence[Charge]) -> Floats:  # fmt: skip
    """What the running months' invoices hold of demand charges and of what minimum bills added, (S,) [EUR]."""
    out = []
    for name, site in fleet.sites.items():
        paid = sum(d.billed_eur for d in demand if d.site == name)
        for month in horizon.on_clock(site.time_zone).months.values():
            so_far = state.site(name).invoice_so_far.get(month.label, InvoiceSoFar())
            paid += so_far.top_up_eur if terms_of(site, tariffs[name]).minimums else 0.0
        out.append(paid)
    return np.array(out)


def within_reach(
    labels: list[str], minimum: Mapping[str, Floats], demand: Mapping[str, Floats], least: Floats, most: Floats,
    dt: Floats,
) -> tuple[list[str], dict[str, Floats]]:  # fmt: skip
    """Only the minimum bills that some plan may stay below; the others never add anything and are left out.

    A bill that cannot bind must not lower the lowest price of its hours (`schema.lowest_price`): it would loosen the
    program in hours of negative spot for nothing.

    Parameters
    ----------
    demand : arrays of the demand charges, whose least sum counts too
    least, most : least and largest power that any plan draws [MW], (S, T)
    """
    s, rate = minimum["minimum_site"], minimum["minimum_rate"]
    energy = (dt * np.where(rate > 0, rate * least[s], rate * most[s])).sum(axis=1)
    same = (demand["charge_site"] == s[:, None]) & (demand["charge_month"] == minimum["minimum_month"][:, None])
    open_: Bools = minimum["minimum_eur"] > energy + same @ _least_demand(demand, least)
    kept = np.flatnonzero(open_)
    return [labels[b] for b in kept], {k: v[kept] for k, v in minimum.items()}


def _least_demand(demand: Mapping[str, Floats], least: Floats) -> Floats:
    """Demand charges of the least power drawn, (D,) [EUR]."""
    drawn = (demand["charge_weight"] * least[demand["charge_site"]]).max(axis=1, initial=0.0)
    peak = np.maximum(drawn, demand["charge_floor"])[:, None]
    width = demand["charge_band_mw"]
    below = np.cumsum(width, axis=1) - width
    return np.asarray((np.clip(peak - below, 0.0, width) * demand["charge_rate"]).sum(axis=1))
