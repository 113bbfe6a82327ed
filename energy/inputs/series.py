"""Price, weather and carbon series over the horizon: each hour with its quality, nothing filled unasked.

Series stay at their own resolution and in their own currency here; `problem` aligns and converts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.inputs.case import CarbonFile, Case, HorizonDays, PriceFile, WeatherFile
from energy.schema import QUALITY
from energy.series.files import read_series
from energy.series.gap_filling import cover, fill_prices, fill_weather, qualities
from energy.series.vintage import as_known

#: Below this median of a whole column [currency per MWh] a price column is taken for a price per kWh:
#: no zone of the data we know has a yearly median under 5 per MWh, and 1 per kWh would be a very dear kWh.
KWH_MEDIAN = 1.0
#: Largest price of any market in any currency [per MWh]; what is larger is a slip of the keyboard.
PRICE_LIMIT = 1e6
#: Columns in other units, converted to pvlib's names: (name, factor).
VARIABLE_MAP = {"pressure_mbar": ("pressure", 100.0), "pressure_hpa": ("pressure", 100.0),
                "wind_speed_km_per_h": ("wind_speed", 1 / 3.6)}  # fmt: skip
#: Humidity in any of these; the first that the file has is used.
HUMIDITY = ("temp_dew", "relative_humidity", "temp_wet_bulb")
#: Highest relative humidity taken for saturated air [%]: humid stations report a little above 100.
MAX_RELATIVE_HUMIDITY = 105.0
#: Allowed range of a weather variable and its unit.
RANGES = {"temp_air": (-60.0, 60.0, "°C"), "temp_dew": (-80.0, 40.0, "°C"), "temp_wet_bulb": (-60.0, 45.0, "°C"),
          "relative_humidity": (0.0, MAX_RELATIVE_HUMIDITY, "%"), "pressure": (5e4, 1.1e5, "Pa"),
          "ghi": (0.0, 1600.0, "W/m²"), "dni": (0.0, 1600.0, "W/m²"), "dhi": (0.0, 1600.0, "W/m²"), "wind_speed": (0.0, 90.0, "m/s")}  # fmt: skip
#: What a solar array needs beside dry bulb; read only for sites that have one.
SUN = ("ghi", "dni", "dhi", "wind_speed")
#: Dew point or wet bulb may stand above dry bulb by this much [K], the rounding of sensors and reanalyses.
SUPERSATURATION = 0.5
#: Allowed range of a carbon intensity; lignite emits 1.2.
CARBON_RANGE = (0.0, 2.0, "t/MWh")


@dataclass(frozen=True)
class Series:
    """All series of a case: Datasets over `time` with `value` (or weather variables) and `quality`.

    Attributes
    ----------
    prices : by bidding zone; `value` per MWh in the currency of ``attrs["currency"]``
    weather : by site; `temp_air`, one humidity variable, `pressure` where the file has it
    carbon : by bidding zone; `value` [t/MWh]
    """

    prices: dict[str, xr.Dataset]
    weather: dict[str, xr.Dataset]
    carbon: dict[str, xr.Dataset]


def read_all(
    case: Case, folder: Path, fill: bool = False, sunny: frozenset[str] = frozenset(), as_of: datetime | None = None
) -> Series:
    """Read every series of a case over its horizon.

    Parameters
    ----------
    folder : what the paths in the case are relative to
    fill : fill gaps and label the hours, instead of refusing them
    sunny : sites with a solar array, whose weather needs irradiance and wind where the file has them
    as_of : leave out what was not known at this moment (UTC, naive; rules in `known.py`)

    Raises
    ------
    SeriesError : names file, column and the first hour at fault.
    """
    prices: dict[str, xr.Dataset] = {}
    for spec in case.prices:
        for zone in spec.zones:
            prices[zone] = _price(folder / spec.file, zone, spec, case.horizon, fill, as_of)
    weather = {
        site: read_weather(folder / w.file, w, case.horizon, fill, site in sunny, as_of)
        for site, w in case.weather.items()
    }
    carbon = {zone: _carbon(folder / c.file, c, case.horizon, fill, as_of) for zone, c in case.carbon.items()}
    return Series(prices, weather, carbon)


def _dataset(
    columns: dict[str, np.ndarray], index: pd.Index, quality: np.ndarray, spec: object, name: str
) -> xr.Dataset:
    data = {k: ("time", np.asarray(v, dtype=float)) for k, v in columns.items()}
    ds = xr.Dataset(data | {"quality": ("time", quality)}, {"time": index.to_numpy().astype("datetime64[ns]")})
    for key in ("source", "licence", "attribution", "file", "currency"):
        if hasattr(spec, key):
            ds.attrs[key] = getattr(spec, key)
    return ds.assign_attrs(series=name)


def _column(path: Path, table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        raise SeriesError(f"{path}: header", f"no column {name!r}", f"one of {list(table.columns)[:12]}")
    numbers = pd.to_numeric(table[name], errors="coerce").astype(float)
    text = numbers.isna() & table[name].notna()
    bad = text | np.isinf(numbers)
    if bad.any():
        at = int(np.argmax(bad.to_numpy()))
        where, found = f"{path}: {name} at {table.index[at]}Z", str(table[name].iloc[at])
        raise SeriesError(where, f"{found!r} is no number", "a finite number, or an empty cell outside the horizon")
    return numbers


def _price(
    path: Path, zone: str, spec: PriceFile, horizon: HorizonDays, fill: bool, as_of: datetime | None
) -> xr.Dataset:
    table = read_series(path)
    name = spec.columns.get(zone, zone)
    whole = _in_range(path, name, _column(path, table, name), -PRICE_LIMIT, PRICE_LIMIT, f"{spec.currency}/MWh")
    median = float(whole.abs().median())
    if spec.unit is None and median < KWH_MEDIAN:
        raise SeriesError(
            f"{path}: {name}",
            f"median {median:.4g} looks like a price per kWh",
            "prices per MWh; if they are, say so with unit: per_mwh in the case file",
        )
    whole = as_known(whole.to_frame(), table.get(f"{name}_quality", spec.quality), as_of, price=True)[whole.name]
    part = cover(path, whole.to_frame("value"), name, *horizon.bounds())
    quality = qualities(path, table, f"{name}_quality", spec.quality, part)
    part, quality = fill_prices(path, name, whole, part, quality) if fill else (part.complete(), quality)
    return _dataset({"value": part.frame["value"].to_numpy()}, part.frame.index, quality, spec, f"price {zone}")


def _carbon(path: Path, spec: CarbonFile, horizon: HorizonDays, fill: bool, as_of: datetime | None) -> xr.Dataset:
    table = read_series(path)
    whole = _column(path, table, spec.column) * (1e-3 if spec.unit == "g_per_kwh" else 1.0)
    whole = _in_range(path, spec.column, whole, *CARBON_RANGE)
    quality_of = table.get(f"{spec.column}_quality", spec.quality)
    whole = as_known(whole.to_frame(), quality_of, as_of, price=False)[whole.name]
    part = cover(path, whole.to_frame("value"), spec.column, *horizon.bounds())
    quality = qualities(path, table, f"{spec.column}_quality", spec.quality, part)
    part, quality = fill_prices(path, spec.column, whole, part, quality) if fill else (part.complete(), quality)
    return _dataset({"value": part.frame["value"].to_numpy()}, part.frame.index, quality, spec, f"carbon {spec.column}")


def read_weather(
    path: Path,
    spec: WeatherFile,
    horizon: HorizonDays,
    fill: bool = False,
    sunny: bool = False,
    as_of: datetime | None = None,
) -> xr.Dataset:
    """Weather of one site over the horizon, as known `as_of`; `sunny` asks for irradiance and wind if there.

    Raises
    ------
    SeriesError : names file, column and the first hour at fault.
    """
    table = _standard_names(path, read_series(path, year=horizon.start.year))
    if spec.humidity == "dew_point_daily_minimum":
        table = table.assign(temp_dew=_dew_point_daily_minimum(_column(path, table, "temp_air")))
    humidity = next((h for h in HUMIDITY if h in table), None)
    if humidity is None:
        raise SeriesError(
            f"{path}: header", "no humidity", f"{', '.join(HUMIDITY)}, or humidity: dew_point_daily_minimum"
        )
    names = ["temp_air", humidity, *(n for n in ("pressure", *(SUN if sunny else ())) if n in table)]
    frame = pd.DataFrame({n: _in_range(path, n, _column(path, table, n), *RANGES[n]) for n in names})
    frame = as_known(frame, table.get("quality", spec.quality), as_of, price=False)
    part = cover(path, frame, "weather", *horizon.bounds())
    quality = qualities(path, table, "quality", spec.quality, part)
    if spec.humidity != "file":
        quality = np.maximum(quality, QUALITY.index("proxy")).astype(np.int8)
    part, quality = fill_weather(path, frame, part, quality) if fill else (part.complete(), quality)
    _not_supersaturated(path, part.frame, humidity)
    columns = {n: part.frame[n].to_numpy() for n in names}
    return _dataset(columns, part.frame.index, quality, spec, "weather")


def _standard_names(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    for name, (standard, factor) in VARIABLE_MAP.items():
        if name in table and standard not in table:
            table = table.assign(**{standard: _column(path, table, name) * factor})
    return table


def _not_supersaturated(path: Path, frame: pd.DataFrame, humidity: str) -> None:
    if humidity == "relative_humidity":
        return
    excess = frame[humidity] - frame["temp_air"]
    if (excess > SUPERSATURATION).any():
        at = int(np.argmax(excess > SUPERSATURATION))
        raise SeriesError(
            f"{path}: {humidity} at {frame.index[at]}Z",
            f"{frame[humidity].iloc[at]:g} °C lies above temp_air {frame['temp_air'].iloc[at]:g} °C",
            f"at most {SUPERSATURATION:g} K above it",
        )


def _in_range(path: Path, name: str, values: pd.Series, low: float, high: float, unit: str) -> pd.Series:
    bad = (values < low) | (values > high)
    if bad.any():
        at = int(np.argmax(bad.to_numpy()))
        where = f"{path}: {name} at {values.index[at]}Z"
        raise SeriesError(where, f"is {values.iloc[at]:g} {unit}", f"{low:g} … {high:g} {unit}")
    return values


def _dew_point_daily_minimum(temp_air: pd.Series) -> pd.Series:
    """Dew point = lowest dry bulb of each UTC day (Kimball et al. 1997, without the aridity correction).

    The minimum stands at its hour and the dew point runs straight from one to the next, so that it does not
    jump at midnight; it is never above the dry bulb.
    """
    known = temp_air.dropna()
    coldest = known.groupby(pd.DatetimeIndex(known.index).floor("D")).idxmin()
    joined = known.where(known.index.isin(coldest)).interpolate(method="time", limit_direction="both")
    return joined.clip(upper=known).reindex(temp_air.index)
