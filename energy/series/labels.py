"""Datasets over UTC interval starts in which every interval carries its quality and its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import QUALITY, Flags, Floats, Times

#: Variables that say where an interval comes from, not what it is.
LABELS = ("quality", "source")
TIME_ATTRS = {"standard_name": "time", "long_name": "start of the interval (UTC)"}
QUALITY_ATTRS = {
    "long_name": "quality, best first",
    "flag_values": np.arange(len(QUALITY), dtype=np.int8),
    "flag_meanings": " ".join(QUALITY),
}
#: Units of weather variables, which are named as in pvlib.
WEATHER_UNITS = {"temp_air": "degC", "temp_dew": "degC", "relative_humidity": "%", "pressure": "Pa", "cloud_cover": "%",
                 "wind_speed": "m s-1", "ghi": "W m-2", "dni": "W m-2", "dhi": "W m-2"}  # fmt: skip
#: Variables without which weather is of no use.
NEEDED_WEATHER = ("temp_air", "relative_humidity")
#: Attributes of the fetch, not of the data: left out of comparisons.
FETCH_ATTRS = ("retrieved_at", "stale", "note")
#: Attributes in which every source of a mixed series is named.
TERMS = ("source", "licence", "attribution")


@dataclass(frozen=True)
class Origin:
    """Publisher of a series: the `source` label of its intervals, terms of use, and the credit that they ask for."""

    name: str
    licence: str
    attribution: str


def dataset(
    source: Origin, time: Any, dt: Any, variables: Mapping[str, tuple[Any, str]], quality: str | Flags, **attrs: Any
) -> xr.Dataset:
    """A labelled Dataset, sorted by time.

    Parameters
    ----------
    time : interval starts (UTC, naive), shape (T,)
    dt : interval lengths [h], shape (T,) or one for all
    variables : name -> (values of shape (T,), unit)
    quality : one of QUALITY for all, or an index into it per interval
    """
    starts = np.asarray(time, dtype="datetime64[ns]")
    labels = np.full(len(starts), QUALITY.index(quality), np.int8) if isinstance(quality, str) else quality
    data: dict[str, Any] = {n: ("time", np.asarray(v, dtype=float), {"units": u}) for n, (v, u) in variables.items()}
    data["dt"] = ("time", np.broadcast_to(np.asarray(dt, dtype=float), starts.shape).copy(), {"units": "h"})
    data["quality"] = ("time", labels, QUALITY_ATTRS)
    data["source"] = ("time", np.full(len(starts), source.name))
    about = {"source": source.name, "licence": source.licence, "attribution": source.attribution,
             "time_label": "start of the interval, UTC", "Conventions": "CF-1.11"}  # fmt: skip
    ds = xr.Dataset(data, {"time": ("time", starts, TIME_ATTRS)}, attrs=about | attrs)
    return ds.isel(time=np.argsort(starts, kind="stable"))


def weather_dataset(source: Origin, time: Any, dt: Any, variables: Mapping[str, Floats], quality: str) -> xr.Dataset:
    """`dataset` without intervals that lack temperature or humidity, and without variables that have no value at all."""
    known = {n: v for n, v in variables.items() if n in NEEDED_WEATHER or np.isfinite(v).any()}
    ds = dataset(source, time, dt, {n: (v, WEATHER_UNITS[n]) for n, v in known.items()}, quality)
    return finite(ds, NEEDED_WEATHER)


def quality_and_source(ds: xr.Dataset) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Quality and source of each interval in words."""
    return np.array(QUALITY)[ds["quality"].values], ds["source"].values


def flags(quality: Iterable[str]) -> Flags:
    """Positions in QUALITY."""
    return np.array([QUALITY.index(q) for q in quality], dtype=np.int8)


def to_table(ds: xr.Dataset) -> pd.DataFrame:
    """The variables as columns over interval starts, labels in words."""
    words = dict(zip(LABELS, quality_and_source(ds), strict=True))
    columns = {str(n): words.get(str(n), ds[n].values) for n in ds.data_vars}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(ds["time"].values, name="time"))


