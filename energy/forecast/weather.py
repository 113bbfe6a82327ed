"""Weather beyond the weather report: the days just gone, fading into what the season is like."""

from __future__ import annotations

import numpy as np

from energy.forecast.calendar import DAY_MIN, History, history_before
from energy.forecast.prices import Forecast
from energy.schema import Bools, Floats, Times

#: Days whose mean is carried on.
RECENT_DAYS = 2
#: Time in which what is carried on fades to 1/e [h]; measured in docs/forecast.md.
FADES_H = 72.0
#: Days of history below which there is no season to fade into.
LEAST_DAYS = 28
#: Days on either side of the day of the year that make the season, and the length of a year [days].
SEASON_DAYS, YEAR_DAYS = 15, 365.25


def weather_ahead(
    time: Times, values: Floats, first_unknown: np.datetime64, future_time: Times, fades_h: float = FADES_H
) -> Forecast:
    """One weather variable beyond its last known step; to be labelled `persistence`.

    value[t] = season[t] + exp(-(t - first_unknown) / fades_h) (recent[hour of t] - season[t])

    `recent` is the mean by hour of the day (UTC) of the last two days. `season` is the mean by hour of the day over
    the days of earlier years within 15 days of the same date; with less than a year, over the last 28 days; with
    less than that there is none, and the last two days go on. Variables of one site that are known at the same steps
    get the same weights, so a dew point that never was above the dry bulb stays below it.

    Parameters
    ----------
    time, values : the series with starts in UTC, shape (R,); steps may be missing, NaN is missing
    first_unknown : nothing at or after this moment (UTC) is looked at
    future_time : starts to forecast (UTC), shape (F,)
    fades_h : time in which what is carried on fades to 1/e [h]

    Raises ValueError: nothing is known before `first_unknown`.
    """
    history = history_before(time, values, first_unknown)
    recent, notes = _recent(history, future_time)
    if history.days < LEAST_DAYS:
        note = f"{history.days:.1f} days of history: the last days go on, no season is known"
        return Forecast(recent, "persistence", history.days, (*notes, note))
    lead = (future_time - first_unknown) / np.timedelta64(1, "h")
    season = _season(history, future_time)
    values = season + np.exp(-lead / fades_h) * (recent - season)
    return Forecast(np.asarray(values), "persistence to season", history.days, notes)


def _recent(history: History, future: Times) -> tuple[Floats, tuple[str, ...]]:
    """Mean by hour of the last days, (F,); of all that is known where an hour of them is missing."""
    last = history.age <= 24 * RECENT_DAYS
    mean, there = _by_hour(history, np.full(len(last), True), future)
    if not last.any():
        return mean, (f"nothing is known of the last {RECENT_DAYS} days: mean of all that is",)
    recent, found = _by_hour(history, last, future)
    return np.where(found, recent, np.where(there, mean, history.value[last].mean())), ()


def _season(history: History, future: Times) -> Floats:
    """Mean by hour of the day in the season of each future step, (F,)."""
    month = history.age <= 24 * LEAST_DAYS
    out, there = _by_hour(history, month if month.any() else ~month, future)
    out = np.where(there, out, history.value.mean())
    day = future.astype("datetime64[D]")
    for each in np.unique(day):
        back = (each - history.time) / np.timedelta64(1, "D")
        years = np.round(back / YEAR_DAYS)
        earlier = (years >= 1) & (np.abs(back - years * YEAR_DAYS) <= SEASON_DAYS)
        if earlier.any():
            mean, found = _by_hour(history, earlier, future[day == each])
            out[day == each] = np.where(found, mean, out[day == each])
    return np.asarray(out)


def _by_hour(history: History, which: Bools, future: Times) -> tuple[Floats, Bools]:
    """Mean of the chosen known steps at the hour of each future step, and whether there are any, each (F,)."""
    mean, there = history.slot_means(which, future, "UTC", DAY_MIN)
    return np.asarray(mean.mean(axis=1)), np.asarray(there.all(axis=1))
