"""Arrays of tariffs: energy charges by the hour, demand charges with their memory, fixed and minimum bills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.state import SiteState, State
from energy.inputs.tariffs import Demand, Energy, Fixed, MinimumBill, SpotShare, Tariff
from energy.inputs.windows import ALWAYS
from energy.schema import Bools, Floats, Times

#: Width of a band without end [MW]: above any grid limit of the schema.
ENDLESS_MW = 1e5


@dataclass(frozen=True)
class Month:
    """A billing month of a site: where it lies in the horizon and how much of it the horizon bears."""

    label: str
    inside: Bools
    covered_h: float
    whole_h: float
    remaining_h: float

    def share(self, has_history: bool) -> float:
        """Share of a month's charge that the horizon bears.

        Without a month-to-date peak the horizon is a sample of its month and bears the hours it covers. With
        one it is the month going on: a new peak serves from now to the month's end, and the horizon bears the
        part of that which it covers.
        """
        return self.covered_h / (self.remaining_h if has_history else self.whole_h)


def local(time: Times, site: Site) -> pd.DatetimeIndex:
    """Period starts in the site's local time."""
    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone)


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
    """Components of a kind on a site-local day by name: the latest that is valid."""
    known = sorted(
        (c for c in tariff.components if isinstance(c, kind) and c.valid_from <= day), key=lambda c: c.valid_from
    )
    return {c.name: c for c in known}


def energy_charge(site: Site, tariff: Tariff, spot: Floats, fx: Fx, time: Times) -> tuple[Floats, Floats]:
    """What a MWh costs beside spot [EUR/MWh], (T,): all of it, and the part that counts for a minimum bill."""
    clock, rate = local(time, site), fx.at(tariff.currency, time)
    own, following = np.zeros(len(time)), np.zeros(len(time))
    for name in dict.fromkeys(c.name for c in tariff.components if isinstance(c, Energy | SpotShare)):
        versions = sorted((c for c in tariff.components if c.name == name), key=lambda c: c.valid_from)
        begins = np.array([c.valid_from.toordinal() for c in versions])
        in_use = np.searchsorted(begins, [d.toordinal() for d in clock.date], side="right") - 1
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


def demand_arrays(
    fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, fx: Fx, time: Times, hours: float, month_names: list[str]
) -> tuple[list[str], dict[str, Floats]]:
    """Labels and arrays of all demand charges: charge_site, charge_month, charge_floor (D,), charge_weight (D, T),
    charge_rate and charge_band_mw (D, bands)."""
    rows = [
        (f"{name}:{c.name}@{month.label}", s, month, c, name)
        for s, (name, site) in enumerate(fleet.sites.items())
        for month in months(site, time, hours)
        for c in _demands(site, tariffs[name], month, time, state.sites.get(name, SiteState()))
    ]
    bands = max([len(c.rates()) for *_, c, _ in rows], default=1)
    out: dict[str, list[object]] = {k: [] for k in ("site", "month", "floor", "weight", "rate", "band_mw")}
    for _, s, month, c, name in rows:
        site = fleet.sites[name]
        money = float(fx.at(tariffs[name].currency, time)[month.inside].mean())
        share = month.share(_has_history(state, name, c, month.label)) / (12 if c.unit.endswith("/year") else 1)
        widths = [min(w, ENDLESS_MW) for w, _ in c.rates()]
        out["site"].append(s)
        out["month"].append(month_names.index(month.label))
        out["floor"].append(floor(state, name, c, month.label))
        out["weight"].append(_weight(site, c, month, time))
        out["rate"].append(_filled([r * money * share for _, r in c.rates()], bands))
        out["band_mw"].append(_filled(widths, bands))
    shapes = {
        "site": (0,),
        "month": (0,),
        "floor": (0,),
        "weight": (0, len(time)),
        "rate": (0, bands),
        "band_mw": (0, bands),
    }
    kinds = {"site": np.int64, "month": np.int64}
    arrays = {f"charge_{k}": np.array(v, dtype=kinds.get(k, float)) if v else np.zeros(shapes[k], kinds.get(k, float))
              for k, v in out.items()}  # fmt: skip
    return [label for label, *_ in rows], arrays


def _filled(values: list[float], length: int) -> list[float]:
    return values + [0.0] * (length - len(values))


