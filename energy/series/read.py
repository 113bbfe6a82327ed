"""One series of a file over a horizon: read, cut to what was known, put on its own grid, filled on request, labelled.

Each interval keeps its quality; nothing is filled unasked. Series stay at their own resolution and in their own currency.
Every reader raises SeriesError, which names file, column and the first hour at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.schema import QUALITY
from energy.series import quality_control
from energy.series.files import read_series
from energy.series.gap_filling import Rule, earlier_day, fill, hold_last, interpolate
from energy.series.labels import flags
from energy.series.resample import minutes, to_horizon
from energy.series.vintage import as_known

#: Columns in other units, converted to pvlib's names: (name, factor).
VARIABLE_MAP = {"pressure_mbar": ("pressure", 100.0), "pressure_hpa": ("pressure", 100.0),
                "wind_speed_km_per_h": ("wind_speed", 1 / 3.6)}  # fmt: skip
#: Humidity in any of these; the first that the file has is used.
HUMIDITY = ("temp_dew", "relative_humidity", "temp_wet_bulb")
#: What a solar array needs beside dry bulb; read only for sites that have one.
SUN = ("ghi", "dni", "dhi", "wind_speed")


@dataclass(frozen=True)
class Scope:
    """Part of a file that is read.

    Attributes
    ----------
    start, end : of the horizon (UTC), the end exclusive
    fill : fill gaps and label the intervals, instead of refusing them
    as_of : leave out what was not known at this moment (UTC, naive; rules in `vintage.py`)
    """

    start: np.datetime64
    end: np.datetime64
    fill: bool = False
    as_of: datetime | None = None


def read_price(path: Path, column: str, quality: str, scope: Scope, currency: str, per_mwh: bool) -> xr.Dataset:
    """`value` per MWh of one zone.

    Parameters
    ----------
    quality : of intervals to which the file gives none
    per_mwh : the unit is stated: small prices are not taken for prices per kWh
    """
    table = read_series(path)
    limit = quality_control.PRICE_LIMIT
    raw = numbers(path, table, column)
    values = quality_control.in_range(path, column, raw, -limit, limit, f"{currency}/MWh")
    if not per_mwh:
        quality_control.refuse_per_kwh(path, column, values)
    return _one_column(path, table, column, values, quality, scope, price=True)


def read_carbon(path: Path, column: str, quality: str, scope: Scope, factor: float) -> xr.Dataset:
    """`value` [t/MWh] of one zone, the column times `factor`."""
    table = read_series(path)
    scaled = numbers(path, table, column) * factor
    values = quality_control.in_range(path, column, scaled, *quality_control.CARBON_RANGE)
    return _one_column(path, table, column, values, quality, scope, price=False)


def _one_column(
    path: Path, table: pd.DataFrame, column: str, values: pd.Series, quality: str, scope: Scope, price: bool
) -> xr.Dataset:
    known = as_known(values.to_frame("value"), table.get(f"{column}_quality", quality), scope.as_of, price)
    part, step_h = _labelled(path, known, table, column, f"{column}_quality", quality, scope)
    return _dataset(_filled(path, column, part, step_h, scope, [earlier_day(known.dropna()), hold_last(step_h)]))


def read_weather(
    path: Path, quality: str, scope: Scope, year: int, sunny: bool = False, dew_point_from_minimum: bool = False
) -> xr.Dataset:
    """`temp_air`, one humidity variable, `pressure` where the file has it; `sunny` adds irradiance and wind if there.

    Parameters
    ----------
    year : on which a typical year is put
    dew_point_from_minimum : the dew point is taken from the lowest dry bulb of each day, and the series is a proxy
    """
    table = read_series(path, year)
    for name, (standard, factor) in VARIABLE_MAP.items():
        if name in table and standard not in table:
            table = table.assign(**{standard: numbers(path, table, name) * factor})
    if dew_point_from_minimum:
        table = table.assign(temp_dew=dew_point_daily_minimum(numbers(path, table, "temp_air")))
    humidity = next((h for h in HUMIDITY if h in table), None)
    if humidity is None:
        allowed = f"{', '.join(HUMIDITY)}, or humidity: dew_point_daily_minimum"
        raise SeriesError(f"{path}: header", "no humidity", allowed)
    names = ["temp_air", humidity, *(n for n in ("pressure", *(SUN if sunny else ())) if n in table)]
    frame = pd.DataFrame(
        {n: quality_control.in_range(path, n, numbers(path, table, n), *quality_control.RANGES[n]) for n in names}
    )
    known = as_known(frame, table.get("quality", quality), scope.as_of, price=False)
    part, step_h = _labelled(path, known, table, "weather", "quality", quality, scope)
    if dew_point_from_minimum:
        worst = np.maximum(flags(part["quality"]), QUALITY.index("proxy"))
        part = part.assign(quality=np.array(QUALITY)[worst])
    whole = _filled(path, "weather", part, step_h, scope, [interpolate(step_h), earlier_day(known.dropna())])
    quality_control.refuse_supersaturated(path, whole, humidity)
    return _dataset(whole)


def numbers(path: Path, table: pd.DataFrame, name: str) -> pd.Series:
    """A column as numbers, NaN for empty cells; SeriesError where it is not there or a cell is no finite number."""
    if name not in table:
        raise SeriesError(f"{path}: header", f"no column {name!r}", f"one of {list(table.columns)[:12]}")
    values = pd.to_numeric(table[name], errors="coerce").astype(float)
    bad = (values.isna() & table[name].notna()) | np.isinf(values)
    if bad.any():
        at = int(np.argmax(bad.to_numpy()))
        where, found = f"{path}: {name} at {table.index[at]}Z", str(table[name].iloc[at])
        raise SeriesError(where, f"{found!r} is no number", "a finite number, or an empty cell outside the horizon")
    return values


def dew_point_daily_minimum(temp_air: pd.Series) -> pd.Series:
    """Dew point = lowest dry bulb of each UTC day (Kimball et al. 1997, without the aridity correction).

    The minimum stands at its hour and the dew point runs straight from one to the next, so that it does not
    jump at midnight; it is never above the dry bulb.
    """
    known = temp_air.dropna()
    coldest = known.groupby(pd.DatetimeIndex(known.index).floor("D")).idxmin()
    joined = known.where(known.index.isin(coldest)).interpolate(method="time", limit_direction="both")
    return joined.clip(upper=known).reindex(temp_air.index)


def _labelled(
    path: Path, known: pd.DataFrame, table: pd.DataFrame, name: str, column: str, quality: str, scope: Scope
) -> tuple[pd.DataFrame, float]:
    """The values over the horizon with the quality of each interval, and their step [h]: the file's `column`, else `quality`."""
    part, step = to_horizon(path, known, name, scope.start, scope.end)
    labels = table[column].reindex(part.index).fillna(quality) if column in table else quality
    if unknown := sorted(set(labels) - set(QUALITY) if column in table else (), key=str):
        raise SeriesError(f"{path}: {column}", f"unknown quality {unknown[0]!r}", ", ".join(QUALITY))
    return part.assign(quality=labels), step / pd.Timedelta(hours=1)


