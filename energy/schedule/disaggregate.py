"""Each group's flow split over its jobs, by speed class and pool: deterministic, with few site changes, totals kept."""

import numpy as np
import xarray as xr

from energy.schedule.setpoints import setpoints_of
from energy.schema import Floats, as_schedule, values_of

#: Below this a holding of GPUs is the solver's noise [GPU]; ten times its tolerance, 4 mW.
LEAST_GPUS = 1e-6


def disaggregate(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """The Schedule (dims entry): GPUs of each job in each pool and period.

    Per group, speed class and period the jobs' GPUs (`gpus_by_class`) are allocated to the pools' GPUs (`group_gpus`):
    first each job stays where it was, then jobs in order of their position take what is left, pools with
    most left first. Row and column sums equal theirs and `group_gpus` up to the solver's tolerance.
    The setpoints of devices go along.
    """
    job_gpus, group_gpus = gpus_by_class(problem, solution), solution["group_gpus"].values
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


def gpus_by_class(problem: xr.Dataset, solution: xr.Dataset) -> Floats:
    """GPUs of each job in each speed class of its group, (J, C, T).

    Where `cumulative_gpus` rises from class to class these are its steps. Elsewhere the program has counted more GPUs for a
    job in a fast class than in that class and the slower ones together, and less for others: there the jobs of the group
    share its GPUs again, each with the same work in the period.
    """
    p, counted = values_of(problem), solution["cumulative_gpus"].values
    limit = p["max_gpus"][:, None] * p["open"]
    out = np.zeros_like(counted)
    for k, row in enumerate(p["speed"]):
        jobs, classes = np.flatnonzero(p["job_group"] == k), np.flatnonzero(row)
        held = np.diff(counted[np.ix_(jobs, classes)], axis=1, prepend=0.0)
        mixed = np.flatnonzero((held < -LEAST_GPUS).any(axis=(0, 1)))
        work = np.einsum("c,jct->jt", row[classes], held[:, :, mixed])
        held[:, :, mixed] = _shared(work, limit[jobs][:, mixed], held[:, :, mixed].sum(axis=0), row[classes])
        out[np.ix_(jobs, classes)] = np.maximum(held, 0.0)
    return out


def _shared(work: Floats, limit: Floats, gpus: Floats, speed: Floats) -> Floats:
    """GPUs by job, class and period, (J, C, P), with the work of each job and the GPUs of each class in every period.

    The GPUs lie in a row, fastest first, idle ones that fill the jobs' limits up last. A job takes `limit` neighbours,
    from where they do just its work. There are such neighbours for every next job, because what a job leaves on
    both sides does as much, for any number of GPUs from the front, as the rest of the jobs need.

    Parameters
    ----------
    work : reference GPUs of each job, (J, P), at most what the fastest GPUs do within the limits of any set of jobs
    limit : most GPUs of each job, (J, P)
    gpus : GPUs of each class, (C, P)
    speed : (C,), fastest first
    """
    idle = np.maximum(limit.sum(axis=0) - gpus.sum(axis=0), 0.0)
    left, speed = np.vstack([np.maximum(gpus, 0.0), idle]), np.append(speed, 0.0)
    out = np.zeros((len(work), *left.shape))
    for j in np.flatnonzero((limit > 0).any(axis=1)):
        ends = np.cumsum(left, axis=0)
        begins, room = ends - left, np.maximum(ends[-1] - limit[j], 0.0)

        def inside(first: Floats, begins: Floats = begins, left: Floats = left, most: Floats = limit[j]) -> Floats:
            return np.clip(first + most - begins, 0.0, left) - np.clip(first - begins, 0.0, left)

        # The work of the neighbours from a place on falls along the row, with kinks where either end meets a class.
        kinks = np.sort(np.clip(np.vstack([begins, begins - limit[j], 0 * room, room]), 0.0, room), axis=0)
        done = np.array([speed @ inside(first) for first in kinks])
        after = np.clip((done >= work[j]).sum(axis=0), 1, len(kinks) - 1)
        (high, low), (start, stop) = (np.take_along_axis(x, np.array([after - 1, after]), 0) for x in (done, kinks))
        share = np.divide(high - work[j], high - low, out=np.zeros_like(high), where=high > low)
        out[j] = inside(start + np.clip(share, 0.0, 1.0) * (stop - start))
        left = left - out[j]
    return out[:, :-1]


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
