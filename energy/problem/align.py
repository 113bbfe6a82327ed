"""Series onto the market time units of the horizon: means of finer steps, coarser steps held."""

from __future__ import annotations

import numpy as np
import xarray as xr

from energy.schema import Flags, Floats, Ints, Times


def on_grid(values: Floats, starts: Times, time: Times, hours: float) -> Floats:
    """Mean of a step series over each period, shape (T,).

    The series keeps a value from its start to the next start; a period covered by several values gets
    their time-weighted mean, so hourly prices on quarter hours and quarters on hours both come out exact.

    Parameters
    ----------
    values, starts : the series, shape (R,); the last value is held
    time : starts of the periods, shape (T,)
    hours : length of a period [h]
    """
    edges = np.append(time, time[-1] + _duration(hours))
    since = (edges - starts[0]) / np.timedelta64(1, "ns")
    knots = (starts - starts[0]) / np.timedelta64(1, "ns")
    area = np.concatenate([[0.0], np.cumsum(values[:-1] * np.diff(knots))])
    at = np.searchsorted(knots, since, side="right") - 1
    whole = area[at] + values[at] * (since - knots[at])
    # Periods inside one step take its value itself: differences of areas would add rounding noise.
    return np.asarray(
        np.where(at[:-1] == _last_inside(knots, since[1:]), values[at[:-1]], np.diff(whole) / np.diff(since))
    )


def worst_on_grid(quality: Flags, starts: Times, time: Times, hours: float) -> Flags:
    """Worst quality index among the values that touch each period, shape (T,)."""
    first = np.searchsorted(starts, time, side="right") - 1
    last = np.searchsorted(starts, time + _duration(hours), side="left") - 1
    return np.array(
        [quality[a : b + 1].max() for a, b in zip(first, np.maximum(last, first), strict=True)], dtype=np.int8
    )


def variable(ds: xr.Dataset, name: str, time: Times, hours: float) -> Floats:
    """One variable of a raw series on the grid, shape (T,)."""
    return on_grid(ds[name].values, ds["time"].values, time, hours)


def quality(ds: xr.Dataset, time: Times, hours: float) -> Flags:
    """Quality of a raw series on the grid, shape (T,)."""
    return worst_on_grid(ds["quality"].values, ds["time"].values, time, hours)


def _duration(hours: float) -> np.timedelta64:
    return np.timedelta64(round(hours * 3600), "s")


def _last_inside(knots: Floats, ends: Floats) -> Ints:
    """Index of the step that the last moment before each end lies in."""
    return np.searchsorted(knots, ends, side="left") - 1
