"""The table of `energy sources`: what each gives, on what terms, and how fresh what we have of it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from energy.sources.client.http import Client
from energy.sources.client.settings import Source

#: Older than this an answer is no longer what a nightly run should plan with [h].
FRESH_H = 26.0


@dataclass(frozen=True)
class Row:
    """One source as a user sees it."""

    name: str
    gives: str
    address: str
    key: str
    commercial: str
    licence: str
    attribution: str
    last_success: str
    freshness: str
    last_failure: str

    def as_dict(self) -> dict[str, str]:
        """The row for JSON."""
        return asdict(self)


#: Column titles for a narrow table, in order: attribute -> title.
TITLES = {"name": "source", "gives": "gives", "key": "key", "commercial": "commercial use", "licence": "licence",
          "attribution": "attribution", "last_success": "last success", "freshness": "freshness"}  # fmt: skip


def rows(client: Client) -> list[Row]:
    """All sources of a client's catalogue."""
    return [_row(client, source) for source in client.sources.values()]


def _row(client: Client, source: Source) -> Row:
    health = client.health(source.name)
    success = f"{health.last_ok:%Y-%m-%d %H:%M}Z" if health.last_ok else "never"
    failure = f"{health.last_failure:%Y-%m-%d %H:%M}Z: {health.reason}" if health.last_failure else ""
    now = client.now()
    age_h = float((now - np.datetime64(health.last_ok, "ns")) / np.timedelta64(1, "h")) if health.last_ok else None
    address = client.settings.base_url(source)
    return Row(source.name, source.gives, address, _key(client, source), source.commercial, source.licence,
               source.attribution, success, freshness(age_h), failure)  # fmt: skip


def _key(client: Client, source: Source) -> str:
    """None needed; or the variable and whether it is set - never its value."""
    if source.key is None:
        return "none needed"
    state = "set" if client.has_key(source.name) else "missing"
    return f"{source.key.variable} ({state})" + ("" if source.key.needed else ", for commercial use")


def freshness(age_h: float | None) -> str:
    """An age in words."""
    if age_h is None:
        return "nothing yet"
    age = f"{age_h * 60:.0f} min" if age_h < 1 else (f"{age_h:.0f} h" if age_h < 48 else f"{age_h / 24:.0f} days")
    return f"{'fresh' if age_h <= FRESH_H else 'old'}, {age}"
