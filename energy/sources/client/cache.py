"""Questions and answers on disk: raw bodies, a ledger in one SQLite file, and fetches as wholes.

Bodies are files named by their SHA-256. The ledger has which question got which of them, when, and which got none; what was
sent when, and who asked to be left alone: counters must survive a restart, since ENTSO-E bans an address for ten minutes
and Open-Meteo counts by the day. A question is source, path and parameters: neither host nor credential is part of it.

The questions of a fetch depend on its hours and on the moment it began (how far measurements reach, which host has which
days). A replay therefore asks what the last fetch that covers its hours asked, under that fetch's clock.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from energy.series.local_time import Span, iso
from energy.sources.client.answer import Answer, Kind, SourceError


@dataclass(frozen=True)
class Health:
    """Last success and last failure of a source (UTC, naive), with the failure's reason."""

    last_ok: datetime | None
    last_failure: datetime | None
    reason: str


class Archive:
    """Raw answers under one folder, and the fetches that asked for them."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder, self._ledger = folder, ledger

    def save(self, asked: str, at: datetime, outcome: Answer | SourceError) -> None:
        """Record what a question got at a time, or why it got nothing; a body is stored once, by renaming into its place."""
        row: tuple[object, ...]
        if isinstance(outcome, Answer):
            sha = hashlib.sha256(outcome.body).hexdigest()
            path = self._path(outcome.source, sha)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                handle, name = tempfile.mkstemp(dir=path.parent)
                with os.fdopen(handle, "wb") as file:
                    file.write(outcome.body)
                Path(name).replace(path)
            row = (outcome.note, sha, as_text(outcome.fetched_at), outcome.stale)
        else:
            row = (outcome.reason, None, None, False)
        with self._ledger.transaction() as db:
            db.execute(
                "INSERT INTO delivery (source, question, at, kind, reason, sha, fetched_at, stale)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (outcome.source, asked, as_text(at), outcome.kind, *row),
            )

    def load(self, source: str, asked: str, as_of: datetime) -> Answer:
        """Newest answer that the question had got by then.

        Raises SourceError: of the kind noted then; or (empty) where it had not been asked yet.
        """
        row = self._ledger.first(
            "SELECT kind, reason, sha, fetched_at, stale FROM delivery WHERE question = ? AND at <= ?"
            " ORDER BY at DESC, id DESC LIMIT 1",
            (asked, as_text(as_of)),
        )
        if row is None:
            raise SourceError(source, "empty", f"not on file: it had not been asked for by {as_of:%Y-%m-%d %H:%M}Z")
        kind, reason, sha, fetched_at, stale = row
        if sha is None:
            raise SourceError(source, kind, reason)
        return self._read(source, kind, reason, sha, datetime.fromisoformat(fetched_at), bool(stale))

    def _read(self, source: str, kind: Kind, note: str, sha: str, fetched_at: datetime, stale: bool) -> Answer:
        try:
            body = self._path(source, sha).read_bytes()
        except OSError:
            raise SourceError(source, "fatal", f"the raw answer {sha[:12]} is missing from {self.folder}") from None
        if hashlib.sha256(body).hexdigest() != sha:
            raise SourceError(source, "fatal", f"the raw answer {sha[:12]} in {self.folder} was changed")
        return Answer(source, kind, body, fetched_at, from_cache=True, stale=stale, note=note)

    def last_empty(self, source: str, asked: str, since: datetime) -> Answer | None:
        """The last answer to a question, if it was "nothing there" and came after `since`."""
        row = self._ledger.first(
            "SELECT kind, reason, sha, fetched_at, at FROM delivery WHERE question = ? ORDER BY id DESC LIMIT 1",
            (asked,),
        )
        if row is None or row[0] != "empty" or row[2] is None or row[4] < as_text(since):
            return None
        return self._read(source, "empty", row[1], row[2], datetime.fromisoformat(row[3]), stale=False)

    def health(self, source: str, as_of: datetime) -> Health:
        """Last success and last failure of a source by then.

        An answer that its server confirmed (304) is a success of that moment, however old its body is.
        """
        ok, _ = self._last(source, "kind = 'ok' AND stale = 0", as_of)
        return Health(ok, *self._last(source, "(kind NOT IN ('ok', 'empty') OR stale = 1)", as_of))

    def _last(self, source: str, which: str, as_of: datetime) -> tuple[datetime | None, str]:
        """Time and reason of the newest delivery that matches `which` up to `as_of`; of several at one time the last recorded."""
        row = self._ledger.first(
            f"SELECT at, reason FROM delivery WHERE source = ? AND at <= ? AND {which} ORDER BY at DESC, id DESC LIMIT 1",
            (source, as_text(as_of)),
        )
        return (datetime.fromisoformat(row[0]), row[1]) if row else (None, "")

    def save_session(self, name: str, span: Span, began: datetime, ended: datetime) -> None:
        """Record a finished fetch of the hours `span`."""
        row = (name, iso(span[0]), iso(span[1]), as_text(began), as_text(ended))
        with self._ledger.transaction() as db:
            db.execute("INSERT INTO session (name, start, stop, began, ended) VALUES (?, ?, ?, ?, ?)", row)

    def session(self, name: str, span: Span, as_of: datetime) -> tuple[Span, datetime]:
        """Hours (UTC) and beginning (UTC, naive) of the last fetch for `name` that covers `span` and had ended by then.

        Raises NotOnFile: no such fetch; says which ones are on file.
        """
        row = self._ledger.first(
            "SELECT start, stop, began FROM session WHERE name = ? AND start <= ? AND stop >= ? AND ended <= ?"
            " ORDER BY ended DESC, id DESC LIMIT 1",
            (name, iso(span[0]), iso(span[1]), as_text(as_of)),
        )
        if row is None:
            first, count = self._ledger.first("SELECT MIN(ended), COUNT(*) FROM session WHERE name = ?", (name,))
            on_file = f"{count} fetches of it are on file, the first of {first[:16]}Z" if count else "none is on file"
            hours = f"{iso(span[0])} to {iso(span[1])}"
            raise NotOnFile(f"no fetch of {name} over {hours} had ended by {as_of:%Y-%m-%dT%H:%MZ}; {on_file}")
        start, stop = (np.datetime64(t.rstrip("Z"), "ns") for t in row[:2])
        return (start, stop), datetime.fromisoformat(row[2])

    def _path(self, source: str, sha: str) -> Path:
        return self.folder / source / sha[:2] / sha


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

    def first(self, sql: str, values: tuple[object, ...]) -> Any:
        """The first row that a query gives, or None."""
        with self.transaction() as db:
            return db.execute(sql, values).fetchone()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the statements inside at once or not at all."""
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


class NotOnFile(SourceError):
    """A replay of what nobody had fetched by then."""

    def __init__(self, reason: str) -> None:
        super().__init__("archive", "empty", reason)
