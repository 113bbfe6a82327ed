"""Open-Meteo: weather anywhere, forecast and history; the free hosts are for NON-COMMERCIAL use only.

Contract (open-meteo/open-meteo server source, terms page): with a key the `customer-` hosts are asked, without
one the free hosts, and those only where the user has stated private use. Always UTC (the server applies one
offset to all seasons), unix times, m/s. Radiation is the mean of the PRECEDING hour and is moved to the start
of its hour here; the other values are those of the moment. A 200 may end in "Unexpected error while streaming
data". Calls are weighted: per place max(1, variables/10, variables/10 · days/14).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import xarray as xr

from energy.series.labels import clip, weather_dataset
from energy.series.local_time import Span, day_of
from energy.sources.client.answer import LicenceError, Verdict, check_unit, json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Key, Source, ttl
from energy.sources.client.windows import ask_hosts, blocks, join_windows, stamped

#: Waits that the texts of 429 name [s]; counters are cleared by minute, hour and UTC day, and a request that runs
#: beside ours (the free hosts take one at a time) ends within a second or two.
WAITS = {"Minutely": 60.0, "Hourly": 3600.0, "Daily": 86_400.0, "concurrent": 2.0}
#: What the free hosts allow by minute, hour and day, in weights.
BUDGET = ((60.0, 600.0), (3600.0, 5000.0), (86_400.0, 10_000.0))


def classify(status: int, body: bytes) -> Verdict:
    """As JSON; a 429 says in words which counter is full, one without words is taken for the minute's."""
    verdict = json_answer(status, body, keyed=True)
    if verdict.kind != "quota":
        return verdict
    wait = next((s for word, s in WAITS.items() if word in verdict.reason), WAITS["Minutely"])
    return Verdict(verdict.kind, verdict.reason, wait)


def weight(url: str) -> float:
    """Weight that the server gives a call."""
    query = parse_qs(urlsplit(url).query)
    count = {n: len(query.get(n, [""])[0].split(",")) for n in ("hourly", "latitude", "models")}
    first, last = (pd.Timestamp(query[n][0]) for n in ("start_date", "end_date"))
    variables = count["hourly"] * count["models"] / 10
    return count["latitude"] * max(1.0, variables, variables * ((last - first).days + 1) / 14)


SOURCE = Source(
    name="open_meteo",
    gives="weather anywhere, 92 days back and 16 ahead; commercial use needs a key",
    base_url="https://api.open-meteo.com/v1/",
    keyed_url="https://customer-api.open-meteo.com/v1/",
    licence="CC BY 4.0; the free hosts for non-commercial use only",
    attribution="Weather data by Open-Meteo.com",
    classify=classify,
    commercial="no",
    key=Key("HYDROCOOL_OPEN_METEO_KEY", "X-Api-Key", needed=False),
    budget=BUDGET,
    weight=weight,
    no_retry=frozenset({429}),  # refused requests count too; the adapter waits until the counter is cleared
)
ARCHIVE = replace(
    SOURCE,
    name="open_meteo_archive",
    gives="weather anywhere since 1940 (reanalysis); commercial use needs a key",
    base_url="https://archive-api.open-meteo.com/v1/",
    keyed_url="https://customer-archive-api.open-meteo.com/v1/",
)
#: Provider's name -> (our name, unit expected, factor to ours).
VARIABLES = {
    "temperature_2m": ("temp_air", "°C", 1.0),
    "relative_humidity_2m": ("relative_humidity", "%", 1.0),
    "dew_point_2m": ("temp_dew", "°C", 1.0),
    "surface_pressure": ("pressure", "hPa", 100.0),
    "wind_speed_10m": ("wind_speed", "m/s", 1.0),
    "shortwave_radiation": ("ghi", "W/m²", 1.0),
    "direct_normal_irradiance": ("dni", "W/m²", 1.0),
    "diffuse_radiation": ("dhi", "W/m²", 1.0),
}
#: Means of the preceding hour, at the server.
PRECEDING = ("ghi", "dni", "dhi")
#: The forecast host reaches this far back and ahead [days].
BACK, AHEAD = 92, 15
WINDOW = timedelta(days=180)


