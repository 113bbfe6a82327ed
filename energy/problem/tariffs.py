"""Tariffs by the hour and the month: billing months, which version is in force, energy charges, fixed charges.

Arrays of demand charges: what a billed peak costs by band, on top of what the running month's invoice holds.

Arrays of minimum bills: what still counts towards them, and which of them a plan can stay below at all.
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
from energy.schema import UNLIMITED_MW, Bools, Floats, Times

T = TypeVar("T", EnergyPrice, PeakCharge, FixedCost, MinimumSum)


@dataclass(frozen=True)
class Month:
    """A billing month of a site: where it lies in the horizon and how much of it the horizon bears."""

    label: str
    inside: Bools
    covered_h: float
    whole_h: float
    remaining_h: float

    def spread(self, begins_anew: bool) -> float:
        """Hours that a month's charge is spread over [h].

        Without a month-to-date peak the horizon is a sample of its month and bears the hours it covers. With
        one it is the month going on: a new peak serves from now to the month's end, and the horizon bears the
        part of that which it covers.
        """
        return self.remaining_h if begins_anew else self.whole_h


def local(time: Times, site: Site) -> pd.DatetimeIndex:
    """Period starts in the site's local time."""
    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone)


def day_length(clock: pd.DatetimeIndex) -> Floats:
    """Length of the local day that each period starts in [h]: 23 or 25 where the clock changes."""
    midnight = clock.normalize()
    return np.asarray(((midnight + pd.DateOffset(days=1)) - midnight) / pd.Timedelta(hours=1), dtype=float)


def months(site: Site, time: Times, hours: float) -> list[Month]:
    """Billing months that the horizon touches, in order."""
    clock = local(time, site)
    labels = clock.strftime("%Y-%m").to_numpy()
    out = []
    for label in sorted(set(labels)):
        inside = labels == label
        first = pd.Timestamp(f"{label}-01").tz_localize(site.time_zone)
        after = (pd.Timestamp(f"{label}-01") + pd.DateOffset(months=1)).tz_localize(site.time_zone)
        begin = clock[inside][0]
        hour = pd.Timedelta(hours=1)
        out.append(
            Month(str(label), inside, float(inside.sum() * hours), (after - first) / hour, (after - begin) / hour)
        )
    return out


def month_axis(fleet: Fleet, time: Times) -> tuple[list[str], Floats]:
    """Billing months of all sites, and the month of each period by site, (S, T)."""
    labels = [local(time, site).strftime("%Y-%m").to_numpy() for site in fleet.sites.values()]
    names = sorted({str(m) for row in labels for m in row})
    return names, np.array([[names.index(m) for m in row] for row in labels])


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


def energy_charge(site: Site, tariff: Tariff, spot: Floats, fx: Fx, time: Times) -> tuple[Floats, Floats]:
    """What a MWh costs beside spot [EUR/MWh], (T,): all of it, and the part that counts for a minimum bill."""
    clock, rate = local(time, site), fx.at(tariff.currency, time)
    counted, other = np.zeros(len(time)), np.zeros(len(time))
    prices = terms_of(site, tariff).prices
    for key in dict.fromkeys(d.key for d in prices):
        versions = sorted((d for d in prices if d.key == key), key=lambda d: d.valid_from)
        begins = np.array([d.valid_from.toordinal() for d in versions])
        # Before the first known date the first rate stands in.
        in_use = np.maximum(np.searchsorted(begins, [d.toordinal() for d in clock.date], side="right") - 1, 0)
        for i, term in enumerate(d.term for d in versions):
            here = (in_use == i) & term.when.holds(clock, site.country)
            price = np.where(here, term.price * rate + term.spot_share * spot, 0.0)
            counted, other = (counted + price, other) if term.counted else (counted, other + price)
    return counted + other, counted