def _demands(site: Site, tariff: Tariff, month: Month, time: Times, past: SiteState) -> Iterator[Demand]:
    """Demand charges in force on the first day that the horizon covers, if any hour of it or on record sets the peak."""
    clock = local(time, site)
    for c in in_force(tariff, Demand, clock[month.inside][0].date()).values():
        assert isinstance(c, Demand)
        counts = (month.inside & c.when.holds(clock, site.country)).any() and any(r for _, r in c.rates())
        if counts or past.knows(month.label, None if c.when == ALWAYS else c.name, c.name):
            yield c


def _weight(site: Site, c: Demand, month: Month, time: Times) -> Floats:
    """1 in hours of the month that count, the ratchet's share in look-back months inside the horizon."""
    clock = local(time, site)
    counted = c.when.holds(clock, site.country)
    back = _months_between(clock, month.label)
    earlier = (back > 0) & (back <= c.look_back_months)
    return np.where(counted & month.inside, 1.0, np.where(counted & earlier, c.ratchet_share, 0.0))


def _months_between(clock: pd.DatetimeIndex, label: str) -> Floats:
    """Months from each period to the billing month; 0 inside it, negative after it."""
    first = pd.Timestamp(f"{label}-01")
    return np.asarray((first.year - clock.year) * 12 + first.month - clock.month)


def _has_history(state: State, name: str, c: Demand, label: str) -> bool:
    return name in state.sites and state.sites[name].begins_anew(label, None if c.when == ALWAYS else c.name)


def floor(state: State, name: str, c: Demand, label: str) -> float:
    """Billed peak that the past has set [MW]: the month's own, and the ratchet's share of look-back months."""
    if name not in state.sites:
        return 0.0
    peaks = state.sites[name].peaks_of(None if c.when == ALWAYS else c.name)
    first = pd.Period(label, "M")
    earlier = [peaks.get(str(first - k), 0.0) for k in range(1, c.look_back_months + 1)]
    return max(peaks.get(label, 0.0), c.ratchet_share * max(earlier, default=0.0))


def fixed_eur(site: Site, tariff: Tariff, fx: Fx, time: Times, hours: float) -> dict[str, float]:
    """Fixed charges by month, times the share of month, year or day that the horizon covers [EUR]."""
    clock, rate, out = local(time, site), fx.at(tariff.currency, time), {}
    for month in months(site, time, hours):
        day = clock[month.inside][0].date()
        per = {
            "month": month.covered_h / month.whole_h,
            "year": month.covered_h / month.whole_h / 12,
            "day": month.covered_h / 24,
        }
        fixed = [c for c in in_force(tariff, Fixed, day).values() if isinstance(c, Fixed)]
        total = sum(c.value * per[c.unit.split("/")[1]] for c in fixed)
        out[month.label] = float(total * rate[month.inside].mean())
    return out


def minimum_arrays(
    fleet: Fleet, tariffs: Mapping[str, Tariff], own_charge: Mapping[str, Floats], fx: Fx, time: Times, hours: float,
    month_names: list[str],
) -> tuple[list[str], dict[str, Floats]]:  # fmt: skip
    """Labels and arrays of minimum bills: minimum_site, minimum_month, minimum_eur (B,), minimum_rate (B, T)."""
    labels: list[str] = []
    sites, when, eur, rate = [], [], [], []
    for s, (name, site) in enumerate(fleet.sites.items()):
        fixed = fixed_eur(site, tariffs[name], fx, time, hours)
        for month in months(site, time, hours):
            day = local(time, site)[month.inside][0].date()
            for c in in_force(tariffs[name], MinimumBill, day).values():
                assert isinstance(c, MinimumBill)
                money = float(fx.at(tariffs[name].currency, time)[month.inside].mean())
                labels.append(f"{name}:{c.name}@{month.label}")
                sites.append(s)
                when.append(month_names.index(month.label))
                eur.append(c.value * money * month.covered_h / month.whole_h - fixed[month.label])
                rate.append(np.where(month.inside, own_charge[name], 0.0))
    return labels, {
        "minimum_site": np.array(sites, dtype=np.int64), "minimum_month": np.array(when, dtype=np.int64),
        "minimum_eur": np.array(eur, dtype=float), "minimum_rate": np.array(rate, dtype=float).reshape(len(eur), len(time)),
    }  # fmt: skip
