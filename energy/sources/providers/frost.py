"""MET Norway Frost: what weather stations measured; needs a client id (free).

Contract (frost.met.no/api.html): HTTP Basic with the client id as user and no password; `referencetime` is
``start/end`` in UTC, start included, end not; no data is a 404 (no such series a 412); values may be text;
one element may come as several series, distinguished by offset, resolution and level. Stations near a place
come from ``sources/v0.jsonld?geometry=nearest(POINT(lon lat))``.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import xarray as xr

from energy.series.labels import clip, in_one_line, utc, weather_dataset
from energy.series.local_time import iso
from energy.sources.client.answer import SourceError, Verdict, check_unit, json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Key, Source
from energy.sources.client.windows import ask_hosts, blocks, fetch_spans
from energy.sources.providers.met_norway import decimals


def classify(status: int, body: bytes) -> Verdict:
    """Classify an answer by its status; 412 means that the station has no such series."""
    return json_answer(404 if status == 412 else status, body, keyed=True)


SOURCE = Source(
    name="frost",
    gives="weather measured at stations in Norway and nearby, back to 1950 and before",
    base_url="https://frost.met.no/",
    licence="CC BY 4.0",
    attribution="Weather data from MET Norway (Frost)",
    classify=classify,
    key=Key("HYDROCOOL_FROST_CLIENT_ID", "Authorization", form="basic"),
    budget=((1.0, 1.0),),  # more than one per second counts as heavy use
)
#: Element -> (our name, unit expected, factor to ours, height of the sensor [m]).
ELEMENTS = {
    "air_temperature": ("temp_air", "degC", 1.0, 2),
    "relative_humidity": ("relative_humidity", "percent", 1.0, 2),
    "dew_point_temperature": ("temp_dew", "degC", 1.0, 2),
    "wind_speed": ("wind_speed", "m/s", 1.0, 10),
    "surface_air_pressure": ("pressure", "hPa", 100.0, None),
}
#: Values with a quality code above this are "very suspicious" or "erroneous" (metno/esd's default list).
MOST_DOUBT = 5
#: Longest window of a request: five elements by the hour stay below the limit of 100 000 observations.
WINDOW = timedelta(days=365)
#: Stations looked at for one place: many of the nearest measure rain only.
NEAREST = 5
#: Which station is nearest changes seldom [s].
STATION_TTL_S = 30 * 86_400


def get_weather(
    client: Client, latitude: float, longitude: float, start: np.datetime64, end: np.datetime64
) -> xr.Dataset:
    """Hours that begin in [start, end) (UTC) at the nearest station that measures temperature and humidity."""

    def hours(station: str) -> xr.Dataset | None:
        ds = get_observations(client, station, start, end)
        return ds if ds.sizes["time"] else None

    found, note = ask_hosts([get_stations(client, latitude, longitude)], hours, most=1)
    ds = found[0] if found else parse_observations(b'{"data": []}')
    return ds.assign_attrs(note=in_one_line([str(ds.attrs.get("note", "")), note]))


def get_stations(client: Client, latitude: float, longitude: float) -> list[str]:
    """Ids of the nearest stations, nearest first."""
    _need_key(client)
    point = f"nearest(POINT({decimals(longitude)} {decimals(latitude)}))"
    params = {"types": "SensorSystem", "geometry": point, "nearestmaxcount": str(NEAREST)}
    answer = client.get(SOURCE.name, "sources/v0.jsonld", params, ttl_s=STATION_TTL_S)
    with reading(SOURCE.name):
        rows = json.loads(answer.body)["data"] if answer.kind == "ok" else []
        return [str(r["id"]) for r in sorted(rows, key=lambda r: float(r.get("distance", 0.0)))]


def get_observations(client: Client, station: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Hours that begin in [start, end) (UTC) at a station such as SN18700; quality `measured`."""
    _need_key(client)
    params = {"sources": station, "elements": ",".join(ELEMENTS), "timeresolutions": "PT1H"}

    def request(begin: np.datetime64, stop: np.datetime64) -> tuple[str, dict[str, str]]:
        return "observations/v0.jsonld", params | {"referencetime": f"{iso(begin)}/{iso(stop)}"}

    none = parse_observations(b'{"data": []}')
    ds = fetch_spans(client, SOURCE, blocks(start, end, WINDOW), request, parse_observations, none)
    return clip(ds, start, end).assign_attrs(station=station)


def _need_key(client: Client) -> None:
    if not client.has_key(SOURCE.name) and client.as_of is None:
        raise SourceError(SOURCE.name, "auth", "no client id in HYDROCOOL_FROST_CLIENT_ID")


def parse_observations(body: bytes) -> xr.Dataset:
    """temp_air, temp_dew [°C], relative_humidity [%], wind_speed [m/s], pressure [Pa]; hourly, on the hour."""
    with reading(SOURCE.name):
        rows = json.loads(body)["data"]
        time = utc([r["referenceTime"] for r in rows])
        values = [{n: v for n, v in map(_value, r["observations"]) if n} for r in rows]
    columns = {n: np.array([v.get(n, np.nan) for v in values], dtype=float) for n, *_ in ELEMENTS.values()}
    return weather_dataset(SOURCE, time, 1.0, columns, "measured")


def _value(observation: dict[str, Any]) -> tuple[str, float]:
    """Our name and value of one observation; no name for series we do not want."""
    name, unit, factor, height = ELEMENTS.get(observation["elementId"], ("", "", 0.0, None))
    level = (observation.get("level") or {}).get("value")
    series = (observation.get("timeOffset", "PT0H"), observation.get("timeResolution", "PT1H"))
    doubtful = int(observation.get("qualityCode") or 0) > MOST_DOUBT
    if not name or doubtful or series != ("PT0H", "PT1H") or (height and level not in (None, height)):
        return "", np.nan
    check_unit(observation["elementId"], observation.get("unit", unit), unit)
    return name, factor * float(observation["value"])
