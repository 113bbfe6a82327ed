"""A scheduler's queue as the job table that `energy optimize` reads, and why some jobs are left out.

Slurm's queue comes from ``squeue --json`` (all versions with JSON) or ``sacct --parsable2``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from energy.errors import SeriesError
from energy.report.formatting import one_line
from energy.series.content import read_bytes
from energy.series.spreadsheet import escape

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
    """Rules for what Slurm leaves open. `slack_h` is how long after its earliest end a job may finish [h];
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
        return pd.DataFrame(self.done, columns=list(PROGRESS)).to_csv(index=False, lineterminator="\n")

    def csv(self) -> str:
        """The table as CSV."""
        return pd.DataFrame(self.rows, columns=list(HEADER)).to_csv(index=False, lineterminator="\n")


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
    """Reason why a job is left out; empty where it is kept."""
    ended = job.state in ENDED
    checks: Sequence[tuple[bool, str]] = (
        (ended and not rules.history, "has ended"),
        (not ended and job.state not in OPEN, f"is {job.state.lower()}"),
        (not job.gpus, "asks for no GPU"),
        (len(job.gpus) > 1, "asks for several kinds of GPU at once"),
        ("" in job.gpus and not rules.gpu_kinds, "names no kind of GPU; say which with --gpu-kinds"),
        (sum(job.gpus.values()) * job.at_once > MOST_GPUS, f"asks for more than {MOST_GPUS:,} GPUs"),
        (job.tasks > MOST_TASKS, f"has more than {MOST_TASKS:,} tasks"),
        (max(job.limit_h or 0.0, job.elapsed_h) > LONGEST_H, f"has a time limit above {LONGEST_H:g} h"),
        (job.limit_h is None and not ended, "has no time limit, so its work is not known"),
    )
    beyond = next((why for failed, why in checks if failed), "")
    return beyond or ("has no work left" if _hours(job, rules) * sum(job.gpus.values()) <= DONE else "")


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
    label = escape(one_line(job.name)[: LONGEST_LABEL - 1])
    return (
        job.id, label, f"{each * gpus * job.tasks:.6g}", str(gpus * job.at_once), _stamp(first), _stamp(latest), kind.lower() or rules.gpu_kinds,
        _stamp(job.submitted),
    )  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