def get_weather(
    client: Client, places: Sequence[tuple[float, float]], start: np.datetime64, end: np.datetime64
) -> list[xr.Dataset]:
    """Hours that begin in [start, end) (UTC) at each (latitude, longitude); `forecast`, history `secondary`.

    LicenceError where there is neither a key nor stated private use.
    """
    today = client.now().astype("datetime64[D]").astype("datetime64[ns]")
    split = today - np.timedelta64(BACK - 1, "D")
    far = min(end, today + np.timedelta64(AHEAD, "D"))

    def hours(span: Span) -> list[xr.Dataset] | None:
        source, path = (ARCHIVE, "archive") if span[0] < split else (SOURCE, "forecast")
        return _ask(client, source, path, places, *span) or None

    hosts = blocks(max(start, split), far, WINDOW), blocks(start, min(end, split), WINDOW)
    found, note = ask_hosts([list(spans)[::-1] for spans in hosts], hours)
    none = _hours({"time": []}, {}, "forecast")
    return [clip(join_windows(none, [part[n] for part in found], note), start, end) for n in range(len(places))]


def _ask(
    client: Client, source: Source, path: str, places: Sequence[tuple[float, float]], start: Any, end: Any
) -> list[xr.Dataset]:
    if client.as_of is None and not client.has_key(source.name) and not client.settings.private_use:
        raise LicenceError(source.name, "the free hosts are for non-commercial use; set a key, or state private use")
    last = day_of(end - np.timedelta64(1, "s"), "UTC") + timedelta(days=1)  # for the last hour's radiation
    latest = day_of(client.now(), "UTC") + timedelta(days=AHEAD if source is SOURCE else 0)
    params = {
        "latitude": ",".join(f"{p[0]:.4f}" for p in places), "longitude": ",".join(f"{p[1]:.4f}" for p in places),
        "hourly": ",".join(VARIABLES), "start_date": day_of(start, "UTC").isoformat(),
        "end_date": min(last, latest).isoformat(), "wind_speed_unit": "ms", "timeformat": "unixtime", "timezone": "GMT",
    }  # fmt: skip
    answer = client.get(source.name, path, params, ttl_s=ttl(end, client.now()))
    found = parse_weather(answer.body, source) if answer.kind == "ok" else []
    return [clip(stamped(ds, answer), start, end) for ds in found]


def parse_weather(body: bytes, source: Source = SOURCE) -> list[xr.Dataset]:
    """One Dataset per place: pvlib's names, hours without temperature or humidity left out."""
    with reading(source.name):
        data = json.loads(body)
        places = data if isinstance(data, list) else [data]
        if any(p["utc_offset_seconds"] for p in places):
            raise ValueError("times are not in UTC")
        quality = "secondary" if source is ARCHIVE else "forecast"
        return [_hours(p["hourly"], p["hourly_units"], quality, source) for p in places]


def _hours(table: dict[str, Any], units: dict[str, str], quality: str, source: Source = SOURCE) -> xr.Dataset:
    time = _times(table["time"])
    columns = {}
    for name, (ours, unit, factor) in VARIABLES.items():
        check_unit(name, units.get(name, unit), unit)
        values = factor * np.array(table.get(name, [None] * len(time)), dtype=float)
        values = np.append(values[1:], np.nan) if ours in PRECEDING and len(values) else values
        columns[ours] = values
    return weather_dataset(source, time, 1.0, columns, quality)


def _times(raw: Sequence[Any]) -> Any:
    """Unix seconds, or ISO texts without offset; both UTC."""
    if raw and isinstance(raw[0], str):
        return np.array(raw, dtype="datetime64[m]").astype("datetime64[ns]")
    return np.array(raw, dtype="int64").astype("datetime64[s]").astype("datetime64[ns]")
