"""Series onto the market time units of the horizon: means of finer steps, coarser steps held.

Series whose step changes: bidding zones went over from hours to quarter hours on 1 October 2025.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Bools, Flags, Floats, Ints, Times
from energy.schema.calendar import Horizon


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
    # Periods inside one step take its value itself: differences of areas would add rounding noise.
    return np.asarray(
        np.where(at[:-1] == _last_inside(knots, since[1:]), values[at[:-1]], np.diff(whole) / np.diff(since))
    )


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


def _last_inside(knots: Floats, ends: Floats) -> Ints:
    """Index of the step that the last moment before each end lies in."""
    return np.searchsorted(knots, ends, side="left") - 1


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
    at, moment = _pieces(start, length, step)
    on_step = (moment - start[finest & (length == step)][0]) % step == 0
    index = pd.DatetimeIndex(moment[on_step], name=values.index.name).as_unit(pd.DatetimeIndex(values.index).unit)
    out: pd.DataFrame = there.iloc[at[on_step]].set_axis(index)
    return out


def _lengths(start: Ints, longest: int) -> tuple[Ints, Bools]:
    """Length of each row's interval [ns], and whether it is believed, each (R,).

    Two equal steps in a row are believed, up to the longest. Any other row is as long as the one before it, and no
    longer than to the next: what lies behind is a gap.
    """
    after = np.diff(start)
    same = after[1:] == after[:-1]
    believed = (np.append(same, False) | np.append(False, same)) & (after <= longest)
    if not believed.any():
        believed = after == _most_common(after)
    known = pd.Series(np.where(believed, after, np.nan)).ffill().bfill().to_numpy()
    length = np.append(np.minimum(known, after), known[-1]).astype(np.int64)
    return length, np.append(believed, False)


def _pieces(start: Ints, length: Ints, step: int) -> tuple[Ints, Ints]:
    """Rows cut into steps: the row of each piece, and its start [ns], each (P,)."""
    count = np.maximum(length // step, 1)
    at = np.repeat(np.arange(len(start)), count)
    within = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    return at, start[at] + within * step


def _most_common(steps: Ints) -> int:
    found, count = np.unique(steps, return_counts=True)
    return int(found[np.argmax(count)])
