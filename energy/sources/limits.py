"""Rate limits: each source's budget of weighted requests, kept across processes; and who wants to be left alone.

Only requests that go out are counted, never cache hits: `adapter.py` books here just before it sends.
The windows slide, so a provider that counts in fixed minutes or days is never exceeded either.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from energy.sources.answer import SourceError
from energy.sources.ledger import Ledger
from energy.sources.spec import Source

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
        """Wait for a place and book it.

        Raises
        ------
        SourceError : (quota) the source asked to be left alone, or the budget frees no place within PATIENCE_S;
            (fatal) the request alone is heavier than a whole window.
        """
        for seconds, most in source.budget:
            if weight > most:
                text = f"request weighs {weight:g}, more than {most:g} per {seconds:g} s"
                raise SourceError(source.name, "fatal", text)
        for _ in range(MOST_WAITS):
            wait = self._book(source, weight)
            if wait <= 0:
                return
            if wait > PATIENCE_S:
                raise SourceError(source.name, "quota", f"the next free place is {wait:.0f} s away", wait)
            self._sleep(wait)
        raise SourceError(source.name, "quota", f"no place after {MOST_WAITS} waits")

    def _book(self, source: Source, weight: float) -> float:
        """Book a place and return 0, or return how long to wait for one [s]."""
        now = self._clock()
        with self._ledger.transaction() as db:
            wait = max(_blocked(db, source, now), *(_full(db, source, now, weight, w) for w in source.budget))
            if wait <= 0:
                longest = max(seconds for seconds, _ in source.budget)
                db.execute("DELETE FROM sent WHERE source = ? AND at <= ?", (source.name, now - longest))
                db.execute("INSERT INTO sent VALUES (?, ?, ?)", (source.name, now, weight))
        return wait

    def block(self, source: Source, seconds: float, reason: str) -> None:
        """Leave the source alone for so long [s]."""
        with self._ledger.transaction() as db:
            db.execute("REPLACE INTO blocked VALUES (?, ?, ?)", (source.name, self._clock() + seconds, reason))


def _blocked(db: sqlite3.Connection, source: Source, now: float) -> float:
    """Seconds for which the source wants no request.

    Raises
    ------
    SourceError : (quota) longer than PATIENCE_S; says why.
    """
    row = db.execute("SELECT until, reason FROM blocked WHERE source = ?", (source.name,)).fetchone()
    wait = row[0] - now if row else 0.0
    if wait > PATIENCE_S:
        raise SourceError(source.name, "quota", f"to be left alone for {wait:.0f} s more: {row[1]}", wait)
    return float(wait)


def _full(db: sqlite3.Connection, source: Source, now: float, weight: float, window: tuple[float, float]) -> float:
    """Seconds until the window has room for `weight`; 0 if it has."""
    seconds, most = window
    rows = db.execute(
        "SELECT at, weight FROM sent WHERE source = ? AND at > ? ORDER BY at", (source.name, now - seconds)
    ).fetchall()
    excess = sum(w for _, w in rows) + weight - most
    if excess <= 0:
        return 0.0
    for at, booked in rows:
        excess -= booked
        if excess <= 0:
            return float(max(at + seconds - now, SHORTEST_WAIT_S))
    return seconds
