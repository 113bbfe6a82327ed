"""Does a series cover the horizon; and, only when asked, labelled filling of what it lacks.

What was there at the same hour of an earlier day: the last link of every chain, and always labelled so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.schema import QUALITY, Bools, Flags
from energy.series.labels import TIME_ATTRS, join

#: Prices are filled from the same hour this many days before; the first that exists is taken.
PERSISTENCE_DAYS = (1, 7, 2, 3)
#: Where no earlier day has the hour, the value just before is held for at most this long [h].
HOLD_H = 3.0
#: Longest weather gap that interpolation bridges [h]; a front passes in about three hours.
WEATHER_GAP_H = 3.0


@dataclass(frozen=True)
class Cover:
    """The part of a table inside the horizon, on its own complete grid; NaN where it has nothing."""

    path: Path
    name: str
    frame: pd.DataFrame
    step: pd.Timedelta

    def missing(self) -> Bools:
        """Periods without a value in any column, shape (T,)."""
        return np.asarray(self.frame.isna().any(axis=1).to_numpy())

    def complete(self) -> Cover:
        """Self, when nothing is missing.

        Raises
        ------
        SeriesError : counts the missing periods and names the first.
        """
        gaps = self.missing()
        if gaps.any():
            first = self.frame.index[int(np.argmax(gaps))]
            lacking = ", ".join(str(c) for c in self.frame if c != "value" and self.frame[c].isna().any())
            raise SeriesError(
                f"{self.path}: {self.name}" + (f" ({lacking})" if lacking else ""),
                f"{int(gaps.sum())} of {len(gaps)} periods of {_text(self.step)} are missing or NaN, "
                f"the first at {first}Z",
                "a value for every period of the horizon; or --fill, which fills and labels them",
            )
        return self


def _text(step: pd.Timedelta) -> str:
    return f"{step / pd.Timedelta(minutes=1):g} min"


def cover(path: Path, frame: pd.DataFrame, name: str, start: np.datetime64, end: np.datetime64) -> Cover:
    """Cut `frame` to the periods that overlap [start, end), on the grid of its own most common step.

    Raises
    ------
    SeriesError : nothing of it lies inside the horizon.
    """
    index = pd.DatetimeIndex(frame.index)
    if len(index) < 2:
        raise SeriesError(path, f"has {len(index)} rows", "a series over the horizon")
    step = _step(index, start, end)
    inside = index[(index > pd.Timestamp(start) - step) & (index < pd.Timestamp(end))]
    if inside.empty:
        raise SeriesError(
            f"{path}: {name}",
            f"has no value inside the horizon {pd.Timestamp(start)}Z … {pd.Timestamp(end)}Z",
            f"a horizon inside its {index[0]}Z … {index[-1]}Z, or a series for this one",
        )
    offset = (inside[0] - pd.Timestamp(start)) % step
    first = pd.Timestamp(start) + offset - (step if offset > pd.Timedelta(0) else pd.Timedelta(0))
    grid = pd.date_range(first, pd.Timestamp(end), freq=step, inclusive="left").as_unit("ns")
    off_grid = inside[~inside.isin(grid)]
    if len(off_grid):
        raise SeriesError(
            f"{path}: {name} at {off_grid[0]}Z",
            f"is off the file's own step of {_text(step)}",
            "one step throughout the horizon",
        )
    return Cover(path, name, frame.reindex(grid), step)


def _step(index: pd.DatetimeIndex, start: np.datetime64, end: np.datetime64) -> pd.Timedelta:
    """Most common step, or that inside the horizon where it is finer: hours became quarter hours in 2025.

    A coarser one there is not believed: it may as well be gaps.
    """
    inside = index[(index >= pd.Timestamp(start)) & (index < pd.Timestamp(end))]
    return min(pd.Timedelta(pd.Series(i[1:] - i[:-1]).mode().iloc[0]) for i in (index, inside) if len(i) > 1)


def qualities(path: Path, table: pd.DataFrame, column: str, default: str, part: Cover) -> Flags:
    """Flags index of each period: the file's own column where it has one, else `default`."""
    if column not in table:
        return np.full(len(part.frame), QUALITY.index(default), dtype=np.int8)
    labels = table[column].reindex(part.frame.index).fillna(default)
    unknown = sorted(set(labels) - set(QUALITY), key=str)
    if unknown:
        raise SeriesError(f"{path}: {column}", f"unknown quality {unknown[0]!r}", ", ".join(QUALITY))
    return np.array([QUALITY.index(q) for q in labels], dtype=np.int8)


