"""Fill the gaps of a series: rules in their order, and every filled interval carries the quality of its rule.

A table has an interval start (UTC) per row, numbers, `quality` in words and, where it was fetched, `source` and `dt` [h].
Its gaps are stated apart, one flag per row: an interval may lack a number that nobody needs.

    a file, on request     weather: interpolated over short gaps, else an earlier day
                           prices, carbon: an earlier day, else the value before for a few hours
    a fetched series       weather: interpolated over short gaps and coarse forecast steps
                           what no source has: an earlier day
    a night                prices, carbon, weather: the forecast that it hands in
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Bools, Floats, Times
from energy.series.labels import duration, ends, from_table, to_table

#: Days back, in order: yesterday, the same weekday, then the days between; the first that has the hour is taken.
EARLIER_DAYS = (1, 7, 2, 3)
#: How far back the earlier days reach.
LOOK_BACK = np.timedelta64(max(EARLIER_DAYS), "D")
#: Most times that one day of a fetched series may rest on a day that was itself filled: a horizon of two weeks.
MOST_PASSES = 14
#: Where no earlier day has the hour, the value just before is held for at most this long [h].
HOLD_H = 3.0
#: Longest weather gap that interpolation bridges [h]; a front passes in about three hours.
INTERPOLATE_H = 3.0
#: Columns of a table that are no numbers to be filled.
LABELS = ("quality", "source", "dt", "real")


@dataclass(frozen=True)
class Rule:
    """One way to fill gaps.

    Attributes
    ----------
    quality : of the intervals that it fills
    rows : table, gaps -> the rows that it can fill, with their values
    """

    quality: str
    rows: Callable[[pd.DataFrame, Bools], pd.DataFrame]


def fill(table: pd.DataFrame, gaps: Bools, rules: Sequence[Rule]) -> tuple[pd.DataFrame, Bools]:
    """The table with its gaps filled by the first rule that can, labelled; and the gaps that remain, shape (T,)."""
    out = table.assign(quality=table["quality"].astype(object))
    for rule in rules:
        if not gaps.any():
            break
        rows = rule.rows(out, gaps)
        out.loc[rows.index, rows.columns] = rows
        out.loc[rows.index, "quality"] = rule.quality
        gaps = gaps & ~out.index.isin(rows.index)
    return out, gaps


def numbers(table: pd.DataFrame) -> list[str]:
    """Names of the columns that hold numbers."""
    return [str(c) for c in table if c not in LABELS]


def interpolate(step_h: float, longest_h: float = INTERPOLATE_H) -> Rule:
    """Straight lines over gaps of at most `longest_h` [h], and over the whole of an interval longer than that; `proxy`.

    Parameters
    ----------
    step_h : step of the table [h]
    """

    def rows(table: pd.DataFrame, gaps: Bools) -> pd.DataFrame:
        lines = table[numbers(table)].interpolate(method="time", limit_area="inside")
        whole = ~gaps
        between = np.logical_or.accumulate(whole) & np.logical_or.accumulate(whole[::-1])[::-1]
        can = gaps & _short(table, gaps, step_h, longest_h) & (between | lines.notna().all(axis=1).to_numpy())
        return lines[can].assign(source=table["source"].ffill()[can]) if "source" in table else lines[can]

    return Rule("proxy", rows)


def _short(table: pd.DataFrame, gaps: Bools, step_h: float, longest_h: float) -> Bools:
    """Rows between two whole ones that lie no further apart than a short gap, or than the first of them is long."""
    at = pd.DatetimeIndex(table.index).as_unit("ns").asi8
    step, bridge = (int(duration(h).astype(np.int64)) for h in (step_h, step_h + longest_h))
    whole = np.flatnonzero(~gaps)
    edge = np.concatenate([[at[0] - step], at[whole], [at[-1] + step]])
    reach = np.full(len(edge), bridge)
    if "dt" in table:
        reach[1:-1] = np.maximum(bridge, duration(table["dt"].to_numpy()[whole]).astype(np.int64))
    before = np.minimum(np.searchsorted(whole, np.arange(len(at)), side="right"), len(whole))
    return np.asarray(edge[before + 1] - edge[before] <= reach[before])


def earlier_day(known: pd.DataFrame | None = None) -> Rule:
    """The same time of the first of EARLIER_DAYS that has it, whole rows; `persistence`.

    Parameters
    ----------
    known : the rows to take from; else those of the table that are no gap, with what was filled before
    """

    def rows(table: pd.DataFrame, gaps: Bools) -> pd.DataFrame:
        have = table[~gaps] if known is None else known
        wanted = pd.DatetimeIndex(table.index[gaps])
        at = np.full(len(wanted), -1)
        for days in EARLIER_DAYS:
            at = np.where(at < 0, have.index.get_indexer(wanted - pd.Timedelta(days=days)), at)
        out = have.iloc[at[at >= 0]].set_axis(wanted[at >= 0])
        if "source" in out:
            origins = [s.removeprefix("persistence (").rstrip(")") for s in out["source"]]
            out = out.assign(source=[f"persistence ({origin})" for origin in origins])
        return out

    return Rule("persistence", rows)


def hold_last(step_h: float, longest_h: float = HOLD_H) -> Rule:
    """The value just before, for at most `longest_h` [h] but one step always; `persistence`."""

    def rows(table: pd.DataFrame, gaps: Bools) -> pd.DataFrame:
        held = table[numbers(table)].ffill(limit=max(1, round(longest_h / step_h)))
        return held[gaps & held.notna().all(axis=1).to_numpy()]

    return Rule("persistence", rows)


def forecast(quality: str, values: Callable[[str, np.datetime64, Times], Floats]) -> Rule:
    """Rule that fills each gap with a forecast made at its first missing moment.

    Parameters
    ----------
    values : column, first moment that is not known, times to forecast -> values
    """

    def rows(table: pd.DataFrame, gaps: Bools) -> pd.DataFrame:
        time, stretch = table.index.to_numpy(), np.cumsum(np.diff(gaps.astype(int), prepend=0) == 1)
        out = table.loc[gaps, numbers(table)].copy()
        for number in np.unique(stretch[gaps]):
            times = time[gaps & (stretch == number)]
            for name in out:
                out.loc[times, name] = values(str(name), times[0], times)
        return out

    return Rule(quality, rows)


def fill_weather(ds: xr.Dataset, step_h: float = 1.0) -> xr.Dataset:
    """A fetched weather series on steps of `step_h`, short gaps interpolated; longer ones stay gaps.

    Coarser steps of the source itself (a forecast's six-hourly tail) are interpolated as well: they are statements
    about moments, and between two of them is no gap. The last one holds to its end.
    """
    if ds.sizes["time"] < 2:
        return ds
    own, end = to_table(ds), pd.Timestamp(ends(ds)[-1])
    grid = pd.date_range(own.index[0], end, freq=pd.Timedelta(hours=step_h), inclusive="left").as_unit("ns")
    every = own.index.union(grid).append(pd.DatetimeIndex([end]))
    table = own.reindex(every)
    table.iloc[-1] = own.iloc[-1]
    filled, gaps = fill(table, ~every.isin(own.index.append(every[-1:])), [interpolate(step_h)])
    return from_table(filled[~gaps & every.isin(grid)].assign(dt=step_h), ds)


def fill_from_earlier_days(known: xr.Dataset, start: np.datetime64, end: np.datetime64, step_h: float) -> xr.Dataset:
    """Intervals of [start, end) that `known` lacks, from earlier days; quality `persistence`.

    Parameters
    ----------
    known : a uniform series with steps of `step_h`, from LOOK_BACK before `start` where possible
    """
    own = to_table(known)
    grid = pd.DatetimeIndex(np.arange(start, end, duration(step_h)).astype("datetime64[ns]"), name="time")
    table = own.reindex(own.index.union(grid))
    lacking = ~table.index.isin(own.index)
    filled, gaps = fill(table, lacking, [earlier_day()] * MOST_PASSES)
    return from_table(filled[lacking & ~gaps], known)
