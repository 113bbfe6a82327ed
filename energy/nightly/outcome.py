from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy.errors import UNPUBLISHED


@dataclass
class Known:
    """Series of one night from HISTORY_DAYS before the delivery day to the horizon's end.

    Attributes
    ----------
    tables : by name (zone, site, ``carbon <zone>``): values, `quality`, and `real`: neither filled nor forecast
    reasons : what makes the night DEGRADED, in words
    notes : what does not
    fallback_hours : hours of the delivery day that are not real though they should be, by kind and name
    forecast_hours : hours of the horizon that is planned whose prices are forecast, of the zone with most
    forecast_error : of the price forecast of late, by days ahead, relative to last week's hour
    """

    known_at: np.datetime64
    known_until: np.datetime64
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fallback_hours: dict[str, dict[str, float]] = field(default_factory=lambda: {"price": {}, "weather": {}})
    forecast_hours: int = 0
    forecast_error: dict[str, float] = field(default_factory=dict)

    def real(self, begin: np.datetime64, end: np.datetime64) -> list[str]:
        """Names of the series that are not real throughout [begin, end)."""
        return [n for n, t in self.tables.items() if not t.loc[(t.index >= begin) & (t.index < end), "real"].all()]

    def count_forecast(self, zones: list[str], begin: np.datetime64, end: np.datetime64) -> None:
        """Set `forecast_hours` to those within [begin, end)."""
        inside = {z: (t.index >= begin) & (t.index < end) for z, t in self.tables.items() if z in zones}
        forecast = {z: (self.tables[z]["quality"] == "forecast").to_numpy() & at for z, at in inside.items()}
        self.forecast_hours = max((int(hours_of(self.tables[z], at)) for z, at in forecast.items()), default=0)


@dataclass
class Night:
    """How a night ended.

    Attributes
    ----------
    code : exit code
    folder : the published folder, of this run or of the same inputs before; None when nothing was published
    unchanged : the same inputs were published before, nothing was done
    """

    day: date
    status: str
    rung: str = "nothing"
    code: int = UNPUBLISHED
    run_id: str | None = None
    folder: Path | None = None
    reasons: list[str] = field(default_factory=list)
    unchanged: bool = False
    solve_seconds: float = 0.0
    night: dict[str, Any] | None = None


def hours_of(table: pd.DataFrame, which: object) -> float:
    """Length of the rows chosen by a mask [h]."""
    step = float((table.index[1] - table.index[0]).total_seconds() / 3600)
    return float(np.asarray(which).sum()) * step


#: The two policies with books of their own.
PLAN, RUN_NOW = "plan", "run_now"
