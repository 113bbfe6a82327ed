"""The queue of a night: jobs that were submitted, are not done and can run; the others by name and reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy.errors import SeriesError
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet
from energy.inputs.gpus import GpuPower
from energy.inputs.jobs import EXPECTED, SUBMITTED, Job, parse_rows, submitted_at
from energy.problem.jobs import speeds
from energy.schema import Floats, Times
from energy.series.files import read_frame

#: Work below this is done [GPU-hours]: four seconds of one GPU, below any job table's precision.
DONE = 1e-3
#: A job that cannot meet its deadline gets this share more than the time it needs at least.
LATE_SLACK = 0.05
#: What is wrong with a moment such as +5h in a queue, and what is allowed there.
OFFSET, TIMES = "counts hours from a horizon's start", "times, in a table of many nights"
#: A job that would take longer than this at its limit of GPUs in its fastest pool is a slip of the pen [h]: five years.
LONGEST_H = 5 * 8766.0
#: Lowest speed of a job in a pool: below it a GPU-hour left undone costs more than the table of arrays holds.
LEAST_SPEED = 1e-3
#: Dearest work [EUR per reference GPU-hour]: some thousand times the price of a GPU-hour; above it the penalty of one job
#: hides the money of all others from the solver.
MOST_VALUE_EUR = 1e4
#: The one row of the job table of a night without work, since a case must have a job; nobody runs it.
NO_WORK = "no-work-at-hand"


@dataclass
class Queue:
    """Jobs of a night.

    Attributes
    ----------
    jobs : every job that was submitted and can run, done or not, by id
    submitted : when each became known (UTC)
    refused : row or id and reason of what cannot be read or run
    aside : reason of the jobs among them that could be read, with the job's whole work [GPU-hours], by id
    listed : every id of the table, whatever became of its row
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    submitted: dict[str, pd.Timestamp] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    aside: dict[str, tuple[str, float]] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()

    def left(self, done: dict[str, float]) -> dict[str, float]:
        """Work left of the jobs that are not done [reference GPU-hours], by id."""
        left = {name: job.gpu_hours - done.get(name, 0.0) for name, job in self.jobs.items()}
        return {name: hours for name, hours in left.items() if hours > DONE}

    def drop_done(self, done: dict[str, float]) -> None:
        """Forget jobs set aside whose work is done: nothing of them is left undone, even if their pool has gone."""
        over = {why for name, (why, hours) in self.aside.items() if hours - done.get(name, 0.0) <= DONE}
        self.refused = [why for why in self.refused if why not in over]


@dataclass(frozen=True)
class MissingJob:
    """An unfinished job of the last plan that the queue names no more.

    Attributes
    ----------
    gpu_hours : its whole work, and `left` what is not known to be done [reference GPU-hours]
    deadline : UTC; after it the job is forgotten
    """

    id: str
    gpu_hours: float
    left: float
    deadline: pd.Timestamp

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "gpu_hours": self.gpu_hours,
            "gpu_hours_left": self.left,
            "deadline": f"{self.deadline.isoformat()}Z",
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> MissingJob:
        """What `as_dict` gave."""
        return cls(
            kept["id"], kept["gpu_hours"], kept["gpu_hours_left"], pd.Timestamp(kept["deadline"].removesuffix("Z"))
        )


def missing_jobs(
    queue: Queue, before: Mapping[str, Job], left: Mapping[str, float], still: Sequence[MissingJob],
    done: Mapping[str, float], begin: np.datetime64,
) -> list[MissingJob]:  # fmt: skip
    """Unfinished jobs of the last plan, and jobs that were missing then, of which the queue has no row.

    A job that has ended stays in the queue with its work done (`energy queue --history`) or is reported as done; one that
    is in neither may still be running, and a plan without it gives its GPUs away.

    Parameters
    ----------
    before : jobs of the last plan's queue, and `left` the GPU-hours that were left of them
    still : jobs that were missing then
    done : GPU-hours known to be done
    begin : of the delivery day (UTC)
    """
    known = [MissingJob(k, before[k].gpu_hours, 0.0, before[k].deadline) for k in left if k in before] + list(still)
    rest = {j.id: j.gpu_hours - done.get(j.id, 0.0) for j in known}
    return [
        MissingJob(j.id, j.gpu_hours, rest[j.id], j.deadline)
        for j in sorted(known, key=lambda j: j.id)
        if j.id not in queue.listed and rest[j.id] > DONE and j.deadline > pd.Timestamp(begin)
    ]


