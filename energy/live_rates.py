"""Exchange rates of a live night: those fetched, and for a currency that no bank gave the last night's, while it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from energy.inputs.fx import Rate

#: Age beyond which a bank's rate is no rate of the day any more [days]; sources.exchange.CARRY_DAYS says the same of a fetch.
LONGEST_DAYS = 7


def carried(
    before: dict[str, Rate], lacking: Iterable[str], day: date
) -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
    """Rates of the last night that stand in, with notes on them and reasons against them.

    Parameters
    ----------
    before : rates of the case of the last night
    lacking : currencies that are needed, and that nobody gave now
    day : delivery day; its night knows the rates of the day before, and a later day's are not for it
    """
    rates: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    reasons: list[str] = []
    for currency in sorted(set(lacking) & set(before)):
        rate = before[currency]
        of = _day_of(rate.source)
        if of is not None and of > day - timedelta(days=1):
            continue
        rates[currency] = rate.model_dump(exclude_none=True)
        words = f"exchange rate of {currency}: no bank gave one; {rate.source!r} of the last night stands in"
        old = of is None or (day - timedelta(days=1) - of).days > LONGEST_DAYS
        (reasons if old else notes).append(f"{words}, more than {LONGEST_DAYS} days old" if old and of else words)
    return rates, notes, reasons


def _day_of(source: str) -> date | None:
    """The day at the end of a fetched rate's source, such as ``ecb 2026-11-24``; None for any other."""
    try:
        return date.fromisoformat(source.rpartition(" ")[2])
    except ValueError:
        return None
