"""Arrays of the jobs: windows, groups of jobs with the same pools and speeds, what undone work costs."""

from collections.abc import Mapping, Sequence

import numpy as np

from energy.errors import ImpossibleWork, SeriesError
from energy.inputs.fleet import Fleet
from energy.inputs.jobs import Job
from energy.inputs.load import Inputs
from energy.schema import Floats

#: Undone work costs this many times the dearest way to run it, so that nothing is left undone to save money.
PENALTY_FACTOR = 10.0
#: Least default penalty [EUR per reference GPU-hour]; keeps work worth doing where every price is negative.
LEAST_PENALTY = 1.0
#: Relative slack when work is compared with its window: below the precision of any job table.
WINDOW_SLACK = 1e-9


def speeds(fleet: Fleet, kinds: Sequence[str], job: Job) -> tuple[float, ...]:
    """Speed of the job in each pool of the fleet, of the given kinds; 0 where it may not run."""
    halls = fleet.halls()
    sites = [fleet.sites[halls[hall][0]] for hall, _ in fleet.pools().values()]
    allowed = [not job.jurisdictions or bool(job.jurisdictions & s.tags()) for s in sites]
    return tuple(job.gpu_kinds.get(k, 0.0) if ok else 0.0 for k, ok in zip(kinds, allowed, strict=True))


def group_arrays(fleet: Fleet, kinds: Sequence[str], jobs: Sequence[Job]) -> tuple[list[str], dict[str, Floats]]:
    """Groups (jobs with the same speed in every pool): job_group (J,), pool_class (K, N), speed (K, C).

    Parameters
    ----------
    kinds : GPU kind of each pool of the fleet

    Raises
    ------
    ImpossibleWork : a job that no pool of the fleet may run.
    SeriesError : a home site that the fleet does not have.
    """
    cache: dict[tuple[object, ...], tuple[float, ...]] = {}
    keys = []
    for job in jobs:
        token = (tuple(sorted(job.gpu_kinds.items())), job.jurisdictions)
        cache[token] = cache.get(token) or speeds(fleet, kinds, job)
        _can_run(fleet, kinds, job, cache[token])
        keys.append(cache[token])
    distinct = sorted(set(keys), reverse=True)
    classes = [sorted({s for s in key if s > 0}, reverse=True) for key in distinct]
    widest = max(len(c) for c in classes)
    pool_class = [[c.index(s) if s > 0 else -1 for s in key] for key, c in zip(distinct, classes, strict=True)]
    speed = [[*c, *[0.0] * (widest - len(c))] for c in classes]
    arrays = {"job_group": [distinct.index(k) for k in keys], "pool_class": pool_class, "speed": speed}
    return [f"g{i}" for i in range(len(distinct))], {k: np.array(v) for k, v in arrays.items()}


def _can_run(fleet: Fleet, kinds: Sequence[str], job: Job, speed: tuple[float, ...]) -> None:
    """Raise unless the job's home site exists and some pool may run it."""
    where = f"job {job.id}"
    if job.home_site is not None and job.home_site not in fleet.sites:
        raise SeriesError(where, f"home_site {job.home_site!r} is not in the fleet", ", ".join(fleet.sites))
    if any(speed):
        return
    tags = sorted({t for s in fleet.sites.values() for t in s.tags()})
    if job.jurisdictions and not job.jurisdictions & set(tags):
        wanted = ", ".join(sorted(job.jurisdictions))
        raise ImpossibleWork(where, f"jurisdictions: no site carries {wanted}", f"tags of the sites: {', '.join(tags)}")
    wanted = ", ".join(sorted(job.gpu_kinds))
    among = f" among sites of {', '.join(sorted(job.jurisdictions))}" if job.jurisdictions else ""
    what, known = f"gpu_kinds: no pool{among} has {wanted}", ", ".join(sorted(set(kinds)))
    raise ImpossibleWork(where, what, f"kinds of the fleet: {known}")


def window_arrays(inputs: Inputs) -> dict[str, Floats]:
    """work_left, max_gpus (J,) and open (J, T): the share of each period inside the job's window."""
    jobs, horizon = inputs.jobs, inputs.horizon
    release = np.array([j.release.to_datetime64() for j in jobs], dtype="datetime64[ns]")
    deadline = np.array([j.deadline.to_datetime64() for j in jobs], dtype="datetime64[ns]")
    overlap = np.minimum(horizon.ends, deadline[:, None]) - np.maximum(horizon.time, release[:, None])
    return {
        "work_left": np.array([max(j.gpu_hours - inputs.state.work_done.get(j.id, 0.0), 0.0) for j in jobs]),
        "max_gpus": np.array([j.max_gpus for j in jobs]),
        "open": np.maximum(overlap / (horizon.ends - horizon.time), 0.0),
    }


