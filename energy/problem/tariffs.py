"""Tariffs as arrays: energy and fixed charges, demand charges by month and band, minimum bills.

A demand charge costs what its billed peak comes to on top of what the running month's invoice holds. A minimum bill counts
what still adds to it, and is left out where no plan can stay below it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar, assert_never

import numpy as np
import pandas as pd

from energy.inputs.dated import ALWAYS, Window
from energy.inputs.fleet import Site
from energy.inputs.load import Inputs
from energy.inputs.state import ChargeSoFar, InvoiceSoFar, SiteState
from energy.inputs.tariffs import Tariff
from energy.inputs.terms import EnergyPrice, FixedCost, MinimumSum, PeakCharge
from energy.schema import UNLIMITED_MW, Bools, Floats
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


@dataclass(frozen=True)
class SiteTariff:
    """The tariff of a site over the horizon.

    Attributes
    ----------
    rate : EUR per unit of the tariff's currency on the day of each period, (T,)
    past : peaks and invoices before the horizon
    """

    name: str
    country: str
    terms: Terms
    calendar: SiteCalendar
    rate: Floats
    past: SiteState

    @property
    def months(self) -> Iterable[BillingMonth]:
        """Billing months of the site that the horizon touches."""
        return self.calendar.months.values()

    def holds(self, when: Window) -> Bools:
        """Periods in which a window counts, (T,)."""
        return when.holds(self.calendar, self.country)


def site_tariff(inputs: Inputs, name: str, horizon: Horizon) -> SiteTariff:
    """The tariff of a site over some periods."""
    site, tariff = inputs.fleet.sites[name], inputs.tariffs[name]
    return SiteTariff(
        name, site.country, terms_of(site, tariff), horizon.on_clock(site.time_zone),
        inputs.fx.at(tariff.currency, horizon.time), inputs.state.site(name),
    )  # fmt: skip


def energy_charge(t: SiteTariff, spot: Floats) -> tuple[Floats, Floats]:
    """Cost of a MWh beside spot [EUR/MWh], (T,): all of it, and the part that counts towards a minimum bill."""
    counted, other, prices = np.zeros(len(spot)), np.zeros(len(spot)), t.terms.prices
    for key in dict.fromkeys(d.key for d in prices):
        versions = sorted((d for d in prices if d.key == key), key=lambda d: d.valid_from)
        begins = np.array([d.valid_from.toordinal() for d in versions])
        # Before the first known date the first rate holds.
        in_use = np.maximum(np.searchsorted(begins, [d.toordinal() for d in t.calendar.days], side="right") - 1, 0)
        for i, term in enumerate(d.term for d in versions):
            here = (in_use == i) & t.holds(term.when)
            price = np.where(here, term.price * t.rate + term.spot_share * spot, 0.0)
            counted, other = (counted + price, other) if term.counted else (counted, other + price)
    return counted + other, counted


def fixed_eur(t: SiteTariff) -> dict[str, float]:
    """Fixed charges by month: the share of month, year or day that each period is, at its day's rate of exchange [EUR]."""
    out, dt, day_h = {}, t.calendar.horizon.dt, t.calendar.day_h
    for month in t.months:
        rate, hours = t.rate[month.inside], dt[month.inside]
        per = {
            "month": (hours * rate).sum() / month.whole_h,
            "year": (hours * rate).sum() / month.whole_h / 12,
            "day": (hours / day_h[month.inside] * rate).sum(),
        }
        out[month.label] = float(sum(f.value * per[f.per] for f in in_force(t.terms.fixed, month.first_day).values()))
    return out


@dataclass(frozen=True)
class Charge:
    """A demand charge of a site in a billing month.

    Attributes
    ----------
    rates : of its bands, by the hours on record and of the horizon [EUR/MW]
    billed_eur : what the month's invoice holds of it already [EUR]
    """

    at: SiteTariff
    month: BillingMonth
    key: tuple[str, int]
    of: PeakCharge
    rates: tuple[float, ...]
    billed_eur: float

    @property
    def label(self) -> str:
        """Such as north:peak@2024-03."""
        return f"{self.at.name}:{self.of.name}@{self.month.label}"


def demand_charges(tariffs: Iterable[SiteTariff]) -> list[Charge]:
    """All demand charges of the horizon, by site and month."""
    out = []
    for t, month in [(site, month) for site in tariffs for month in site.months]:
        for key, c in in_force(t.terms.peaks, month.first_day).items():
            # Only if an hour of the horizon, or one on record, sets the peak.
            counts = (month.inside & t.holds(c.when)).any() and any(b.rate for b in c.bands)
            if counts or t.past.knows(month.label, c.window, c.name):
                out.append(Charge(t, month, key, c, *_accrued(t, c, month)))
    return out


def demand_arrays(charges: list[Charge], sites: list[str], month_names: list[str], periods: int) -> dict[str, Floats]:
    """charge_site, charge_month, charge_floor (D,), charge_weight (D, T), charge_rate and charge_band_mw (D, bands)."""
    bands = max([len(c.rates) for c in charges], default=1)
    widths = [[min(b.width_mw, UNLIMITED_MW) for b in c.of.bands] for c in charges]
    number = len(charges)
    return {
        "charge_site": np.array([sites.index(c.at.name) for c in charges], dtype=np.int64),
        "charge_month": np.array([month_names.index(c.month.label) for c in charges], dtype=np.int64),
        "charge_floor": np.array([_floor(c) for c in charges], dtype=float),
        "charge_weight": np.array([_weight(c) for c in charges], dtype=float).reshape(number, periods),
        "charge_rate": np.array([_filled(c.rates, bands) for c in charges], dtype=float).reshape(number, bands),
        "charge_band_mw": np.array([_filled(w, bands) for w in widths], dtype=float).reshape(number, bands),
    }  # fmt: skip