def fixed_eur(site: Site, tariff: Tariff, fx: Fx, time: Times, hours: float) -> dict[str, float]:
    """Fixed charges by month: the share of month, year or day that each period is, at its day's rate of exchange [EUR]."""
    clock, rate, out = local(time, site), fx.at(tariff.currency, time), {}
    fixed = terms_of(site, tariff).fixed
    for month in months(site, time, hours):
        money, here = rate[month.inside], clock[month.inside]
        per = {
            "month": hours * money.sum() / month.whole_h,
            "year": hours * money.sum() / month.whole_h / 12,
            "day": (hours / day_length(here) * money).sum(),
        }
        out[month.label] = float(sum(f.value * per[f.per] for f in in_force(fixed, here[0].date()).values()))
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
    month: Month
    key: tuple[str, int]
    of: PeakCharge
    rates: tuple[float, ...]
    billed_eur: float

    @property
    def label(self) -> str:
        """Such as north:peak@2024-03."""
        return f"{self.site}:{self.of.name}@{self.month.label}"


def demand_charges(
    fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, fx: Fx, time: Times, hours: float
) -> list[Charge]:
    """All demand charges of the horizon, by site and month."""
    return [
        Charge(name, month, key, c, *_accrued(c, month, state.site(name), fx.at(tariffs[name].currency, time)))
        for name, site in fleet.sites.items()
        for month in months(site, time, hours)
        for key, c in _counting(site, tariffs[name], month, time, state.site(name))
    ]


def demand_arrays(
    charges: list[Charge],
    fleet: Fleet,
    tariffs: Mapping[str, Tariff],
    state: State,
    time: Times,
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
        "charge_weight": np.array([_weight(c, fleet.sites[c.site], tariffs[c.site], time) for c in charges],
                                  dtype=float).reshape(number, len(time)),
        "charge_rate": np.array([_filled(c.rates, bands) for c in charges], dtype=float).reshape(number, bands),
        "charge_band_mw": np.array([_filled(w, bands) for w in widths], dtype=float).reshape(number, bands),
    }  # fmt: skip


def _filled(values: Sequence[float], length: int) -> list[float]:
    return [*values, *[0.0] * (length - len(values))]


def _accrued(c: PeakCharge, month: Month, past: SiteState, money: Floats) -> tuple[tuple[float, ...], float]:
    """Rates of the bands [EUR/MW] and what they have billed [EUR].

    With K the rate on record, k the horizon's own, P the billed peak at its end and F the sum billed before, the
    month's invoice grows by (K + k) P - F. Nothing of it depends on how the month was cut into horizons. A MW above
    the record costs K + k: the share of the month that lies behind the horizon's end, which is the probability that
    the new record stays the month's highest where all hours are alike.
    """
    so_far = past.invoice_so_far.get(month.label)
    spread = month.spread(past.begins_anew(month.label, c.window))
    new = ChargeSoFar(rate_eur_per_mw=0, spread_h=spread, billed_eur=0)
    known = [so_far.charges.get(name, new) if so_far else new for name in (b.account for b in c.bands)]
    covered = month.covered_h * float(money[month.inside].mean()) / (12 if c.per == "year" else 1)
    rates = (k.rate_eur_per_mw + b.rate * covered / k.spread_h for k, b in zip(known, c.bands, strict=True))
    return tuple(rates), sum(k.billed_eur for k in known)


def _counting(
    site: Site, tariff: Tariff, month: Month, time: Times, past: SiteState
) -> Iterator[tuple[tuple[str, int], PeakCharge]]:
    """Demand charges in force on the first day that the horizon covers, if any hour of it or on record sets the peak."""
    clock = local(time, site)
    for key, c in in_force(terms_of(site, tariff).peaks, clock[month.inside][0].date()).items():
        counts = (month.inside & c.when.holds(clock, site.country)).any() and any(b.rate for b in c.bands)
        if counts or past.knows(month.label, c.window, c.name):
            yield key, c


def _weight(charge: Charge, site: Site, tariff: Tariff, time: Times) -> Floats:
    """1 in hours of the month that count, the ratchet's share in look-back months inside the horizon."""
    clock, c = local(time, site), charge.of
    counted = _counted(charge, site, terms_of(site, tariff).peaks, clock)
    back = _months_between(clock, charge.month.label)
    earlier = (back > 0) & (back <= c.look_back_months)
    return np.where(counted & charge.month.inside, 1.0, np.where(counted & earlier, c.ratchet_share, 0.0))


