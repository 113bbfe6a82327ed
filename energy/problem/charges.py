"""Tariffs by the hour and the month: billing months, which version is in force, energy charges, fixed charges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.tariffs import Energy, Fixed, SpotShare, Tariff
from energy.schema import Bools, Floats, Times


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


def in_force(tariff: Tariff, kind: type, day: date) -> dict[str, object]:
    """Components of a kind on a site-local day by name: the latest that is valid, before the first one that one."""
    out: dict[str, object] = {}
    for c in sorted((c for c in tariff.components if isinstance(c, kind)), key=lambda c: c.valid_from):
        if c.valid_from <= day or c.name not in out:
            out[c.name] = c
    return out


def energy_charge(site: Site, tariff: Tariff, spot: Floats, fx: Fx, time: Times) -> tuple[Floats, Floats]:
    """What a MWh costs beside spot [EUR/MWh], (T,): all of it, and the part that counts for a minimum bill."""
    clock, rate = local(time, site), fx.at(tariff.currency, time)
    own, following = np.zeros(len(time)), np.zeros(len(time))
    for name in dict.fromkeys(c.name for c in tariff.components if isinstance(c, Energy | SpotShare)):
        versions = sorted((c for c in tariff.components if c.name == name), key=lambda c: c.valid_from)
        begins = np.array([c.valid_from.toordinal() for c in versions])
        # Before the first known date the first rate stands in.
        in_use = np.maximum(np.searchsorted(begins, [d.toordinal() for d in clock.date], side="right") - 1, 0)
        for i, c in enumerate(versions):
            here = (
                (in_use == i) & c.when.holds(clock, site.country) if isinstance(c, Energy | SpotShare) else in_use < -1
            )
            if isinstance(c, SpotShare):
                following += np.where(here, c.value * spot, 0.0)
            elif isinstance(c, Energy):
                value = c.reduced if c.reduced is not None and c.name in site.reduced_rates else c.value
                own += np.where(here, value * rate, 0.0)
    return own + following, own


def fixed_eur(site: Site, tariff: Tariff, fx: Fx, time: Times, hours: float) -> dict[str, float]:
    """Fixed charges by month: the share of month, year or day that each period is, at its day's rate of exchange [EUR]."""
    clock, rate, out = local(time, site), fx.at(tariff.currency, time), {}
    for month in months(site, time, hours):
        money, here = rate[month.inside], clock[month.inside]
        per = {
            "month": hours * money.sum() / month.whole_h,
            "year": hours * money.sum() / month.whole_h / 12,
            "day": (hours / day_length(here) * money).sum(),
        }
        fixed = [c for c in in_force(tariff, Fixed, here[0].date()).values() if isinstance(c, Fixed)]
        out[month.label] = float(sum(c.value * per[c.unit.split("/")[1]] for c in fixed))
    return out
