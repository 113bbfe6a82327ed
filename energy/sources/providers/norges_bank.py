"""Norges Bank: exchange rates of the krone by business day; no key. The second source for euro rates.

Contract (data.norges-bank.no): ``EXR/B.EUR+SEK.NOK.SP?format=csv&locale=en`` -> semicolon CSV; NOK per
10^UNIT_MULT units (SEK, DKK and JPY are quoted per hundred); errors come as XML. Euro rates are crossed
through the krone.
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
    name="norges_bank",
    gives="krone exchange rates by business day, crossed to euro",
    base_url="https://data.norges-bank.no/api/data/",
    licence="NLOD 2.0",
    attribution="Norges Bank",
    classify=csv_answer,
)


def get_rates(client: Client, currencies: Sequence[str], start: date, end: date) -> xr.Dataset:
    """EUR per unit of each currency on the business days of [start, end]."""
    asked = "+".join(sorted({"EUR", *currencies} - {"NOK"}))
    params = {"startPeriod": start.isoformat(), "endPeriod": end.isoformat(), "format": "csv", "locale": "en"}
    return fx_rates.get_rates(
        client, SOURCE, f"EXR/B.{asked}.NOK.SP", params, partial(parse_rates, currencies=currencies)
    )


def parse_rates(body: bytes, currencies: Sequence[str]) -> xr.Dataset:
    """EUR per unit by day, through the krone."""
    krone: dict[str, dict[date, float]] = {}
    with reading(SOURCE.name):
        for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"):
            if row["QUOTE_CUR"] == "NOK" and row["OBS_VALUE"].strip():
                value = fx_rates.positive(row["OBS_VALUE"]) / 10 ** int(row["UNIT_MULT"])
                krone.setdefault(row["BASE_CUR"], {})[date.fromisoformat(row["TIME_PERIOD"])] = value
    euro = krone.get("EUR", {})
    one = {"NOK": dict.fromkeys(euro, 1.0)}
    rates = {c: {d: v / euro[d] for d, v in (krone | one).get(c, {}).items() if d in euro} for c in currencies}
    return fx_rates.table(SOURCE, rates, currencies)