def fill_prices(path: Path, name: str, whole: pd.Series, part: Cover, quality: Flags) -> tuple[Cover, Flags]:
    """Missing prices from the same hour of an earlier day, else the value before; labelled `persistence`.

    Raises
    ------
    SeriesError : no earlier day has that hour and the gap is longer than HOLD_H.
    """
    gaps = part.missing()
    filled = part.frame["value"].copy()
    for days in PERSISTENCE_DAYS:
        earlier = whole.reindex(pd.DatetimeIndex(filled.index) - pd.Timedelta(days=days)).to_numpy()
        filled = filled.where(filled.notna(), earlier)
    filled = filled.ffill(limit=max(1, round(pd.Timedelta(hours=HOLD_H) / part.step)))
    out = replace(part, frame=filled.to_frame("value"))
    if out.missing().any():
        first = filled.index[int(np.argmax(out.missing()))]
        raise SeriesError(f"{path}: {name}", f"cannot be filled at {first}Z: no value on any of the days before it")
    return out, _label(quality, gaps, "persistence")


def fill_weather(path: Path, whole: pd.DataFrame, part: Cover, quality: Flags) -> tuple[Cover, Flags]:
    """Short weather gaps by interpolation (`proxy`), longer ones from an earlier day, whole hours (`persistence`).

    Raises
    ------
    SeriesError : a gap that neither can fill.
    """
    gaps = part.missing()
    run = pd.Series(gaps).groupby((~pd.Series(gaps)).cumsum()).transform("sum").to_numpy()
    bridged = part.frame.interpolate(method="time", limit_area="inside")
    short = gaps & (run * (part.step / pd.Timedelta(hours=1)) <= WEATHER_GAP_H)
    short &= bridged.notna().all(axis=1).to_numpy()  # a gap at an end of the horizon has one side only
    frame = part.frame.copy()
    frame[short] = bridged[short]
    for days in PERSISTENCE_DAYS:
        earlier = whole.reindex(pd.DatetimeIndex(frame.index) - pd.Timedelta(days=days)).set_axis(frame.index)
        lacks = frame.isna().any(axis=1) & earlier.notna().all(axis=1)  # never half of an hour from another day
        frame[lacks] = earlier[lacks]
    out = replace(part, frame=frame)
    if out.missing().any():
        first = frame.index[int(np.argmax(out.missing()))]
        raise SeriesError(f"{path}: weather", f"cannot be filled at {first}Z: no value on any of the days before it")
    return out, _label(_label(quality, gaps, "persistence"), short, "proxy")


def _label(quality: Flags, where: Bools, label: str) -> Flags:
    return np.where(where, QUALITY.index(label), quality).astype(np.int8)


#: Days back, in order: yesterday, the same weekday, then the days between (as `inputs` fills files).
DAYS = (1, 7, 2, 3)
#: How far back the earlier days reach.
LOOK_BACK = np.timedelta64(max(DAYS), "D")
#: Most times that one day may lean on a day that was itself carried over: a horizon of two weeks.
MOST_PASSES = 14


def carried(known: xr.Dataset, start: np.datetime64, end: np.datetime64, step_h: float) -> xr.Dataset:
    """Intervals of [start, end) that `known` lacks, from the same time of an earlier day; quality `persistence`.

    Parameters
    ----------
    known : a uniform series with steps of `step_h`, from LOOK_BACK before `start` where possible
    """
    whole, out = known, [known.isel(time=slice(0, 0))]
    grid = np.arange(start, end, np.timedelta64(round(step_h * 3600), "s")).astype("datetime64[ns]")
    for _ in range(MOST_PASSES):
        new = [_from_earlier(whole, grid, days) for days in DAYS]
        found = join(new)
        if not found.sizes["time"]:
            break
        out.append(found)
        whole = join([whole, found])
    return join(out)


def _from_earlier(whole: xr.Dataset, grid: np.ndarray, days: int) -> xr.Dataset:
    missing = grid[~np.isin(grid, whole["time"].values)]
    earlier = missing - np.timedelta64(days, "D")
    there = np.isin(earlier, whole["time"].values)
    position = np.searchsorted(whole["time"].values, earlier[there])
    out = whole.isel(time=position).assign_coords(time=("time", missing[there], TIME_ATTRS))
    flags = np.full(int(there.sum()), QUALITY.index("persistence"), np.int8)
    sources = np.array([f"persistence ({s.removeprefix('persistence (').rstrip(')')})" for s in out["source"].values])
    source = sources if len(sources) else out["source"].values
    return out.assign(quality=("time", flags, whole["quality"].attrs), source=("time", source))
