"""Prices beyond the auction: the `shape` rule, a level plus the shape of the local week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.forecast.calendar import DAY_MIN, WEEK_MIN, History, history_before, parts, slot_means, slots
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
    notes = [*_short(history.days, weeks)]
    level, missing = _level(history)
    around, window = (WEEK_MIN, weeks * WEEK_H) if weeks else (DAY_MIN, WEEK_H)
    values = level + (_deviation(history, future_time, time_zone, around, window) if history.days >= 1 else 0.0)
    method = "shape" if weeks else "day shape" if history.days >= 1 else "mean"
    return Forecast(np.broadcast_to(values, future_time.shape).astype(float), method, history.days, (*notes, *missing))


def _short(days: float, weeks: int) -> list[str]:
    """What a history of fewer than four weeks does without."""
    if weeks == WEEKS:
        return []
    what = f"the shape of {weeks} of {WEEKS} weeks" if weeks else "the shape of a day" if days >= 1 else "their mean"
    return [f"{days:.1f} days of history: {what}"]


def _level(history: History) -> tuple[float, list[str]]:
    """Half the mean of the last day, half that of the last week; the latter, or all there is, where values are missing."""
    day, week = history.within(DAY_H), history.within(WEEK_H)
    if not len(week):
        return float(history.value.mean()), ["no value of the last week is known: level of all that is"]
    if len(day) * history.step_min < LEAST_DAY * DAY_MIN:
        return float(week.mean()), ["less than half of the last day is known: level of the last week"]
    return float(day.mean() + week.mean()) / 2, []


def _deviation(history: History, future: Times, zone: str, around_min: int, window_h: float) -> Floats:
    """Deviation of each future step's slot from the mean of the window, (F,)."""
    recent = history.age <= window_h if (history.age <= window_h).any() else history.age > 0
    time, value = history.time[recent], history.value[recent]
    at = parts(future, history.step_min)
    out = np.zeros(at.shape)
    for length in (DAY_MIN, around_min):  # the day first: it fills slots of the week that have no value
        count = length // history.step_min
        mean, there = slot_means(slots(time, zone, history.step_min, length), value, count)
        slot = slots(at.ravel(), zone, history.step_min, length).reshape(at.shape)
        out = np.where(there[slot], mean[slot] - value.mean(), out)
    return np.asarray(out.mean(axis=1))
