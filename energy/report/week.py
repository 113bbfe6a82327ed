"""Price, dry bulb and load of a site over the horizon: one picture per site, the same scales where that reads well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from energy.report import svg
from energy.report.horizon import Horizon
from energy.report.view import View
from energy.report.words import hours, number, unit
from energy.schema import Floats

#: Heights of the three panels [px].
HEIGHTS = (74.0, 56.0, 92.0)
#: Sites share one load scale unless the largest has more than this many times the load of the smallest.
COMPARABLE = 4.0
#: Empty space above and below a line, as a share of its range.
MARGIN = 0.06


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and one line of figures."""

    name: str
    facts: str
    svg: Markup


def pictures(view: View, horizon: Horizon) -> list[Picture]:
    """One per shown site."""
    return [_site(view, horizon, s) for s in view.shown]


def _site(view: View, horizon: Horizon, s: int) -> Picture:
    figure, (price, weather, load) = svg.panels(HEIGHTS)
    _price(price, view, horizon, s)
    _weather(weather, view, horizon, s)
    _load(load, view, horizon, s)
    for ax in (price, weather, load):
        horizon.label(ax)
    name = view.sites[s]
    return Picture(name, _facts(view, s), svg.inline(figure, f"week {s}", f"{name}: spot price, dry bulb and load"))


def _price(ax: Axes, view: View, horizon: Horizon, s: int) -> None:
    spot = view.problem["spot"].values
    horizon.shade(ax, spot[s] < 0, "negative")
    horizon.line(ax, spot[s], "spot")
    ax.set_ylim(*span(spot[view.shown]))
    svg.title(ax, "Spot price, EUR/MWh", [("negative", "warm")] if (spot[s] < 0).any() else [])


def _weather(ax: Axes, view: View, horizon: Horizon, s: int) -> None:
    dry = view.problem["temp_air"].values
    horizon.line(ax, dry[s], "warm")
    ax.set_ylim(*span(dry[view.shown]))
    svg.title(ax, "Dry bulb, °C")


def _load(ax: Axes, view: View, horizon: Horizon, s: int) -> None:
    limit = view.problem["grid_limit_mw"].values
    horizon.line(ax, limit[s], "ink", 1.0, dashed=True)
    horizon.line(ax, view.base["facility_mw"].values[s], "base", 1.1)
    horizon.line(ax, view.plan["facility_mw"].values[s], "plan", 1.5)
    ax.set_ylim(0, top(limit.max(axis=1), view.shown, s))
    svg.title(ax, "Facility load, MW", [("plan", "plan"), ("run-now", "soft"), ("grid limit", "ink")])


def top(highest: Floats, shown: list[int], s: int) -> float:
    """Upper end of a scale from zero: shared by the sites where they are comparable."""
    most, least = float(highest[shown].max()), float(highest[shown].min())
    return 1.05 * (most if most <= COMPARABLE * least else float(highest[s])) or 1.0


def span(values: Floats) -> tuple[float, float]:
    """Range of a scale with a margin; never empty."""
    low, high = float(np.min(values)), float(np.max(values))
    room = MARGIN * (high - low) or 1.0
    return low - room, high + room


def _facts(view: View, s: int) -> str:
    spot, dry = view.problem["spot"].values[s], view.problem["temp_air"].values[s]
    negative = float(view.dt[spot < 0].sum())
    parts = [f"spot {number(float(spot.min()))} to {unit(float(spot.max()), 'EUR/MWh')}"]
    parts += [f"{hours(negative)} below zero"] if negative else []
    parts += [f"dry bulb {number(float(dry.min()))} to {unit(float(dry.max()), '°C')}"]
    return ", ".join(parts)