def _counted(charge: Charge, site: Site, peaks: Sequence[DatedTerm[PeakCharge]], clock: pd.DatetimeIndex) -> Bools:
    """Hours that set the charge's peaks; a look-back month has kept those that its own version declared."""
    if charge.of.when == ALWAYS:
        return np.full(len(clock), True)
    months, out = clock.strftime("%Y-%m").to_numpy(), np.full(len(clock), False)
    for label in sorted(set(months)):
        version = in_force(peaks, clock[months == label][0].date())[charge.key]
        if version.when != ALWAYS:
            out |= (months == label) & version.when.holds(clock, site.country)
    return out


def _months_between(clock: pd.DatetimeIndex, label: str) -> Floats:
    """Months from each period to the billing month; 0 inside it, negative after it."""
    first = pd.Timestamp(f"{label}-01")
    return np.asarray((first.year - clock.year) * 12 + first.month - clock.month)


def floor(past: SiteState, c: PeakCharge, label: str) -> float:
    """Billed peak that the past has set [MW]: the month's own, and the ratchet's share of look-back months."""
    peaks, first = past.peaks_of(c.window), pd.Period(label, "M")
    earlier = [peaks.get(str(first - k), 0.0) for k in range(1, c.look_back_months + 1)]
    return max(peaks.get(label, 0.0), c.ratchet_share * max(earlier, default=0.0))


def minimum_arrays(
    fleet: Fleet, tariffs: Mapping[str, Tariff], own_charge: Mapping[str, Floats], fx: Fx, time: Times, hours: float,
    month_names: list[str], state: State, demand: Sequence[Charge],
) -> tuple[list[str], dict[str, Floats]]:  # fmt: skip
    """Labels and arrays of minimum bills: minimum_site, minimum_month, minimum_eur (B,), minimum_rate (B, T).

    On the running month's invoice: the least sum grows by what it was, less the lines that counted and the demand
    charges of `demand`, which stand in the program with all that they come to.
    """
    labels: list[str] = []
    sites, when, eur, rate = [], [], [], []
    for s, (name, site) in enumerate(fleet.sites.items()):
        fixed = fixed_eur(site, tariffs[name], fx, time, hours)
        for month in months(site, time, hours):
            day = local(time, site)[month.inside][0].date()
            so_far = state.site(name).invoice_so_far.get(month.label, InvoiceSoFar())
            held = sum(d.billed_eur for d in demand if (d.site, d.month.label) == (name, month.label))
            for (component, _), least in in_force(terms_of(site, tariffs[name]).minimums, day).items():
                money = float(fx.at(tariffs[name].currency, time)[month.inside].mean())
                own = least.value * money * month.covered_h / month.whole_h - fixed[month.label]
                labels.append(f"{name}:{component}@{month.label}")
                sites.append(s)
                when.append(month_names.index(month.label))
                eur.append(own + so_far.minimum_eur - so_far.counted_eur + held)
                rate.append(np.where(month.inside, own_charge[name], 0.0))
    return labels, {
        "minimum_site": np.array(sites, dtype=np.int64), "minimum_month": np.array(when, dtype=np.int64),
        "minimum_eur": np.array(eur, dtype=float), "minimum_rate": np.array(rate, dtype=float).reshape(len(eur), len(time)),
    }  # fmt: skip


def billed_before(fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, time: Times, hours: float,
                  demand: Sequence[Charge]) -> Floats:  # fmt: skip
    """What the running months' invoices hold of demand charges and of what minimum bills added, (S,) [EUR]."""
    out = []
    for name, site in fleet.sites.items():
        paid = sum(d.billed_eur for d in demand if d.site == name)
        for month in months(site, time, hours):
            so_far = state.site(name).invoice_so_far.get(month.label, InvoiceSoFar())
            paid += so_far.top_up_eur if terms_of(site, tariffs[name]).minimums else 0.0
        out.append(paid)
    return np.array(out)


def within_reach(
    labels: list[str], minimum: Mapping[str, Floats], demand: Mapping[str, Floats], least: Floats, most: Floats,
    hours: float,
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
    energy = hours * np.where(rate > 0, rate * least[s], rate * most[s]).sum(axis=1)
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
