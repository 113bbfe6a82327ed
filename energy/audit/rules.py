"""Popular rules of thumb on the same trace: what a plan has to beat beside run-now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.baseline import greedy, pool_speed
from energy.schema import Floats, values_of

#: The threshold rule runs in this share of the cheapest hours of the home site.
CHEAP_SHARE = 0.5


def cheapest_hours(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """At home, only in hours below the site's median price, unless the deadline leaves no more slack."""
    p = values_of(problem)
    sites = problem["site"].values.tolist()
    at_home = [0 if h is None else sites.index(h) for h in home]
    cheap = p["price"] <= np.quantile(p["price"], CHEAP_SHARE, axis=1, keepdims=True)
    speed = pool_speed(p)[p["job_group"]]
    hours_left = np.cumsum((p["open"] * p["dt"])[:, ::-1], axis=1)[:, ::-1]

    def waits(j: int, t: int, left: float) -> bool:
        needed = left / (p["max_gpus"][j] * speed[j].max())
        return bool(not cheap[at_home[j], t] and hours_left[j, t] > needed + p["dt"][t])

    def away(j: int) -> Callable[[int], float]:
        return lambda n: float(p["hall_site"][p["pool_hall"][n]] != at_home[j])

    order = [_ranked(p, speed[j], away(j)) for j in range(len(work))]
    return greedy(problem, work, lambda j, _: order[j], waits)


def follow_cheapest_site(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """At once, at whichever eligible site has the lowest price of the hour."""
    p = values_of(problem)
    speed = pool_speed(p)[p["job_group"]]
    site_of = p["hall_site"][p["pool_hall"]]
    return greedy(problem, work, lambda j, t: _ranked(p, speed[j], lambda n: float(p["price"][site_of[n], t])))


def lowest_pue_site(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """At once, in the hall with the lowest PUE at full load in the hour."""
    p = values_of(problem)
    speed = pool_speed(p)[p["job_group"]]
    full = p["it_min"] + p["width"].sum(axis=2)
    overhead = p["overhead_min"] + (p["width"] * p["slope"]).sum(axis=2)
    pue = 1 + overhead / full
    return greedy(problem, work, lambda j, t: _ranked(p, speed[j], lambda n: float(pue[p["pool_hall"][n], t])))


def _ranked(p: dict[str, Any], speed: Floats, key: Callable[[int], float]) -> list[tuple[int, float]]:
    """Eligible pools by `key`, then the fastest first."""
    return [
        (int(n), float(speed[n])) for n in sorted(np.flatnonzero(speed > 0), key=lambda n: (key(int(n)), -speed[n], n))
    ]


RULES: dict[str, Callable[[xr.Dataset, Floats, list[str | None]], xr.Dataset]] = {
    "cheapest hours at home": cheapest_hours,
    "follow the cheapest site": follow_cheapest_site,
    "lowest-PUE site": lowest_pue_site,
}