def _filled(
    path: Path, name: str, part: pd.DataFrame, step_h: float, scope: Scope, rules: Sequence[Rule]
) -> pd.DataFrame:
    """The part without gaps: filled by the rules where that is asked for; SeriesError where a gap may not, or cannot, be filled."""
    gaps = part.isna().any(axis=1).to_numpy()
    if not scope.fill and gaps.any():
        lacking = ", ".join(str(c) for c in part if c != "value" and part[c].isna().any())
        count, first = f"{int(gaps.sum())} of {len(gaps)} periods", part.index[int(np.argmax(gaps))]
        raise SeriesError(
            f"{path}: {name}" + (f" ({lacking})" if lacking else ""),
            f"{count} of {minutes(step_h)} are missing or NaN, the first at {first}Z",
            "a value for every period of the horizon; or --fill, which fills and labels them",
        )
    out, gaps = fill(part, gaps, rules)
    if gaps.any():
        first = out.index[int(np.argmax(gaps))]
        raise SeriesError(f"{path}: {name}", f"cannot be filled at {first}Z: no value on any of the days before it")
    return out


def _dataset(whole: pd.DataFrame) -> xr.Dataset:
    data = {str(n): ("time", whole[n].to_numpy(dtype=float)) for n in whole if n != "quality"}
    quality = ("time", flags(whole["quality"]))
    return xr.Dataset(data | {"quality": quality}, {"time": whole.index.to_numpy().astype("datetime64[ns]")})
