"""Gaps and hours beyond the known, filled by the rules of `forecast` and labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from energy.forecast import shape, weather_ahead
from energy.inputs.errors import SeriesError
from energy.operate.steps import even
from energy.schema import Times

if TYPE_CHECKING:
    from energy.operate.known import Known

#: Days of history that make the season of the weather: all of a year and the weeks around its date.
SEASON_DAYS = 400
#: Labels of hours that nobody has published or measured.
GUESSED = ("forecast", "persistence")


def fill_prices(
    known: Known, zone: str | None, values: pd.DataFrame, since: np.datetime64, begin: np.datetime64,
    end: np.datetime64, time_zone: str,
) -> pd.DataFrame:  # fmt: skip
    """Prices of a zone on a complete grid; hours without one get the `shape` rule and the label forecast.

    Parameters
    ----------
    zone : None: no price but carbon, whose stand-in hours are nobody's concern
    """
    history = even(values, since, end)
    table = _grid(history, since, end, str(zone))
    for first, times in _gaps(table):
        guess = shape(history.index.to_numpy(), history["value"].to_numpy(), first, times, time_zone)
        table.loc[times, "value"] = guess.values
        table.loc[times, "quality"] = "forecast"
    if zone is not None:
        lost = hours_of(table, (table.index >= begin) & (table.index < known.known_until) & ~table["real"])
        if lost:
            known.fallback_hours["price"][zone] = lost
            known.reasons.append(
                f"price of {zone}: {lost:g} h of the delivery day are not known; the shape rule stands in"
            )
    return table


def fill_weather(
    known: Known, site: str, values: pd.DataFrame, since: np.datetime64, begin: np.datetime64, end: np.datetime64,
    stale_h: float,
) -> pd.DataFrame:  # fmt: skip
    """Weather of a site on a complete grid; hours without it are carried on from the last days (persistence)."""
    names = [c for c in values if c != "quality"]
    there = values[names].notna().all(axis=1)
    measured = values[there & (values["quality"] != "forecast")]
    table, history = _grid(even(values[there], since, end), since, end, site), even(values, since, end)
    for first, times in _gaps(table):
        for name in names:
            guess = weather_ahead(history.index.to_numpy(), history[name].to_numpy(), first, times)
            table.loc[times, name] = guess.values
        table.loc[times, "quality"] = "persistence"
    last = measured.index.max() if len(measured) else pd.Timestamp(since)
    age = float((pd.Timestamp(known.known_at) - last).total_seconds() / 3600)
    carried = (table.index >= begin) & (table.index < known.known_until) & (table["quality"] == "persistence")
    if age > stale_h and (lost := hours_of(table, carried)):
        known.fallback_hours["weather"][site] = lost
        known.reasons.append(f"weather of {site}: nothing measured for {age:.0f} h; the last days are carried on")
    return table


def _grid(values: pd.DataFrame, since: np.datetime64, end: np.datetime64, name: str) -> pd.DataFrame:
    """The table on its step over [since, end), with `real`.

    Parameters
    ----------
    values : on one step, gaps left out
    """
    index = pd.DatetimeIndex(values.index)
    if len(index) < 2:
        raise SeriesError(name, "has no history to plan from", "two values at least before the night")
    step = (index[1:] - index[:-1]).min()
    first = index[index >= pd.Timestamp(since)]
    start = first[0] if len(first) else pd.Timestamp(since)
    grid = pd.date_range(start, pd.Timestamp(end), freq=step, inclusive="left").as_unit("ns")
    out = values.reindex(grid)
    numbers = [c for c in out if c != "quality"]
    real = out[numbers].notna().all(axis=1) & ~out["quality"].isin(GUESSED)
    return out.assign(real=real, quality=out["quality"].astype(object))


def _gaps(table: pd.DataFrame) -> list[tuple[np.datetime64, Times]]:
    """(moment from which nothing is known, hours to fill): each gap on its own, then all beyond."""
    numbers = [c for c in table if c not in ("quality", "real")]
    empty = table[numbers].isna().any(axis=1).to_numpy()
    times = table.index.to_numpy()
    runs = np.flatnonzero(np.diff(np.concatenate(([0], empty.astype(int)))) == 1)
    out: list[tuple[np.datetime64, Times]] = []
    for begin in runs:
        stop = begin + int(np.argmin(np.append(empty[begin:], False)))
        out.append((times[begin], times[begin:stop]))
    return out


def hours_of(table: pd.DataFrame, which: object) -> float:
    """Length of the rows chosen by a mask [h]."""
    step = float((table.index[1] - table.index[0]).total_seconds() / 3600)
    return float(np.asarray(which).sum()) * step
