"""One SQLite file that outlives the process: what was sent when, who asked to be left alone, what came back.

Counters must survive a restart: ENTSO-E bans an address for ten minutes, Open-Meteo counts by the day.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

#: How long a process waits for another one's transaction [s]; each takes milliseconds.
LOCK_S = 20.0

_TABLES = """
CREATE TABLE IF NOT EXISTS sent (source TEXT, at REAL, weight REAL);
CREATE INDEX IF NOT EXISTS sent_at ON sent (source, at);
CREATE TABLE IF NOT EXISTS blocked (source TEXT PRIMARY KEY, until REAL, reason TEXT);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, source TEXT, question TEXT, at TEXT, kind TEXT, reason TEXT,
    sha TEXT, fetched_at TEXT, stale INTEGER);
CREATE INDEX IF NOT EXISTS delivery_at ON delivery (question, at);
CREATE TABLE IF NOT EXISTS session (
    id INTEGER PRIMARY KEY, name TEXT, start TEXT, stop TEXT, began TEXT, ended TEXT);
"""


class Ledger:
    """The file: one connection, one transaction at a time; other processes wait their turn."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = threading.RLock()
        self._db = sqlite3.connect(path, timeout=LOCK_S, isolation_level=None, check_same_thread=False)
        # Write-ahead log, synced at checkpoints only: a power cut may cost the last rows, never the file.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens at once or not at all."""
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def as_text(moment: datetime) -> str:
    """Times are compared as text in the ledger, so all have one form."""
    return moment.isoformat(timespec="microseconds")
