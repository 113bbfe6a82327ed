"""European Central Bank: euro reference rates of each business day, about 16:00 CET; no key.

Contract (data-api.ecb.europa.eu): SDMX 2.1 REST, ``EXR/D.NOK+GBP.EUR.SP00.A?format=csvdata``; units of the
currency per euro; CSV read by column NAME; days without a rate are absent or empty; no result is a 404.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from functools import partial

import xarray as xr

from energy.sources import fx_rates
from energy.sources.client.answer import csv_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source

SOURCE = Source(
    name="ecb",
    gives="euro exchange rates by business day",
    base_url="https://data-api.ecb.europa.eu/service/data/",
    licence="free to use, with attribution (ECB)",
    attribution="Source: European Central Bank (ECB statistics)",
    classify=csv_answer,
)


def get_rates(client: Client, currencies: Sequence[str], start: date, end: date) -> xr.Dataset:
    """EUR per unit of each currency on the business days of [start, end]."""
    params = {"startPeriod": start.isoformat(), "endPeriod": end.isoformat(), "format": "csvdata", "detail": "dataonly"}
    path = f"EXR/D.{'+'.join(sorted(currencies))}.EUR.SP00.A"
    return fx_rates.get_rates(client, SOURCE, path, params, partial(parse_rates, currencies=currencies))


def parse_rates(body: bytes, currencies: Sequence[str]) -> xr.Dataset:
    """EUR per unit by day."""
    rates: dict[str, dict[date, float]] = {c: {} for c in currencies}
    with reading(SOURCE.name):
        for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig"))):
            if row["CURRENCY"] not in rates or row["CURRENCY_DENOM"] != "EUR" or not row["OBS_VALUE"].strip():
                continue
            rates[row["CURRENCY"]][date.fromisoformat(row["TIME_PERIOD"])] = 1.0 / fx_rates.positive(row["OBS_VALUE"])
    return fx_rates.table(SOURCE, rates, currencies)
