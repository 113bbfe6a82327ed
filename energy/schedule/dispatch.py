"""Schedules that need no solver: the run-now baseline, rules of thumb, earliest deadline first, and an older one trimmed.

All of them allocate GPUs out of the remaining capacity of pools, halls and grid connections. What other rows ask of a
Schedule they do not know: `audit.completion` lowers it where it breaks one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Floats, as_schedule, values_of

#: Work and capacity below this are used up [GPU-hours, GPUs, MW].
NOTHING = 1e-9
#: (job, pool, period, GPUs)
Entry = tuple[int, int, int, float]
#: (job, period) -> (pool, speed) in the order in which the job fills them; empty: the job waits.
Prefer = Callable[[int, int], list[tuple[int, float]]]
#: (job, period, reference GPU-hours left) -> whether the job waits although it may run.
Waits = Callable[[int, int, float], bool]


def run_now(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """Schedule of an operator who starts every job as soon as there is capacity.

    Jobs come in order of release (then position). Each takes, up to its GPU limit, the fastest pools of its
    home site and then of the other sites in fleet order. Deadlines are not looked at: a late job goes on.

    Parameters
    ----------
    work : reference GPU-hours to do by job, (J,): the work that the plan does, for a comparison of equals
    home : home site by job, or None for the first site of the fleet
    """
    p = values_of(problem)
    sites, speed, site_of = (
        problem["site"].values.tolist(),
        pool_speed(p)[p["job_group"]],
        p["hall_site"][p["pool_hall"]],
    )
    first = [0 if name is None else sites.index(name) for name in home]
    order = [_ranked(speed[j], np.where(site_of == first[j], -1, site_of)) for j in range(len(work))]
    return greedy(problem, work, lambda j, _: order[j])


def greedy(problem: xr.Dataset, work: Floats, prefer: Prefer, waits: Waits = lambda _j, _t, _left: False) -> xr.Dataset:
    """Schedule of a dispatcher without foresight: period by period, first come first served.

    GPUs, hall and grid limits hold; the grid limit conservatively, with the steepest cooling segment.
    """
    p = values_of(problem)
    # Share of each period after the job's release, (J, T): like `open`, but without an end.
    begin, periods = np.argmax(p["open"] > 0, axis=1)[:, None], np.arange(len(p["dt"]))
    released = (periods > begin) + (periods == begin) * p["open"]
    queue = sorted(range(len(work)), key=lambda j: (int(np.argmax(released[j] > 0)), -released[j].max(), j))
    capacity = RemainingCapacity(p)
    left, entries = work.copy(), []
    for t in range(len(p["dt"])):
        for j in queue:
            if left[j] > NOTHING and released[j, t] > 0 and not waits(j, t, float(left[j])):
                most = float(p["max_gpus"][j] * released[j, t])
                entries += capacity.allocate(left, j, t, most, prefer(j, t))
    return _schedule(problem, entries)


def planned_work(problem: xr.Dataset, solution: xr.Dataset) -> Floats:
    """Reference GPU-hours that a plan does inside the horizon, by job, (J,): all that it neither drops nor leaves."""
    left = solution["unserved"].values + solution["deferred"].values
    return np.asarray(problem["work_left"].values - left)


def done(problem: xr.Dataset, schedule: xr.Dataset) -> Floats:
    """Reference GPU-hours that a schedule does, by job, (J,)."""
    job, pool = schedule["entry_job"].values, schedule["entry_pool"].values
    speed = pool_speed(values_of(problem))
    out = np.zeros(problem.sizes["job"])
    hours = problem["dt"].values[schedule["entry_time"].values]
    np.add.at(out, job, schedule["entry_gpus"].values * hours * speed[problem["job_group"].values[job], pool])
    return out


def pool_speed(p: dict[str, Any]) -> Floats:
    """Speed of each group in each pool, 0 where not eligible, (K, N)."""
    at = np.take_along_axis(p["speed"], np.maximum(p["pool_class"], 0), axis=1)
    return np.where(p["pool_class"] >= 0, at, 0.0)


class RemainingCapacity:
    """Capacity left in each pool [GPU], hall [MW IT] and grid connection [MW], by period."""

    def __init__(self, p: dict[str, Any]) -> None:
        self.p = p
        self.pool = p["available"] - p["firm"]
        self.hall = p["hall_mw"] - p["base_it"]
        least = p["other_site_mw"].copy()
        np.add.at(least, p["hall_site"], p["base_it"] + p["base_overhead"])
        self.site = p["grid_limit_mw"] - least
        self.hall_of = p["pool_hall"]
        self.site_of = p["hall_site"][p["pool_hall"]]
        self.it_mw = p["busy_mw"] - p["idle_mw"]
        self.grid_mw = self.it_mw[:, None] * (1 + p["slope"].max(axis=2))[self.hall_of]

    def allocate(self, left: Floats, j: int, t: int, most: float, order: list[tuple[int, float]]) -> list[Entry]:
        """Entries of one job in one period, with at most `most` GPUs; lowers what is left of its work.

        Parameters
        ----------
        left : reference GPU-hours left to do, by job
        order : (pool, speed) in the order in which the job fills them
        """
        entries, hours = list[Entry](), self.p["dt"][t]
        for n, speed in order:
            wanted, h, s = min(most, left[j] / (speed * hours)), self.hall_of[n], self.site_of[n]
            if wanted <= NOTHING:
                break
            got = float(
                min(wanted, self.pool[n, t], self.hall[h, t] / self.it_mw[n], self.site[s, t] / self.grid_mw[n, t])
            )
            if got > NOTHING:
                self.pool[n, t] -= got
                self.hall[h, t] -= got * self.it_mw[n]
                self.site[s, t] -= got * self.grid_mw[n, t]
                entries.append((j, n, t, got))
                most -= got
                left[j] -= got * speed * hours
        return entries


def earliest_deadline_first(problem: xr.Dataset) -> xr.Dataset:
    """Schedule of a dispatcher that knows prices but no solver.

    Jobs come by their last open period (then position). Each takes the cheapest of its open hours that still
    have capacity, by site price with the steepest overhead per reference GPU-hour, up to its GPU limit in every
    period. Limits of pools, halls and grid connections hold; PUE caps and peaks are not looked at.
    """
    p = values_of(problem)
    capacity, entries = RemainingCapacity(p), list[Entry]()
    left, speeds = p["work_left"].astype(float).copy(), pool_speed(p)[p["job_group"]]
    last = p["open"].shape[1] - 1 - np.argmax(p["open"][:, ::-1] > 0, axis=1)
    cost = capacity.grid_mw * p["price"][capacity.site_of]  # of a GPU-hour, (N, T) [EUR]
    for j in np.argsort(last, kind="stable").tolist():
        speed, free = speeds[j], p["max_gpus"][j] * p["open"][j]
        pools, hours = np.flatnonzero(speed > 0), np.flatnonzero(p["open"][j] > 0)
        per_work = cost[np.ix_(pools, hours)] / speed[pools][:, None]
        order = np.argsort(per_work, axis=None, kind="stable")
        for n, t in ((int(pools[i // len(hours)]), int(hours[i % len(hours)])) for i in order):
            if left[j] <= NOTHING:
                break
            got = capacity.allocate(left, j, t, float(free[t]), [(n, float(speed[n]))])
            free[t] -= sum(e[3] for e in got)
            entries += got
    return _schedule(problem, sorted(entries))


def trimmed(problem: xr.Dataset, table: pd.DataFrame) -> xr.Dataset:
    """Part of an older schedule that still holds: its open jobs, in the remaining capacity, up to their work.

    Parameters
    ----------
    table : job, pool (site, hall, pool), start (UTC) and gpus, as in schedule.csv
    """
    p = values_of(problem)
    capacity, left = RemainingCapacity(p), p["work_left"].astype(float).copy()
    jobs = {str(name): j for j, name in enumerate(problem["job"].values)}
    pools = {str(name): n for n, name in enumerate(problem["pool"].values)}
    times = {t: i for i, t in enumerate(problem["time"].values)}
    speed = pool_speed(p)
    free = p["max_gpus"][:, None] * p["open"]
    entries: list[Entry] = []
    for row in table.sort_values(["start", "job", "site", "hall", "pool"]).itertuples():
        j, n = jobs.get(str(row.job)), pools.get(f"{row.site}/{row.hall}/{row.pool}")
        t = times.get(np.datetime64(row.start, "ns"))  # type: ignore[call-overload]
        if j is None or n is None or t is None or speed[p["job_group"][j], n] <= 0:
            continue
        wanted = min(float(row.gpus), float(free[j, t]))  # type: ignore[arg-type]
        got = capacity.allocate(left, j, t, wanted, [(n, float(speed[p["job_group"][j], n]))])
        free[j, t] -= sum(e[3] for e in got)
        entries += got
    return _schedule(problem, sorted(entries))


def _schedule(problem: xr.Dataset, entries: list[Entry]) -> xr.Dataset:
    return as_schedule(problem, *np.array(entries, dtype=float).reshape(-1, 4).T)


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

    site_of = p["hall_site"][p["pool_hall"]]
    order = [_ranked(speed[j], site_of != at_home[j]) for j in range(len(work))]
    return greedy(problem, work, lambda j, _: order[j], waits)


def follow_cheapest_site(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """At once, at whichever eligible site has the lowest price of the hour."""
    p = values_of(problem)
    speed = pool_speed(p)[p["job_group"]]
    site_of = p["hall_site"][p["pool_hall"]]
    return greedy(problem, work, lambda j, t: _ranked(speed[j], p["price"][site_of, t]))


def lowest_pue_site(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """At once, in the hall with the lowest PUE at full load in the hour."""
    p = values_of(problem)
    speed = pool_speed(p)[p["job_group"]]
    overhead = p["base_overhead"] + (p["width"] * p["slope"]).sum(axis=2)
    pue = 1 + overhead / (p["base_it"] + p["width"].sum(axis=2))
    return greedy(problem, work, lambda j, t: _ranked(speed[j], pue[p["pool_hall"], t]))


def _ranked(speed: Floats, key: Any) -> list[tuple[int, float]]:
    """(pool, speed) of the eligible pools by `key`, (N,), then the fastest first."""
    pools = sorted(np.flatnonzero(speed > 0).tolist(), key=lambda n: (key[n], -speed[n], n))
    return [(n, float(speed[n])) for n in pools]


RULES: dict[str, Callable[[xr.Dataset, Floats, list[str | None]], xr.Dataset]] = {
    "cheapest hours at home": cheapest_hours,
    "follow the cheapest site": follow_cheapest_site,
    "lowest-PUE site": lowest_pue_site,
}
