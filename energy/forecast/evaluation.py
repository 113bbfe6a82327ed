"""Errors of a forecast by days ahead, beside the simplest rule: the same hour of last week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from energy.forecast.calendar import history_before
from energy.forecast.prices import Forecast
from energy.schema import Floats, Times

#: (time, values, first unknown moment, future time) -> forecast.
Forecaster = Callable[[Times, Floats, np.datetime64, Times], Forecast]
WEEK = np.timedelta64(7, "D")
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class LeadErrors:
    """Mean absolute errors by days ahead (1: the first day that is not known), in the unit of the series."""

    lead_days: tuple[int, ...]
    hours: tuple[int, ...]
    error: tuple[float, ...]
    last_week: tuple[float, ...]

    @property
    def relative(self) -> tuple[float, ...]:
        """Error over that of the same hour of last week; NaN where that one is 0."""
        return tuple(e / w if w else float("nan") for e, w in zip(self.error, self.last_week, strict=True))


def same_hour_last_week(time: Times, price: Floats, first_unknown: np.datetime64, future_time: Times) -> Forecast:
    """The value a week before, or as many weeks before as it takes to be known; NaN where it is missing."""
    history = history_before(time, price, first_unknown)
    weeks = np.maximum(1, (future_time - first_unknown) // WEEK + 1)
    wanted = future_time - weeks * WEEK
    at = np.minimum(np.searchsorted(history.time, wanted, side="right") - 1, len(history.time) - 1)
    step = np.timedelta64(history.step_min, "m")
    there = (at >= 0) & (wanted - history.time[np.maximum(at, 0)] < step)
    return Forecast(np.where(there, history.value[np.maximum(at, 0)], np.nan), "same hour last week", history.days)


def errors(
    time: Times, values: Floats, forecast: Forecaster, origins: Sequence[np.datetime64], lead_days: Sequence[int]
) -> LeadErrors:
    """Walk forward: at each origin forecast the days ahead from what is known before it, and compare.

    Only steps count for which the truth, the forecast and the value of last week are all known.

    Parameters
    ----------
    time, values : the whole series, shape (R,); NaN is missing
    origins : first unknown moments (UTC)
    lead_days : 1 is the day that begins at the origin
    """
    sums = {k: np.zeros(3) for k in lead_days}
    for origin in origins:
        ahead = (time >= origin) & (time < origin + max(lead_days) * DAY)
        future, truth = time[ahead], values[ahead]
        miss = [np.abs(f(time, values, origin, future).values - truth) for f in (forecast, same_hour_last_week)]
        for k in lead_days:
            good = ((future - origin) // DAY == k - 1) & np.isfinite(miss[0]) & np.isfinite(miss[1])
            sums[k] += [good.sum(), miss[0][good].sum(), miss[1][good].sum()]
    mean = {k: s[1:] / max(s[0], 1.0) for k, s in sums.items()}
    return LeadErrors(tuple(lead_days), tuple(int(s[0]) for s in sums.values()),
                      tuple(float(m[0]) for m in mean.values()), tuple(float(m[1]) for m in mean.values()))  # fmt: skip
