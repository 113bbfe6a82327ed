"""Raw answers with their fetch times, so that any night can be replayed as it was known then.

Bodies are files named by their SHA-256; the ledger says which question got which of them, when, and which
questions got none. A question is source, path and parameters: neither host nor credential is part of it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from energy.sources.answer import Answer, Kind, SourceError
from energy.sources.ledger import Ledger, as_text


@dataclass(frozen=True)
class Health:
    """When a source last gave data and when it last failed (UTC, naive), with the reason."""

    last_ok: datetime | None
    last_failure: datetime | None
    reason: str


def question(source: str, path: str, params: Mapping[str, str]) -> str:
    """One line that names a request for good."""
    return f"{source} {path}?{urlencode(sorted(params.items()))}"


class Archive:
    """Raw answers under one folder."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.folder, self._ledger = folder, ledger

    def keep(self, asked: str, at: datetime, answer: Answer) -> None:
        """Note what a question got at a time; the body is stored once."""
        sha = hashlib.sha256(answer.body).hexdigest()
        path = self._path(answer.source, sha)
        if not path.exists():
            _write(path, answer.body)
        came = (sha, as_text(answer.fetched_at), answer.stale)
        self._insert((answer.source, asked, as_text(at), answer.kind, answer.note, *came))

    def keep_failure(self, asked: str, at: datetime, error: SourceError) -> None:
        """Note that a question got no data, and why."""
        self._insert((error.source, asked, as_text(at), error.kind, error.reason, None, None, False))

    def _insert(self, row: tuple[object, ...]) -> None:
        names = "source, question, at, kind, reason, sha, fetched_at, stale"
        with self._ledger.transaction() as db:
            db.execute(f"INSERT INTO delivery ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def known(self, source: str, asked: str, as_of: datetime) -> Answer:
        """What the question had got by then.

        Raises
        ------
        SourceError : of the kind noted then; or (empty) where it had not been asked yet.
        """
        with self._ledger.transaction() as db:
            row = db.execute(
                "SELECT kind, reason, sha, fetched_at, stale FROM delivery WHERE question = ? AND at <= ?"
                " ORDER BY at DESC, id DESC LIMIT 1",
                (asked, as_text(as_of)),
            ).fetchone()
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

    def nothing(self, source: str, asked: str, since: datetime) -> Answer | None:
        """The last answer to a question, if it was "nothing there" and came after `since`."""
        with self._ledger.transaction() as db:
            row = db.execute(
                "SELECT kind, reason, sha, fetched_at, at FROM delivery WHERE question = ? ORDER BY id DESC LIMIT 1",
                (asked,),
            ).fetchone()
        if row is None or row[0] != "empty" or row[2] is None or row[4] < as_text(since):
            return None
        return self._read(source, "empty", row[1], row[2], datetime.fromisoformat(row[3]), stale=False)

    def health(self, source: str, as_of: datetime) -> Health:
        """Last success and last failure of a source by then.

        An answer that its server confirmed (304) is a success of that moment, however old its body is.
        """
        ok = self._last(source, "kind = 'ok' AND stale = 0", as_of)
        bad = self._last(source, "(kind NOT IN ('ok', 'empty') OR stale = 1)", as_of)
        return Health(_time(ok[0]), _time(bad[0]), bad[1])

    def _last(self, source: str, which: str, as_of: datetime) -> tuple[str, str]:
        """Time and reason of the newest such delivery by then; of several at one time the one noted last."""
        with self._ledger.transaction() as db:
            row = db.execute(
                f"SELECT at, reason FROM delivery WHERE source = ? AND at <= ? AND {which}"
                " ORDER BY at DESC, id DESC LIMIT 1",
                (source, as_text(as_of)),
            ).fetchone()
        return row or ("", "")

    def _path(self, source: str, sha: str) -> Path:
        return self.folder / source / sha[:2] / sha


def _write(path: Path, body: bytes) -> None:
    """Write beside the place and rename into it: a killed process leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    Path(name).replace(path)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
