"""Elexon Insights (GB): the Market Index Data price, a DECLARED PROXY for the GB day-ahead price; no key.

Contract (data.elexon.co.uk, OpenAPI): ``/balancing/pricing/market-index?from=&to=&dataProviders=APXMIDP``;
`from` and `to` are start times, both included, at most seven days; settlement periods of half an hour, 46 or
50 on days with a clock change, so `startTime` (UTC) is the key. N2EXMIDP rows are zeros: rows without volume
are dropped, never averaged. The index is a short-term within-day price, not the auction's.
"""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import xarray as xr

from energy.series.labels import clip, dataset, utc
from energy.series.local_time import iso
from energy.sources.client.answer import json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source
from energy.sources.client.windows import blocks, fetch_spans

SOURCE = Source(
    name="elexon",
    gives="GB market index price by half hour: a proxy for the day-ahead price",
    base_url="https://data.elexon.co.uk/bmrs/api/v1/",
    licence="BMRS data licence (Elexon), with attribution",
    attribution="Contains BMRS data © Elexon Limited",
    classify=json_answer,
)
ZONES = ("GB",)
#: Both ends of a request count, so a week of half hours ends one half hour before a week.
WINDOW, HALF_HOUR = timedelta(days=7), np.timedelta64(30, "m")
#: The provider whose rows carry volume.
PROVIDER = "APXMIDP"


def get_prices(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Prices of the half hours that begin in [start, end) (UTC) [GBP/MWh]; quality `proxy`."""
    none = parse_prices(b'{"data": []}')
    ds = fetch_spans(client, SOURCE, blocks(start, end, WINDOW), _request, parse_prices, none)
    return clip(ds, start, end).assign_attrs(zone=zone)


def _request(start: np.datetime64, end: np.datetime64) -> tuple[str, dict[str, str]]:
    params = {"from": iso(start), "to": iso(end - HALF_HOUR), "dataProviders": PROVIDER, "format": "json"}
    return "balancing/pricing/market-index", params


def parse_prices(body: bytes) -> xr.Dataset:
    """`price` [GBP/MWh] and `volume` [MWh] of the rows with volume."""
    with reading(SOURCE.name):
        rows = [r for r in json.loads(body)["data"] if r["dataProvider"] == PROVIDER and float(r["volume"]) > 0]
        price, volume = [float(r["price"]) for r in rows], [float(r["volume"]) for r in rows]
        time = utc([r["startTime"] for r in rows])
    columns = {"price": (price, "GBP MWh-1"), "volume": (volume, "MWh")}
    return dataset(SOURCE, time, 0.5, columns, "proxy", currency="GBP")
