"""Meter readings and progress reports of clusters: from files into the database, and onto the periods of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.inputs.fleet import load_fleet
from energy.inputs.load import Inputs
from energy.nightly.config import NightlyWorkspace
from energy.nightly.database import Store, open_state
from energy.nightly.outcome import PLAN
from energy.schema import Floats, Times
from energy.schema.calendar import local_moment
from energy.series.files import read_frame

#: Longest reading [h]: that of the longest local day. A longer one says nothing of any single day.
LONGEST_H = 25.0
#: Share of a unit that readings may leave open or count twice: lengths such as 5 minutes are written with few digits.
OPEN = 1e-3
NS_PER_H = 3.6e12
COLUMNS = ("site", "utc", "hours", "import_mwh", "it_mwh")
#: Moment of a progress report (UTC), job, and work done since the job's start [reference GPU-hours].
Report = tuple[pd.Timestamp, str, float]


def reports_of(store: Store, until: pd.Timestamp, since: pd.Timestamp | None = None) -> list[Report]:
    """Progress reports in [since, until), in order."""
    rows = store.rows(
        "SELECT at, job, gpu_hours FROM progress WHERE at >= ? AND at < ? ORDER BY at",
        since.isoformat() if since is not None else "", until.isoformat(),
    )  # fmt: skip
    return [(pd.Timestamp(r["at"]), r["job"], float(r["gpu_hours"])) for r in rows]


def meter_of(store: Store, inputs: Inputs) -> pd.DataFrame:
    """Readings that overlap the day, those that began before it too."""
    first, after = (pd.Timestamp(b) for b in inputs.case.horizon.bounds())
    rows = store.rows(
        f"SELECT {', '.join(COLUMNS)} FROM meter WHERE utc > ? AND utc < ?",
        (first - pd.Timedelta(hours=LONGEST_H)).isoformat(), after.isoformat(),
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.assign(utc=pd.to_datetime(table["utc"]).astype("datetime64[ns]"))
    return table[table["utc"] + pd.to_timedelta(table["hours"].astype(float), unit="h") > first]


def metered(replayed: xr.Dataset, meter: pd.DataFrame | None) -> xr.Dataset:
    """The replay with the meter's reading at each site that it covers wholly; its surplus counts as facility power."""
    if meter is None or meter.empty:
        return replayed
    out = replayed.copy(deep=True)
    time, dt = out["time"].values, out["dt"].values
    for s, site in enumerate(out["site"].values.astype(str)):
        mine = meter[meter["site"] == site]
        if (read := on_grid(mine, "import_mwh", time, dt, out["import_mw"].values[s])) is None:
            continue
        out["facility_mw"].values[s] += read - out["import_mw"].values[s]
        out["import_mw"].values[s] = read
        it = on_grid(mine.dropna(subset=["it_mwh"]), "it_mwh", time, dt, out["site_it_mw"].values[s])
        if it is not None:
            out["site_it_mw"].values[s] = it
    return out


def on_grid(mine: pd.DataFrame, column: str, time: Times, dt: Floats, shape: Floats) -> Floats | None:
    """Mean power of each unit [MW], (T,); None where the readings do not cover every unit once.

    A reading over several units is shared out like the replay within them, so that a day's total keeps the peak that
    the plan had; where the replay draws nothing, evenly. Of a reading that reaches beyond the day its share of time counts.

    Parameters
    ----------
    shape : replayed power of each unit [MW], (T,)
    """
    begin = (time - time[0]) / np.timedelta64(1, "h")
    start = (mine["utc"].to_numpy().astype("datetime64[ns]") - time[0]) / np.timedelta64(1, "h")
    hours = mine["hours"].to_numpy(dtype=float)
    inside = np.minimum((start + hours)[:, None], begin + dt) - np.maximum(start[:, None], begin)
    inside = np.maximum(inside, 0.0)  # hours of each reading in each unit, (readings, T)
    if not (np.abs(inside.sum(axis=0) - dt) <= OPEN * dt).all():
        return None
    weight = inside * np.maximum(shape, 0.0)
    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, inside)
    mwh = mine[column].to_numpy(dtype=float) * inside.sum(axis=1) / hours
    energy: Floats = (mwh[:, None] * weight / weight.sum(axis=1, keepdims=True)).sum(axis=0)
    return energy / dt


METER = ("utc", "site", "import_mwh", "hours", "it_mwh")
PROGRESS = ("at", "job", "gpu_hours")
#: Length of a reading without a column `hours` [h].
HOUR = 1.0


@dataclass(frozen=True)
class Taken:
    """Readings of a file, and how many of them came too late, by the settled day."""

    readings: int
    late: dict[date, int] = field(default_factory=dict)

    def message(self) -> str:
        """One line."""
        if not self.late:
            return f"{self.readings} readings"
        days = f"{min(self.late)} to {max(self.late)}" if len(self.late) > 1 else f"{min(self.late)}"
        return (
            f"{self.readings} readings; {sum(self.late.values())} of them came too late for days that are settled "
            f"already ({days}): their bills stay as they are"
        )