def read_queue(path: Path, known_at: np.datetime64) -> Queue:
    """Jobs submitted at or before a moment; a bad row is set aside, not the night.

    Raises
    ------
    SeriesError : the table itself cannot be read, lacks a column, or has offsets instead of times.
    """
    texts = ("id", "label", "release", "deadline", "gpu_kinds", "jurisdictions", "home_site", SUBMITTED)
    frame = read_frame(path, texts)
    offset = {
        key: frame[key].fillna("").astype(str).str.strip().str.startswith("+")
        for key in ("release", "deadline", SUBMITTED) if key in frame
    }  # fmt: skip
    for key, counts in offset.items():
        if len(counts) and counts.all():
            raise SeriesError(f"{path}: {key}", OFFSET, TIMES)
    given = frame.pop(SUBMITTED) if SUBMITTED in frame else pd.Series("", index=frame.index)
    queue = Queue(listed=frozenset(frame["id"].astype(str)) if "id" in frame else frozenset())
    for row, job in parse_rows(path, frame, known_at):
        if isinstance(job, str):
            queue.refused.append(job)
            continue
        if counting := [key for key, counts in offset.items() if counts.iloc[row]]:
            queue.refused.append(f"{path}: row {row + 2} (job {job.id}): {counting[0]}: {OFFSET}; allowed: {TIMES}")
            continue
        try:
            moment = submitted_at(given.iloc[row], known_at) or job.release
        except ValueError as e:
            queue.refused.append(f"{path}: row {row + 2} (job {job.id}): {e}")
            continue
        if job.id in queue.jobs or job.id.startswith(EXPECTED) or job.id == NO_WORK:
            queue.refused.append(f"job {job.id}: the id is taken")
        elif moment <= pd.Timestamp(known_at):
            queue.jobs[job.id], queue.submitted[job.id] = job, moment
    return queue


def set_aside(queue: Queue, fleet: Fleet, powers: dict[str, GpuPower], count: dict[str, float]) -> None:
    """Move jobs that no pool can run to `refused`.

    Parameters
    ----------
    count : most GPUs of each pool in the horizon
    """
    kinds = [p.kind for p in powers.values()]
    for name, job in list(queue.jobs.items()):
        fast = np.array(speeds(fleet, kinds, job))
        largest = max((count[p] for p, s in zip(powers, fast, strict=True) if s > 0), default=0.0)
        why = "no pool may run it" if not (fast > 0).any() else ""
        why = why or (f"max_gpus {job.max_gpus:g} is more than any pool has" if job.max_gpus > largest else "")
        why = why or ("its home_site is not in the fleet" if job.home_site not in (None, *fleet.sites) else "")
        why = why or _out_of_range(job, float(fast.max()))
        if why:
            queue.aside[name] = f"job {name}: {why}", job.gpu_hours
            queue.refused.append(f"job {name}: {why}")
            del queue.jobs[name]


def _out_of_range(job: Job, fastest: float) -> str:
    """Why the program cannot resolve a job whose cells are all in their ranges; empty where it can."""
    hours = job.gpu_hours / (job.max_gpus * fastest)
    if not hours <= LONGEST_H:
        return f"{job.gpu_hours:g} GPU-hours take {hours:.3g} h with {job.max_gpus:g} GPUs at speed {fastest:g}; allowed: {LONGEST_H:g} h"
    slowest = min(job.gpu_kinds.values())
    if not slowest >= LEAST_SPEED:
        return f"gpu_kinds: speed {slowest:g}; allowed: {LEAST_SPEED:g} and more"
    if job.value_eur_per_gpu_hour is not None and not job.value_eur_per_gpu_hour <= MOST_VALUE_EUR:
        return f"value_eur_per_gpu_hour {job.value_eur_per_gpu_hour:g}; allowed: at most {MOST_VALUE_EUR:g}"
    return ""


def most_gpus(fleet: Fleet, start: Times) -> dict[str, float]:
    """GPUs of each pool at a moment.

    Parameters
    ----------
    start : the moment (UTC), shape (1,)
    """
    zones = {name: site.time_zone for name, site in fleet.sites.items()}
    return {n: float(at(p.count, start, zones[n.split("/")[0]])[0]) for n, (_, p) in fleet.pools().items()}


