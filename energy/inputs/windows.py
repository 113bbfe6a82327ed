"""Hours in which a tariff component counts, in site-local time: months, weekdays, hours, public holidays."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field

from energy.inputs.errors import ConfigError
from energy.inputs.yamlfile import Frozen
from energy.schema import Bools

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _forward(hours: tuple[int, int]) -> tuple[int, int]:
    if hours[0] >= hours[1]:
        raise ValueError("hours run from a lower to a higher hour of the day; split a span across midnight in two")
    return hours


Hour = Annotated[int, Field(ge=0, le=24)]
HourSpan = Annotated[tuple[Hour, Hour], AfterValidator(_forward)]


class Window(Frozen):
    """Which local hours count. What is not given does not restrict.

    `hours` are spans [first, after) of the local clock; `holidays` says whether public holidays of the
    site's country count as they fall (`as_weekday`), never (`excluded`), always (`included`) or alone (`only`).
    A market time unit belongs to the clock hour in which it starts.
    """

    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    hours: tuple[HourSpan, ...] = ()
    holidays: Literal["as_weekday", "excluded", "included", "only"] = "as_weekday"

    def holds(self, local: pd.DatetimeIndex, country: str) -> Bools:
        """Periods that count, shape (T,). `local` are period starts in the site's time zone."""
        return _held(self, local.asi8.tobytes(), local.unit, local.tz, country).copy()

    def _holds(self, local: pd.DatetimeIndex, country: str) -> Bools:
        inside = np.full(len(local), True)
        if self.months:
            inside &= np.isin(local.month, self.months)
        day = np.isin(local.day_of_week, [WEEKDAYS.index(d) for d in self.weekdays]) if self.weekdays else inside.copy()
        if self.holidays != "as_weekday":
            holiday = is_holiday(local, country)
            day = {"excluded": day & ~holiday, "included": day | holiday, "only": day & holiday}[self.holidays]
        if self.hours:
            inside &= np.any([(local.hour >= a) & (local.hour < b) for a, b in self.hours], axis=0)
        return np.asarray(inside & day)


@lru_cache(maxsize=1024)
def _held(window: Window, stamps: bytes, unit: str, zone: Any, country: str) -> Bools:
    """A bill, a balance and a replay ask for the same hours of the same window again and again; a night some thousand times."""
    local = pd.DatetimeIndex(np.frombuffer(stamps, dtype=f"datetime64[{unit}]"))
    return window._holds(local if zone is None else local.tz_localize("UTC").tz_convert(zone), country)


ALWAYS = Window()


def is_holiday(local: pd.DatetimeIndex, country: str) -> Bools:
    """Public holidays of a country (the `holidays` library, national ones), shape (T,).

    Raises
    ------
    ConfigError : the library does not know the country.
    """
    import holidays  # here: two hundred milliseconds that most commands do not need

    try:
        days = holidays.country_holidays(country, years=sorted(set(local.year)))
    except NotImplementedError:
        what = f"a tariff counts public holidays, but none are known for country {country!r}"
        raise ConfigError(
            "fleet: country", what, "a country of the holidays library, or holidays: as_weekday"
        ) from None
    return np.array([d in days for d in local.date])
