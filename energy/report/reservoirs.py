"""Hydropower zones: a year of reservoir filling against the range of twenty years, and the last days' generation."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from energy.report import svg
from energy.report.style import light
from energy.report.view import View
from energy.report.week import Picture
from energy.report.words import MONTHS, number, share, short_day
from energy.schema import Floats, Times

#: Height of the panel [px], and of the scale: full is 100 %.
HEIGHT, FULL = 110.0, 100.0
#: Months between labels, so that twelve months show four.
MONTHS_APART = 3
#: Days between labels under a week, and the scale above the highest value.
DAYS_APART, HEADROOM = 2.0, 1.05


def pictures(view: View) -> list[Picture]:
    """One per zone whose reservoirs are known, then one per zone whose generation is, in the order of the files."""
    weeks, hourly = view.record.reservoirs, view.record.hydro
    return [_zone(ds, z) for ds, z in _known(weeks, "_filling")] + [
        _generation(ds, z) for ds, z in _known(hourly, "_hydro_mw")
    ]


def _known(ds: xr.Dataset | None, suffix: str) -> list[tuple[xr.Dataset, str]]:
    """The times that a zone has a value of, and the zone, for each that has any."""
    names = [] if ds is None else [str(n) for n in ds.data_vars if str(n).endswith(suffix)]
    known = [(n, np.flatnonzero(np.isfinite(ds[n].values))) for n in names] if ds is not None else []
    return [(ds.isel(time=at), n.removesuffix(suffix)) for n, at in known if len(at) and ds is not None]


def _zone(ds: xr.Dataset, zone: str) -> Picture:
    low, middle, high = (_percent(ds, f"{zone}_{n}") for n in ("minimum", "median", "maximum"))
    filling = _percent(ds, f"{zone}_filling")
    figure, (ax,) = svg.panels([HEIGHT])
    week = np.arange(len(filling), dtype=float)
    ax.fill_between(week, low, high, color=light("rule"), linewidth=0)
    ax.plot(week, middle, color=light("soft"), linewidth=1.0)
    ax.plot(week, filling, color=light("plan"), linewidth=1.6)
    ax.set_ylim(0, FULL)
    svg.title(ax, "Reservoir filling, %", [("filling", "plan"), ("median", "soft")])
    _label(ax, ds["time"].values)
    words = f"{zone}: weekly reservoir filling against its twenty-year range"
    return Picture(zone, _facts(ds["time"].values, filling, middle), svg.inline(figure, f"reservoirs {zone}", words))


def _generation(ds: xr.Dataset, zone: str) -> Picture:
    time, power = ds["time"].values, ds[f"{zone}_hydro_mw"].values
    figure, (ax,) = svg.panels([HEIGHT])
    at = (time - time[0]) / np.timedelta64(1, "D")
    ax.plot(at, power, color=light("plan"), linewidth=1.3)
    ax.set_xlim(0, max(float(at[-1]), 1.0))
    ax.set_ylim(0, HEADROOM * float(power.max()) or 1.0)
    days = np.arange(0.0, float(at[-1]) + 1.0, DAYS_APART)
    ax.set_xticks(days, [short_day(time[0] + np.timedelta64(round(24 * d), "h")) for d in days])
    svg.title(ax, "Hydro generation, MW")
    facts = f"{number(power.mean())} MW on average, {number(power.min())} to {number(power.max())} MW"
    words = f"{zone}: hydro generation by hour"
    return Picture(f"{zone} generation", facts, svg.inline(figure, f"generation {zone}", words))


def _percent(ds: xr.Dataset, name: str) -> Floats:
    values = ds[name].values if name in ds else np.full(ds.sizes["time"], np.nan)
    return np.asarray(100.0 * values)


def _label(ax: Axes, weeks: Times) -> None:
    """The first week of every third month by the month's name."""
    month = weeks.astype("datetime64[M]").astype(int) % 12
    first = [i for i in range(1, len(weeks)) if month[i] != month[i - 1] and month[i] % MONTHS_APART == 0]
    ax.set_xlim(0, max(len(weeks) - 1, 1))
    ax.set_xticks(first, [MONTHS[month[i]] for i in first])


def _facts(weeks: Times, filling: Floats, middle: Floats) -> str:
    last = f"{share(filling[-1] / 100)} full in the week of {short_day(weeks[-1] + np.timedelta64(1, 'D'))}"
    if not np.isfinite(middle[-1]):
        return last
    points = filling[-1] - middle[-1]
    return f"{last}, {number(abs(points), 1)} points {'above' if points >= 0 else 'below'} the median"
