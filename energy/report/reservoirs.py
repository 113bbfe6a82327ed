"""Reservoirs of hydropower zones: a year of filling against the range and median of twenty years."""

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


def pictures(view: View) -> list[Picture]:
    """One per zone whose reservoirs are known, in the order of the file."""
    ds = view.record.reservoirs
    if ds is None:
        return []
    zones = [str(n).removesuffix("_filling") for n in ds.data_vars if str(n).endswith("_filling")]
    return [_zone(ds, zone) for zone in zones if np.isfinite(ds[f"{zone}_filling"].values).any()]


def _zone(ds: xr.Dataset, zone: str) -> Picture:
    known = ds.isel(time=np.flatnonzero(np.isfinite(ds[f"{zone}_filling"].values)))
    low, middle, high = (_percent(known, f"{zone}_{n}") for n in ("minimum", "median", "maximum"))
    filling = _percent(known, f"{zone}_filling")
    figure, (ax,) = svg.panels([HEIGHT])
    week = np.arange(len(filling), dtype=float)
    ax.fill_between(week, low, high, color=light("rule"), linewidth=0)
    ax.plot(week, middle, color=light("soft"), linewidth=1.0)
    ax.plot(week, filling, color=light("plan"), linewidth=1.6)
    ax.set_ylim(0, FULL)
    svg.title(ax, "Reservoir filling, %", [("filling", "plan"), ("median", "soft")])
    _label(ax, known["time"].values)
    words = f"{zone}: weekly reservoir filling against its twenty-year range"
    return Picture(zone, _facts(known["time"].values, filling, middle), svg.inline(figure, f"reservoirs {zone}", words))


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
