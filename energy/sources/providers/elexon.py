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
from energy.sources.client.answer import json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source, ttl
from energy.sources.requests_by_day import Span, blocks, gathered, given, iso, newest_first

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
    """Prices of the half hours that begin in [start, end) (UTC) [GBP/MWh]; quality `proxy`.

    Raises
    ------
    SourceError : of the kind the server's answer has.
    """

    def week(span: Span) -> xr.Dataset | None:
        ends = {"from": iso(span[0]), "to": iso(span[1] - HALF_HOUR)}
        params = {**ends, "dataProviders": PROVIDER, "format": "json"}
        path, lifetime = "balancing/pricing/market-index", ttl(span[1], client.now())
        return given(parse_prices, client.get(SOURCE.name, path, params, lifetime))

    ds = gathered(parse_prices(b'{"data": []}'), newest_first(blocks(start, end, WINDOW)), week)
    return clip(ds, start, end).assign_attrs(zone=zone)


def parse_prices(body: bytes) -> xr.Dataset:
    """`price` [GBP/MWh] and `volume` [MWh] of the rows with volume.

    Raises
    ------
    SourceError : (fatal) not the documented form.
    """
    with reading(SOURCE.name):
        rows = [r for r in json.loads(body)["data"] if r["dataProvider"] == PROVIDER and float(r["volume"]) > 0]
        price, volume = [float(r["price"]) for r in rows], [float(r["volume"]) for r in rows]
        time = utc([r["startTime"] for r in rows])
    columns = {"price": (price, "GBP MWh-1"), "volume": (volume, "MWh")}
    return dataset(SOURCE, time, 0.5, columns, "proxy", currency="GBP")
