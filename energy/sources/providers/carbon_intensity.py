"""Carbon Intensity GB (National Energy System Operator): CO2 of a kWh by half hour, past and 48 h ahead; no key.

Contract (carbon-intensity.github.io/api-definitions): ``/intensity/{from}/{to}`` with UTC minutes in the path,
at most fourteen days; `actual` is null where it is not known yet; the answer may begin with the half hour
that ENDS at `from`.
"""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import xarray as xr

from energy.schema import QUALITY
from energy.series.labels import clip, dataset, finite, utc
from energy.series.local_time import iso
from energy.sources.client.answer import json_answer, number, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source
from energy.sources.client.windows import blocks, fetch_spans

SOURCE = Source(
    name="carbon_intensity",
    gives="carbon intensity of GB power, measured and 48 h ahead",
    base_url="https://api.carbonintensity.org.uk/",
    licence="CC BY 4.0",
    attribution="Carbon Intensity API (National Energy System Operator)",
    classify=json_answer,
)
ZONES = ("GB",)
WINDOW = timedelta(days=14)
#: Grams per kWh to tonnes per MWh.
T_PER_MWH = 1e-3


def get_carbon(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Half hours that begin in [start, end) (UTC): `carbon_intensity` [t/MWh]; `measured`, else `forecast`."""
    none = parse_carbon(b'{"data": []}')
    ds = fetch_spans(client, SOURCE, blocks(start, end, WINDOW), _request, parse_carbon, none)
    return clip(ds, start, end).assign_attrs(zone=zone)


def _request(start: np.datetime64, end: np.datetime64) -> tuple[str, dict[str, str]]:
    return f"intensity/{iso(start)}/{iso(end)}", {}


def parse_carbon(body: bytes) -> xr.Dataset:
    """`carbon_intensity` [t/MWh]: what was measured, else what is forecast."""
    with reading(SOURCE.name):
        rows = json.loads(body)["data"]
        start, end = utc([r["from"] for r in rows]), utc([r["to"] for r in rows])
        actual, forecast = (np.array([number(r["intensity"][k]) for r in rows]) for k in ("actual", "forecast"))
    known = np.isfinite(actual)
    quality = np.where(known, QUALITY.index("measured"), QUALITY.index("forecast")).astype(np.int8)
    values = np.where(known, actual, forecast) * T_PER_MWH
    dt = (end - start) / np.timedelta64(1, "h")
    return finite(dataset(SOURCE, start, dt, {"carbon_intensity": (values, "t MWh-1")}, quality), ["carbon_intensity"])
