"""Series whose step changes: bidding zones went over from hours to quarter hours on 1 October 2025."""

from __future__ import annotations

import numpy as np
import pandas as pd

from energy.schema import Bools, Ints

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