def slack_days(jobs: pd.DataFrame, begin: np.datetime64) -> float:
    """Longest time that a job at hand may wait from the horizon's start on [days]."""
    if jobs.empty:
        return 0.0
    least = (jobs["left"] / jobs["max_gpus"]).to_numpy(dtype=float) / 24
    ends = (jobs["deadline"] - pd.Timestamp(begin)).dt.total_seconds().to_numpy() / 86400
    return float(np.maximum(ends - least, 0.0).max())


def clip(job: Job, done: float, left: float, most: float) -> Job:
    """The job with no more work than fits its part of the horizon: the rest is a later night's."""
    return job if left <= most else job.model_copy(update={"gpu_hours": done + most})


def hours_inside(job: Job, begin: np.datetime64, end: np.datetime64) -> float:
    """Length of the part of a job's window that lies inside the horizon [h]."""
    span = min(job.deadline, pd.Timestamp(end)) - max(job.release, pd.Timestamp(begin))
    return max(span.total_seconds() / 3600, 0.0)


def fastest(fleet: Fleet, powers: dict[str, GpuPower], job: Job) -> float:
    """Highest speed that a job has anywhere in the fleet."""
    return max(speeds(fleet, [p.kind for p in powers.values()], job))


def planned_job(
    job: Job,
    left: float,
    begin: np.datetime64,
    end: np.datetime64,
    may_wait: bool,
    fleet: Fleet,
    powers: dict[str, GpuPower],
) -> tuple[Job, bool]:
    """The job as a night plans it, and whether it is late: soon where it is, no more than fits where nothing may wait."""
    speed = fastest(fleet, powers, job)
    hours = left / (job.max_gpus * speed)
    at_best = max(job.release, pd.Timestamp(begin)) + pd.Timedelta(hours=hours)
    late = at_best > job.deadline
    planned = job.model_copy(update={"deadline": job.deadline})
    if late:
        put_off = (at_best + pd.Timedelta(hours=1 + LATE_SLACK * hours)).ceil("h")
        planned = job.model_copy(update={"deadline": put_off})
    if may_wait:
        return planned, late
    return clip(planned, job.gpu_hours - left, left, job.max_gpus * speed * hours_inside(planned, begin, end)), late


def as_table(jobs: list[Job]) -> pd.DataFrame:
    """Jobs as a job table, times in UTC."""
    columns = ["id", "label", "gpu_hours", "max_gpus", "release", "deadline", "gpu_kinds", "jurisdictions",
               "home_site", "value_eur_per_gpu_hour"]  # fmt: skip
    rows = [
        (j.id, j.label, repr(float(j.gpu_hours)), repr(float(j.max_gpus)), f"{j.release.isoformat()}Z",
         f"{j.deadline.isoformat()}Z", ";".join(f"{k}={v!r}" for k, v in sorted(j.gpu_kinds.items())),
         ";".join(sorted(j.jurisdictions)), j.home_site or "",
         "" if j.value_eur_per_gpu_hour is None else repr(j.value_eur_per_gpu_hour))
        for j in sorted(jobs, key=lambda j: j.id)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def history(queue: Queue) -> pd.DataFrame:
    """The jobs so far as `forecast.expected_arrivals` takes them."""
    table = as_table(list(queue.jobs.values()))
    for key in ("release", "deadline"):
        table[key] = pd.to_datetime(table[key], utc=True).dt.tz_localize(None).astype("datetime64[ns]")
    submitted = [queue.submitted[name] for name in table["id"]]
    return table.assign(
        submitted=pd.to_datetime(pd.Series(submitted, dtype="datetime64[ns]")),
        gpu_hours=table["gpu_hours"].astype(float), max_gpus=table["max_gpus"].astype(float),
    )  # fmt: skip


def no_work(fleet: Fleet, powers: dict[str, GpuPower], begin: pd.Timestamp) -> Job:
    """The job of a night without work: too small to be seen."""
    kind = next(iter(powers.values())).kind
    end = begin + pd.Timedelta(days=1)
    return Job(id=NO_WORK, gpu_hours=DONE, max_gpus=1, release=begin, deadline=end, gpu_kinds={kind: 1.0})


def total(values: dict[str, float]) -> float:
    """Sum in a fixed order, so that it is the same to the last bit."""
    ordered: Floats = np.array([values[k] for k in sorted(values)])
    return float(ordered.sum())
