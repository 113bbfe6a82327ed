"""Prices beyond the auction: the `shape` rule, a level plus the shape of the local week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.forecast.calendar import DAY_MIN, WEEK_MIN, History, history_before
from energy.schema import Floats, Times

DAY_H, WEEK_H = 24.0, 168.0
#: Weeks whose hours make the shape: fewer follow chance, more follow a season that is over.
WEEKS = 4
#: Least share of a day that must be known for its mean to say something about the level.
LEAST_DAY = 0.5


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes
    ----------
    values : in the unit of the series, shape (F,)
    method : what the values rest on, such as ``shape``
    history_days : days of the series that were known
    notes : what had to be done without, in words; empty with a full history
    """

    values: Floats
    method: str
    history_days: float
    notes: tuple[str, ...] = ()


def shape(
    time: Times, price: Floats, first_unknown: np.datetime64, future_time: Times, time_zone: str = "UTC"
) -> Forecast:
    """Prices of future steps: half yesterday's mean, half last week's, plus the mean shape of the local week.

    level = (mean of the last day + mean of the last seven days) / 2
    value[t] = level + (mean of the hour-of-week slot of t over four weeks - mean of the four weeks)

    With less history: whole weeks, as many as there are, down to one; below a week the shape of the local day; below
    a day the mean. A slot without any value takes that of the local day. Each such step is said in `notes`.

    Parameters
    ----------
    time, price : the series with starts in UTC, shape (R,); steps may be missing, NaN is missing
    first_unknown : nothing at or after this moment (UTC) is looked at
    future_time : starts to forecast (UTC), shape (F,); any market time unit
    time_zone : of the clock that the week's shape follows

    Raises ValueError: no price is known before `first_unknown`.
    """
    history = history_before(time, price, first_unknown)
    weeks = min(WEEKS, int(history.days // 7))
    if weeks:
        method, basis = "shape", f"the shape of {weeks} of {WEEKS} weeks"
    else:
        method, basis = ("day shape", "the shape of a day") if history.days >= 1 else ("mean", "their mean")
    notes = [] if weeks == WEEKS else [f"{history.days:.1f} days of history: {basis}"]
    values, missing = _level(history)
    if method != "mean":
        around, window = (WEEK_MIN, weeks * WEEK_H) if weeks else (DAY_MIN, WEEK_H)
        values = values + _deviation(history, future_time, time_zone, around, window)
    return Forecast(np.broadcast_to(values, future_time.shape).astype(float), method, history.days, (*notes, *missing))


def _level(history: History) -> tuple[Floats, list[str]]:
    """Half the mean of the last day, half that of the last week; the latter, or all there is, where values are missing."""
    day, week = (history.value[history.age <= hours] for hours in (DAY_H, WEEK_H))
    if not len(week):
        return history.value.mean(), ["no value of the last week is known: level of all that is"]
    if len(day) * history.step_min < LEAST_DAY * DAY_MIN:
        return week.mean(), ["less than half of the last day is known: level of the last week"]
    return (day.mean() + week.mean()) / 2, []


def _deviation(history: History, future: Times, zone: str, around_min: int, window_h: float) -> Floats:
    """Deviation of each future step's slot from the mean of the window, (F,)."""
    recent = history.age <= window_h if (history.age <= window_h).any() else history.age > 0
    of_all, out = history.value[recent].mean(), np.zeros((len(future), 1))
    for length in (DAY_MIN, around_min):  # the day first: it fills slots of the week that have no value
        mean, there = history.slot_means(recent, future, zone, length)
        out = np.where(there, mean - of_all, out)
    return np.asarray(out.mean(axis=1))