def most_inside(work: Mapping[str, Floats], groups: Mapping[str, Floats], dt: Floats) -> Floats:
    """Most reference GPU-hours that each job can do in the part of its window inside the horizon, (J,)."""
    return np.asarray(work["max_gpus"] * fastest(groups) * (work["open"] * dt).sum(axis=1))


def fastest(groups: Mapping[str, Floats]) -> Floats:
    """Speed of each job in the best of its pools, (J,)."""
    return np.asarray(groups["speed"].max(axis=1)[groups["job_group"]])


def fitted(work: Mapping[str, Floats], groups: Mapping[str, Floats], dt: Floats) -> Floats:
    """work_left, (J,), with expected arrivals cut to what their window holds: they are means."""
    most = most_inside(work, groups, dt) + work["deferred_max"]
    return np.where(work["expected"] > 0, np.minimum(work["work_left"], most), work["work_left"])


def check_windows(
    jobs: Sequence[Job], work: Mapping[str, Floats], groups: Mapping[str, Floats], available: Floats, dt: Floats
) -> None:
    """Every job fits its window, with what it may defer, and none is larger than every pool it may use.

    Raises
    ------
    ImpossibleWork : names the job, what it needs and what there is.
    """
    eligible = groups["pool_class"][groups["job_group"]] >= 0
    largest = np.where(eligible, available.max(axis=1), 0.0).max(axis=1)
    most, speed = most_inside(work, groups, dt) + work["deferred_max"], fastest(groups)
    for j, job in enumerate(jobs):
        if work["expected"][j]:
            continue
        if not job.max_gpus <= largest[j]:
            what = f"max_gpus {job.max_gpus:g} is larger than every pool it may use"
            raise ImpossibleWork(f"job {job.id}", what, f"at most {largest[j]:g}")
        if not work["work_left"][j] <= most[j] * (1 + WINDOW_SLACK):
            raise ImpossibleWork(
                f"job {job.id}",
                f"{work['work_left'][j]:,.1f} GPU-hours do not fit the part of its window "
                f"{job.release}Z … {job.deadline}Z that lies inside the horizon",
                f"at most {most[j]:,.1f} GPU-hours with {job.max_gpus:g} GPUs at speed {speed[j]:g}",
            )


def pool_speeds(groups: Mapping[str, Floats]) -> Floats:
    """Speed of each group in each pool, 0 where not eligible, (K, N)."""
    at = np.take_along_axis(groups["speed"], np.maximum(groups["pool_class"], 0), axis=1)
    return np.where(groups["pool_class"] >= 0, at, 0.0)


def penalties(jobs: Sequence[Job], groups: Mapping[str, Floats], dearest: Floats) -> Floats:
    """Price of unserved work [EUR per reference GPU-hour], shape (J,): the job's own value, or the default.

    Parameters
    ----------
    dearest : dearest way to run one GPU-hour in each pool [EUR], shape (N,)
    """
    speed = pool_speeds(groups)
    per_reference = np.where(speed > 0, dearest / np.where(speed > 0, speed, 1.0), 0.0)
    default = np.maximum(PENALTY_FACTOR * per_reference.max(axis=1), LEAST_PENALTY)[groups["job_group"]]
    own = [j.value_eur_per_gpu_hour for j in jobs]
    return np.array([d if v is None else v for d, v in zip(default, own, strict=True)])


def dearest_gpu_hour(
    site: Mapping[str, object], halls: Mapping[str, Floats], pools: Mapping[str, Floats], pool_hall: Floats,
    hall_site: Floats, dt: Floats,
) -> Floats:  # fmt: skip
    """Dearest way to run one GPU-hour in each pool [EUR], shape (N,): highest price plus a fresh peak.

    A GPU that alone raises all peaks of a month pays their whole charges for one period of work, at worst the shortest.
    """
    power = (pools["busy_mw"] - pools["idle_mw"]) * (1 + halls["slope"].max(axis=(1, 2))[pool_hall])
    price = np.asarray(site["price"]).max(axis=1)
    peak = np.zeros(len(price))
    np.add.at(peak, np.asarray(site["charge_site"]), np.asarray(site["charge_rate"]).max(axis=1, initial=0.0))
    at = hall_site[pool_hall]
    return np.asarray(power * (np.maximum(price[at], 0.0) + peak[at] / dt.min()))
