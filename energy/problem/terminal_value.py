"""Terminal value: work that a job may defer beyond the horizon, its likely cost, and the capacity there."""

from collections.abc import Mapping, Sequence

import numpy as np

from energy.inputs.fleet import Fleet
from energy.inputs.jobs import Job
from energy.inputs.load import Inputs
from energy.problem.halls import gpu_counts
from energy.problem.jobs import pool_speeds, speeds
from energy.schema import Bools, Floats
from energy.schema.calendar import Horizon, horizon

#: Loads between which the terminal price goes over from the midpoint of mean and quantile to the quantile itself.
#: Measured over six years of real prices: below, waiting hours are found cheaper than the margin; above, they are not.
LOW_LOAD, HIGH_LOAD = 0.6, 0.7
#: Rows of post-horizon capacity reach so far after the horizon [days]; work due later can be planned on a later day.
POST_HORIZON_DAYS = 60


def deferred_arrays(inputs: Inputs, work: Mapping[str, Floats], fastest: Floats) -> dict[str, Floats]:
    """due_after [h] and deferred_max [GPU h], (J,): none where every job must finish inside the horizon.

    Parameters
    ----------
    work : work_left and max_gpus
    fastest : speed of each job in the best of its pools, (J,)
    """
    deadline = np.array([j.deadline.to_datetime64() for j in inputs.jobs], dtype="datetime64[ns]")
    may_wait = inputs.case.horizon.beyond == "terminal_value"
    due = np.maximum((deadline - inputs.horizon.end) / np.timedelta64(1, "h"), 0.0) * may_wait
    return {"due_after": due, "deferred_max": np.minimum(work["max_gpus"] * fastest * due, work["work_left"])}


def load(jobs: Sequence[Job], work: Mapping[str, Floats], fastest: Floats, which: Bools, capacity: float,
         horizon: Horizon) -> float:  # fmt: skip
    """Share of the capacity [GPU h] that the chosen jobs' work fills; of a job due later, the share of its window inside."""
    release = np.array([j.release.to_datetime64() for j in jobs], dtype="datetime64[ns]")
    deadline = np.array([j.deadline.to_datetime64() for j in jobs], dtype="datetime64[ns]")
    first = np.maximum(release, horizon.start)
    inside = (np.minimum(deadline, horizon.end) - first) / (deadline - first)
    due = float((work["work_left"] * inside / fastest)[which].sum())
    return min(due / capacity, 1.0) if capacity > 0 else 1.0


def terminal_price(cost: Floats, capacity: Floats, used: float) -> float:
    """Likely cost of work left for after the horizon, in the unit of `cost`.

    At a load u up to 60 %, the midpoint between the mean of the cheapest u-share of the capacity and the u-quantile; from
    70 % on, the u-quantile; in between, interpolated. The mean alone would be what perfect foresight pays, the
    quantile what the last hour costs.

    Parameters
    ----------
    cost, capacity : of each place and period, any equal shape
    used : the load u, 0 … 1
    """
    order = np.argsort(cost, axis=None, kind="stable")
    costs, share = cost.ravel()[order], np.cumsum(capacity.ravel()[order])
    if share[-1] <= 0:
        return float(costs[-1])  # no capacity: as the dearest
    share = share / share[-1]
    last = min(int(np.searchsorted(share, used)), len(costs) - 1)
    quantile = float(costs[last])
    filled = np.diff(np.minimum(share, used), prepend=0.0)
    mean = float(filled @ costs) / used if used > 0 else float(costs[0])
    weight = float(np.clip((used - LOW_LOAD) / (HIGH_LOAD - LOW_LOAD), 0.0, 1.0))
    return weight * quantile + (1 - weight) * (mean + quantile) / 2


