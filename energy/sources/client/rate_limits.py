"""Rate limits: each source's budget of weighted requests, kept across processes, and retries that count against it.

Only requests that go out are counted, never cache hits: the adapter of `http.py` reserves here just before it sends.
The windows slide, so a provider that counts in fixed minutes or days is never exceeded either.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from urllib3.exceptions import InvalidHeader, MaxRetryError, ResponseError
from urllib3.util.retry import Retry

from energy.sources.client.answer import SourceError
from energy.sources.client.cache import Ledger
from energy.sources.client.settings import RETRY_AFTER_S, Settings, Source

#: Longest wait for a place in the budget [s]; beyond it the caller hears "quota" and takes the next source.
PATIENCE_S = 30.0
#: Most waits for one request: other processes may take a freed place first, a few times.
MOST_WAITS = 200
#: Waits are at least this long [s], or rounding of clock readings could make a loop spin.
SHORTEST_WAIT_S = 0.001


class Limits:
    """Places in the budgets of the sources."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._ledger, self._clock, self._sleep = ledger, clock, sleep

    def take(self, source: Source, weight: float) -> None:
        """Wait for a place and reserve it.

        Raises SourceError: (quota) the source asked to be left alone, or the budget frees no place within PATIENCE_S;
            (fatal) the request alone is heavier than a whole window.
        """
        for seconds, most in source.budget:
            if weight > most:
                text = f"request weighs {weight:g}, more than {most:g} per {seconds:g} s"
                raise SourceError(source.name, "fatal", text)
        for _ in range(MOST_WAITS):
            wait = self._reserve(source, weight)
            if wait <= 0:
                return
            if wait > PATIENCE_S:
                raise SourceError(source.name, "quota", f"the next free place is {wait:.0f} s away", wait)
            self._sleep(wait)
        raise SourceError(source.name, "quota", f"no place after {MOST_WAITS} waits")

    def _reserve(self, source: Source, weight: float) -> float:
        """Reserve a place and return 0, or return how long to wait for one [s].

        Raises SourceError: (quota) the source wants no request for longer than PATIENCE_S; gives its reason.
        """
        now = self._clock()
        with self._ledger.transaction() as db:
            row = db.execute("SELECT until, reason FROM blocked WHERE source = ?", (source.name,)).fetchone()
            blocked = float(row[0] - now) if row else 0.0
            if blocked > PATIENCE_S:
                raise SourceError(source.name, "quota", f"to be left alone for {blocked:.0f} s more: {row[1]}", blocked)
            wait = max(blocked, *(_full(db, source, now, weight, w) for w in source.budget))
            if wait <= 0:
                longest = max(seconds for seconds, _ in source.budget)
                db.execute("DELETE FROM sent WHERE source = ? AND at <= ?", (source.name, now - longest))
                db.execute("INSERT INTO sent VALUES (?, ?, ?)", (source.name, now, weight))
        return wait

    def block(self, source: Source, seconds: float, reason: str) -> None:
        """Leave the source alone for so long [s]."""
        with self._ledger.transaction() as db:
            db.execute("REPLACE INTO blocked VALUES (?, ?, ?)", (source.name, self._clock() + seconds, reason))


def _full(db: sqlite3.Connection, source: Source, now: float, weight: float, window: tuple[float, float]) -> float:
    """Seconds until the window has room for `weight`; 0 if it has."""
    seconds, most = window
    rows = db.execute(
        "SELECT at, weight FROM sent WHERE source = ? AND at > ? ORDER BY at", (source.name, now - seconds)
    ).fetchall()
    excess = sum(w for _, w in rows) + weight - most
    if excess <= 0:
        return 0.0
    for at, sent in rows:
        excess -= sent
        if excess <= 0:
            return float(max(at + seconds - now, SHORTEST_WAIT_S))
    return seconds


#: Statuses after which the same request may succeed a moment later.
AGAIN = frozenset({429, 500, 502, 503, 504})
#: Repeated attempts after no connection or no answer; more would only lengthen the time without a network.
UNREACHED = 1
#: Pauses get up to this much longer at random [s], so that many clients do not come back together.
JITTER_S = 0.25
#: Longest pause between attempts [s].
BACKOFF_MAX_S = 30.0


class PacedRetry(Retry):
    """urllib3's Retry, but it counts against a budget (`pace`), waits only briefly (`wait`) and drains nothing."""

    #: Of the statuses that urllib3 always repeats after a Retry-After, those that AGAIN does not have.
    RETRY_AFTER_STATUS_CODES = Retry.RETRY_AFTER_STATUS_CODES - AGAIN
    pace: Callable[[], None]
    wait: Callable[[float], None]

    def new(self, **kw: Any) -> PacedRetry:
        """The same policy with new counters."""
        fresh = super().new(**kw)
        fresh.pace, fresh.wait = self.pace, self.wait
        return fresh

    def get_retry_after(self, response: Any) -> float | None:
        """Seconds of the header; None where it is missing or nonsense."""
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, OverflowError, ValueError):
            return None

    def increment(self, *args: Any, **kw: Any) -> PacedRetry:
        """Count an attempt; a Retry-After above RETRY_AFTER_S ends the attempts.

        The failed answer is closed, not read to its end: it may be endless.
        """
        response = kw.get("response")
        fresh = super().increment(*args, **kw)
        if response is not None:
            if (self.get_retry_after(response) or 0.0) > RETRY_AFTER_S:
                raise MaxRetryError(kw["_pool"], "", ResponseError("asked to wait for longer than a request lasts"))
            response.close()
        return fresh

    def sleep(self, response: Any = None) -> None:
        """Wait as asked or by the back-off, then count the next attempt."""
        asked = self.get_retry_after(response) if response is not None else None
        self.wait(asked or self.get_backoff_time())
        self.pace()


def policy(source: Source, settings: Settings, pace: Callable[[], None]) -> PacedRetry:
    """Retries of one source; `pace` is called before each repeated attempt."""
    again, backoff_s = settings.tries - 1, settings.backoff_s
    retry = PacedRetry(
        total=again, connect=min(again, UNREACHED), read=min(again, UNREACHED), allowed_methods=frozenset({"GET"}), status_forcelist=AGAIN - source.no_retry, raise_on_status=False,
        backoff_factor=backoff_s, backoff_jitter=min(JITTER_S, backoff_s), backoff_max=BACKOFF_MAX_S, redirect=False,
    )  # fmt: skip
    retry.pace, retry.wait = pace, settings.sleep
    return retry
