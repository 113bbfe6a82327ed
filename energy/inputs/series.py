"""Price, weather and carbon series of a case: the file of each bidding zone and site."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xarray as xr

from energy.inputs.case import CarbonFile, Case, HorizonDays, PriceFile, WeatherFile
from energy.series import read
from energy.series.read import Scope

#: Carbon intensities by the unit of the file, in t/MWh.
T_PER_MWH = {"g_per_kwh": 1e-3, "t_per_mwh": 1.0}


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
    as_of : leave out what was not known at this moment (UTC, naive; rules in `series/vintage.py`)

    Raises SeriesError: names file, column and the first hour at fault.
    """
    scope = Scope(*case.horizon.bounds(), fill, as_of)
    prices: dict[str, xr.Dataset] = {}
    for p in case.prices:
        for zone in p.zones:
            column = p.columns.get(zone, zone)
            ds = read.read_price(folder / p.file, column, p.quality, scope, p.currency, p.unit is not None)
            prices[zone] = _described(ds, p, f"price {zone}")
    weather, carbon = {}, {}
    for site, w in case.weather.items():
        weather[site] = read_weather(folder / w.file, w, case.horizon, fill, site in sunny, as_of)
    for zone, c in case.carbon.items():
        ds = read.read_carbon(folder / c.file, c.column, c.quality, scope, T_PER_MWH[c.unit])
        carbon[zone] = _described(ds, c, f"carbon {c.column}")
    return Series(prices, weather, carbon)


def read_weather(
    path: Path, spec: WeatherFile, horizon: HorizonDays, fill: bool = False, sunny: bool = False,
    as_of: datetime | None = None,
) -> xr.Dataset:  # fmt: skip
    """Weather of one site over the horizon, as known `as_of`; `sunny` asks for irradiance and wind if there."""
    scope = Scope(*horizon.bounds(), fill, as_of)
    daily = spec.humidity == "dew_point_daily_minimum"
    ds = read.read_weather(path, spec.quality, scope, horizon.start.year, sunny, daily)
    return _described(ds, spec, "weather")


def _described(ds: xr.Dataset, spec: PriceFile | WeatherFile | CarbonFile, name: str) -> xr.Dataset:
    terms = ("source", "licence", "attribution", "file", "currency")
    return ds.assign_attrs({k: getattr(spec, k) for k in terms if hasattr(spec, k)}, series=name)
