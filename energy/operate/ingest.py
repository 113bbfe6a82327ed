"""What meters and clusters report, into the state database; a reading given twice replaces the first."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy.inputs.errors import SeriesError
from energy.inputs.fleet import load_fleet
from energy.inputs.tables import read_frame
from energy.operate.config import Place
from energy.operate.metering import LONGEST_H, OPEN
from energy.operate.store import Store, open_state

METER = ("utc", "site", "import_mwh", "hours", "it_mwh")
PROGRESS = ("at", "job", "gpu_hours")
#: Length of a reading without a column `hours` [h].
HOUR = 1.0


def read_meter(place: Place, file: Path) -> int:
    """Metered energy: utc (start), site, import_mwh, optional hours and it_mwh. Returns the number of readings.

    Raises
    ------
    SeriesError : a column is missing or unknown, a site is not in the fleet, a cell is no finite number, or a reading
        is longer than a day or overlaps another of its site; names the row. Nothing of the file is taken then.
    """
    table = _table(file, METER, METER[:3], ("utc", "site"))
    sites = load_fleet(place.beside(place.config.fleet)).sites
    for row, site in enumerate(table["site"], start=2):
        if site not in sites:
            raise SeriesError(f"{file}: row {row}", f"site {site!r} is not in the fleet", ", ".join(sites))
    for column, default in (("hours", HOUR), ("it_mwh", None)):
        if column not in table:
            table[column] = default
    moments = _moments(file, table["utc"])
    numbers = {c: _numbers(file, table[c], optional=c == "it_mwh") for c in ("import_mwh", "hours", "it_mwh")}
    _lengths(file, table["hours"])
    with open_state(place) as store, store.transaction():
        for i, (site, utc) in enumerate(zip(table["site"], moments, strict=True)):
            store.put("meter", {"site": site, "utc": utc} | {c: v[i] for c, v in numbers.items()}, replace=True)
        _no_overlap(file, store, dict(zip(zip(table["site"], moments, strict=True), count(2), strict=False)))
    return len(table)


def read_progress(place: Place, file: Path) -> int:
    """Work done: at (UTC), job, gpu_hours (reference GPU-hours since its start). Returns the number of reports.

    Raises
    ------
    SeriesError : a column is missing or unknown, or a cell cannot be read; names the row.
    """
    table = _table(file, PROGRESS, PROGRESS, ("at", "job"))
    moments, hours = _moments(file, table["at"]), _numbers(file, table["gpu_hours"])
    with open_state(place) as store, store.transaction():
        for at, job, done in zip(moments, table["job"], hours, strict=True):
            store.put("progress", {"at": at, "job": job, "gpu_hours": done}, replace=True)
    return len(table)


def _table(file: Path, known: tuple[str, ...], needed: tuple[str, ...], text: tuple[str, ...]) -> pd.DataFrame:
    table = read_frame(file, text)
    wrong = [c for c in table if c not in known] + [c for c in needed if c not in table]
    if wrong:
        raise SeriesError(f"{file}: header", f"column {wrong[0]} is unknown or missing", ", ".join(known))
    return table


def _moments(file: Path, column: pd.Series) -> list[str]:
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    if parsed.isna().any():
        row = int(parsed.isna().to_numpy().argmax())
        raise SeriesError(f"{file}: row {row + 2}", f"{column.iloc[row]!r} is not a time", "such as 2019-03-01T06:00Z")
    return [t.isoformat() for t in parsed.dt.tz_localize(None)]


def _numbers(file: Path, column: pd.Series, optional: bool = False) -> list[float | None]:
    numbers = pd.to_numeric(column, errors="coerce")
    bad = ((numbers.isna() & (column.notna() | (not optional))) | (numbers < 0) | np.isinf(numbers)).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        what = f"{column.name} is {column.iloc[row]!r}"
        raise SeriesError(f"{file}: row {row + 2}", what, "a finite number, 0 or more")
    return [None if pd.isna(v) else float(v) for v in numbers]


def _lengths(file: Path, hours: pd.Series) -> None:
    """Every reading has a length, and none is longer than a day."""
    numbers = pd.to_numeric(hours)
    bad = ((numbers <= 0) | (numbers > LONGEST_H)).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        what = f"a reading of {hours.iloc[row]} h says nothing of a single day"
        raise SeriesError(f"{file}: row {row + 2}", what, f"hours above 0, at most {LONGEST_H:g}")


def _no_overlap(file: Path, store: Store, rows: dict[tuple[str, str], int]) -> None:
    """No two readings of a site count the same time, within the file or with one ingested before.

    Parameters
    ----------
    rows : row in the file of each (site, utc)
    """
    before: dict[str, Any] = {}
    for r in store.rows("SELECT site, utc, hours FROM meter ORDER BY site, utc"):
        open_h = OPEN * min(r["hours"], before.get("hours", r["hours"]))
        if before.get("site") == r["site"] and _ends(before) > pd.Timestamp(r["utc"]) + pd.Timedelta(hours=open_h):
            row = rows.get((r["site"], r["utc"])) or rows.get((before["site"], before["utc"]))
            what = f"readings of {r['site']} from {before['utc']}Z ({before['hours']:g} h) and {r['utc']}Z overlap"
            raise SeriesError(f"{file}: row {row}", what, "each hour of a site once")
        before = r


def _ends(reading: dict[str, Any]) -> pd.Timestamp:
    return pd.Timestamp(reading["utc"]) + pd.Timedelta(hours=reading["hours"])