def from_table(table: pd.DataFrame, like: xr.Dataset) -> xr.Dataset:
    """The table as a Dataset with the units and terms of `like`."""
    columns: dict[str, Any] = {str(n): table[n].to_numpy(dtype=float) for n in like.data_vars if n not in LABELS}
    columns |= {"quality": flags(table["quality"]), "source": np.array(list(table["source"]), dtype=str)}
    data = {str(n): ("time", columns[str(n)], like[n].attrs) for n in like.data_vars}
    return xr.Dataset(data, {"time": ("time", table.index.to_numpy().astype("datetime64[ns]"), TIME_ATTRS)}, like.attrs)


def join(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """One Dataset of several, with the terms of all; where two have an interval, the earlier part's stands."""
    whole = xr.concat(
        parts, "time", data_vars="all", coords="minimal", compat="override", join="outer", combine_attrs="override"
    )
    _, first = np.unique(whole["time"].values, return_index=True)
    terms = terms_of([p for p in parts if p.sizes["time"]] or parts[:1])
    return whole.isel(time=first).assign_attrs(terms | fetch_attrs(parts))


def fetch_attrs(parts: Iterable[xr.Dataset]) -> dict[str, Any]:
    """Attributes of a mixed series about its answers: the latest time, stale if one is, all notes."""
    attrs = [p.attrs for p in parts]
    notes = sorted({str(a["note"]) for a in attrs if a.get("note")})
    times = [str(a["retrieved_at"]) for a in attrs if "retrieved_at" in a]
    return {"stale": max((int(a.get("stale", 0)) for a in attrs), default=0), "note": "; ".join(notes)} | (
        {"retrieved_at": max(times)} if times else {}
    )


def in_one_line(texts: Iterable[str]) -> str:
    """Each text once, in order of appearance."""
    return "; ".join(dict.fromkeys(t for t in texts if t))


def terms_of(parts: Iterable[xr.Dataset]) -> dict[str, str]:
    """Sources, licences and attributions of a mixed series, each once; parts may be mixed themselves."""
    attrs = [p.attrs for p in parts]
    return {name: in_one_line(t for a in attrs for t in str(a.get(name, "")).split("; ")) for name in TERMS}


def clip(ds: xr.Dataset, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Intervals that begin in [start, end)."""
    time = ds["time"].values
    return ds.isel(time=np.flatnonzero((time >= start) & (time < end)))


def touching(ds: xr.Dataset, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Intervals that overlap [start, end): for weeks, which seldom begin where a horizon does."""
    return ds.isel(time=np.flatnonzero((ends(ds) > start) & (ds["time"].values < end)))


def ends(ds: xr.Dataset) -> Times:
    """First moments after the intervals, shape (T,)."""
    return np.asarray(ds["time"].values + duration(ds["dt"].values))


def duration(values: Any) -> Any:
    """Hours as timedeltas, exact to the second."""
    return (np.round(np.asarray(values, dtype=float) * 3600)).astype("timedelta64[s]").astype("timedelta64[ns]")


def finite(ds: xr.Dataset, names: Iterable[str]) -> xr.Dataset:
    """Intervals in which all the named variables have a value."""
    keep = np.logical_and.reduce([np.isfinite(ds[n].values) for n in names])
    return ds.isel(time=np.flatnonzero(keep))


def utc(texts: Sequence[str]) -> Times:
    """ISO 8601 times with offset or Z as naive UTC."""
    stamps = pd.DatetimeIndex(pd.to_datetime(list(texts), utc=True, format="ISO8601"))
    return np.asarray(stamps.tz_localize(None).as_unit("ns").values)


def spacing(time: Times) -> Floats:
    """Lengths of intervals from start to start [h]; the last as the one before it, or one hour."""
    steps = np.diff(time) / np.timedelta64(1, "h")
    return np.append(steps, steps[-1] if len(steps) else 1.0)[: len(time)]
