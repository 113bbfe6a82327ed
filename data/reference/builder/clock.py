"""The time axis every reference series shares: the UTC hours that all sources of 2018 cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST = datetime(2017, 12, 31, 23, tzinfo=UTC)
#: Start of each interval [UTC]; 2018 in Central European winter time, 8,760 hours.
HOURS = [FIRST + timedelta(hours=i) for i in range(8760)]


def stamp(hour: datetime) -> str:
    """Start of the interval as it stands in the files."""
    return hour.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write one row per hour of `HOURS`, first column `utc`, with Unix line ends."""
    lines = [",".join(("utc", *columns))]
    lines += [",".join((stamp(hour), *row)) for hour, row in zip(HOURS, rows, strict=True)]
    path.write_bytes(("\n".join(lines) + "\n").encode("ascii"))