#: States in which a job still has work to do, and those in which it has done some and will do no more: what Slurm
#: starts again after a failure or a preemption is PENDING.
OPEN = frozenset({"PENDING", "RUNNING", "SUSPENDED", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "RESIZING", "STOPPED"})
ENDED = frozenset(
    {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE", "BOOT_FAIL", "PREEMPTED"}
)
#: What a row of squeue raises that is not as Slurm writes it.
BAD_ROW = (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError)
#: Beyond these a number is a slip or an attack: hours of a task (five years), GPUs of a job, tasks of an array.
LONGEST_H, MOST_GPUS, MOST_TASKS = 5 * 8766.0, 1_000_000, 10_000_000
#: Columns of sacct that the table needs; ask for them with --format.
COLUMNS = ("JobID", "State", "Submit", "ElapsedRaw", "TimelimitRaw", "ReqTRES")
_GPU = re.compile(r"(?:^|,)\s*gres/gpu(?::(?P<kind>[A-Za-z0-9_.+-]+))?=(?P<count>\d+)")
_ARRAY = re.compile(r"^(\d+)(?:-(\d+)(?::(\d+))?)?$")
_RUNNING = frozenset({"RUNNING", "SUSPENDED", "STOPPED", "RESIZING"})


@dataclass(frozen=True)
class Queued:
    """One job of the queue. Times are UTC; `gpus` by kind ("" where the request names none), for one task.

    `limit_h` and `elapsed_h` are hours of one task, `tasks` those of an array that still wait together.
    """

    id: str
    name: str
    state: str
    gpus: Mapping[str, int]
    submitted: datetime
    eligible: datetime
    limit_h: float | None
    elapsed_h: float
    deadline: datetime | None
    tasks: int = 1
    at_once: int = 1

    @property
    def started(self) -> bool:
        """Whether it holds GPUs, or has held them."""
        return self.state in _RUNNING or self.state in ENDED


@dataclass(frozen=True)
class Queue:
    """Content of a file of Slurm: its jobs, when it was written (None: not said), and rows that cannot be read."""

    jobs: tuple[Queued, ...]
    at: datetime | None
    unread: tuple[str, ...] = ()


def read_queue(path: Path, time_zone: str = "UTC", at: datetime | None = None) -> Queue:
    """Read either kind of file; its first character says which.

    Parameters
    ----------
    time_zone : that of sacct's times
    at : when the file was written (UTC); None: what squeue's says, and now where it says nothing

    Raises
    ------
    SeriesError : unreadable, neither JSON of squeue nor the pipes of sacct, or a column is missing.
    """
    text = read_bytes(path, "what squeue --json or sacct --parsable2 writes").read().decode("utf-8", "replace")
    if text.lstrip()[:1] not in ("{", "["):
        return _sacct(path, text, ZoneInfo(time_zone), at)
    try:
        data = json.loads(text)
        rows = data["jobs"]
        at = at or _moment(data.get("last_update")) or datetime.now(UTC)  # older versions do not say
        return _rows_of_json(rows, at)
    except RecursionError:
        raise SeriesError(path, "is nested too deeply", "what squeue --json writes") from None
    except BAD_ROW as e:
        raise SeriesError(path, f"is not what squeue --json writes ({type(e).__name__}: {e})") from None


def _rows_of_json(rows: Sequence[Any], at: datetime) -> Queue:
    """Jobs of squeue; a row that cannot be read is left out by name, and where none can, its error is raised."""
    jobs, unread = [], list[str]()
    for number, row in enumerate(rows, start=1):
        try:
            jobs.append(_of_json(row, at))
        except BAD_ROW as e:
            if number == len(rows) and not jobs:
                raise
            unread.append(f"job {number} of the file: cannot be read ({type(e).__name__}: {one_line(str(e))[:80]})")
    return Queue(tuple(jobs), at, tuple(unread))


def read_queues(paths: Sequence[Path], time_zone: str = "UTC", at: datetime | None = None) -> Queue:
    """Several files as one queue; of a job in two files the later row counts.

    `at` is as in `read_queue`; None: the moment of the first file that says it.

    Raises
    ------
    SeriesError : one of them cannot be read.
    """
    found = [read_queue(path, time_zone, at) for path in paths]
    jobs = {job.id: job for queue in found for job in queue.jobs}
    unread = tuple(row for queue in found for row in queue.unread)
    return Queue(tuple(jobs.values()), next((q.at for q in found if q.at), None), unread)


def gpus_of(tres: str) -> dict[str, int]:
    """``cpu=8,gres/gpu=8,gres/gpu:h200=8`` as {h200: 8}: by kind where kinds are named, else {"": 8}."""
    found = [(m["kind"] or "", int(m["count"])) for m in _GPU.finditer(tres)]
    named = {k: n for k, n in found if k and n}
    return named or {k: n for k, n in found if n}


def tasks_of(text: str) -> tuple[int, int]:
    """Tasks of ``0-99:2%10`` that wait, and how many may run at once."""
    body, _, most = text.partition("%")
    count = 0
    for part in filter(None, body.split(",")):
        if not (m := _ARRAY.match(part.strip())):
            return 1, 1  # Slurm cuts long expressions short ("0,2,...")
        count += 1 if m[2] is None else (int(m[2]) - int(m[1])) // max(int(m[3] or 1), 1) + 1
    return max(count, 1), min(int(most), max(count, 1)) if most.isdigit() and int(most) else max(count, 1)


def _number(value: Any) -> float | None:
    """A number in either form of Slurm: plain, or {"set": true, "infinite": false, "number": 60}."""
    if isinstance(value, Mapping):
        return float(value["number"]) if value.get("set") and not value.get("infinite") else None
    return float(value) if isinstance(value, int | float) else None


def _moment(value: Any) -> datetime | None:
    """A time that Slurm states as a number of seconds; None for 0 and where it states none."""
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _of_json(r: Mapping[str, Any], at: datetime) -> Queued:
    """A job of squeue: a task of an array is 9_2, as sacct has it; all that still waits of an array is the array."""
    state = r["job_state"]
    state = str(state[0] if isinstance(state, list) else state)
    array, task = _number(r.get("array_job_id")), _number(r.get("array_task_id"))
    whole = state == "PENDING" or not array or task is None
    submitted, began = _moment(r["submit_time"]), _moment(r.get("start_time"))
    if submitted is None:
        raise ValueError(f"job {r['job_id']} has no submit_time")
    until = at if state in _RUNNING else _moment(r.get("end_time")) if state in ENDED else None
    elapsed = max((until - began).total_seconds() / 3600, 0.0) if began and until else 0.0
    limit = _number(r.get("time_limit"))
    tasks, at_once = tasks_of(str(r.get("array_task_string") or "")) if state == "PENDING" else (1, 1)
    return Queued(
        str(int(r["job_id"])) if whole else f"{array:.0f}_{task:.0f}", str(r.get("name") or ""), state,
        gpus_of(str(r.get("tres_req_str") or r.get("tres_alloc_str") or "")), submitted,
        _moment(r.get("eligible_time")) or submitted, limit / 60 if limit else None, elapsed, _moment(r.get("deadline")), tasks, at_once,
    )  # fmt: skip


def _sacct(path: Path, text: str, zone: ZoneInfo, at: datetime | None) -> Queue:
    """Rows of jobs; steps (123.batch) are part of them. A name may hold pipes: they belong to JobName."""
    rows = list(csv.reader(io.StringIO(text), delimiter="|", quoting=csv.QUOTE_NONE))
    header = rows[0] if rows else []
    if missing := [c for c in COLUMNS if c not in header]:
        wanted = ",".join([*COLUMNS, "JobName", "Eligible"])
        raise SeriesError(
            f"{path}: header", f"missing columns {missing}", f"sacct --parsable2 --allocations --format={wanted}"
        )
    jobs, unread = [], []
    for line, cells in enumerate(rows[1:], start=2):
        more = len(cells) - len(header)
        if more > 0 and "JobName" in header:
            name = header.index("JobName")
            cells[name : name + more + 1] = ["|".join(cells[name : name + more + 1])]
        record = dict(zip(header, cells, strict=False))
        if len(cells) != len(header):
            unread.append(f"row {line}: {len(cells)} cells, not {len(header)}")
        elif "." not in record["JobID"]:
            job = _of_row(record, zone)
            jobs += [job] if job else []
            unread += [] if job else [f"row {line}: not a job ({record['JobID'][:40]!r})"]
    return Queue(tuple(jobs), at, tuple(unread))


def _of_row(r: Mapping[str, str], zone: ZoneInfo) -> Queued | None:
    submitted = _local(r["Submit"], zone)
    if submitted is None or not re.fullmatch(r"\d+(_(\d+|\[[^\]]*\]))?", r["JobID"]) or not r["State"]:
        return None
    limit, elapsed = (float(r[c]) if r[c].isdigit() else None for c in ("TimelimitRaw", "ElapsedRaw"))
    base, _, array = r["JobID"].partition("_")
    tasks, at_once = tasks_of(array.strip("[]")) if array.startswith("[") else (1, 1)
    return Queued(
        base if array.startswith("[") else r["JobID"], r.get("JobName", ""), r["State"].split()[0], gpus_of(r["ReqTRES"]), submitted,
        _local(r.get("Eligible", ""), zone) or submitted, limit / 60 if limit else None, (elapsed or 0.0) / 3600, None, tasks, at_once,
    )  # fmt: skip


def _local(text: str, zone: ZoneInfo) -> datetime | None:
    """A local time of sacct; None for Unknown and None."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None
