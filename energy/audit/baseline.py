"""The baseline: the same jobs run at once, first come first served, at home, next site when full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import Floats, as_schedule, values_of

#: Work and rooms below this are used up [GPU-hours, GPUs, MW].
NOTHING = 1e-9


#: (job, period) -> (pool, speed) in the order in which the job fills them; empty: the job waits.
Prefer = Callable[[int, int], list[tuple[int, float]]]
#: (job, period, reference GPU-hours left) -> whether the job waits although it may run.
Waits = Callable[[int, int, float], bool]


def run_now(problem: xr.Dataset, work: Floats, home: list[str | None]) -> xr.Dataset:
    """Schedule of an operator who starts every job as soon as there is room.

    Jobs come in order of release (then position). Each takes, up to its GPU limit, the fastest pools of its
    home site and then of the other sites in fleet order. Deadlines are not looked at: a late job goes on.

    Parameters
    ----------
    work : reference GPU-hours to do by job, (J,): the work that the plan does, for a comparison of equals
    home : home site by job, or None for the first site of the fleet
    """
    p = values_of(problem)
    sites = problem["site"].values.tolist()
    order = [_preference(p, j, sites, home[j]) for j in range(len(work))]
    return greedy(problem, work, lambda j, _: order[j])


def greedy(problem: xr.Dataset, work: Floats, prefer: Prefer, waits: Waits = lambda _j, _t, _left: False) -> xr.Dataset:
    """Schedule of a dispatcher without foresight: period by period, first come first served.

    GPUs, hall and grid limits hold; the grid limit conservatively, with the steepest cooling segment.
    """
    p = values_of(problem)
    released = _released(p["open"])
    queue = sorted(range(len(work)), key=lambda j: (int(np.argmax(released[j] > 0)), -released[j].max(), j))
    room = Room(p)
    left, entries = work.copy(), []
    for t in range(len(p["dt"])):
        for j in queue:
            if left[j] > NOTHING and released[j, t] > 0 and not waits(j, t, float(left[j])):
                entries += hold(p, room, left, j, t, float(p["max_gpus"][j] * released[j, t]), prefer(j, t))
    columns = np.array(entries, dtype=float).reshape(-1, 4).T
    return as_schedule(problem, columns[0], columns[1], columns[2], columns[3])


def planned_work(problem: xr.Dataset, solution: xr.Dataset) -> Floats:
    """Reference GPU-hours that a plan does inside the horizon, by job, (J,): all that it neither drops nor leaves."""
    left = solution["short"].values + solution["later"].values
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


def _preference(p: dict[str, Any], j: int, sites: list[str], home: str | None) -> list[tuple[int, float]]:
    """(pool, speed) in the order in which the job fills them."""
    speed = pool_speed(p)[p["job_group"][j]]
    site_of = p["hall_site"][p["pool_hall"]]
    first = sites.index(home) if home is not None else 0
    pools = sorted(np.flatnonzero(speed > 0), key=lambda n: (site_of[n] != first, site_of[n], -speed[n], n))
    return [(int(n), float(speed[n])) for n in pools]


def _released(share_open: Floats) -> Floats:
    """Share of each period after the job's release, (J, T): like `open`, but without an end."""
    first = np.argmax(share_open > 0, axis=1)
    periods = np.arange(share_open.shape[1])
    after = (periods > first[:, None]).astype(float)
    at_first = (periods == first[:, None]) * share_open
    return np.asarray(after + at_first)


class Room:
    """What is still free in each pool [GPU], hall [MW IT] and grid connection [MW], by period."""

    def __init__(self, p: dict[str, Any]) -> None:
        self.pool = p["available"] - p["firm"]
        self.hall = p["hall_mw"] - p["it_min"]
        least = p["other_site_mw"].copy()
        np.add.at(least, p["hall_site"], p["it_min"] + p["overhead_min"])
        self.site = p["grid_limit_mw"] - least
        self.hall_of = p["pool_hall"]
        self.site_of = p["hall_site"][p["pool_hall"]]
        self.it_mw = p["busy_mw"] - p["idle_mw"]
        self.grid_mw = self.it_mw[:, None] * (1 + p["slope"].max(axis=2))[self.hall_of]

    def take(self, n: int, t: int, wanted: float) -> float:
        """Take up to `wanted` GPUs of a pool; returns what was taken."""
        h, s = self.hall_of[n], self.site_of[n]
        fits = min(wanted, self.pool[n, t], self.hall[h, t] / self.it_mw[n], self.site[s, t] / self.grid_mw[n, t])
        if fits <= NOTHING:
            return 0.0
        self.pool[n, t] -= fits
        self.hall[h, t] -= fits * self.it_mw[n]
        self.site[s, t] -= fits * self.grid_mw[n, t]
        return float(fits)


def hold(
    p: dict[str, Any], room: Room, left: Floats, j: int, t: int, most: float, order: list[tuple[int, float]]
) -> list[tuple[int, int, int, float]]:
    """Entries of one job in one period; lowers what is left of its work."""
    entries = []
    for n, speed in order:
        wanted = min(most, left[j] / (speed * p["dt"][t]))
        if wanted <= NOTHING:
            break
        got = room.take(n, t, wanted)
        if got:
            entries.append((j, n, t, got))
            most -= got
            left[j] -= got * speed * p["dt"][t]
    return entries
