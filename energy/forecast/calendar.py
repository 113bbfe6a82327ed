"""Slots of the local day and week, and means by slot: what every rule of this room is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.schema import Bools, Floats, Ints, Times
from energy.schema.calendar import to_local

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN


@dataclass(frozen=True)
class History:
    """Known part of a series at a moment: finite values before it, with their age.

    Attributes
    ----------
    time, value : starts (UTC) and values, shape (R,)
    age : from each start to the moment [h], shape (R,)
    step_min : length of the series' steps [min]
    """

    time: Times
    value: Floats
    age: Floats
    step_min: int

    @property
    def days(self) -> float:
        """From the first known value to the moment [days]."""
        return float(self.age.max()) / 24

    def slot_means(self, which: Bools, future: Times, zone: str, length_min: int) -> tuple[Floats, Bools]:
        """Mean of the chosen known values in the slot of each part of each future step, and which slots have any, (F, parts).

        A slot is a step of the local day or week (`length_min`: DAY_MIN, WEEK_MIN). The clock's own reading counts: in
        the night of a clock change an hour is missing, or stands twice. A future step has as many parts as it holds
        steps of the history, one where it is not coarser.

        Parameters
        ----------
        which : known steps that count, shape (R,)
        future : starts (UTC), shape (F,)
        zone : of the clock
        """
        parts = max(1, step_min(future) // self.step_min) if len(future) > 1 else 1
        moments = future[:, None] + np.arange(parts) * np.timedelta64(self.step_min, "m")

        def slots(time: Times) -> Ints:
            local = to_local(time, zone)
            minute = local.day_of_week * DAY_MIN + local.hour * 60 + local.minute
            return np.asarray(minute % length_min // self.step_min, dtype=np.int64)

        mine, wanted = slots(self.time[which]), slots(moments.ravel()).reshape(moments.shape)
        number = np.bincount(mine, minlength=length_min // self.step_min)
        total = np.bincount(mine, weights=self.value[which], minlength=len(number))
        return (total / np.maximum(number, 1))[wanted], (number > 0)[wanted]


def history_before(time: Times, values: Floats, moment: np.datetime64) -> History:
    """The part of a series that is known at a moment; NaN stands for missing.

    Parameters
    ----------
    time : starts of equal steps (UTC), shape (R,), rising; steps may be missing

    Raises ValueError: nothing is known.
    """
    there = (time < moment) & np.isfinite(values)
    if not there.any():
        raise ValueError(f"no value before {np.datetime_as_string(moment, unit='m')}Z; at least one is needed")
    age = (moment - time[there]) / np.timedelta64(1, "h")
    return History(time[there], values[there], age, step_min(time))


def step_min(time: Times) -> int:
    """Length of the steps of a series [min]; an hour where there is one start only."""
    return int(np.diff(time).min() / np.timedelta64(1, "m")) if len(time) > 1 else 60
