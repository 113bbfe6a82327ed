"""The queue of Slurm as jobs: ``squeue --json`` (all versions with JSON) and ``sacct --parsable2``."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from energy.inputs.errors import SeriesError

#: States in which a job still has work to do, and those in which it has done some and will do no more: what Slurm
#: starts again after a failure or a preemption is PENDING.
OPEN = frozenset({"PENDING", "RUNNING", "SUSPENDED", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "RESIZING", "STOPPED"})
ENDED = frozenset(
    {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE", "BOOT_FAIL", "PREEMPTED"}
)
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
    """What a file of Slurm holds: its jobs, when it was written (None: not said), and rows that cannot be read."""

    jobs: tuple[Queued, ...]
    at: datetime | None
    unread: tuple[str, ...] = ()


def read_queue(path: Path, time_zone: str = "UTC", at: datetime | None = None) -> Queue:
    """Either kind of file, told apart by its first character.

    Parameters
    ----------
    time_zone : that of sacct's times
    at : when the file was written (UTC); None: what squeue's says, and now where it says nothing

    Raises
    ------
    SeriesError : unreadable, neither JSON of squeue nor the pipes of sacct, or a column is missing.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as e:
        raise SeriesError(path, f"cannot be read ({e.strerror})") from None
    return _squeue(path, text, at) if text.lstrip()[:1] in ("{", "[") else _sacct(path, text, ZoneInfo(time_zone), at)


def read_queues(paths: Sequence[Path], time_zone: str = "UTC", at: datetime | None = None) -> Queue:
    """Several files as one queue: of a job that stands in two of them the later file's row counts.

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
        count += 1 if m[2] is None else (int(m[2]) - int(m[1])) // int(m[3] or 1) + 1
    return max(count, 1), min(int(most), max(count, 1)) if most.isdigit() and int(most) else max(count, 1)


def _squeue(path: Path, text: str, at: datetime | None) -> Queue:
    try:
        data = json.loads(text)
        rows = data["jobs"]
        at = at or _moment(_number(data.get("last_update"))) or datetime.now(UTC)  # older versions do not say
        return Queue(tuple(_of_json(r, at) for r in rows), at)
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise SeriesError(path, f"is not what squeue --json writes ({type(e).__name__}: {e})") from None


def _number(value: Any) -> float | None:
    """A number in either form of Slurm: plain, or {"set": true, "infinite": false, "number": 60}."""
    if isinstance(value, Mapping):
        return float(value["number"]) if value.get("set") and not value.get("infinite") else None
    return float(value) if isinstance(value, int | float) else None


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _of_json(r: Mapping[str, Any], at: datetime) -> Queued:
    state = r["job_state"]
    state = str(state[0] if isinstance(state, list) else state)
    submitted = _moment(_number(r["submit_time"]))
    if submitted is None:
        raise ValueError(f"job {r['job_id']} has no submit_time")
    began = _moment(_number(r.get("start_time")))
    until = at if state in _RUNNING else _moment(_number(r.get("end_time"))) if state in ENDED else None
    elapsed = max((until - began).total_seconds() / 3600, 0.0) if began and until else 0.0
    limit = _number(r.get("time_limit"))
    tasks, at_once = tasks_of(str(r.get("array_task_string") or "")) if state == "PENDING" else (1, 1)
    return Queued(
        _id(r, state), str(r.get("name") or ""), state, gpus_of(str(r.get("tres_req_str") or r.get("tres_alloc_str") or "")),
        submitted, _moment(_number(r.get("eligible_time"))) or submitted, limit / 60 if limit else None, elapsed,
        _moment(_number(r.get("deadline"))), tasks, at_once,
    )  # fmt: skip


def _id(r: Mapping[str, Any], state: str) -> str:
    """The job's number; of a task of an array 9_2, as sacct has it. What still waits of an array is the array."""
    array, task = _number(r.get("array_job_id")), _number(r.get("array_task_id"))
    return str(int(r["job_id"])) if state == "PENDING" or not array or task is None else f"{array:.0f}_{task:.0f}"


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
        record = _record(header, cells)
        if record is None:
            unread.append(f"row {line}: {len(cells)} cells, not {len(header)}")
        elif "." not in record["JobID"]:
            job = _of_row(record, zone)
            jobs += [job] if job else []
            unread += [] if job else [f"row {line}: not a job ({record['JobID'][:40]!r})"]
    return Queue(tuple(jobs), at, tuple(unread))


def _record(header: list[str], cells: list[str]) -> dict[str, str] | None:
    more = len(cells) - len(header)
    if more > 0 and "JobName" in header:
        at = header.index("JobName")
        cells = [*cells[:at], "|".join(cells[at : at + more + 1]), *cells[at + more + 1 :]]
    return dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None


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
