"""Cooling by hall: overhead by component, water, free cooling, worst hour, and hours the weather derates.

PUE over dry bulb and over load as bands: in the report from a plan's hours, in `energy pue` from a year's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FormatStrFormatter

from energy.report import charts
from energy.report.charts import light, variables
from energy.report.sites import Picture, key
from energy.report.text import Cell, Column, Table, hours, mwh, number, row, table, unit, words
from energy.report.view import Horizon, View
from energy.schema import COMPONENTS, TINY_MW, Floats

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
    figure, (ax,) = charts.panels([HEIGHT])
    horizon.shade(ax, (view.plan["derating_mw"].values[mine] > 0).any(axis=0), "negative")
    for lower, upper, name in zip(levels[:-1], levels[1:], COMPONENTS, strict=True):
        if (upper - lower).max(initial=0.0) > 0:
            charts.stairs(ax, horizon.mean(upper), horizon.edges, horizon.mean(lower),
                       facecolor=light(PARTS[name][1]), edgecolor="none", linewidth=0)  # fmt: skip
    ax.set_ylim(0, 1.05 * float(levels[-1].max(initial=0.0)) or 1.0)
    horizon.label(ax)
    charts.title(ax, f"Overhead, {'kW' if small else 'MW'}")
    text = f"{view.sites[s]}: cooling and electrical overhead by component"
    return Picture(view.sites[s], _facts(view, s), charts.inline(figure, f"cooling {s}", text))


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


#: Height of a picture [px].
CURVE_HEIGHT = 110.0
#: Intervals that hours are gathered in.
BINS = 24
#: All heat but this share without compressor is free cooling: rounding.
TINY = 1e-9
#: Opacity of a band: two that overlap can still be told apart.
FAINT = 0.25
#: Most halls of a site that are drawn: more have no colours or room for names.
MOST = 4
#: Columns of a sheet, space around pictures [px].
CURVE_COLUMNS, MARGIN = 2, 16.0


@dataclass(frozen=True)
class Band:
    """A line `middle` over `x`, with the range `low` to `high` around it, each (B,)."""

    name: str
    role: str
    x: Floats
    low: Floats
    middle: Floats
    high: Floats


def band(name: str, role: str, x: Floats, y: Floats) -> Band:
    """Least, mean and highest y of the hours in each interval of x; x and y are (T,)."""
    edges = np.linspace(float(x.min()), float(x.max()) + 1e-9, BINS + 1)
    at = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, BINS - 1)
    filled = np.unique(at)
    parts = [y[at == i] for i in filled]
    means = np.array([x[at == i].mean() for i in filled])
    return Band(name, role, means, *(np.array([f(p) for p in parts]) for f in (np.min, np.mean, np.max)))


def picture(title: str, bands: Sequence[Band], name: str) -> Markup:
    """One picture; `name` makes the ids of the SVG unique on a page."""
    figure, (ax,) = charts.panels([CURVE_HEIGHT])
    for b in bands[:MOST]:
        ax.fill_between(b.x, b.low, b.high, facecolor=light(b.role), edgecolor="none", linewidth=0, alpha=FAINT)
        ax.plot(b.x, b.middle, color=light(b.role), linewidth=1.4)
    ax.yaxis.set_major_formatter(FormatStrFormatter("%.2f"))
    charts.title(ax, title, [(b.name, b.role) for b in bands[:MOST]])
    return charts.inline(figure, name, title)


def sheet(pictures: Sequence[Markup]) -> str:
    """A stand-alone SVG file of pictures of equal size, two in a row."""
    tall = CURVE_HEIGHT + charts.GAP + charts.BELOW
    rows = -(-len(pictures) // CURVE_COLUMNS)
    width, height = CURVE_COLUMNS * charts.WIDTH + (CURVE_COLUMNS + 1) * MARGIN, rows * (tall + MARGIN) + MARGIN
    body = "".join(
        str(p).replace(
            "<svg ",
            f'<svg x="{MARGIN + (i % CURVE_COLUMNS) * (charts.WIDTH + MARGIN):g}" y="{MARGIN + i // CURVE_COLUMNS * (tall + MARGIN):g}" '
            f'width="{charts.WIDTH:g}" height="{tall:g}" ',
            1,
        )
        for i, p in enumerate(pictures)
    )
    style = f"<style>:root{{{variables('light')}}}text{{font-family:system-ui,sans-serif}}</style>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
    return f'{head}{style}<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>\n'


def curve_pictures(view: View) -> list[Picture]:
    """Of each shown site: PUE of its halls over dry bulb and over load, from the hours of the plan."""
    return [p for s in view.shown for p in _curves_of(view, s)]


def _curves_of(view: View, s: int) -> list[Picture]:
    halls = np.flatnonzero(view.problem["hall_site"].values == s)
    dry, weather, load = view.problem["temp_air"].values[s], [], []
    for i, h in enumerate(halls):
        it, extra = view.plan["it_mw"].values[h], view.plan["overhead_mw"].values[h]
        on = it > TINY_MW
        if on.any():
            name, role, ratio = (
                str(view.problem["hall"].values[h]).split("/")[-1],
                f"series{i % MOST + 1}",
                1 + extra[on] / it[on],
            )
            most = (view.problem["hall_mw"].values[h] + view.plan["derating_mw"].values[h])[on]
            weather.append(band(name, role, dry[on], ratio))
            load.append(band(name, role, it[on] / most, ratio))
    where = view.sites[s]
    return [
        Picture(where, "over dry bulb", picture("PUE over dry bulb, °C", weather, f"pue dry {s}")),
        Picture(where, "over load", picture("PUE over IT load, share of the hall's limit", load, f"pue load {s}")),
    ]
