"""What was there at the same hour of an earlier day: the last link of every chain, and always labelled so."""

from __future__ import annotations

import numpy as np
import xarray as xr

from energy.schema import QUALITY
from energy.sources.labelled import TIME_ATTRS, join

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
