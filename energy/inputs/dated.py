"""Quantities that change on given dates: GPUs that arrive in phases, a connection that grows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from energy.inputs.yamlfile import Frozen
from energy.schema import Floats, Times

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


def constant(value: float) -> tuple[Step, ...]:
    """The dated quantity that always was `value`; for defaults."""
    return (Step.model_validate({"from": datetime(1900, 1, 1), "value": value}),)  # noqa: DTZ001


def to_utc(local: datetime, time_zone: str) -> np.datetime64:
    """UTC instant of a site-local moment; the first one when the clock shows it twice."""
    stamp = pd.Timestamp(local).tz_localize(time_zone, ambiguous=True, nonexistent="shift_forward")
    return stamp.tz_convert("UTC").tz_localize(None).as_unit("ns").to_datetime64()


def at(steps: tuple[Step, ...], time: Times, time_zone: str) -> Floats:
    """Value of a dated quantity in each period, shape (T,).

    A period that starts before a step keeps the old value to its end. That the first step begins in time is
    looked at when the files are read (`fits`).
    """
    starts = np.array([to_utc(s.from_, time_zone) for s in steps])
    index = np.searchsorted(starts, time, side="right") - 1
    assert (index >= 0).all(), f"no value before {steps[0].from_}"
    return np.array([s.value for s in steps])[index]
