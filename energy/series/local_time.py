"""Local days and UTC moments: where a day of a time zone begins, and which day a moment falls on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from energy.schema import Times

#: [first moment, first moment after), in UTC.
Span = tuple[np.datetime64, np.datetime64]


def midnight(day: date, zone: str) -> np.datetime64:
    """First moment of a local day (UTC); where midnight does not exist, the first moment after it."""
    local = datetime.combine(day, time(), ZoneInfo(zone))
    return np.datetime64(pd.Timestamp(local.timestamp(), unit="s").as_unit("ns").to_datetime64())


def day_of(moment: np.datetime64, zone: str) -> date:
    """Local day that a UTC moment falls on."""
    return pd.Timestamp(moment).tz_localize("UTC").tz_convert(zone).date()


def days(start: np.datetime64, end: np.datetime64, zone: str) -> list[date]:
    """Local days that touch [start, end)."""
    first, last = day_of(start, zone), day_of(end - np.timedelta64(1, "s"), zone)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)] if start < end else []


def local_steps(start: np.datetime64, count: int, step: timedelta, zone: str) -> Times:
    """`count` starts a whole number of local days apart, as UTC: the clock changes, the local hour stays."""
    first = pd.Timestamp(start).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    local = pd.DatetimeIndex([first + n * step for n in range(count)])
    utc = local.tz_localize(zone, ambiguous=np.ones(count, dtype=bool), nonexistent="shift_forward").tz_convert("UTC")
    return np.asarray(utc.tz_localize(None).as_unit("ns").values)


def iso(moment: np.datetime64, form: str = "%Y-%m-%dT%H:%MZ") -> str:
    """UTC moment in ISO 8601."""
    return str(pd.Timestamp(moment).strftime(form))
