"""Exchange rates as both central banks give them, brought to one form: EUR per unit, by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import xarray as xr

from energy.series.labels import dataset
from energy.sources.client.http import Client
from energy.sources.client.settings import LIVE_TTL_S, Source
from energy.sources.client.windows import stamped

#: A rate is held for later days without one at most this long [days]: Easter and Christmas have four or five.
HOLD_DAYS = 7


def get_rates(
    client: Client, source: Source, path: str, params: Mapping[str, str], parse: Callable[[bytes], xr.Dataset]
) -> xr.Dataset:
    """What a bank answers; without any day where it has none."""
    answer = client.get(source.name, path, params, ttl_s=LIVE_TTL_S)
    return stamped(parse(answer.body if answer.kind == "ok" else b""), answer)


def table(source: Source, rates: Mapping[str, Mapping[date, float]], currencies: Sequence[str]) -> xr.Dataset:
    """EUR per unit of each currency on each day that has any; NaN where a currency has none; `measured`."""
    days = sorted({d for by_day in rates.values() for d in by_day})
    time = np.array([np.datetime64(d) for d in days], dtype="datetime64[ns]")
    columns = {c: ([rates.get(c, {}).get(d, np.nan) for d in days], f"EUR {c}-1") for c in currencies}
    return dataset(source, time, 24.0, columns, "measured")


def rate_on(ds: xr.Dataset, currency: str, day: date) -> tuple[float, date] | None:
    """EUR per unit on a day and the day it is of: the last one published, never a later one; None where too old."""
    if currency not in ds:
        return None
    values, at = ds[currency].values, ds["time"].values.astype("datetime64[D]")
    good = np.flatnonzero(np.isfinite(values) & (at <= np.datetime64(day)) & (at > np.datetime64(day) - HOLD_DAYS))
    if not len(good):
        return None
    return float(values[good[-1]]), at[good[-1]].astype(object)


def positive(text: str) -> float:
    """A number above zero, else ValueError; thousands separators do not belong in it, but have been seen."""
    number = float(text.replace(",", ""))
    if not 0 < number < 1e9:
        raise ValueError(f"{text!r} is no exchange rate")
    return number
