"""Checks of files and of fetched series.

A file must be right: the first value that cannot be is an error that names its row. What a source answers is judged by
findings, each warn or refuse, since another source can supply the hours. Nothing here changes a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.schema import Bools, Floats, Times
from energy.series.labels import clip, ends
from energy.series.local_time import Span, day_of, midnight

#: Prices outside are looked at: the harmonised limits of the coupled day-ahead market [EUR/MWh].
BAND = (-500.0, 4000.0)
#: Prices outside this many times the band are no prices.
REFUSE_FACTOR = 2.0
#: A price that stays the same for longer is looked at [h]: whole days of one price do not clear.
FLAT_PRICE_H = 24.0
#: A temperature that stays the same to the last digit for longer is a stuck sensor [h].
FLAT_WEATHER_H = 12.0
#: Below this median of absolute values a price series is per kWh: no zone's is under 1 EUR/MWh for a month, none of the
#: data we know has a yearly median under 5 per MWh, and 1 per kWh would be a very dear kWh.
KWH_MEDIAN, KWH_DAYS = 1.0, 28.0
#: Ratios of medians that unit mistakes make: kWh for MWh, cents or øre, and their inverses; NOK for EUR is 9 to 12.
UNIT_RATIOS = {"per kWh": 1e-3, "per MWh taken for per kWh": 1e3, "cents per kWh": 0.1, "cents": 100.0, "NOK": 11.0}
#: How near to such a ratio a median must be to be taken for it (relative).
RATIO_WIDTH = 0.2
#: Fewest common intervals for comparing two series.
FEWEST = 12
#: Largest price of any market in any currency [per MWh]; what is larger is a slip of the keyboard.
PRICE_LIMIT = 1e6
#: Highest relative humidity taken for saturated air [%]: humid stations report a little above 100.
MAX_RELATIVE_HUMIDITY = 105.0
#: Allowed range of a weather variable and its unit.
RANGES = {"temp_air": (-60.0, 60.0, "°C"), "temp_dew": (-80.0, 40.0, "°C"), "temp_wet_bulb": (-60.0, 45.0, "°C"),
          "relative_humidity": (0.0, MAX_RELATIVE_HUMIDITY, "%"), "pressure": (5e4, 1.1e5, "Pa"),
          "ghi": (0.0, 1600.0, "W/m²"), "dni": (0.0, 1600.0, "W/m²"), "dhi": (0.0, 1600.0, "W/m²"), "wind_speed": (0.0, 90.0, "m/s")}  # fmt: skip
#: Variables whose ranges a fetched series is refused for.
FETCHED_RANGES = ("temp_air", "relative_humidity", "pressure")
#: Dew point or wet bulb may stand above dry bulb by this much [K], the rounding of sensors and reanalyses.
SUPERSATURATION = 0.5
#: Allowed range of a carbon intensity; lignite emits 1.2.
CARBON_RANGE = (0.0, 2.0, "t/MWh")
#: Lengths of days are sums of steps; rounding stays far below this [h].
TINY_H = 1e-6


@dataclass(frozen=True)
class Finding:
    """One thing found; `at` is the first interval at fault (UTC)."""

    kind: str
    level: Literal["warn", "refuse"]
    text: str
    at: np.datetime64 | None = None

    def __str__(self) -> str:
        when = f" at {str(self.at)[:16]}Z" if self.at is not None else ""
        return f"{self.kind}{when}: {self.text}"


def check_prices(ds: xr.Dataset) -> list[Finding]:
    """Findings about a price series of one zone (`price`, `dt`) by itself; see `flips` too."""
    time, price, dt = ds["time"].values, ds["price"].values, ds["dt"].values
    zero = pd.Series(price == 0).groupby(time.astype("datetime64[D]"))  # whole days of zeros: failed exports look so
    bad, first = (zero.all() & (zero.size() > 1)).to_numpy(), time[zero.head(1).index]
    days = _first(bad, first, "zero day", lambda _: f"{int(bad.sum())} days of zeros only", "warn")
    found = [*duplicates(ds), *band(time, price), *flat_runs(time, price, dt, FLAT_PRICE_H), *days]
    if dt.sum() >= KWH_DAYS * 24 and (median := np.median(np.abs(price))) < KWH_MEDIAN:
        found.append(Finding("unit", "warn", f"median {median:.3g} looks like a price per kWh"))
    return found


def check_weather(ds: xr.Dataset) -> list[Finding]:
    """Duplicates, gaps, stuck sensors and values that no weather has."""
    found = [*duplicates(ds), *flat_runs(ds["time"].values, ds["temp_air"].values, ds["dt"].values, FLAT_WEATHER_H)]
    for name in [n for n in FETCHED_RANGES if n in ds]:
        low, high, _ = RANGES[name]
        values = ds[name].values
        bad = (values < low) | (values > high)
        found += _first(bad, ds["time"].values, "range", lambda i: f"{name} {values[i]:g} outside {low:g} … {high:g}")  # noqa: B023
    return found


def _first(
    bad: Bools, time: Times, kind: str, text: Callable[[int], str], level: Literal["warn", "refuse"] = "refuse"
) -> list[Finding]:
    """A finding at the first interval at fault, whose position `text` is given; nothing where there is none."""
    at = int(np.argmax(bad)) if bad.any() else -1
    return [Finding(kind, level, text(at), np.datetime64(time[at], "ns"))] if at >= 0 else []


def uncovered(time: Times, until: Times, start: np.datetime64, end: np.datetime64) -> list[Span]:
    """Stretches of [start, end) outside the intervals [time, until), which are sorted and may overlap."""
    out, known = [], start
    for begin, stop in zip(time, until, strict=True):
        if begin > known:
            out.append((known, min(begin, end)))
        known = max(known, stop)
    return [(a, b) for a, b in [*out, (known, end)] if a < b and a < end]


def duplicates(ds: xr.Dataset) -> list[Finding]:
    """Intervals that begin before the one before them ends, or at the same time."""
    bad = np.append(False, ds["time"].values[1:] < ends(ds)[:-1])[: ds.sizes["time"]]
    return _first(bad, ds["time"].values, "duplicates", lambda _: f"{bad.sum()} intervals begin inside the one before")


def flat_runs(time: Times, values: Floats, dt: Floats, longest_h: float) -> list[Finding]:
    """Stretches of one value longer than `longest_h` [h]."""
    if not len(values):
        return []
    run = np.cumsum(np.append(True, np.diff(values) != 0)) - 1
    length = np.bincount(run, weights=dt)
    longest = int(np.argmax(length))
    if length[longest] <= longest_h:
        return []
    first = int(np.argmax(run == longest))
    return [Finding("flat run", "warn", f"{values[first]:g} for {length[longest]:g} h", time[first])]


def band(time: Times, price: Floats, low: float = BAND[0], high: float = BAND[1]) -> list[Finding]:
    """Prices outside the band (warn) or outside REFUSE_FACTOR times it, or not numbers (refuse)."""
    far = ~((price >= REFUSE_FACTOR * low) & (price <= REFUSE_FACTOR * high))
    out = far if far.any() else (price < low) | (price > high)
    level: Literal["warn", "refuse"] = "refuse" if far.any() else "warn"
    return _first(out, time, "band", lambda i: f"{price[i]:g} outside {low:g} … {high:g}", level)


def flips(ds: xr.Dataset, reference: xr.Dataset) -> list[Finding]:
    """Find the reference with another sign, or in another unit."""
    _, mine, theirs = np.intersect1d(ds["time"].values, reference["time"].values, return_indices=True)
    a, b = ds["price"].values[mine], reference["price"].values[theirs]
    clear = np.abs(b) > KWH_MEDIAN
    if clear.sum() < FEWEST:
        return []
    ratio, at = float(np.median(a[clear] / b[clear])), np.datetime64(ds["time"].values[mine[0]], "ns")
    if abs(ratio + 1) < RATIO_WIDTH:
        return [Finding("sign", "refuse", "the prices of the reference with the other sign", at)]
    for name, factor in UNIT_RATIOS.items():
        if abs(ratio / factor - 1) < RATIO_WIDTH:
            return [Finding("unit", "refuse", f"{ratio:.3g} times the reference: looks like {name}", at)]
    return []


def local_days(ds: xr.Dataset, clock: str) -> list[Finding]:
    """Whole local days whose steps do not make 23, 24 or 25 hours (92, 96 or 100 quarters) as the clock says."""
    if not ds.sizes["time"]:
        return []
    first, last = day_of(ds["time"].values[0], clock), day_of(ends(ds)[-1], clock)
    found = []
    for day in (first + timedelta(days=n) for n in range(1, (last - first).days)):
        begin, stop = midnight(day, clock), midnight(day + timedelta(days=1), clock)
        length, there = float((stop - begin) / np.timedelta64(1, "h")), float(clip(ds, begin, stop)["dt"].sum())
        if abs(there - length) > TINY_H:
            found.append(Finding("local day", "warn", f"{there:g} of {length:g} h on {day} ({clock})", begin))
    return found


def refused(found: Sequence[Finding]) -> str:
    """The findings that refuse a series, as one line; empty where there is none."""
    return "; ".join(str(f) for f in found if f.level == "refuse")


def in_range(path: Path, name: str, values: pd.Series, low: float, high: float, unit: str) -> pd.Series:
    """The values of a file's column; SeriesError where one lies outside."""
    bad = (values < low) | (values > high)
    if bad.any():
        at = int(np.argmax(bad.to_numpy()))
        where = f"{path}: {name} at {values.index[at]}Z"
        raise SeriesError(where, f"is {values.iloc[at]:g} {unit}", f"{low:g} … {high:g} {unit}")
    return values


def refuse_per_kwh(path: Path, name: str, price: pd.Series) -> None:
    """SeriesError where the prices of a file look like prices per kWh: their median is below KWH_MEDIAN."""
    median = float(price.abs().median())
    if median < KWH_MEDIAN:
        allowed = "prices per MWh; if they are, say so with unit: per_mwh in the case file"
        raise SeriesError(f"{path}: {name}", f"median {median:.4g} looks like a price per kWh", allowed)


def refuse_supersaturated(path: Path, frame: pd.DataFrame, humidity: str) -> None:
    """SeriesError where dew point or wet bulb (the column `humidity`) lies above dry bulb by more than SUPERSATURATION."""
    if humidity == "relative_humidity":
        return
    excess = frame[humidity] - frame["temp_air"]
    if (excess > SUPERSATURATION).any():
        at = int(np.argmax(excess > SUPERSATURATION))
        reason = f"{frame[humidity].iloc[at]:g} °C lies above temp_air {frame['temp_air'].iloc[at]:g} °C"
        raise SeriesError(
            f"{path}: {humidity} at {frame.index[at]}Z", reason, f"at most {SUPERSATURATION:g} K above it"
        )
