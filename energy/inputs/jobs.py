"""The job table: CSV or Parquet into frozen jobs, each error with file, row and column."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from energy.errors import ConfigError, SeriesError
from energy.inputs.yaml_files import Frozen, validate
from energy.schema.calendar import naive_utc
from energy.series.files import read_frame

#: Columns that are text even where they look like numbers: id 007 is not 7.
TEXT = ("id", "label", "release", "deadline", "gpu_kinds", "jurisdictions", "home_site", "submitted")
#: Reserved for the executable plan: read, kept out of the linear program.
RESERVED = ("gang_gpus", "min_run_h", "movable")
#: When a job became known: what nightly runs and plans as of a moment look at. Else its release counts.
SUBMITTED = "submitted"
#: How the ids of expected arrivals begin, and no other's where a case has some.
EXPECTED = "expected-"
_OFFSET = re.compile(r"^\+\s*(\d{1,6}(?:\.\d+)?)\s*h$")
#: What release and deadline may look like, for messages.
MOMENTS = "a UTC time such as 2018-05-01T06:00Z, or hours after the horizon's start such as +36h"


class Job(Frozen):
    """One training job. Work is in reference GPU-hours: GPU-hours on a GPU of speed 1.

    `gpu_kinds` maps accepted kinds to their speed; `jurisdictions` are tags of which a site must carry
    one (empty: anywhere); without `value_eur_per_gpu_hour` undone work costs the fleet's default penalty.
    """

    id: str = Field(min_length=1, max_length=200)
    label: str = Field(default="", max_length=200)
    gpu_hours: float = Field(gt=0, le=1e8)
    max_gpus: float = Field(gt=0, le=1e6)
    release: pd.Timestamp
    deadline: pd.Timestamp
    gpu_kinds: dict[str, float] = Field(min_length=1)
    jurisdictions: frozenset[str] = frozenset()
    home_site: str | None = None
    value_eur_per_gpu_hour: float | None = Field(default=None, ge=0, le=1e6)

    model_config = Frozen.model_config | {"arbitrary_types_allowed": True}

    @field_validator("gpu_kinds")
    @classmethod
    def _speeds(cls, kinds: dict[str, float]) -> dict[str, float]:
        if not all(0 < v <= 1000 for v in kinds.values()):
            raise ValueError("speeds must lie above 0 and at most at 1000, such as gb300=2.5;h200=1")
        return kinds

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.deadline <= self.release:
            what = f"deadline {self.deadline}Z is not after release {self.release}Z"
            raise ValueError(f"{what}; allowed: a deadline after the release")
        return self


def read_expected(path: Path, start: np.datetime64) -> tuple[Job, ...]:
    """Expected arrivals: a job table that may have no rows, in which every id begins with ``expected-``.

    Raises
    ------
    SeriesError : as `read_jobs`, or an id that begins otherwise.
    """
    jobs = read_jobs(path, start, may_be_empty=True)
    for job in jobs:
        if not job.id.startswith(EXPECTED):
            raise SeriesError(path, f"job {job.id!r} is not marked as expected", f"ids such as {EXPECTED}{job.id}")
    return jobs


def read_jobs(
    path: Path, start: np.datetime64, may_be_empty: bool = False, as_of: datetime | None = None
) -> tuple[Job, ...]:
    """Jobs of the table, sorted by id so that the order of rows never matters.

    Parameters
    ----------
    start : start of the horizon (UTC), which offsets such as ``+36h`` count from
    may_be_empty : no rows are no mistake
    as_of : leave out jobs that were submitted later (UTC, naive)

    Raises
    ------
    SeriesError : unreadable, empty, a missing or unknown column, a duplicate id, or a bad cell.
    """
    frame = read_frame(path, TEXT)
    if frame.empty and not may_be_empty:
        raise SeriesError(path, "has no jobs", "at least one row")
    _check_columns(path, list(frame.columns))
    jobs = [_job(path, row, record, start) for row, record in enumerate(_records(frame), start=2)]
    cells = frame[SUBMITTED] if SUBMITTED in frame else pd.Series("", index=frame.index)
    seen: dict[str, int] = {}
    known = []
    for row, (job, cell) in enumerate(zip(jobs, cells, strict=True), start=2):
        if job.id in seen:
            what = f"id {job.id!r} already stands in row {seen[job.id]}"
            raise SeriesError(f"{path}: row {row}", what, "each id once")
        seen[job.id] = row
        try:
            submitted = submitted_at(cell, start)
        except ValueError as e:
            raise SeriesError(f"{path}: row {row}", str(e)) from None
        if submitted is None or as_of is None or submitted <= pd.Timestamp(as_of):
            known.append(job)
    return tuple(sorted(known, key=lambda j: j.id))


def submitted_at(cell: Any, start: np.datetime64) -> pd.Timestamp | None:
    """Moment of a cell of the column `submitted` (naive UTC); None where it is empty.

    Raises
    ------
    ValueError : not a time; the text says what is allowed.
    """
    return None if _empty(cell) or pd.isna(cell) else _moment(SUBMITTED, cell, start)


def parse_rows(path: Path, frame: pd.DataFrame, start: np.datetime64) -> Iterator[tuple[int, Job | str]]:
    """(position, the job of each row, or why it cannot be read): for callers that continue without a bad row.

    Raises
    ------
    SeriesError : the header lacks a column or has an unknown one.
    """
    _check_columns(path, list(frame.columns))
    for position, record in enumerate(_records(frame)):
        try:
            yield position, _job(path, position + 2, record, start)
        except SeriesError as e:
            yield position, str(e)


def _check_columns(path: Path, columns: list[str]) -> None:
    known = [*Job.model_fields, *RESERVED, SUBMITTED]
    unknown = [c for c in columns if c not in known]
    missing = [n for n, f in Job.model_fields.items() if f.is_required() and n not in columns]
    problems = [f"{kind} columns {names}" for kind, names in (("unknown", unknown), ("missing", missing)) if names]
    if problems:
        raise SeriesError(f"{path}: header", "; ".join(problems), ", ".join(known))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _job(path: Path, row: int, record: dict[str, Any], start: np.datetime64) -> Job:
    cells = {k: v for k, v in record.items() if k not in (*RESERVED, SUBMITTED) and not _empty(v)}
    try:
        for key in ("release", "deadline"):
            if key in cells:
                cells[key] = _moment(key, cells[key], start)
        cells |= {k: str(cells[k]) for k in TEXT if k in cells and k not in ("release", "deadline")}
        if "gpu_kinds" in cells:
            cells["gpu_kinds"] = _kinds(cells["gpu_kinds"])
        if "jurisdictions" in cells:
            cells["jurisdictions"] = frozenset(_split(cells["jurisdictions"]))
        return validate("", cells, Job)
    except (ConfigError, ValueError) as e:
        what = e.what if isinstance(e, ConfigError) else str(e)
        raise SeriesError(f"{path}: row {row} (job {cells.get('id', '?')})", what) from None


def _empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _kinds(cell: str) -> dict[str, float]:
    """``gb300=2.5;h200=1`` into a mapping; a kind without a speed runs at speed 1."""
    out: dict[str, float] = {}
    for part in _split(cell):
        kind, _, speed = (text.strip() for text in part.partition("="))
        try:
            number = float(speed) if speed else 1.0
        except ValueError:
            raise ValueError(f"gpu_kinds: {part!r} is not kind=speed, such as gb300=2.5;h200=1") from None
        if kind in out:
            raise ValueError(f"gpu_kinds: {kind!r} stands twice in {cell!r}; allowed: each kind once")
        out[kind] = number
    return out


def _moment(key: str, cell: Any, start: np.datetime64) -> pd.Timestamp:
    """A UTC instant, or an offset from the horizon's start, as naive UTC."""
    text = str(cell)
    if match := _OFFSET.match(text):
        return (pd.Timestamp(start) + pd.Timedelta(hours=float(match[1]))).as_unit("ns")
    try:
        return pd.Timestamp(naive_utc(datetime.fromisoformat(text))).as_unit("ns")
    except (ValueError, OverflowError):  # no time, or none that nanoseconds can count
        raise ValueError(f"{key}: {text!r} is not a time between 1678 and 2262; allowed: {MOMENTS}") from None


def inside(jobs: Sequence[Job], start: np.datetime64, end: np.datetime64) -> tuple[list[Job], list[str]]:
    """Jobs whose window touches the horizon, and the ids of those left out."""
    keep = [j for j in jobs if j.release.to_datetime64() < end and j.deadline.to_datetime64() > start]
    kept = {j.id for j in keep}
    return keep, [j.id for j in jobs if j.id not in kept]
