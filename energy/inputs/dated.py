"""Quantities that change on given dates: GPUs that arrive in phases, a connection that grows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field

from energy.inputs.yamlfile import Frozen
from energy.schema import Floats, Times


class Step(Frozen):
    """From this site-local moment on, this value."""

    from_: datetime = Field(alias="from")
    value: float = Field(ge=0)


def _as_steps(raw: Any) -> Any:
    """A plain number is one step that always held."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return [{"from": datetime(1900, 1, 1), "value": raw}]  # noqa: DTZ001 - site-local by definition
    if isinstance(raw, list):
        return [_midnight(item) for item in raw]
    return raw


def _midnight(item: Any) -> Any:
    """A date without a time means its first moment."""
    if isinstance(item, dict) and type(item.get("from")) is date:
        return item | {"from": datetime.combine(item["from"], datetime.min.time())}
    return item


def _rising(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    starts = [s.from_ for s in steps]
    if not steps or starts != sorted(set(starts)):
        raise ValueError("a number, or a list of {from: date, value: number} with rising dates")
    if any(s.from_.tzinfo for s in steps):
        raise ValueError("dates are in the site's local time, without an offset")
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

    A period that starts before a step keeps the old value to its end.

    Raises
    ------
    ValueError : the first step begins after the first period.
    """
    starts = np.array([to_utc(s.from_, time_zone) for s in steps])
    index = np.searchsorted(starts, time, side="right") - 1
    if (index < 0).any():
        raise ValueError(f"no value before {steps[0].from_}; give an earlier first step")
    return np.array([s.value for s in steps])[index]
