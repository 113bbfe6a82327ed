"""Hydropower signals: reservoir filling, its deviation from the median, hydro generation.

Weekly numbers are put on hours as they were KNOWN: an hour carries the last week published by then, so that a
forecast trained on these arrays never sees a week before the market did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Floats, Times
from energy.series.files import one_place
from energy.series.labels import dataset, ends, fetch_attrs, in_one_line, terms_of
from energy.series.quality_control import Finding, uncovered
from energy.sources.bidding_zones import EIC
from energy.sources.catalogue import skip
from energy.sources.chain import Attempt, Filled
from energy.sources.client.answer import SourceError
from energy.sources.client.http import Client
from energy.sources.providers import entsoe, nve

#: How far back weeks are fetched for the first hour: the last one published is at most two weeks old.
WEEKS_BACK = np.timedelta64(42, "D")
#: From the end of a week to its publication at ENTSO-E: the third working day after it.
PUBLISHED_AFTER = np.timedelta64(3, "D")
#: Smallest and largest filling that a zone can have [MWh]: SE4, the smallest, has 0.2 TWh, all of Norway 87 TWh.
#: A value of 10 176 MWh for NO1 (seen in one document) is a unit mistake.
POSSIBLE_MWH = (2e4, 1e8)
#: A published week holds for later hours at most this long.
OLDEST = np.timedelta64(28, "D")
#: Generation is known up to half a day ago: a fetch for tomorrow shows the week before it.
HISTORY = np.timedelta64(7, "D")
HOUR = np.timedelta64(1, "h")
#: What a picture of reservoirs shows: one year.
YEAR = np.timedelta64(371, "D")
WEEKLY = ("filling", "deviation", "minimum", "median", "maximum", "filling_twh", "capacity_twh", "reservoir_mwh")
SIGNALS = {"filling": "1", "deviation": "1", "reservoir_mwh": "MWh", "hydro_mw": "MW"}


def signals(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> Filled:
    """`filling` and `deviation` [share of capacity], `reservoir_mwh` and `hydro_mw` by hour over [start, end).

    Each hour names the sources of its numbers. A signal that an hour lacks is NaN there, hours without any are absent;
    zones without any signal give an empty Dataset.
    """
    steps: list[Attempt] = []
    weeks = _weeks(client, zone, start - WEEKS_BACK, end, steps)
    stop, generation = min(end, client.hour()), None
    if zone in EIC and start < stop:
        get = partial(entsoe.get_generation, client, zone, start, stop)
        generation = _attempt("entsoe", get, steps, skip(client, "entsoe"))
    time = np.arange(start, end, HOUR).astype("datetime64[ns]")
    parts = [] if weeks is None else [(weeks, _last_published(weeks, time))]
    if generation is not None:
        hourly = generation["hydro_mw"].to_series().groupby(pd.Grouper(freq="h")).mean()
        parts.append((generation, {"hydro_mw": hourly.reindex(time).to_numpy()}))
    parts = [(ds, v) for ds, v in parts if any(np.isfinite(c).any() for c in v.values())]
    if not parts:
        return Filled(xr.Dataset(), tuple(steps), ((start, end),))
    # Each hour names the sources that it is from; the whole has the terms of both.
    columns = {n: (v, SIGNALS[n]) for _, part in parts for n, v in part.items() if np.isfinite(v).any()}
    there = [np.any([np.isfinite(v) for v in part.values()], axis=0) for _, part in parts]
    named = [np.where(has, str(ds.attrs["source"]), "") for has, (ds, _) in zip(there, parts, strict=True)]
    source = ("time", np.array([in_one_line(names) for names in zip(*named, strict=True)]))
    origins = [origin for origin, _ in parts]
    ds = dataset(entsoe.SOURCE, time, 1.0, columns, "measured").assign(source=source)
    ds = ds.assign_attrs(terms_of(origins) | fetch_attrs(origins) | {"zone": zone})
    ds = ds.isel(time=np.flatnonzero(np.logical_or.reduce(there)))
    return Filled(ds, tuple(steps), tuple(uncovered(ds["time"].values, ends(ds), start, end)))


def reservoirs(client: Client, zone: str, end: np.datetime64) -> Filled:
    """Weeks of the year before `end`: filling against its twenty-year minimum, median and maximum.

    NVE's zones have all of it; others `reservoir_mwh` alone.
    """
    steps: list[Attempt] = []
    ds = _weeks(client, zone, end - YEAR, end, steps)
    if ds is None:
        return Filled(xr.Dataset(), tuple(steps), ((end - YEAR, end),))
    return Filled(ds.drop_vars("known_from"), tuple(steps), ())


def _weeks(
    client: Client, zone: str, start: np.datetime64, end: np.datetime64, steps: list[Attempt]
) -> xr.Dataset | None:
    """Weekly filling: NVE for Norway, else or where it fails ENTSO-E."""
    if zone in nve.AREAS:
        ds = _attempt("nve", lambda: nve.get_reservoirs(client, zone, start, end), steps)
        if ds is not None:
            return ds.assign(reservoir_mwh=ds["filling_twh"] * 1e6)
    if zone not in EIC:
        return None

    def possible() -> xr.Dataset:
        ds = entsoe.get_reservoirs(client, zone, start, end)
        values, (low, high) = ds["reservoir_mwh"].values, POSSIBLE_MWH
        bad = ~((values >= low) & (values <= high))
        if bad.any():
            first = int(np.argmax(bad))
            text = f"{values[first]:g} MWh in reservoirs, outside {low:g} … {high:g}"
            at = np.datetime64(ds["time"].values[first], "ns")
            raise SourceError("entsoe", "fatal", str(Finding("range", "refuse", text, at)))
        return ds

    ds = _attempt("entsoe", possible, steps, skip(client, "entsoe"))
    return None if ds is None else ds.assign(known_from=("time", ends(ds) + PUBLISHED_AFTER))


def _attempt(name: str, fetch: Callable[[], xr.Dataset], steps: list[Attempt], why_not: str = "") -> xr.Dataset | None:
    """Data of one source; None, with the reason on record, where it gives no hour."""
    if why_not:
        steps.append(Attempt(name, "skipped", reason=why_not))
        return None
    try:
        ds = fetch()
    except SourceError as e:
        steps.append(Attempt(name, e.kind, reason=e.reason))
        return None
    hours = float(ds["dt"].sum())
    steps.append(Attempt(name, "ok" if hours else "empty", hours, str(ds.attrs.get("note", ""))))
    return ds if hours else None


def _last_published(weeks: xr.Dataset, time: Times) -> dict[str, Floats]:
    """Weekly values on hours: the last week published by then, NaN where that is too old or not there."""
    published = weeks["known_from"].values
    position = np.searchsorted(published, time, side="right") - 1
    before = np.maximum(position, 0)
    good = (position >= 0) & (time - published[before] <= OLDEST)
    return {n: np.where(good, weeks[n].values[before], np.nan) for n in SIGNALS if n in weeks}


def merge(series: Mapping[str, xr.Dataset], names: Sequence[str]) -> xr.Dataset:
    """Signals of several zones as columns ``<zone>_<signal>`` over their common times, with the zones' labels."""
    parts = []
    for zone, ds in series.items():
        part = one_place(ds)[[*(n for n in names if n in ds), "quality", "source"]]
        parts.append(part.rename({str(n): f"{zone}_{n}" for n in part.data_vars}))
    whole = xr.merge(parts, join="outer", compat="no_conflicts", combine_attrs="drop")
    for name in whole.data_vars:  # a zone whose weeks begin at another hour has none there
        if whole[name].dtype.kind == "O":
            whole[name] = whole[name].fillna("").astype(str)
    return whole.assign_attrs(terms_of(series.values()))
