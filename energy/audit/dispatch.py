"""Schedules that need no solver: earliest deadline first, and an older schedule trimmed to what still holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.baseline import NOTHING, Room, hold, pool_speed
from energy.schema import Floats, as_schedule, values_of


def earliest_deadline_first(problem: xr.Dataset) -> xr.Dataset:
    """Schedule of a dispatcher that knows prices but no solver.

    Jobs come by their last open period (then position). Each takes the cheapest of its open hours that still
    have room, by site price with the steepest overhead per reference GPU-hour, up to its GPU limit in every
    period. Room in pools, halls and grid connections holds; PUE caps and peaks are not looked at.
    """
    p = values_of(problem)
    room, entries = Room(p), []
    left = p["work_left"].astype(float).copy()
    last = p["open"].shape[1] - 1 - np.argmax(p["open"][:, ::-1] > 0, axis=1)
    cost = _gpu_hour(p)
    for j in np.argsort(last, kind="stable").tolist():
        entries += _fill(p, room, left, j, cost)
    return _schedule(problem, entries)


def _gpu_hour(p: dict[str, Any]) -> Floats:
    """Energy cost of a GPU-hour in each pool and period with the steepest overhead, (N, T) [EUR]."""
    hall = p["pool_hall"]
    power = (p["busy_mw"] - p["idle_mw"])[:, None] * (1 + p["slope"].max(axis=2))[hall]
    return np.asarray(power * p["price"][p["hall_site"][hall]])


def _fill(p: dict[str, Any], room: Room, left: Floats, j: int, cost: Floats) -> list[tuple[int, int, int, float]]:
    """Entries of one job, cheapest hours first."""
    speed = pool_speed(p)[p["job_group"][j]]
    pools, hours = np.flatnonzero(speed > 0), np.flatnonzero(p["open"][j] > 0)
    per_work = cost[np.ix_(pools, hours)] / speed[pools][:, None]
    order = np.argsort(per_work, axis=None, kind="stable")
    free = p["max_gpus"][j] * p["open"][j]
    entries = []
    for n, t in ((pools[i // len(hours)], hours[i % len(hours)]) for i in order):
        if left[j] <= NOTHING:
            break
        got = hold(p, room, left, j, int(t), float(free[t]), [(int(n), float(speed[n]))])
        free[t] -= sum(e[3] for e in got)
        entries += got
    return entries


def trimmed(problem: xr.Dataset, table: pd.DataFrame) -> xr.Dataset:
    """What of an older schedule still holds: its jobs that are open, in room that is left, up to their work.

    Parameters
    ----------
    table : job, pool (site, hall, pool), start (UTC) and gpus, as in schedule.csv
    """
    p = values_of(problem)
    room, left = Room(p), p["work_left"].astype(float).copy()
    jobs = {str(name): j for j, name in enumerate(problem["job"].values)}
    pools = {str(name): n for n, name in enumerate(problem["pool"].values)}
    times = {t: i for i, t in enumerate(problem["time"].values)}
    speed = pool_speed(p)
    free = p["max_gpus"][:, None] * p["open"]
    entries: list[tuple[int, int, int, float]] = []
    for row in table.sort_values(["start", "job", "site", "hall", "pool"]).itertuples():
        j, n = jobs.get(str(row.job)), pools.get(f"{row.site}/{row.hall}/{row.pool}")
        t = times.get(np.datetime64(row.start, "ns"))  # type: ignore[call-overload]
        if j is None or n is None or t is None or speed[p["job_group"][j], n] <= 0:
            continue
        wanted = min(float(row.gpus), float(free[j, t]))  # type: ignore[arg-type]
        got = hold(p, room, left, j, t, wanted, [(n, float(speed[p["job_group"][j], n]))])
        free[j, t] -= sum(e[3] for e in got)
        entries += got
    return _schedule(problem, entries)


def _schedule(problem: xr.Dataset, entries: list[tuple[int, int, int, float]]) -> xr.Dataset:
    columns = np.array(sorted(entries), dtype=float).reshape(-1, 4).T
    return as_schedule(problem, columns[0], columns[1], columns[2], columns[3])
