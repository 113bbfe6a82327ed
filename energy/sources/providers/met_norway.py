"""MET Norway Locationforecast 2.0: the forecast for any place, without a key; what yr.no shows.

Contract (api.met.no/doc/TermsOfService, docs.api.met.no): an identifying User-Agent or 403; at most four
decimals or 403; nothing before `Expires`, then ``If-Modified-Since`` with the very text of `Last-Modified`;
203 marks a deprecated product; 422 is outside the area. Steps are hourly for about 60 h, then six-hourly;
values are those of the moment; pressure is at sea level and is reduced here to the ground.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import Floats
from energy.series.labels import clip, spacing, utc, weather_dataset
from energy.sources.client.answer import check_unit, json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import LIVE_TTL_S, Source
from energy.sources.client.windows import parse_answers

SOURCE = Source(
    name="met_norway",
    gives="weather forecast for any place, about 60 h hourly, then 6-hourly to 10 days",
    base_url="https://api.met.no/weatherapi/locationforecast/2.0/",
    licence="CC BY 4.0",
    attribution="Weather data from MET Norway",
    classify=json_answer,
    budget=((1.0, 10.0),),  # the terms ask for an agreement above 20 per second
)
#: More decimals are answered with 403: they would defeat the provider's cache.
DECIMALS = 4
#: Provider's name -> (our name, unit expected, factor to ours).
VARIABLES = {
    "air_temperature": ("temp_air", "celsius", 1.0),
    "relative_humidity": ("relative_humidity", "%", 1.0),
    "dew_point_temperature": ("temp_dew", "celsius", 1.0),
    "wind_speed": ("wind_speed", "m/s", 1.0),
    "air_pressure_at_sea_level": ("pressure", "hPa", 100.0),
    "cloud_area_fraction": ("cloud_cover", "%", 1.0),
}
#: International Standard Atmosphere: lapse rate [K/m] and exponent g/(R L) of pressure with height.
LAPSE, EXPONENT = 0.0065, 5.257


def get_weather(
    client: Client, latitude: float, longitude: float, altitude_m: float, start: np.datetime64, end: np.datetime64
) -> xr.Dataset:
    """Forecast steps that begin in [start, end) (UTC); see `parse_weather`. None where there is no forecast (404)."""
    params = {"lat": decimals(latitude), "lon": decimals(longitude), "altitude": f"{round(altitude_m)}"}
    ds = parse_answers(parse_weather, client.get(SOURCE.name, "complete", params, ttl_s=LIVE_TTL_S))
    return clip(_steps([], {}) if ds is None else ds, start, end)


def decimals(degrees: float) -> str:
    """A coordinate with at most four decimals and no trailing zeros."""
    text = f"{degrees:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def parse_weather(body: bytes) -> xr.Dataset:
    """temp_air, temp_dew [°C], relative_humidity [%], wind_speed [m/s], pressure [Pa], cloud_cover [%]; `forecast`.

    Steps without temperature or humidity are left out. The altitude for the pressure is the answer's own.
    """
    with reading(SOURCE.name):
        data = json.loads(body)
        properties, altitude_m = data["properties"], float(data["geometry"]["coordinates"][2])
        units = properties["meta"]["units"]
        ds = _steps(properties["timeseries"], units, altitude_m)
    return ds.assign_attrs(altitude_m=altitude_m, updated_at=str(properties["meta"].get("updated_at", "")))


def _steps(steps: list[Any], units: dict[str, str], altitude_m: float = 0.0) -> xr.Dataset:
    """The steps that have temperature and humidity; NaN for what else a step lacks.

    Pressure at the ground follows from that at sea level by the International Standard Atmosphere's lapse rate.
    """
    time = utc([s["time"] for s in steps])
    columns: dict[str, Floats] = {}
    for name, (ours, unit, factor) in VARIABLES.items():
        check_unit(name, units.get(name, unit), unit)
        columns[ours] = np.array([factor * float(s["data"]["instant"]["details"].get(name, np.nan)) for s in steps])
    rise = LAPSE * altitude_m
    columns["pressure"] = columns["pressure"] * (1 - rise / (columns["temp_air"] + rise + 273.15)) ** EXPONENT
    return weather_dataset(SOURCE, time, spacing(time), columns, "forecast")
