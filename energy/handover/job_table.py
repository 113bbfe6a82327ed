"""Jobs of a queue as the job table that `energy optimize` reads, and why some are left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.handover.queue import ENDED, OPEN, Queue, Queued
from energy.report.cells import guarded
from energy.report.words import one_line

HEADER = ("id", "label", "gpu_hours", "max_gpus", "release", "deadline", "gpu_kinds", "submitted")
PROGRESS = ("at", "job", "gpu_hours")
#: Longest label of the job table.
LONGEST_LABEL = 200
#: Least time between now and a deadline, beyond what the job needs [h]: else rounding alone makes it impossible.
LEAST_SLACK = 1.0
#: The same of a night's table [h]: the night begins at the next local midnight, up to 25 h away. Without it every job that
#: has waited longer than the slack would be late before it is planned, though nobody but this table set it a deadline.
NIGHT_SLACK = 25.0 + LEAST_SLACK
#: Work below this is done [GPU-h]: a GPU for four seconds.
DONE = 1e-3


@dataclass(frozen=True)
class Rules:
    """What Slurm does not say. `slack_h` is how long after its earliest end a job may finish [h];
    `gpu_kinds` (as in the job table) is for requests that name no kind; `history` keeps what has ended, too.
    `whole` states the whole work of running jobs, beside which `Table.progress` says what is done: what a nightly run
    reads, which takes from the whole what was done. Else they have the work that is left, as a single plan reads it.
    """

    at: datetime
    slack_h: float = 24.0
    gpu_kinds: str = ""
    history: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Table:
    """Rows in the order of HEADER, jobs left out (id and reason), and work done by each job, in the order of PROGRESS."""

    rows: tuple[tuple[str, ...], ...]
    left_out: tuple[tuple[str, str], ...]
    done: tuple[tuple[str, ...], ...] = ()

    def progress(self) -> str:
        """The work done as CSV, as `energy ingest progress` reads it."""
        return _csv(PROGRESS, self.done)

    def csv(self) -> str:
        """The table as CSV."""
        return _csv(HEADER, self.rows)


def _csv(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def job_table(queue: Queue, rules: Rules) -> Table:
    """Every job that needs GPUs and has a time limit; work is bounded by that limit, because Slurm knows no better."""
    rows: list[tuple[str, ...]] = []
    out: list[tuple[str, str]] = []
    done: list[tuple[str, ...]] = []
    for job in sorted(queue.jobs, key=lambda j: (j.submitted, j.id)):
        reason = _reason(job, rules)
        if reason:
            out.append((job.id, reason))
        else:
            rows.append(_row(job, rules))
            done.append((_stamp(rules.at), job.id, f"{job.elapsed_h * sum(job.gpus.values()):.6g}"))
    return Table(tuple(rows), tuple(out), tuple(done))


def _reason(job: Queued, rules: Rules) -> str:
    """Why a job is left out; empty where it is not."""
    ended = job.state in ENDED
    checks: Sequence[tuple[bool, str]] = (
        (ended and not rules.history, "has ended"),
        (not ended and job.state not in OPEN, f"is {job.state.lower()}"),
        (not job.gpus, "asks for no GPU"),
        (len(job.gpus) > 1, "asks for several kinds of GPU at once"),
        ("" in job.gpus and not rules.gpu_kinds, "names no kind of GPU; say which with --gpu-kinds"),
        (job.limit_h is None and not ended, "has no time limit, so its work is not known"),
        (_hours(job, rules) * sum(job.gpus.values()) <= DONE, "has no work left"),
    )
    return next((why for failed, why in checks if failed), "")


def _hours(job: Queued, rules: Rules) -> float:
    """Hours of one task that are left, or that an ended one took [h]."""
    if job.state in ENDED:
        return job.elapsed_h
    return max((job.limit_h or 0.0) - job.elapsed_h, 0.0)


def _row(job: Queued, rules: Rules) -> tuple[str, ...]:
    ((kind, gpus),) = job.gpus.items()
    left = _hours(job, rules)
    turns = -(-job.tasks // job.at_once)
    first = job.eligible if job.state in ENDED else max(job.eligible, rules.at)
    due = job.deadline or job.eligible + timedelta(hours=(job.limit_h or left) * turns + rules.slack_h)
    spare = NIGHT_SLACK if rules.whole and job.deadline is None else LEAST_SLACK
    latest = max(due, first + timedelta(hours=left * turns + spare))
    each, first = (left + job.elapsed_h, job.eligible) if rules.whole and job.state in OPEN else (left, first)
    label = guarded(one_line(job.name)[: LONGEST_LABEL - 1])
    return (
        job.id, label, f"{each * gpus * job.tasks:.6g}", str(gpus * job.at_once), _stamp(first), _stamp(latest), kind.lower() or rules.gpu_kinds,
        _stamp(job.submitted),
    )  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
