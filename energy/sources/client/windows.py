"""Long spans asked in windows (days, weeks, months), or places asked station by station.

A window that fails costs that window: the others stand, and a note says which failed and why. The newest is asked
first: should the source be given up, tomorrow is worth more than last month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import numpy as np
import xarray as xr

from energy.series.labels import in_one_line, join
from energy.series.local_time import Span, iso
from energy.sources.client.answer import Answer, SourceError
from energy.sources.client.http import Client
from energy.sources.client.settings import SETTLED, Source, ttl

#: Failures in a row after which the rest is not asked for: one may be a broken file, two are a source that is down,
#: and each costs several attempts.
GIVE_UP = 2
#: Failures that are the source's, not the window's: key and quota would fail for the next window as well.
HOPELESS = frozenset({"auth", "quota"})
#: What names a window: a local day, a stretch of time, a station.
W = TypeVar("W")
T = TypeVar("T")


def fetch_spans(
    client: Client,
    source: Source,
    spans: Iterable[Span],
    request: Callable[[np.datetime64, np.datetime64], tuple[str, Mapping[str, str]]],
    parse: Callable[[bytes], xr.Dataset],
    none: xr.Dataset,
    settled: np.timedelta64 = SETTLED,
) -> xr.Dataset:
    """Intervals of the spans, a request and an answer each; answers may hold more than was asked for.

    Parameters
    ----------
    spans : in the order of time
    request : start and end of a span -> path and parameters
    parse : body -> its intervals
    none : the source's Dataset without any interval
    settled : age from which on the source's numbers are complete
    """

    def fetch(span: Span) -> xr.Dataset | None:
        lifetime = ttl(span[1], client.now(), settled)
        return parse_answers(parse, client.get(source.name, *request(*span), lifetime))

    return fetch_windows(none, spans, fetch)


def fetch_windows(none: xr.Dataset, windows: Iterable[W], fetch: Callable[[W], xr.Dataset | None]) -> xr.Dataset:
    """One Dataset of the windows that could be fetched; the others with their reasons in ``attrs["note"]``, as `ask_hosts`.

    Parameters
    ----------
    none : the source's Dataset without any interval
    windows : in the order of time; after GIVE_UP failures in a row the older ones are not asked for
    fetch : a window -> its intervals, or None where the source has nothing
    """
    return join_windows(none, *ask_hosts([list(windows)[::-1]], fetch))


def join_windows(none: xr.Dataset, parts: list[xr.Dataset], note: str) -> xr.Dataset:
    """One Dataset of the parts, with their notes and this one; in the order of time, whichever was asked for first."""

    def first(part: xr.Dataset) -> int:  # a part without any interval makes no difference anywhere
        return int(part["time"].values[0].astype("int64")) if part.sizes["time"] else 0

    ds = join([none, *sorted(parts, key=first)])
    return ds.assign_attrs(note=in_one_line([str(ds.attrs["note"]), note]))


def ask_hosts(
    hosts: Iterable[Iterable[W]], fetch: Callable[[W], T | None], most: int | None = None
) -> tuple[list[T], str]:
    """Ask host after host for its windows; return what they gave, and in one line which failed and why.

    Parameters
    ----------
    hosts : the windows of each, in the order in which they are asked for
    most : ask a host for no more windows once so many have given something

    Raises SourceError: there were failures and nothing else; the last of them.
    """
    found: list[T] = []
    failed: list[SourceError] = []
    notes: list[str] = []
    for windows in hosts:
        left, row, given = list(windows), 0, 0
        while left and row < GIVE_UP and given != most:
            window = left.pop(0)
            try:
                part = fetch(window)
            except SourceError as e:
                failed.append(e)
                name = f"{iso(window[0])} to {iso(window[1])}" if isinstance(window, tuple) else window
                notes.append(f"{name}: {e.reason}")
                row = GIVE_UP if e.kind in HOPELESS else row + 1
                continue
            row = 0
            if part is not None:
                found.append(part)
                given += 1
        if left and row >= GIVE_UP:
            notes.append(f"given up, {len(left)} more not asked for")
    if failed and not found:
        raise failed[-1]
    return found, in_one_line(notes)


def blocks(start: np.datetime64, end: np.datetime64, length: timedelta) -> Iterator[Span]:
    """[start, end) in windows of at most `length`."""
    cuts = np.arange(start, end, np.timedelta64(int(length.total_seconds()), "s"))
    return pairwise([*cuts, end])


def months(start: np.datetime64, end: np.datetime64) -> Iterator[Span]:
    """[start, end) cut at the first moments of UTC months."""
    first, last = (t.astype("datetime64[M]") + 1 for t in (start, end))
    cuts = np.arange(first, last).astype("datetime64[ns]")
    return pairwise([start, *cuts[cuts < end], end] if start < end else [])


def parse_answers(parse: Callable[..., xr.Dataset], *answers: Answer) -> xr.Dataset | None:
    """Dataset parsed from all answers with data; None without one."""
    good = [a for a in answers if a.kind == "ok"]
    return stamped(parse(*[a.body for a in good]), good[-1]) if good else None


def stamped(ds: xr.Dataset, answer: Answer) -> xr.Dataset:
    """The Dataset with when and how its answer came."""
    fetched = f"{answer.fetched_at:%Y-%m-%dT%H:%M:%SZ}"
    note = in_one_line([str(ds.attrs.get("note", "")), answer.note])
    return ds.assign_attrs(retrieved_at=fetched, stale=int(answer.stale), note=note)
