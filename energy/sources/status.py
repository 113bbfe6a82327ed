"""The table of `energy sources`: what each gives, on what terms, and how fresh what we have of it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.sources.client.http import Client

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


def rows(client: Client) -> list[Row]:
    """All sources of a client's catalogue; of a key the variable and whether it is set, never its value."""
    out = []
    for source in client.sources.values():
        health, key = client.health(source.name), "none needed"
        success = f"{health.last_ok:%Y-%m-%d %H:%M}Z" if health.last_ok else "never"
        failure = f"{health.last_failure:%Y-%m-%d %H:%M}Z: {health.reason}" if health.last_failure else ""
        age = client.now() - np.datetime64(health.last_ok, "ns") if health.last_ok else None
        if source.key:
            state = "set" if client.has_key(source.name) else "missing"
            key = f"{source.key.variable} ({state})" + ("" if source.key.needed else ", for commercial use")
        out.append(Row(
            source.name, source.gives, client.settings.base_url(source), key, source.commercial, source.licence,
            source.attribution, success, freshness(age / np.timedelta64(1, "h") if age is not None else None), failure,
        ))  # fmt: skip
    return out


def freshness(age_h: float | None) -> str:
    """An age in words."""
    if age_h is None:
        return "nothing yet"
    age = f"{age_h * 60:.0f} min" if age_h < 1 else (f"{age_h:.0f} h" if age_h < 48 else f"{age_h / 24:.0f} days")
    return f"{'fresh' if age_h <= FRESH_H else 'old'}, {age}"