def terminal_prices(
    jobs: Sequence[Job], work: Mapping[str, Floats], groups: Mapping[str, Floats], pools: Mapping[str, Floats],
    price: Floats, chord: Floats, pool_hall: Floats, hall_site: Floats, horizon: Horizon,
) -> Floats:  # fmt: skip
    """terminal_price, (J,) [EUR per reference GPU-hour]: `terminal_price` of the pools of the job's group.

    The load is that of the whole fleet, or of the group in its own pools where that is higher.
    """
    # Energy of one more GPU-hour at the chord of its hall's overhead, (N, T) [EUR].
    power = (pools["busy_mw"] - pools["idle_mw"])[:, None] * (1 + chord[pool_hall])
    per_gpu = np.asarray(power * price[hall_site[pool_hall]])
    free = (pools["available"] - pools["firm"]) * horizon.dt
    speed, of = pool_speeds(groups), groups["job_group"]
    fastest = groups["speed"].max(axis=1)
    everyone = load(jobs, work, fastest[of], np.full(len(jobs), True), float(free.sum()), horizon)
    out = []
    for k, row in enumerate(speed):
        mine = row > 0
        capacity = free[mine] * row[mine][:, None] / fastest[k]
        own = load(jobs, work, fastest[of], of == k, float(capacity.sum()), horizon)
        out.append(terminal_price(per_gpu[mine] / row[mine][:, None], capacity, max(everyone, own)))
    return np.asarray(np.array(out)[of])


def post_horizon_arrays(
    inputs: Inputs, deferred: Mapping[str, Floats], groups: Mapping[str, Floats]
) -> tuple[list[str], dict[str, Floats]]:
    """Rows of post-horizon capacity: at the last deadline of each day after the horizon, of all jobs and of each group.

    Jobs and expected arrivals that begin after the horizon take capacity from the work that waits.

    Parameters
    ----------
    deferred : due_after and deferred_max of the Problem's jobs
    """
    after, end, kinds = inputs.after, inputs.horizon.end, [p.kind for p in inputs.powers.values()]
    # Speed in each pool of the jobs that begin after the horizon, 0 where none may run it, (A, N).
    after_speed = np.array([speeds(inputs.fleet, kinds, j) for j in after]).reshape(-1, len(kinds))
    waits, due, of = deferred["deferred_max"] > 0, deferred["due_after"], groups["job_group"]
    speed = pool_speeds(groups)
    free = _free(inputs.fleet, end, float(due[waits].max(initial=0.0)))
    can = after_speed.max(axis=1)  # what no pool may run takes no capacity
    taken = np.divide([j.gpu_hours for j in after], can, out=np.zeros(len(after)), where=can > 0)
    after_due = np.array([(j.deadline.to_datetime64() - end) / np.timedelta64(1, "h") for j in after])
    rows = []
    for k in (-1, *range(len(speed))):
        share = np.ones(speed.shape[1]) if k < 0 else speed[k] / speed[k].max()
        same = np.full(len(after), True) if k < 0 else (after_speed == speed[k]).all(axis=1)
        for until in _moments(due[waits & ((of == k) | (k < 0))]):
            spoken_for = float(taken[same & (after_due <= until)].sum())
            rows.append((k, until, max(_capacity(free, share, until) - spoken_for, 0.0)))
    columns = np.array(rows, dtype=float).reshape(-1, 3).T
    stamps = (np.datetime_as_string(end + np.timedelta64(round(h * 3600), "s"), unit="m") for _, h, _ in rows)
    names = [f"{'all' if k < 0 else f'g{k}'}@{stamp}Z" for (k, _, _), stamp in zip(rows, stamps, strict=True)]
    return names, {
        "post_horizon_group": columns[0].astype(np.int64),
        "post_horizon_until": columns[1],
        "post_horizon_capacity": columns[2],
    }


def _moments(due: Floats) -> list[float]:
    """The last deadline of each day after the horizon that has any [h]."""
    day = np.ceil(due / 24)
    return [float(due[day == d].max()) for d in np.unique(day) if d <= POST_HORIZON_DAYS]


def _free(fleet: Fleet, end: np.datetime64, until: float) -> Floats:
    """GPUs that are not firm in each hour after the horizon, (N, hours)."""
    hours = int(min(np.ceil(until), 24 * POST_HORIZON_DAYS))
    counts = gpu_counts(fleet, horizon(end + np.arange(hours) * np.timedelta64(1, "h"), np.ones(hours)))
    return np.asarray(np.maximum(counts["available"] - counts["firm"], 0.0))


def _capacity(free: Floats, share: Floats, until: float) -> float:
    """GPU-hours of the pools from the end of the horizon until so many hours after it, weighted by their speed."""
    inside = np.clip(until - np.arange(free.shape[1]), 0.0, 1.0)
    return float(share @ free @ inside)
