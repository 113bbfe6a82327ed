"""Sources are asked piece by piece: days, weeks, months, stations. A broken piece costs that piece and says so.

Days, weeks and blocks of requests: local calendars on one side, UTC on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Times
from energy.series.labels import in_one_line, join, stamped
from energy.sources.client.answer import Answer, SourceError

#: Failures in a row after which the rest is not asked for: one may be a broken file, two are a source that is down,
#: and each costs several attempts.
GIVE_UP = 2
#: Failures that are the source's, not the piece's: key and quota would fail for the next piece as well.
HOPELESS = frozenset({"auth", "quota"})
#: What names a piece: a local day, a stretch of time, a station.
P = TypeVar("P")
T = TypeVar("T")


def gathered(none: xr.Dataset, pieces: Iterable[P], fetch: Callable[[P], xr.Dataset | None]) -> xr.Dataset:
    """One Dataset of the pieces that could be fetched; the others with their reasons in ``attrs["note"]``.

    Parameters
    ----------
    none : the source's Dataset without any interval
    pieces : in the order of their worth: after GIVE_UP failures in a row the rest is not asked for
    fetch : a piece -> its intervals, or None where the source has nothing

    Raises
    ------
    SourceError : there were failures and nothing else; the last of them.
    """
    return whole(none, *kept(pieces, fetch))


def whole(none: xr.Dataset, parts: list[xr.Dataset], note: str) -> xr.Dataset:
    """One Dataset of the parts, with their notes and this one; in the order of time, whichever was asked for first."""
    ds = join([none, *sorted(parts, key=_first)])
    return ds.assign_attrs(note=in_one_line([str(ds.attrs["note"]), note]))


def _first(part: xr.Dataset) -> int:
    """Where a part begins; one without any interval makes no difference anywhere."""
    time = part["time"].values
    return int(time[0].astype("int64")) if len(time) else 0


def kept(pieces: Iterable[P], fetch: Callable[[P], T | None], most: int | None = None) -> tuple[list[T], str]:
    """What the pieces gave, and in one line what failed and why.

    Parameters
    ----------
    most : ask for no more pieces once so many have given something

    Raises
    ------
    SourceError : there were failures and nothing else; the last of them.
    """
    return kept_apart([pieces], fetch, most)


def kept_apart(
    hosts: Iterable[Iterable[P]], fetch: Callable[[P], T | None], most: int | None = None
) -> tuple[list[T], str]:
    """As `kept`, from several hosts: where one is given up, the next is asked all the same.

    Parameters
    ----------
    hosts : the pieces of each

    Raises
    ------
    SourceError : there were failures and nothing else; the last of them.
    """
    found: list[T] = []
    failed: list[SourceError] = []
    notes: list[str] = []
    for pieces in hosts:
        parts, errors, left = _asked(list(pieces), fetch, most)
        found += parts
        failed += [e for _, e in errors]
        notes.append(_said(errors, left))
    if failed and not found:
        raise failed[-1]
    return found, in_one_line(notes)


def _asked(
    left: list[P], fetch: Callable[[P], T | None], most: int | None
) -> tuple[list[T], list[tuple[P, SourceError]], int]:
    """What the pieces of one host gave, which failed, and how many were then not asked for."""
    found: list[T] = []
    failed: list[tuple[P, SourceError]] = []
    row = 0
    while left and row < GIVE_UP and len(found) != most:
        piece = left.pop(0)
        try:
            part = fetch(piece)
        except SourceError as e:
            failed.append((piece, e))
            row = GIVE_UP if e.kind in HOPELESS else row + 1
            continue
        row = 0
        found += [] if part is None else [part]
    return found, failed, len(left) if row >= GIVE_UP else 0


def _said(failed: Sequence[tuple[object, SourceError]], left: int) -> str:
    """What failed and why; and how much was then not asked for."""
    reasons = [f"{_named(piece)}: {e.reason}" for piece, e in failed]
    return in_one_line([*reasons, f"given up, {left} more not asked for" if left else ""])


def _named(piece: object) -> str:
    return f"{iso(piece[0])} to {iso(piece[1])}" if isinstance(piece, tuple) else str(piece)


def given(parse: Callable[..., xr.Dataset], *answers: Answer) -> xr.Dataset | None:
    """What the answers with data hold, read together; None where there is none."""
    good = [a for a in answers if a.kind == "ok"]
    return stamped(parse(*[a.body for a in good]), good[-1]) if good else None


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