def read_meter(workspace: NightlyWorkspace, file: Path) -> Taken:
    """Metered energy: utc (start), site, import_mwh, optional hours and it_mwh; a reading of the same start is replaced.

    Raises
    ------
    SeriesError : a column is missing or unknown, a site is not in the fleet, a cell is not a finite number, or a reading
        is longer than a day or overlaps another of its site; names the row. Nothing of the file is taken then.
    """
    table = _table(file, METER, METER[:3], ("utc", "site"))
    sites = load_fleet(workspace.beside(workspace.config.fleet)).sites
    unknown = ~table["site"].isin(list(sites))
    _refuse(file, table["site"], unknown, "site {!r} is not in the fleet", ", ".join(sites))
    table = table.assign(**{c: d for c, d in (("hours", HOUR), ("it_mwh", None)) if c not in table})
    table["utc"] = _moments(file, table["utc"])
    for column in ("import_mwh", "hours", "it_mwh"):
        table[column] = _numbers(file, table[column], optional=column == "it_mwh")
    allowed, bad = f"hours above 0, at most {LONGEST_H:g}", ~table["hours"].between(0, LONGEST_H, inclusive="right")
    _refuse(file, table["hours"], bad, "a reading of {:g} h says nothing of a single day", allowed)
    rows = _rows(table, COLUMNS)
    with open_state(workspace) as store, store.transaction():
        late = _late(workspace, store, rows)
        for row in rows:
            store.put("meter", row, replace=True)
        _no_overlap(file, store, rows)
    return Taken(len(table), late)


def read_progress(workspace: NightlyWorkspace, file: Path) -> int:
    """Read work done: at (UTC), job, gpu_hours (reference GPU-hours since its start). Returns the number of reports.

    Raises
    ------
    SeriesError : a column is missing or unknown, or a cell cannot be read; names the row.
    """
    table = _table(file, PROGRESS, PROGRESS, ("at", "job"))
    table["at"], table["gpu_hours"] = _moments(file, table["at"]), _numbers(file, table["gpu_hours"])
    with open_state(workspace) as store, store.transaction():
        for row in _rows(table, PROGRESS):
            store.put("progress", row, replace=True)
    return len(table)


def _table(file: Path, known: tuple[str, ...], needed: tuple[str, ...], text: tuple[str, ...]) -> pd.DataFrame:
    table = read_frame(file, text)
    wrong = [c for c in table if c not in known] + [c for c in needed if c not in table]
    if wrong:
        raise SeriesError(f"{file}: header", f"column {wrong[0]} is unknown or missing", ", ".join(known))
    return table


def _rows(table: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of the database; an empty cell is None."""
    cells = table[list(columns)].astype(object)
    return [{str(k): v for k, v in row.items()} for row in cells.where(cells.notna(), None).to_dict("records")]


def _refuse(file: Path, column: pd.Series, bad: pd.Series, message: str, allowed: str) -> None:
    """Raise a SeriesError about the first row of a mask; the message takes the cell."""
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise SeriesError(f"{file}: row {row + 2}", message.format(column.iloc[row]), allowed)


def _moments(file: Path, column: pd.Series) -> list[str]:
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    _refuse(file, column, parsed.isna(), "{!r} is not a time", "such as 2019-03-01T06:00Z")
    return [t.isoformat() for t in parsed.dt.tz_localize(None)]


def _numbers(file: Path, column: pd.Series, optional: bool = False) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    bad = (numbers.isna() & (column.notna() | (not optional))) | (numbers < 0) | np.isinf(numbers)
    _refuse(file, column, bad, f"{column.name} is " + "{!r}", "a finite number, 0 or more")
    return numbers


def _late(workspace: NightlyWorkspace, store: Store, rows: list[dict[str, Any]]) -> dict[date, int]:
    """New readings by the first settled day that they touch; a reading that is in the database just so is not new."""
    span = store.rows("SELECT min(day) AS first, max(day) AS last FROM settled_days WHERE policy = ?", PLAN)[0]
    if span["first"] is None:
        return {}
    first, last = date.fromisoformat(span["first"]), date.fromisoformat(span["last"])
    found: Counter[date] = Counter()
    for row in rows:
        start, zone = pd.Timestamp(row["utc"]), workspace.config.time_zone
        begin = local_moment(start, zone).date()
        end = local_moment(start + timedelta(hours=row["hours"]) - timedelta(seconds=1), zone).date()
        query = f"SELECT {', '.join(row)} FROM meter WHERE site = ? AND utc = ?"
        if max(begin, first) <= min(end, last) and row != store.row(query, row["site"], row["utc"]):
            found[max(begin, first)] += 1
    return dict(found)


def _no_overlap(file: Path, store: Store, rows: list[dict[str, Any]]) -> None:
    """Refuse a reading of the file that counts time which another one counts, in the file or ingested earlier.

    Two that were both ingested earlier are not refused.
    """
    number = dict(zip(((r["site"], r["utc"]) for r in rows), count(2), strict=False))
    for site in dict.fromkeys(r["site"] for r in rows):
        for a, b in _overlaps(store.rows("SELECT utc, hours FROM meter WHERE site = ? ORDER BY utc", site)):
            theirs, mine = sorted(number.get((site, r["utc"]), 0) for r in (a, b))
            if mine:
                where = f"the other one in row {theirs}" if theirs else "the other one ingested before"
                what = f"readings of {site} from {a['utc']}Z ({a['hours']:g} h) and {b['utc']}Z overlap, {where}"
                raise SeriesError(f"{file}: row {mine}", what, "each hour of a site once")


def _overlaps(readings: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs that overlap by more than lengths with few digits explain.

    Parameters
    ----------
    readings : of one site, by their starts
    """
    hours = np.array([r["hours"] for r in readings])
    start = np.array([r["utc"] for r in readings], dtype="datetime64[ns]").astype(float) / NS_PER_H
    for i in range(len(readings)):
        j = i + 1
        while j < len(readings) and start[j] < start[i] + hours[i]:
            common = min(start[i] + hours[i], start[j] + hours[j]) - start[j]
            if common > OPEN * min(hours[i], hours[j]):
                yield readings[i], readings[j]
            j += 1
