"""Days, weeks and blocks of requests: local calendars on one side, UTC on the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from energy.schema import Times

#: [first moment, first moment after).
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


def blocks(start: np.datetime64, end: np.datetime64, length: timedelta) -> Iterator[Span]:
    """[start, end) in pieces of at most `length`."""
    step = np.timedelta64(int(length.total_seconds()), "s")
    while start < end:
        stop = min(start + step, end)
        yield start, stop
        start = stop


def months(start: np.datetime64, end: np.datetime64) -> Iterator[Span]:
    """[start, end) cut at the first moments of UTC months."""
    while start < end:
        following = (start.astype("datetime64[M]") + 1).astype("datetime64[ns]")
        stop = min(following, end)
        yield start, stop
        start = stop


def newest_first(spans: Iterable[Span]) -> list[Span]:
    """Pieces in the order of their worth: should the source be given up, tomorrow is worth more than last month."""
    return list(spans)[::-1]


def iso(moment: np.datetime64, form: str = "%Y-%m-%dT%H:%MZ") -> str:
    """A UTC moment as text."""
    return str(pd.Timestamp(moment).strftime(form))
