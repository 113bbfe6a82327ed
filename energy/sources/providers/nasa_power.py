"""NASA POWER: hourly weather history anywhere on Earth since 2001, without a key (reanalysis, 0.5°).

Contract (power.larc.nasa.gov/docs): local solar time is the default, so UTC is always asked for; missing is
-999; pressure in kPa; irradiation of an hour in Wh/m², which is its mean in W/m²; keys are YYYYMMDDHH of the
hour's start; hours trail by up to two weeks (LAG).
"""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Floats, Times
from energy.series.labels import clip, weather_dataset
from energy.series.local_time import day_of
from energy.sources.client.answer import check_unit, json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source
from energy.sources.client.windows import blocks, fetch_spans

SOURCE = Source(
    name="nasa_power",
    gives="weather history anywhere since 2001 (reanalysis), up to two weeks behind",
    base_url="https://power.larc.nasa.gov/api/temporal/hourly/",
    licence="free to use, with acknowledgement (NASA POWER)",
    attribution="NASA Langley Research Center POWER Project",
    classify=json_answer,
    budget=((1.0, 2.0),),
)
#: Provider's name -> (our name, units expected, factor to ours).
VARIABLES = {
    "T2M": ("temp_air", ("C",), 1.0),
    "RH2M": ("relative_humidity", ("%",), 1.0),
    "T2MDEW": ("temp_dew", ("C",), 1.0),
    "PS": ("pressure", ("kPa",), 1000.0),
    "WS10M": ("wind_speed", ("m/s",), 1.0),
    "ALLSKY_SFC_SW_DWN": ("ghi", ("Wh/m^2", "W/m^2"), 1.0),
    "ALLSKY_SFC_SW_DNI": ("dni", ("Wh/m^2", "W/m^2"), 1.0),
    "ALLSKY_SFC_SW_DIFF": ("dhi", ("Wh/m^2", "W/m^2"), 1.0),
}
WINDOW = timedelta(days=365)
#: Hours come up to this late: temperature after days, sunshine (from another satellite chain) after one to two weeks,
#: and -999 stands for them until then. Younger answers are asked for again soon, not kept as settled.
LAG = np.timedelta64(14, "D")
#: First day that the provider has by the hour.
FIRST = np.datetime64("2001-01-01", "ns")


def get_weather(
    client: Client, latitude: float, longitude: float, start: np.datetime64, end: np.datetime64
) -> xr.Dataset:
    """Hours that begin in [start, end) (UTC), as far as they are there; quality `secondary`."""
    params = {
        "latitude": f"{latitude:.4f}", "longitude": f"{longitude:.4f}", "community": "re", "format": "json",
        "parameters": ",".join(VARIABLES), "time-standard": "utc",
    }  # fmt: skip

    def request(begin: np.datetime64, stop: np.datetime64) -> tuple[str, dict[str, str]]:
        first, last = day_of(begin, "UTC"), day_of(stop - np.timedelta64(1, "s"), "UTC")
        return "point", params | {"start": f"{first:%Y%m%d}", "end": f"{last:%Y%m%d}"}

    spans = blocks(max(start, FIRST), min(end, client.hour()), WINDOW)
    return clip(fetch_spans(client, SOURCE, spans, request, parse_weather, _hours({}, {}, -999.0), LAG), start, end)


def parse_weather(body: bytes) -> xr.Dataset:
    """pvlib's names; hours without temperature or humidity are left out."""
    with reading(SOURCE.name):
        data = json.loads(body)
        if data["header"].get("time_standard", "UTC") != "UTC":
            raise ValueError("hours are in local solar time")
        units = {n: str(p.get("units", "")) for n, p in data["parameters"].items()}
        return _hours(data["properties"]["parameter"], units, float(data["header"]["fill_value"]))


def _hours(table: dict[str, dict[str, float]], units: dict[str, str], missing: float) -> xr.Dataset:
    keys = sorted({k for column in table.values() for k in column})
    time: Times = np.asarray(pd.DatetimeIndex(pd.to_datetime(keys, format="%Y%m%d%H")).as_unit("ns").values)
    columns: dict[str, Floats] = {}
    for name, (ours, expected, factor) in VARIABLES.items():
        if name in table:
            check_unit(name, units[name], *expected)
        raw = np.array([table.get(name, {}).get(k, missing) for k in keys], dtype=float)
        columns[ours] = np.where(raw == missing, np.nan, raw * factor)
    return weather_dataset(SOURCE, time, 1.0, columns, "secondary")
