"""Quantities that change on given dates, and windows of hours that count.

GPUs arrive in phases and a connection grows (`Dated`); a tariff component counts in months, on weekdays, in hours of the
day or on public holidays (`Window`). Both are written in site-local time.
"""

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from energy.errors import ConfigError
from energy.inputs.yaml_files import Frozen
from energy.schema import Bools, Floats, Times
from energy.schema.calendar import SiteCalendar, to_utc

#: What a dated quantity may look like, for messages.
FORMS = "a number, or a list of {from: date, value: number} with rising dates"


def _midnight(raw: Any) -> Any:
    """A date without a time means its first moment; a bare number means nothing."""
    if type(raw) is date:
        return datetime.combine(raw, datetime.min.time())
    if isinstance(raw, (date, str)):
        return raw
    raise ValueError("must be a date or a moment such as 2018-05-03T06:00")


def _without_offset(moment: datetime) -> datetime:
    if moment.tzinfo:
        raise ValueError("must be a moment in the site's local time, without an offset")
    if not 1900 <= moment.year <= 2200:
        raise ValueError("must lie between the years 1900 and 2200")
    return moment


#: A moment on the clock of the site.
LocalMoment = Annotated[
    datetime,
    BeforeValidator(_midnight),
    AfterValidator(_without_offset),
    # Not the "date-time" of JSON Schema: that demands an offset, and editors would mark every date.
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?$"}),
]


class Step(Frozen):
    """From this site-local moment on, this value."""

    from_: LocalMoment = Field(alias="from")
    value: float = Field(ge=0)


def _as_steps(raw: Any) -> Any:
    """A plain number is one step that always held."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return [{"from": datetime(1900, 1, 1), "value": raw}]  # noqa: DTZ001 - site-local by definition
    if not isinstance(raw, (list, tuple)):
        raise ValueError(f"must be {FORMS}")
    return raw


def _rising(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    starts = [s.from_ for s in steps]
    if not steps or starts != sorted(set(starts)):
        raise ValueError(f"must be {FORMS}")
    return steps


#: A number, or a list of {from: site-local date, value: number} with rising dates.
Dated = Annotated[
    tuple[Step, ...],
    BeforeValidator(_as_steps, json_schema_input_type=float | list[Step]),
    AfterValidator(_rising),
]


def dated_between(low: float, high: float, unit: str) -> Any:
    """Type of a dated quantity whose values lie in a closed range [unit]."""

    def _in_range(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not all(low <= step.value <= high for step in steps):
            raise ValueError(f"must be from {low:g} to {high:g} {unit}, always")
        return steps

    number = Annotated[float, Field(ge=low, le=high)]
    return Annotated[
        tuple[Step, ...],
        BeforeValidator(_as_steps, json_schema_input_type=number | list[Step]),
        AfterValidator(_rising),
        AfterValidator(_in_range),
    ]


def constant(value: float) -> tuple[Step, ...]:
    """The dated quantity that always was `value`; for defaults."""
    return (Step.model_validate({"from": datetime(1900, 1, 1), "value": value}),)  # noqa: DTZ001


def at(steps: tuple[Step, ...], time: Times, time_zone: str) -> Floats:
    """Value of a dated quantity in each period, shape (T,).

    A period that starts before a step keeps the old value to its end. That the first step begins in time is
    looked at when the files are read (`fits`).
    """
    starts = np.array([to_utc(s.from_, time_zone) for s in steps])
    index = np.searchsorted(starts, time, side="right") - 1
    assert (index >= 0).all(), f"no value before {steps[0].from_}"
    return np.array([s.value for s in steps])[index]


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _forward(hours: tuple[int, int]) -> tuple[int, int]:
    if hours[0] >= hours[1]:
        raise ValueError("hours run from a lower to a higher hour of the day; split a span across midnight in two")
    return hours


Hour = Annotated[int, Field(ge=0, le=24)]
HourSpan = Annotated[tuple[Hour, Hour], AfterValidator(_forward)]


class Window(Frozen):
    """Local hours that count; a key that is not given does not restrict them.

    `hours` are spans [first, after) of the local clock; `holidays` says whether public holidays of the
    site's country count as they fall (`as_weekday`), never (`excluded`), always (`included`) or alone (`only`).
    A market time unit belongs to the clock hour in which it starts.
    """

    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    hours: tuple[HourSpan, ...] = ()
    holidays: Literal["as_weekday", "excluded", "included", "only"] = "as_weekday"

    def holds(self, calendar: SiteCalendar, country: str) -> Bools:
        """Periods that count, shape (T,)."""
        return _inside(self, calendar, country).copy()


@lru_cache(maxsize=1024)
def _inside(w: Window, calendar: SiteCalendar, country: str) -> Bools:
    """Periods in a window, (T,). Kept: in a night the same windows are asked for some thousand times."""
    local = calendar.local
    inside = np.full(len(local), True)
    if w.months:
        inside &= np.isin(local.month, w.months)
    day = np.isin(local.day_of_week, [WEEKDAYS.index(d) for d in w.weekdays]) if w.weekdays else inside.copy()
    if w.holidays != "as_weekday":
        holiday = is_holiday(local, country)
        day = {"excluded": day & ~holiday, "included": day | holiday, "only": day & holiday}[w.holidays]
    if w.hours:
        inside &= np.any([(local.hour >= a) & (local.hour < b) for a, b in w.hours], axis=0)
    return np.asarray(inside & day)


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
