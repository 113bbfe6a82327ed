"""Cooling by hall: overhead by component, water, free cooling, worst hour, and hours the weather derates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from energy.report import svg
from energy.report.gpus import key
from energy.report.horizon import Horizon
from energy.report.style import light
from energy.report.tables import Cell, Column, Table, row, table, words
from energy.report.view import View
from energy.report.week import Picture
from energy.report.words import hours, mwh, number, unit
from energy.schema import COMPONENTS

#: Height of a picture [px].
HEIGHT = 92.0
#: Component of the overhead -> its name and colour role, in the order of the stack from below.
PARTS = {
    "electrical_mw": ("electrical", "firm"),
    "pumps_mw": ("pumps", "series1"),
    "fans_mw": ("fans", "series5"),
    "heat_rejection_mw": ("heat rejection", "series3"),
    "compressors_mw": ("compressors", "series6"),
}
#: Below this highest overhead [MW] pictures count in kW.
SMALL_MW, KILO = 1.0, 1000.0


def pictures(view: View, horizon: Horizon) -> list[Picture]:
    """Overhead of each shown site stacked by component, hours with a derated hall shaded."""
    return [_site(view, horizon, s) for s in view.shown]


def _site(view: View, horizon: Horizon, s: int) -> Picture:
    mine = view.problem["hall_site"].values == s
    rows = np.array([view.plan[name].values[mine].sum(axis=0) for name in COMPONENTS])
    small = float(rows.sum(axis=0).max(initial=0.0)) < SMALL_MW
    levels = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)]) * (KILO if small else 1.0)
    figure, (ax,) = svg.panels([HEIGHT])
    horizon.shade(ax, (view.plan["derating_mw"].values[mine] > 0).any(axis=0), "negative")
    for lower, upper, name in zip(levels[:-1], levels[1:], COMPONENTS, strict=True):
        if (upper - lower).max(initial=0.0) > 0:
            svg.stairs(ax, horizon.mean(upper), horizon.edges, horizon.mean(lower),
                       facecolor=light(PARTS[name][1]), edgecolor="none", linewidth=0)  # fmt: skip
    ax.set_ylim(0, 1.05 * float(levels[-1].max(initial=0.0)) or 1.0)
    horizon.label(ax)
    svg.title(ax, f"Overhead, {'kW' if small else 'MW'}")
    text = f"{view.sites[s]}: cooling and electrical overhead by component"
    return Picture(view.sites[s], _facts(view, s), svg.inline(figure, f"cooling {s}", text))


def _facts(view: View, s: int) -> str:
    site = _figures(view)["sites"].get(view.sites[s], {})
    if site.get("worst_pue") is None:
        return "no IT load"
    reuse = f", {mwh(site['reused_mwh'])} of heat reused: ERF {number(site['erf'], 3)}, ERE {number(site['ere'], 3)}"
    return (
        f"WUE {unit(site['wue_l_per_kwh'], 'L/kWh', 2)}, free cooling {hours(site['free_cooling_hours'])}, "
        f"worst hour PUE {number(site['worst_pue'], 3)} at {site['worst_hour'].replace('T', ' ').replace('Z', ' UTC')}"
    ) + (reuse if site["reused_mwh"] > 0 else "")


def _figures(view: View) -> Mapping[str, Any]:
    found: Mapping[str, Any] = view.record.summary.get("cooling", {"sites": {}, "halls": {}})
    return found


def parts_key(view: View) -> Markup:
    """The components in their colours, and the shade of derated hours where there are any."""
    names, roles = ([part[i] for part in PARTS.values()] for i in (0, 1))
    hot = (view.plan["derating_mw"].values > 0).any()
    return key([*names, "a hall is derated"], [*roles, "negative"]) if hot else key(names, roles)


COLUMNS = (
    words("Hall"), Column("PUE"), *(Column(name.capitalize(), "MWh") for name, _ in PARTS.values()),
    Column("Water", "m³"), Column("WUE", "L/kWh"), Column("Free cooling"), Column("Worst hour", "PUE"),
    Column("Derated"),
)  # fmt: skip


def hall_table(view: View) -> Table | None:
    """One row per hall; None where the run does not say."""
    halls = _figures(view)["halls"]
    return table(COLUMNS, [_row(name, h) for name, h in halls.items()]) if halls else None


def _row(name: str, h: Mapping[str, Any]) -> tuple[Cell, ...]:
    parts = [number(h["overhead_mwh"][part.removesuffix("_mw")], 1) for part in PARTS]
    worst = Cell(_known(h["worst_pue"], 3), (h["worst_hour"] or "").replace("T", " ").replace("Z", " UTC"))
    hot = h["derated_hours"] > 0
    return row(
        name, _known(h["pue"], 4), *parts, number(h["water_m3"], 1), _known(h["wue_l_per_kwh"], 2),
        hours(h["free_cooling_hours"]), worst,
        Cell(hours(h["derated_hours"]), f"by up to {unit(h['most_derated_mw'], 'MW', 3)}", "bad") if hot else "never",
    )  # fmt: skip


def _known(value: float | None, digits: int) -> str:
    return "–" if value is None else number(value, digits)
