"""Each group's flow split over its jobs: deterministic, with few site changes, totals kept."""

import numpy as np
import xarray as xr

from energy.schedule.setpoints import setpoints_of
from energy.schema import Floats, as_schedule

#: Below this a holding of GPUs is the solver's noise [GPU]; ten times its tolerance, 4 mW.
LEAST_GPUS = 1e-6


def disaggregate(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """The Schedule (dims entry): GPUs of each job in each pool and period.

    Per group, speed class and period the jobs' GPUs (`job_gpus`) are allocated to the pools' GPUs (`group_gpus`):
    first each job stays where it was, then jobs in order of their position take what is left, pools with
    most left first. Row and column sums equal `job_gpus` and `group_gpus` up to the solver's tolerance.
    The setpoints of devices go along.
    """
    job_gpus, group_gpus = solution["job_gpus"].values, solution["group_gpus"].values
    group, pool_class, entries = problem["job_group"].values, problem["pool_class"].values, []
    for k, c in sorted({(k, c) for k, row in enumerate(pool_class) for c in row if c >= 0}):
        jobs, pools = np.flatnonzero(group == k), np.flatnonzero(pool_class[k] == c)
        need, have = job_gpus[jobs, c], group_gpus[k, pools]
        held = np.zeros((len(jobs), len(pools)))
        for t in np.flatnonzero((need > LEAST_GPUS).any(axis=0)).tolist():
            held = _period(need[:, t].copy(), have[:, t].copy(), held)
            entries += [(jobs[a], pools[b], t, held[a, b]) for a, b in np.argwhere(held > LEAST_GPUS)]
    columns = np.array(sorted(entries), dtype=float).reshape(-1, 4).T
    return as_schedule(problem, *columns, setpoints=setpoints_of(problem, solution))


def _period(need: Floats, have: Floats, before: Floats) -> Floats:
    """One transport: (J, N) with row sums `need` and column sums `have`, close to `before`."""
    out = np.zeros_like(before)
    # Jobs with the largest holding keep it first: moving them would move the most GPUs.
    for a, b in sorted(np.argwhere(before > LEAST_GPUS).tolist(), key=lambda ab: (-before[ab[0], ab[1]], ab)):
        _take(out, need, have, a, b)
    for a in np.flatnonzero(need > LEAST_GPUS).tolist():
        for b in np.argsort(-have, kind="stable").tolist():
            _take(out, need, have, a, b)
    return out


def _take(out: Floats, need: Floats, have: Floats, a: int, b: int) -> None:
    amount = min(need[a], have[b])
    if amount > 0:
        out[a, b] += amount
        need[a] -= amount
        have[b] -= amount
