"""Cooling by hall: overhead by component, water, derated hours, and PUE over dry bulb and load as bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from energy.report import charts
from energy.report.charts import Picture, TimeAxis, variables
from energy.report.figures import RunFigures
from energy.report.formatting import hours, mwh, number, unit, utc
from energy.report.view import Cell, Column, Legend, Table, left, table
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


def picture(run: RunFigures, time: TimeAxis, s: int) -> Picture:
    """Overhead of a site stacked by component, hours with a derated hall shaded."""
    mine = run.problem["hall_site"].values == s
    rows = np.array([run.plan[name].values[mine].sum(axis=0) for name in COMPONENTS])
    small = float(rows.sum(axis=0).max(initial=0.0)) < SMALL_MW
    panels = [panel] = charts.panels([HEIGHT])
    time.shade(panel, (run.plan["derating_mw"].values[mine] > 0).any(axis=0), "negative")
    time.stack(panel, rows * (KILO if small else 1.0), [PARTS[name][1] for name in COMPONENTS])
    panel.title(f"Overhead, {'kW' if small else 'MW'}")
    caption = f"{run.sites[s]}: cooling and electrical overhead by component"
    return Picture(run.sites[s], _facts(run, s), charts.svg(panels, caption))


def _facts(run: RunFigures, s: int) -> str:
    site = _figures(run)["sites"].get(run.sites[s], {})
    if site.get("worst_pue") is None:
        return "no IT load"
    reuse = f", {mwh(site['reused_mwh'])} of heat reused: ERF {number(site['erf'], 3)}, ERE {number(site['ere'], 3)}"
    return (
        f"WUE {unit(site['wue_l_per_kwh'], 'L/kWh', 2)}, free cooling {hours(site['free_cooling_hours'])}, "
        f"worst hour PUE {number(site['worst_pue'], 3)} at {utc(site['worst_hour'])}"
    ) + (reuse if site["reused_mwh"] > 0 else "")


def _figures(run: RunFigures) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run.record.summary.get("cooling", {"sites": {}, "halls": {}})
    return found


def legend(run: RunFigures) -> Legend:
    """The components, and the shade of derated hours if a hall is derated."""
    derated = (run.plan["derating_mw"].values > 0).any()
    return (*PARTS.values(), *([("a hall is derated", "negative")] if derated else []))


COLUMNS = (
    left("Hall"), Column("PUE"), *(Column(name.capitalize(), "MWh") for name, _ in PARTS.values()),
    Column("Water", "m³"), Column("WUE", "L/kWh"), Column("Free cooling"), Column("Worst hour", "PUE"),
    Column("Derated"),
)  # fmt: skip


def hall_table(run: RunFigures) -> Table | None:
    """One row per hall; None where the run has no figures of cooling."""
    return table(COLUMNS, [
        (
            name, number(h["pue"], 4), *(number(h["overhead_mwh"][part.removesuffix("_mw")], 1) for part in PARTS),
            number(h["water_m3"], 1), number(h["wue_l_per_kwh"], 2), hours(h["free_cooling_hours"]),
            Cell(number(h["worst_pue"], 3), utc(h["worst_hour"] or "")),
            Cell(hours(h["derated_hours"]), f"by up to {unit(h['most_derated_mw'], 'MW', 3)}", "bad")
            if h["derated_hours"] > 0 else "never",
        )
        for name, h in _figures(run)["halls"].items()
    ])  # fmt: skip


#: Height of a picture [px].
CURVE_HEIGHT = 110.0
#: Intervals that hours are gathered in.
BINS = 24
#: All heat but this share without compressor is free cooling: rounding.
TINY = 1e-9
#: Opacity of a band: two that overlap can still be distinguished.
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


def curves(title: str, bands: Sequence[Band]) -> Markup:
    """A picture of bands over one x, at most MOST of them."""
    panels = [panel] = charts.panels([CURVE_HEIGHT])
    for b in bands[:MOST]:
        panel.area(b.x, b.low, b.high, b.role, FAINT)
        panel.line(b.x, b.middle, b.role, 1.4)
    panel.digits = 2
    panel.title(title, [(b.name, b.role) for b in bands[:MOST]])
    return charts.svg(panels, title)


def sheet(pictures: Sequence[Markup]) -> str:
    """A stand-alone SVG file of pictures of equal size, two in a row."""
    tall = CURVE_HEIGHT + charts.GAP + charts.BELOW
    rows = -(-len(pictures) // CURVE_COLUMNS)
    width, height = CURVE_COLUMNS * charts.WIDTH + (CURVE_COLUMNS + 1) * MARGIN, rows * (tall + MARGIN) + MARGIN
    body = ""
    for i, picture in enumerate(pictures):
        x, y = (
            MARGIN + n * (size + MARGIN) for n, size in ((i % CURVE_COLUMNS, charts.WIDTH), (i // CURVE_COLUMNS, tall))
        )
        body += str(picture).replace(
            "<svg ", f'<svg x="{x:g}" y="{y:g}" width="{charts.WIDTH:g}" height="{tall:g}" ', 1
        )
    style = f"<style>:root{{{variables('light')}}}text{{font-family:system-ui,sans-serif}}</style>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
    return f'{head}{style}<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>\n'


def curve_pictures(run: RunFigures, s: int) -> list[Picture]:
    """PUE of a site's halls over dry bulb and over load, from the hours of the plan."""
    halls = np.flatnonzero(run.problem["hall_site"].values == s)
    dry, weather, load = run.problem["temp_air"].values[s], [], []
    for i, h in enumerate(halls):
        it, extra = run.plan["it_mw"].values[h], run.plan["overhead_mw"].values[h]
        on = it > TINY_MW
        if on.any():
            name, role = str(run.problem["hall"].values[h]).split("/")[-1], f"series{i % MOST + 1}"
            pue = 1 + extra[on] / it[on]
            most = (run.problem["hall_mw"].values[h] + run.plan["derating_mw"].values[h])[on]
            weather.append(band(name, role, dry[on], pue))
            load.append(band(name, role, it[on] / most, pue))
    where = run.sites[s]
    return [
        Picture(where, "over dry bulb", curves("PUE over dry bulb, °C", weather)),
        Picture(where, "over load", curves("PUE over IT load, share of the hall's limit", load)),
    ]
