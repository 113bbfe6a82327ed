"""Central banks: exchange rates by business day as EUR per unit; no key.

ECB contract (data-api.ecb.europa.eu): SDMX 2.1 REST, ``EXR/D.NOK+GBP.EUR.SP00.A?format=csvdata``; units of the
currency per euro, about 16:00 CET; CSV read by column NAME; days without a rate are absent or empty; no result is a 404.

Norges Bank contract (data.norges-bank.no): ``EXR/B.EUR+SEK.NOK.SP?format=csv&locale=en`` -> semicolon CSV; NOK per
10^UNIT_MULT units (SEK, DKK and JPY are quoted per hundred); errors come as XML. Euro rates are crossed through the krone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import xarray as xr

from energy.series.labels import dataset
from energy.sources.client.answer import csv_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import LIVE_TTL_S, Source
from energy.sources.client.windows import stamped

ECB = Source(
    name="ecb",
    gives="euro exchange rates by business day",
    base_url="https://data-api.ecb.europa.eu/service/data/",
    licence="free to use, with attribution (ECB)",
    attribution="Source: European Central Bank (ECB statistics)",
    classify=csv_answer,
)
NORGES_BANK = Source(
    name="norges_bank",
    gives="krone exchange rates by business day, crossed to euro",
    base_url="https://data.norges-bank.no/api/data/",
    licence="NLOD 2.0",
    attribution="Norges Bank",
    classify=csv_answer,
)
#: In the order in which they are asked.
BANKS = (ECB, NORGES_BANK)
#: A rate is held for later days without one at most this long [days]: Easter and Christmas have four or five.
HOLD_DAYS = 7


def get_rates(client: Client, bank: Source, currencies: Sequence[str], start: date, end: date) -> xr.Dataset:
    """EUR per unit of each currency on the business days of [start, end]; without any day where the bank has none."""
    days = {"startPeriod": start.isoformat(), "endPeriod": end.isoformat()}
    if bank is ECB:
        path, form = f"EXR/D.{'+'.join(sorted(currencies))}.EUR.SP00.A", {"format": "csvdata", "detail": "dataonly"}
    else:
        asked = "+".join(sorted({"EUR", *currencies} - {"NOK"}))
        path, form = f"EXR/B.{asked}.NOK.SP", {"format": "csv", "locale": "en"}
    answer = client.get(bank.name, path, days | form, ttl_s=LIVE_TTL_S)
    parse = parse_ecb if bank is ECB else parse_norges_bank
    return stamped(parse(answer.body if answer.kind == "ok" else b"", currencies), answer)


def parse_ecb(body: bytes, currencies: Sequence[str]) -> xr.Dataset:
    """EUR per unit by day."""
    rates: dict[str, dict[date, float]] = {c: {} for c in currencies}
    with reading(ECB.name):
        for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig"))):
            if row["CURRENCY"] in rates and row["CURRENCY_DENOM"] == "EUR" and row["OBS_VALUE"].strip():
                rates[row["CURRENCY"]][date.fromisoformat(row["TIME_PERIOD"])] = 1.0 / _positive(row["OBS_VALUE"])
    return _table(ECB, rates, currencies)


def parse_norges_bank(body: bytes, currencies: Sequence[str]) -> xr.Dataset:
    """EUR per unit by day, through the krone."""
    krone: dict[str, dict[date, float]] = {}
    with reading(NORGES_BANK.name):
        for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"):
            if row["QUOTE_CUR"] == "NOK" and row["OBS_VALUE"].strip():
                value = _positive(row["OBS_VALUE"]) / 10 ** int(row["UNIT_MULT"])
                krone.setdefault(row["BASE_CUR"], {})[date.fromisoformat(row["TIME_PERIOD"])] = value
    euro = krone.get("EUR", {})
    krone["NOK"] = dict.fromkeys(euro, 1.0)
    rates = {c: {d: v / euro[d] for d, v in krone.get(c, {}).items() if d in euro} for c in currencies}
    return _table(NORGES_BANK, rates, currencies)


def _positive(text: str) -> float:
    """A number above zero, else ValueError; thousands separators do not belong in it, but have been seen."""
    number = float(text.replace(",", ""))
    if not 0 < number < 1e9:
        raise ValueError(f"{text!r} is not an exchange rate")
    return number


def _table(source: Source, rates: Mapping[str, Mapping[date, float]], currencies: Sequence[str]) -> xr.Dataset:
    """EUR per unit of each currency on each day that has any; NaN where a currency has none; `measured`."""
    days = sorted({d for by_day in rates.values() for d in by_day})
    columns = {c: ([rates.get(c, {}).get(d, np.nan) for d in days], f"EUR {c}-1") for c in currencies}
    return dataset(source, np.array(days, dtype="datetime64[ns]"), 24.0, columns, "measured")


def rate_on(ds: xr.Dataset, currency: str, day: date) -> tuple[float, date] | None:
    """EUR per unit on a day and the day it is of: the last one published, never a later one; None where too old."""
    if currency not in ds:
        return None
    values, at = ds[currency].values, ds["time"].values.astype("datetime64[D]")
    good = np.flatnonzero(np.isfinite(values) & (at <= np.datetime64(day)) & (at > np.datetime64(day) - HOLD_DAYS))
    return (float(values[good[-1]]), at[good[-1]].astype(object)) if len(good) else None
