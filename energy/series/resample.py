"""Change the step of a series: onto the periods of a horizon, onto its own finest step, onto a complete grid.

Finer steps are averaged, coarser ones held. Steps change within a series: bidding zones went over from hours to quarter
hours on 1 October 2025.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.schema import Bools, Flags, Floats, Ints, Times
from energy.schema.calendar import Horizon
from energy.series.labels import TIME_ATTRS, duration


def on_grid(values: Floats, starts: Times, horizon: Horizon) -> Floats:
    """Mean of a step series over each period, shape (T,).

    The series keeps a value from its start to the next start; a period covered by several values gets
    their time-weighted mean, so hourly prices on quarter hours and quarters on hours both come out exact.

    Parameters
    ----------
    values, starts : the series, shape (R,); the last value is held
    """
    edges = np.append(horizon.time, horizon.end)
    since = (edges - starts[0]) / np.timedelta64(1, "ns")
    knots = (starts - starts[0]) / np.timedelta64(1, "ns")
    area = np.concatenate([[0.0], np.cumsum(values[:-1] * np.diff(knots))])
    at = np.searchsorted(knots, since, side="right") - 1
    whole = area[at] + values[at] * (since - knots[at])
    last = np.searchsorted(knots, since[1:], side="left") - 1  # the step with the last moment before each end
    # Periods inside one step take its value itself: differences of areas would add rounding noise.
    return np.asarray(np.where(at[:-1] == last, values[at[:-1]], np.diff(whole) / np.diff(since)))


def worst_on_grid(quality: Flags, starts: Times, horizon: Horizon) -> Flags:
    """Worst quality index among the values that touch each period, shape (T,)."""
    first = np.searchsorted(starts, horizon.time, side="right") - 1
    last = np.searchsorted(starts, horizon.ends, side="left") - 1
    return np.array(
        [quality[a : b + 1].max() for a, b in zip(first, np.maximum(last, first), strict=True)], dtype=np.int8
    )


def variable(ds: xr.Dataset, name: str, horizon: Horizon) -> Floats:
    """One variable of a raw series on the grid, shape (T,)."""
    return on_grid(ds[name].values, ds["time"].values, horizon)


def quality(ds: xr.Dataset, horizon: Horizon) -> Flags:
    """Quality of a raw series on the grid, shape (T,)."""
    return worst_on_grid(ds["quality"].values, ds["time"].values, horizon)


#: Longest interval that a row is taken to hold for where most rows of its series hold for less [ns]: the longest market
#: time unit. What is longer is a gap.
LONGEST_NS = 3_600_000_000_000


def even(values: pd.DataFrame, since: np.datetime64, end: np.datetime64) -> pd.DataFrame:
    """The table on one step, the finest that it has within [since, end); a coarser row holds over its own interval.

    Prices are constant over their market time unit, and weather is held from start to start wherever it is aligned.
    Rows without any number are left out; gaps stay gaps, and what does not lie on the step is dropped.

    Parameters
    ----------
    values : numbers and `quality` over interval starts (UTC), rising; two rows at least
    """
    numbers = [c for c in values if c != "quality"]
    there = values[values[numbers].notna().any(axis=1)]
    start = pd.DatetimeIndex(there.index).as_unit("ns").asi8
    if len(start) < 2:
        return there
    usual = _most_common(np.diff(pd.DatetimeIndex(values.index).as_unit("ns").asi8))
    length, believed = _lengths(start, max(LONGEST_NS, usual))
    inside = believed & (start >= pd.Timestamp(since).value) & (start < pd.Timestamp(end).value)
    finest = inside if inside.any() else believed
    step = int(length[finest].min())
    at, moment = _pieces(start, np.maximum(length // step, 1), step)
    on_step = (moment - start[finest & (length == step)][0]) % step == 0
    index = pd.DatetimeIndex(moment[on_step], name=values.index.name).as_unit(pd.DatetimeIndex(values.index).unit)
    out: pd.DataFrame = there.iloc[at[on_step]].set_axis(index)
    return out


def _lengths(start: Ints, longest: int) -> tuple[Ints, Bools]:
    """Length of each row's interval [ns], and whether it is believed, each (R,).

    Two equal steps in a row are believed, up to the longest. Any other row is as long as the one before it, and no
    longer than to the next: the rest is a gap.
    """
    after = np.diff(start)
    same = after[1:] == after[:-1]
    believed = (np.append(same, False) | np.append(False, same)) & (after <= longest)
    if not believed.any():
        believed = after == _most_common(after)
    known = pd.Series(np.where(believed, after, np.nan)).ffill().bfill().to_numpy()
    length = np.append(np.minimum(known, after), known[-1]).astype(np.int64)
    return length, np.append(believed, False)


def _pieces(start: Ints, count: Ints, step: int) -> tuple[Ints, Ints]:
    """Rows cut into so many steps each: the row of each piece, and its start [ns], each (P,)."""
    at = np.repeat(np.arange(len(start)), count)
    within = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    return at, start[at] + within * step


def _most_common(steps: Ints) -> int:
    found, count = np.unique(steps, return_counts=True)
    return int(found[np.argmax(count)])


def held(ds: xr.Dataset, step_h: float) -> xr.Dataset:
    """The same step series in finer, equal pieces: exact for prices, which hold over their interval."""
    count, step = np.round(ds["dt"].values / step_h).astype(np.int64), duration(step_h).astype(np.int64)
    at, moment = _pieces(ds["time"].values.astype(np.int64), count, int(step))
    out = ds.isel(time=at).assign_coords(time=("time", moment.astype("datetime64[ns]"), TIME_ATTRS))
    return out.assign(dt=("time", np.full(len(at), step_h), {"units": "h"}))


def complete(values: pd.DataFrame, since: np.datetime64, end: np.datetime64, name: str) -> pd.DataFrame:
    """The table on its step over the whole of [since, end), NaN where it has nothing; SeriesError below two rows.

    Parameters
    ----------
    values : on one step, gaps left out
    """
    index = pd.DatetimeIndex(values.index)
    if len(index) < 2:
        raise SeriesError(name, "has no history to plan from", "at least two values before the night")
    first = index[index >= pd.Timestamp(since)]
    start = first[0] if len(first) else pd.Timestamp(since)
    step = (index[1:] - index[:-1]).min()
    return values.reindex(pd.date_range(start, pd.Timestamp(end), freq=step, inclusive="left").as_unit("ns"))


def to_horizon(
    path: Path, frame: pd.DataFrame, name: str, start: np.datetime64, end: np.datetime64
) -> tuple[pd.DataFrame, pd.Timedelta]:
    """The periods that overlap [start, end), on the grid of the table's own most common step, and that step.

    SeriesError where nothing of it lies inside the horizon, or its step changes there.
    """
    index, begin, stop = pd.DatetimeIndex(frame.index), pd.Timestamp(start), pd.Timestamp(end)
    if len(index) < 2:
        raise SeriesError(path, f"has {len(index)} rows", "a series over the horizon")
    # A finer step inside the horizon is believed (hours became quarter hours in 2025), a coarser one may as well be gaps.
    within = index[(index >= begin) & (index < stop)]
    step = min(pd.Timedelta(pd.Series(i[1:] - i[:-1]).mode().iloc[0]) for i in (index, within) if len(i) > 1)
    inside = index[(index > begin - step) & (index < stop)]
    if inside.empty:
        allowed = f"a horizon inside its {index[0]}Z … {index[-1]}Z, or a series for this one"
        raise SeriesError(f"{path}: {name}", f"has no value inside the horizon {begin}Z … {stop}Z", allowed)
    grid = pd.date_range(begin - (begin - inside[0]) % step, stop, freq=step, inclusive="left").as_unit("ns")
    off_grid = inside[~inside.isin(grid)]
    if len(off_grid):
        reason = f"is off the file's own step of {minutes(step / pd.Timedelta(hours=1))}"
        raise SeriesError(f"{path}: {name} at {off_grid[0]}Z", reason, "one step throughout the horizon")
    return frame.reindex(grid), step


def minutes(step_h: float) -> str:
    """A step [h] in words."""
    return f"{step_h * 60:g} min"
