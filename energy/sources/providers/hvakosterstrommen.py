"""hvakosterstrommen.no: Norwegian day-ahead prices without a key, one static JSON file per local day and zone.

Contract (hvakosterstrommen.no/strompris-api): ``GET /api/v1/prices/2026/11-25_NO4.json`` -> array of
``{NOK_per_kWh, EUR_per_kWh, EXR, time_start, time_end}``, local times with offset, prices without VAT.
Tomorrow appears about 13:00 CET; a day not (yet) published is a 404. Steps are read from each row: hours
before the market went to quarter hours, whatever the file has since; 23, 24, 25, 92, 96 or 100 rows.
"""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import xarray as xr

from energy.series.labels import clip, dataset, finite, utc
from energy.series.local_time import days, midnight
from energy.sources.client.answer import json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source, ttl
from energy.sources.client.windows import fetch_windows, parse_answers

SOURCE = Source(
    name="hvakosterstrommen",
    gives="day-ahead prices NO1 to NO5, today, tomorrow and back to 2021",
    base_url="https://www.hvakosterstrommen.no/api/v1/prices/",
    licence="free for anyone, for anything (hvakosterstrommen.no/strompris-api)",
    attribution="Strømpriser levert av Hva koster strømmen.no",
    classify=json_answer,
)
ZONES = ("NO1", "NO2", "NO3", "NO4", "NO5")
ZONE_CLOCK = "Europe/Oslo"
#: Prices arrive per kWh as binary floats (0.09312999999999999); the exchange quotes hundredths per MWh.
DECIMALS = 4


def get_prices(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Prices of the hours that begin in [start, end) (UTC) [EUR/MWh, NOK/MWh]; quality `secondary`."""

    def one(day: date) -> xr.Dataset | None:
        lifetime = ttl(midnight(day, ZONE_CLOCK) + np.timedelta64(1, "D"), client.now())
        return parse_answers(parse_prices, client.get(SOURCE.name, f"{day:%Y/%m-%d}_{zone}.json", ttl_s=lifetime))

    ds = fetch_windows(parse_prices(b"[]"), days(start, end, ZONE_CLOCK), one)
    return clip(ds, start, end).assign_attrs(zone=zone)


def parse_prices(body: bytes) -> xr.Dataset:
    """One day's file: `price` [EUR/MWh], `price_nok` [NOK/MWh]."""
    with reading(SOURCE.name):
        rows = json.loads(body)
        start, end = utc([r["time_start"] for r in rows]), utc([r["time_end"] for r in rows])
        dt = (end - start) / np.timedelta64(1, "h")
        if (dt <= 0).any() or (dt > 1).any():
            raise ValueError(f"a row lasts {dt[(dt <= 0) | (dt > 1)][0]:g} h")
        euro, krone = (np.round([float(r[f"{c}_per_kWh"]) * 1000 for r in rows], DECIMALS) for c in ("EUR", "NOK"))
    columns = {"price": (euro, "EUR MWh-1"), "price_nok": (krone, "NOK MWh-1")}
    return finite(dataset(SOURCE, start, dt, columns, "secondary", currency="EUR"), ["price"])
