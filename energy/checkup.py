"""`energy doctor`: what a night needs on this machine, and of a live night its sources: keys, and how fresh they are."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from energy.fetch import CACHE
from energy.operate import doctor
from energy.operate.config import Place
from energy.operate.doctor import Finding, Looks, Warns
from energy.operate.errors import NightError
from energy.operate.looks import LOOKS
from energy.sources.catalogue import SOURCES
from energy.sources.secret import CredentialError
from energy.sources.settings import CONTACT_VARIABLE, Settings, from_environment
from energy.sources.status import freshness


def examine(place: Place) -> list[Finding]:
    """Every look, those at live sources where they are fetched; nothing is asked and nothing is made."""
    live: Looks = (("keys of sources", _keys), ("sources", _sources)) if place.config.live else ()
    return doctor.examine(place, (*LOOKS, *live))


def _settings() -> Settings:
    try:
        return from_environment(CACHE, SOURCES)
    except CredentialError as e:
        raise NightError(str(e)) from None


def _keys(_: Place) -> str:
    """Which variables are set, by name alone."""
    settings = _settings()
    keys = {s.key.variable: name for name, s in SOURCES.items() if s.key}
    missing = [f"{v} ({keys[v]})" for v in keys if settings.credentials.get(v) is None]
    missing += [] if settings.contact else [f"{CONTACT_VARIABLE} (met_norway asks to be told who asks)"]
    if missing:
        raise Warns(f"not set: {', '.join(missing)}; those sources are left out where they need it (docs/sources.md)")
    return f"{len(keys)} and the contact are set"


def _sources(_: Place) -> str:
    """Last success of each source, from the ledger of what was asked."""
    ledger = Path(CACHE / "ledger.sqlite").absolute()
    if not ledger.is_file():
        return f"nothing was fetched yet from this folder ({Path.cwd()})"
    last = _last_success(ledger)
    ages = {name: (datetime.now(UTC).replace(tzinfo=None) - at) / timedelta(hours=1) for name, at in last.items()}
    words = "; ".join(f"{name} {freshness(age)}" for name, age in sorted(ages.items(), key=lambda x: x[1]))
    if not ages or freshness(min(ages.values())).startswith("old"):
        raise Warns(f"{words or 'not one has ever answered'}; energy sources tells the last failure of each")
    return words


def _last_success(ledger: Path) -> dict[str, datetime]:
    """When each source last gave data (UTC), looked up without writing.

    Raises
    ------
    NightError : the ledger cannot be read.
    """
    query = "SELECT source, max(at) FROM delivery WHERE kind = 'ok' AND stale = 0 GROUP BY source"
    way = "mode=ro" if os.access(ledger.parent, os.W_OK) else "mode=ro&immutable=1"  # WAL wants a file beside it
    try:
        with closing(sqlite3.connect(f"file:{ledger}?{way}", uri=True)) as connection:
            return {name: datetime.fromisoformat(at) for name, at in connection.execute(query)}
    except (sqlite3.Error, ValueError) as e:
        raise NightError(f"{ledger}: cannot be read ({e}); move it aside, the next fetch makes it anew") from None
