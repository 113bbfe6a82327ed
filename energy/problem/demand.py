"""Arrays of demand charges: what a billed peak costs by band, on top of what the running month's invoice holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.state import ChargeSoFar, SiteState, State
from energy.inputs.tariffs import Demand, Tariff
from energy.inputs.windows import ALWAYS
from energy.problem.charges import Month, in_force, local, months
from energy.schema import UNLIMITED_MW, Bools, Floats, Times


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
    of: Demand
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
        Charge(name, month, c, *_accrued(c, month, state.site(name), fx.at(tariffs[name].currency, time)))
        for name, site in fleet.sites.items()
        for month in months(site, time, hours)
        for c in _counting(site, tariffs[name], month, time, state.site(name))
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
    widths = [[min(w, UNLIMITED_MW) for w, _ in c.of.rates()] for c in charges]
    number, sites = len(charges), list(fleet.sites)
    return {
        "charge_site": np.array([sites.index(c.site) for c in charges], dtype=np.int64),
        "charge_month": np.array([month_names.index(c.month.label) for c in charges], dtype=np.int64),
        "charge_floor": np.array([floor(state.site(c.site), c.of, c.month.label) for c in charges], dtype=float),
        "charge_weight": np.array([_weight(fleet.sites[c.site], tariffs[c.site], c.of, c.month, time) for c in charges],
                                  dtype=float).reshape(number, len(time)),
        "charge_rate": np.array([_filled(c.rates, bands) for c in charges], dtype=float).reshape(number, bands),
        "charge_band_mw": np.array([_filled(w, bands) for w in widths], dtype=float).reshape(number, bands),
    }  # fmt: skip


def _filled(values: Sequence[float], length: int) -> list[float]:
    return [*values, *[0.0] * (length - len(values))]


def _accrued(c: Demand, month: Month, past: SiteState, money: Floats) -> tuple[tuple[float, ...], float]:
    """Rates of the bands [EUR/MW] and what they have billed [EUR].

    With K the rate on record, k the horizon's own, P the billed peak at its end and F the sum billed before, the
    month's invoice grows by (K + k) P - F. Nothing of it depends on how the month was cut into horizons. A MW above
    the record costs K + k: the share of the month that lies behind the horizon's end, which is the probability that
    the new record stays the month's highest where all hours are alike.
    """
    so_far = past.invoice_so_far.get(month.label)
    spread = month.spread(past.begins_anew(month.label, _window(c)))
    new = ChargeSoFar(rate_eur_per_mw=0, spread_h=spread, billed_eur=0)
    known = [so_far.charges.get(name, new) if so_far else new for name in c.line_names()]
    covered = month.covered_h * float(money[month.inside].mean()) / (12 if c.unit.endswith("/year") else 1)
    rates = (k.rate_eur_per_mw + r * covered / k.spread_h for k, (_, r) in zip(known, c.rates(), strict=True))
    return tuple(rates), sum(k.billed_eur for k in known)


def _counting(site: Site, tariff: Tariff, month: Month, time: Times, past: SiteState) -> Iterator[Demand]:
    """Demand charges in force on the first day that the horizon covers, if any hour of it or on record sets the peak."""
    clock = local(time, site)
    for c in in_force(tariff, Demand, clock[month.inside][0].date()).values():
        assert isinstance(c, Demand)
        counts = (month.inside & c.when.holds(clock, site.country)).any() and any(r for _, r in c.rates())
        if counts or past.knows(month.label, _window(c), c.name):
            yield c


def _weight(site: Site, tariff: Tariff, c: Demand, month: Month, time: Times) -> Floats:
    """1 in hours of the month that count, the ratchet's share in look-back months inside the horizon."""
    clock = local(time, site)
    counted = _counted(site, tariff, c, clock)
    back = _months_between(clock, month.label)
    earlier = (back > 0) & (back <= c.look_back_months)
    return np.where(counted & month.inside, 1.0, np.where(counted & earlier, c.ratchet_share, 0.0))


def _counted(site: Site, tariff: Tariff, c: Demand, clock: pd.DatetimeIndex) -> Bools:
    """Hours that set the charge's peaks; a look-back month has kept those that its own version declared."""
    if c.when == ALWAYS:
        return np.full(len(clock), True)
    months, out = clock.strftime("%Y-%m").to_numpy(), np.full(len(clock), False)
    for label in sorted(set(months)):
        version = in_force(tariff, Demand, clock[months == label][0].date())[c.name]
        assert isinstance(version, Demand)
        if version.when != ALWAYS:
            out |= (months == label) & version.when.holds(clock, site.country)
    return out


def _months_between(clock: pd.DatetimeIndex, label: str) -> Floats:
    """Months from each period to the billing month; 0 inside it, negative after it."""
    first = pd.Timestamp(f"{label}-01")
    return np.asarray((first.year - clock.year) * 12 + first.month - clock.month)


def floor(past: SiteState, c: Demand, label: str) -> float:
    """Billed peak that the past has set [MW]: the month's own, and the ratchet's share of look-back months."""
    peaks, first = past.peaks_of(_window(c)), pd.Period(label, "M")
    earlier = [peaks.get(str(first - k), 0.0) for k in range(1, c.look_back_months + 1)]
    return max(peaks.get(label, 0.0), c.ratchet_share * max(earlier, default=0.0))


def _window(c: Demand) -> str | None:
    """The name under which the state keeps the charge's own peaks; None: those of all hours."""
    return None if c.when == ALWAYS else c.name
