"""Exchange rates: fixed, or a dated series of which the last published rate holds."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from energy.errors import SeriesError
from energy.inputs.yaml_files import Frozen
from energy.schema import Floats, Times
from energy.series.files import read_series
from energy.series.vintage import rates_known, too_old


class Rate(Frozen):
    """EUR per unit of a currency: a fixed figure, or a column of a file with a row per day (UTC)."""

    eur_per_unit: float | None = Field(default=None, gt=0, le=1000)
    file: str | None = None
    column: str | None = None
    source: str = Field(min_length=3)
    attribution: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.eur_per_unit is None) == (self.file is None) or (self.file is None) != (self.column is None):
            raise ValueError("a rate has eur_per_unit, or file and column")
        return self


@dataclass(frozen=True)
class Fx:
    """Rates by currency: dates (UTC midnights, rising) and EUR per unit from each date on.

    `complaints` say which cells are no numbers and which series end long before the horizon: rates held on from before.
    """

    dates: dict[str, Times]
    rates: dict[str, Floats]
    complaints: tuple[str, ...] = ()

    def at(self, currency: str, time: Times) -> Floats:
        """EUR per unit on the UTC day of each period, shape (T,): the last rate published by then."""
        if currency == "EUR":
            return np.ones(len(time))
        position = np.searchsorted(self.dates[currency], time, side="right") - 1
        return self.rates[currency][position]


def read_fx(given: dict[str, Rate], folder: Path, start: np.datetime64, as_of: datetime | None = None) -> Fx:
    """Read every rate of a case; with `as_of` (UTC, naive) only those published by then.

    Raises
    ------
    SeriesError : a file that begins after the horizon, or a rate that is not a positive number.
    """
    dates: dict[str, Times] = {}
    rates: dict[str, Floats] = {}
    complaints: list[str] = []
    for currency, rate in given.items():
        if rate.eur_per_unit is not None:
            dates[currency], rates[currency] = np.array(["1900-01-01"], "datetime64[ns]"), np.array([rate.eur_per_unit])
        else:
            path, column = folder / str(rate.file), str(rate.column)
            table = read_series(path)
            dates[currency], rates[currency] = _series(path, table, column, start, as_of)
            complaints += _complaints(
                f"exchange rate of {currency}: {path.name}: {column}", table[column], dates[currency], start
            )
    return Fx(dates, rates, tuple(complaints))


def _complaints(where: str, cells: pd.Series, dates: Times, start: np.datetime64) -> list[str]:
    """Cells that hold something that is no number, and a last rate too old for the horizon."""
    wrong = cells[pd.to_numeric(cells, errors="coerce").isna() & cells.notna() & (cells.astype(str).str.strip() != "")]
    out = []
    if len(wrong):
        first = f"{str(wrong.iloc[0])[:40]!r} on {pd.Timestamp(wrong.index[0]):%Y-%m-%d}"
        out.append(f"{where}: {len(wrong)} cells are no numbers, the first {first}; the rate before holds on")
    if why := too_old("fx", dates[-1], start):
        out.append(f"{where}: {why}; its last rate holds on")
    return out


def _series(
    path: Path, table: pd.DataFrame, column: str, start: np.datetime64, as_of: datetime | None
) -> tuple[Times, Floats]:
    if column not in table:
        raise SeriesError(f"{path}: header", f"no column {column!r}", f"one of {list(table.columns)[:12]}")
    rates = pd.to_numeric(table[column], errors="coerce").dropna()  # days without a publication have none
    rates = rates[rates_known(pd.DatetimeIndex(rates.index), as_of)]
    if rates.empty or not (rates > 0).all():
        raise SeriesError(
            f"{path}: {column}", "has a rate that is not above 0, or none at all", "EUR per unit, above 0"
        )
    dates = rates.index.to_numpy().astype("datetime64[ns]")
    if dates[0] > start:
        raise SeriesError(
            f"{path}: {column}", f"begins on {dates[0]}, after the horizon's start", "a rate at or before the start"
        )
    return dates, rates.to_numpy(dtype=float)