def _filled(values: Sequence[float], length: int) -> list[float]:
    return [*values, *[0.0] * (length - len(values))]


def _accrued(t: SiteTariff, c: PeakCharge, month: BillingMonth) -> tuple[tuple[float, ...], float]:
    """Rates of the bands [EUR/MW] and what they have billed [EUR].

    With K the rate on record, k the horizon's own, P the billed peak at its end and F the sum billed before, the
    month's invoice grows by (K + k) P - F. Nothing of it depends on how the month was cut into horizons. A MW above
    the record costs K + k: the share of the month after the horizon's end, which is the probability that
    the new record stays the month's highest where all hours are alike.
    """
    so_far = t.past.invoice_so_far.get(month.label)
    spread = month.spread_h(t.past.peak_without_invoice(month.label, c.window))
    new = ChargeSoFar(rate_eur_per_mw=0, spread_h=spread, billed_eur=0)
    known = [so_far.charges.get(name, new) if so_far else new for name in (b.account for b in c.bands)]
    covered = month.covered_h * float(t.rate[month.inside].mean()) / (12 if c.per == "year" else 1)
    rates = (k.rate_eur_per_mw + b.rate * covered / k.spread_h for k, b in zip(known, c.bands, strict=True))
    return tuple(rates), sum(k.billed_eur for k in known)


def _weight(charge: Charge) -> Floats:
    """1 in hours of the month that count, the ratchet's share in look-back months inside the horizon.

    A look-back month has kept those hours that its own version declared.
    """
    t, c, first, local = charge.at, charge.of, charge.month.first_day, charge.at.calendar.local
    counted = np.full(len(t.rate), c.when == ALWAYS)
    for month in t.months if c.when != ALWAYS else ():
        version = in_force(t.terms.peaks, month.first_day)[charge.key]
        if version.when != ALWAYS:
            counted |= month.inside & t.holds(version.when)
    back = np.asarray((first.year - local.year) * 12 + first.month - local.month)  # months; negative after the month
    earlier = (back > 0) & (back <= c.look_back_months)
    return np.where(counted & charge.month.inside, 1.0, np.where(counted & earlier, c.ratchet_share, 0.0))


def _floor(charge: Charge) -> float:
    """Billed peak that the past has set [MW]: the month's own, and the ratchet's share of look-back months."""
    c, month = charge.of, pd.Period(charge.month.label, "M")
    peaks = charge.at.past.peaks_of(c.window)
    earlier = [peaks.get(str(month - k), 0.0) for k in range(1, c.look_back_months + 1)]
    return max(peaks.get(str(month), 0.0), c.ratchet_share * max(earlier, default=0.0))


def minimum_arrays(
    tariffs: Sequence[SiteTariff], own_charge: Mapping[str, Floats], month_names: list[str], demand: Sequence[Charge]
) -> tuple[list[str], dict[str, Floats]]:
    """Labels and arrays of minimum bills: minimum_site, minimum_month, minimum_eur (B,), minimum_rate (B, T).

    On the running month's invoice: the least sum grows by what it was, less the lines that counted and the demand
    charges of `demand`, which stand in the program with all that they come to.
    """
    labels: list[str] = []
    sites, when, eur, rate = [], [], [], []
    for s, t in enumerate(tariffs):
        fixed = fixed_eur(t)
        for month in t.months:
            so_far = t.past.invoice_so_far.get(month.label, InvoiceSoFar())
            held = sum(d.billed_eur for d in demand if (d.at.name, d.month.label) == (t.name, month.label))
            for (component, _), least in in_force(t.terms.minimums, month.first_day).items():
                rate_of = float(t.rate[month.inside].mean())
                own = least.value * rate_of * month.covered_h / month.whole_h - fixed[month.label]
                labels.append(f"{t.name}:{component}@{month.label}")
                sites.append(s)
                when.append(month_names.index(month.label))
                eur.append(own + so_far.minimum_eur - so_far.counted_eur + held)
                rate.append(np.where(month.inside, own_charge[t.name], 0.0))
    return labels, {
        "minimum_site": np.array(sites, dtype=np.int64), "minimum_month": np.array(when, dtype=np.int64),
        "minimum_eur": np.array(eur, dtype=float), "minimum_rate": np.array(rate, dtype=float).reshape(len(eur), len(tariffs[0].rate)),
    }  # fmt: skip


def billed_before(tariffs: Iterable[SiteTariff], demand: Sequence[Charge]) -> Floats:
    """Demand charges and top-ups of minimum bills on the invoices of the running months, (S,) [EUR]."""
    out = []
    for t in tariffs:
        paid = sum(d.billed_eur for d in demand if d.at.name == t.name)
        for month in t.months:
            so_far = t.past.invoice_so_far.get(month.label, InvoiceSoFar())
            paid += so_far.top_up_eur if t.terms.minimums else 0.0
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
    # Demand charges of the least power drawn, (D,) [EUR].
    drawn = (demand["charge_weight"] * least[demand["charge_site"]]).max(axis=1, initial=0.0)
    peak, width = np.maximum(drawn, demand["charge_floor"])[:, None], demand["charge_band_mw"]
    owed = (np.clip(peak - (np.cumsum(width, axis=1) - width), 0.0, width) * demand["charge_rate"]).sum(axis=1)
    kept = np.flatnonzero(minimum["minimum_eur"] > energy + same @ owed)
    return [labels[b] for b in kept], {k: v[kept] for k, v in minimum.items()}
