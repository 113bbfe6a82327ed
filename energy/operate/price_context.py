"""What the prices of the delivery day are against those of the last weeks: by zone, real hours alone."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from energy.inputs.nightly import Nightly
from energy.inputs.tables import read_series
from energy.operate.ahead import GUESSED

#: Days before the delivery day that it is set against: a week, and four whole ones for the season.
WEEK, WEEKS = 7, 28


def price_context(config: Nightly, prices: Path, day: date) -> list[dict[str, Any]]:
    """Mean, extremes and hours below zero of the day [currency per MWh], and means of the weeks before; None: not known.

    Parameters
    ----------
    prices : the night's kept prices.csv

    Raises
    ------
    SeriesError : it cannot be read.
    """
    table = read_series(prices)
    return [
        {"zone": zone, "currency": spec.currency} | _zone(config, _real(table, zone), day)
        for spec in config.prices
        for zone in spec.zones
    ]


def _real(table: pd.DataFrame, zone: str) -> pd.Series[float]:
    """Prices of the hours that are neither forecast nor filled."""
    known = pd.to_numeric(table[zone]).astype(float)
    return known[known.notna() & ~table[f"{zone}_quality"].isin(GUESSED)]


def _zone(config: Nightly, real: pd.Series[float], day: date) -> dict[str, Any]:
    def within(first: date, after: date) -> pd.Series[float]:
        return real[(real.index >= config.begin(first)) & (real.index < config.begin(after))]

    now = within(day, day + timedelta(days=1))
    before = {f"mean_{n}_days": _mean(within(day - timedelta(days=n), day)) for n in (WEEK, WEEKS)}
    return {
        "mean": _mean(now), **before,
        "lowest": float(now.min()) if len(now) else None, "lowest_at": _at(now.idxmin()) if len(now) else None,
        "highest": float(now.max()) if len(now) else None, "highest_at": _at(now.idxmax()) if len(now) else None,
        "hours": len(now) * _step(real), "hours_below_zero": float((now < 0).sum()) * _step(real),
    }  # fmt: skip


def _mean(values: pd.Series[float]) -> float | None:
    return float(values.mean()) if len(values) else None


def _at(moment: Any) -> str:
    return f"{pd.Timestamp(moment).isoformat()}Z"


def _step(real: pd.Series[float]) -> float:
    """Length of a period [h]."""
    if len(real) < 2:
        return 1.0
    return float(pd.Series(real.index).diff().mode().iloc[0].total_seconds() / 3600)
