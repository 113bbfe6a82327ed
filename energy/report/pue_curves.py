"""PUE over dry bulb and over load as bands: in the report from a plan's hours, in `energy pue` from a year's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FormatStrFormatter

from energy.report import svg
from energy.report.style import light, variables
from energy.report.view import View
from energy.report.week import Picture
from energy.schema import TINY_MW, Floats

#: Height of a picture [px].
HEIGHT = 110.0
#: Intervals that hours are gathered in.
BINS = 24
#: All heat but this share without compressor is free cooling: rounding.
TINY = 1e-9
#: Opacity of a band: two that overlap can still be told apart.
FAINT = 0.25
#: Most halls of a site that are drawn: more have no colours or room for names.
MOST = 4
#: Columns of a sheet, space around pictures [px].
COLUMNS, MARGIN = 2, 16.0


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
    figure, (ax,) = svg.panels([HEIGHT])
    for b in bands[:MOST]:
        ax.fill_between(b.x, b.low, b.high, facecolor=light(b.role), edgecolor="none", linewidth=0, alpha=FAINT)
        ax.plot(b.x, b.middle, color=light(b.role), linewidth=1.4)
    ax.yaxis.set_major_formatter(FormatStrFormatter("%.2f"))
    svg.title(ax, title, [(b.name, b.role) for b in bands[:MOST]])
    return svg.inline(figure, name, title)


def sheet(pictures: Sequence[Markup]) -> str:
    """A stand-alone SVG file of pictures of equal size, two in a row."""
    tall = HEIGHT + svg.GAP + svg.BELOW
    rows = -(-len(pictures) // COLUMNS)
    width, height = COLUMNS * svg.WIDTH + (COLUMNS + 1) * MARGIN, rows * (tall + MARGIN) + MARGIN
    body = "".join(
        str(p).replace(
            "<svg ",
            f'<svg x="{MARGIN + (i % COLUMNS) * (svg.WIDTH + MARGIN):g}" y="{MARGIN + i // COLUMNS * (tall + MARGIN):g}" '
            f'width="{svg.WIDTH:g}" height="{tall:g}" ',
            1,
        )
        for i, p in enumerate(pictures)
    )
    style = f"<style>:root{{{variables('light')}}}text{{font-family:system-ui,sans-serif}}</style>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
    return f'{head}{style}<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>\n'


def pictures(view: View) -> list[Picture]:
    """Of each shown site: PUE of its halls over dry bulb and over load, from the hours of the plan."""
    return [p for s in view.shown for p in _site(view, s)]


def _site(view: View, s: int) -> list[Picture]:
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
