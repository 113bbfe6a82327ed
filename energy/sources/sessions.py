"""Fetches as wholes: for whom, over which hours, begun and ended when; what a replay goes by.

The questions of a fetch depend on its hours and on the moment it began (how far measurements reach, which
host has which days). A replay therefore asks what the last fetch that covers its hours asked, under that
fetch's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from energy.sources.answer import SourceError
from energy.sources.clock import Span, iso
from energy.sources.ledger import Ledger, as_text


@dataclass(frozen=True)
class Session:
    """One finished fetch: its hours (UTC) and when it began (UTC, naive)."""

    span: Span
    began: datetime


class NotOnFile(SourceError):
    """A replay of what nobody had fetched by then."""

    def __init__(self, reason: str) -> None:
        super().__init__("archive", "empty", reason)


class Sessions:
    """The fetches that a ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def note(self, name: str, span: Span, began: datetime, ended: datetime) -> None:
        """Put a finished fetch on file."""
        row = (name, iso(span[0]), iso(span[1]), as_text(began), as_text(ended))
        with self._ledger.transaction() as db:
            db.execute("INSERT INTO session (name, start, stop, began, ended) VALUES (?, ?, ?, ?, ?)", row)

    def known(self, name: str, span: Span, as_of: datetime) -> Session:
        """The last fetch for `name` that covers the hours and had ended by then.

        Raises
        ------
        NotOnFile : there is none; says what there is.
        """
        with self._ledger.transaction() as db:
            row = db.execute(
                "SELECT start, stop, began FROM session WHERE name = ? AND start <= ? AND stop >= ? AND ended <= ?"
                " ORDER BY ended DESC, id DESC LIMIT 1",
                (name, iso(span[0]), iso(span[1]), as_text(as_of)),
            ).fetchone()
            first, count = db.execute("SELECT MIN(ended), COUNT(*) FROM session WHERE name = ?", (name,)).fetchone()
        if row is None:
            on_file = f"{count} fetches of it are on file, the first of {first[:16]}Z" if count else "none is on file"
            hours = f"{iso(span[0])} to {iso(span[1])}"
            raise NotOnFile(f"no fetch of {name} over {hours} had ended by {as_of:%Y-%m-%dT%H:%MZ}; {on_file}")
        start, stop = (np.datetime64(t.rstrip("Z"), "ns") for t in row[:2])
        return Session((start, stop), datetime.fromisoformat(row[2]))
