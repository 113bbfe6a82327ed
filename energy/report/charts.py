"""matplotlib figures as small inline SVG: colours as CSS variables, the page's own font, the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator

from energy.report.formatting import clock, short_day
from energy.schema import Bools, Floats, Ints, Times

#: Role -> light and dark colour. The light one is also the mark that is replaced by the CSS variable. Okabe-Ito hues, a
#: little muted for large areas: distinct with every common colour blindness; lightness differs too, for grey printers.
ROLES = {
    "ink": ("#1c2329", "#e6eaed"), "soft": ("#5b6770", "#9aa6af"), "rule": ("#e3e7ea", "#2c343a"),
    "plan": ("#0b6aa8", "#56b4e9"), "base": ("#9a9fa4", "#7d868d"), "warm": ("#c2540a", "#e98a4b"),
    "spot": ("#3b4a57", "#c3ced6"), "negative": ("#f6dcc4", "#5a3c22"), "firm": ("#c9ced2", "#4b545b"),
    "series1": ("#2f78a8", "#4d9fd0"), "series2": ("#e3a83b", "#dda945"), "series3": ("#3b9b80", "#45ad90"),
    "series4": ("#c684a8", "#cf93b5"), "series5": ("#8ec4e2", "#a4d3ec"), "series6": ("#cc6a3a", "#d97d4f"),
    "series7": ("#8f8a3c", "#b0a95c"),
}  # fmt: skip
#: Hues of stacked series: what comes after them shares the role `base`.
HUES = 7


def light(name: str) -> str:
    """Colour of a role that matplotlib draws with, that of the light mode."""
    return ROLES[name][0]


def series(position: int) -> str:
    """Role of the stacked series at a position; grey once the hues are used up."""
    return f"series{position + 1}" if position < HUES else "base"


def variables(mode: Literal["light", "dark"]) -> str:
    """CSS custom properties of one mode."""
    return "".join(f"--{role}:{colours[mode == 'dark']};" for role, colours in ROLES.items())


#: Width of a picture [CSS px]: a 390 px phone less its margins, so that type keeps its size there.
WIDTH = 374.0
#: Type size inside pictures [CSS px]: the smallest that reads well on a phone.
TYPE = 11.0
#: Space left of the axes for tick labels, right of them, between panels, below for the days [px].
LEFT, RIGHT, GAP, BELOW = 34.0, 8.0, 26.0, 22.0
#: Least distance between tick labels of a y axis [px].
TICK = 19.0
#: Mean width of a letter over the type size, for words set side by side.
LETTER = 0.6
#: Coordinates are kept to a tenth of a pixel.
TENTH = 10
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.id": None, "font.size": TYPE, "text.parse_math": False, "axes.unicode_minus": True,
    "axes.linewidth": 0.8, "path.simplify": False, "lines.solid_capstyle": "butt",
}  # fmt: skip


def drawing() -> AbstractContextManager[None]:
    """The settings that all pictures are made under: a name with a dollar sign is text, not mathematics."""
    return mpl.rc_context(_STYLE)


def panels(heights: Sequence[float], right: float = RIGHT) -> tuple[Figure, list[Axes]]:
    """A figure of axes of the given heights [px] above one another, each with room for its title.

    The axes have faint horizontal lines, no box and no tick marks; only the lowest ones have labels of x.
    """
    total = sum(heights) + GAP * len(heights) + BELOW
    figure = Figure(figsize=(WIDTH / 72, total / 72), dpi=72)
    figure.patch.set_visible(False)
    axes, top = [], total
    for height in heights:
        top -= GAP + height
        ax = figure.add_axes((LEFT / WIDTH, top / total, (WIDTH - LEFT - right) / WIDTH, height / total))
        ax.spines[["left", "right", "top"]].set_visible(False)
        ax.spines["bottom"].set_color(light("soft"))
        ax.patch.set_visible(False)
        ax.tick_params(left=False, bottom=False, labelcolor=light("soft"), pad=3)
        ax.tick_params(axis="x", pad=6)
        ax.yaxis.set_major_locator(MaxNLocator(nbins=min(4, round(height / TICK)), steps=[1, 2, 2.5, 5, 10]))
        ax.grid(axis="y", color=light("rule"), linewidth=0.8)
        ax.set_axisbelow(True)
        axes.append(ax)
    for ax in axes[:-1]:
        ax.tick_params(labelbottom=False)
    return figure, axes


def stairs(ax: Axes, values: Floats, edges: Floats, baseline: Floats | None = None, **style: Any) -> None:
    """Draw steps as `Axes.stairs` does, filled where there is a baseline.

    The limits come from the numbers: matplotlib looks for the extremes of each segment as if it were a curve, a quarter
    of the time of a page.
    """
    patch = StepPatch(values, edges, baseline=baseline, fill=baseline is not None, **style)  # type: ignore[arg-type]
    ax.add_artist(patch)
    heights = values if baseline is None else np.append(values, baseline)
    ax.update_datalim([(edges[0], heights.min()), (edges[-1], heights.max())])
    if baseline is not None:
        patch.sticky_edges.y.append(float(baseline.min()))
    ax.autoscale_view()


def title(ax: Axes, text: str, keys: Sequence[tuple[str, str]] = ()) -> None:
    """Write the title above the axes at the left, and `keys` (word, colour role) at the right in the lines' colours."""
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    ax.annotate(text, (0, 1), xytext=(2 - LEFT, 7), ha="left", color=light("ink"), **style)
    at = 0.0
    for word, role in reversed(keys):
        ax.annotate(word, (1, 1), xytext=(at, 7), ha="right", color=light(role), **style)
        at -= TYPE * LETTER * len(word) + 9


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and one line of figures."""

    name: str
    facts: str
    svg: Markup


#: Most steps that a picture draws: about one per pixel of its axes.
MOST_STEPS = 340
#: Most labels below a picture, so that "30 Apr" never touches its neighbour.
MOST_LABELS = 7
#: Distances between labels [h]; the first that needs no more than MOST_LABELS is used.
DISTANCES = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672, 2016, 8760)
HOURS_OF_DAY = 24
#: Empty space above and below a line, as a share of its range; and above the highest value of a scale from zero.
MARGIN, HEADROOM = 0.06, 1.05


class TimeAxis:
    """The x axis of the pictures: one step per period, or means of as few periods as fit.

    Parameters
    ----------
    time : starts of the periods (UTC), (T,)
    dt : their lengths (T,) [h]
    """

    def __init__(self, time: Times, dt: Floats) -> None:
        self.start, self.dt = time[0], dt
        self.periods = np.concatenate([[0.0], np.cumsum(dt)])
        self.periods_per_step = -(-len(dt) // MOST_STEPS)
        self.starts: Ints = np.arange(0, len(dt), self.periods_per_step)
        self.edges: Floats = np.append(self.periods[self.starts], self.periods[-1])

    def mean(self, values: Floats) -> Floats:
        """Means over the steps, weighted with dt, along the last axis."""
        total = np.add.reduceat(values * self.dt, self.starts, axis=-1)
        return np.asarray(total / np.add.reduceat(self.dt, self.starts))

    def label(self, ax: Axes) -> None:
        """Set the limits and the day (or hour) labels of an x axis."""
        at = self.ticks()
        ax.set_xlim(0, float(self.edges[-1]))
        ax.set_xticks(at, self.labels(at))

    def ticks(self) -> list[float]:
        """Full days (or hours of the day) from the first one inside the horizon [h]."""
        length = float(self.edges[-1])
        step = next((d for d in DISTANCES if length / d <= MOST_LABELS), DISTANCES[-1])
        offset = float((self.start - self.start.astype("datetime64[D]")) / np.timedelta64(1, "s")) / 3600
        first = -offset % min(step, HOURS_OF_DAY)
        return [float(t) for t in np.arange(first, length - 1e-9, step)]

    def labels(self, at: list[float]) -> list[str]:
        """Days, with the month on the first label and where it changes; hours where ticks are less than a day apart."""
        moments = [np.datetime64(self.start + np.timedelta64(round(t * 3600), "s")) for t in at]
        days = [short_day(m) for m in moments]
        if len(at) > 1 and at[1] - at[0] < HOURS_OF_DAY:
            return [day if clock(m) == "00:00" else clock(m) for m, day in zip(moments, days, strict=True)]
        months = [day.split()[1] for day in days]
        fresh = [i == 0 or months[i] != months[i - 1] for i in range(len(days))]
        return [day if new else day.split()[0] for day, new in zip(days, fresh, strict=True)]

    def line(self, ax: Axes, values: Floats, role: str, width: float = 1.3, dashed: bool = False) -> None:
        """Draw a stepped line: a value holds for its whole period."""
        stairs(ax, self.mean(values), self.edges, edgecolor=light(role), linewidth=width,
               linestyle=(0, (4, 2.5)) if dashed else "solid")  # fmt: skip

    def stack(self, ax: Axes, rows: Floats, roles: Sequence[str]) -> None:
        """Draw areas above one another, the first row lowest, in a scale from zero."""
        levels = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
        for lower, upper, role in zip(levels[:-1], levels[1:], roles, strict=True):
            if (upper - lower).max() > 0:
                stairs(ax, self.mean(upper), self.edges, self.mean(lower),
                       facecolor=light(role), edgecolor="none", linewidth=0)  # fmt: skip
        ax.set_ylim(0, HEADROOM * float(levels[-1].max()) or 1.0)
        self.label(ax)

    def shade(self, ax: Axes, when: Bools, role: str) -> None:
        """Shade the periods that are marked, neighbours as one."""
        change = np.flatnonzero(np.diff(np.concatenate([[False], when, [False]]).astype(int)))
        for first, after in zip(change[::2], change[1::2], strict=True):
            ax.axvspan(self.periods[first], self.periods[after], facecolor=light(role), edgecolor="none", zorder=0)


def span(values: Floats) -> tuple[float, float]:
    """Range of a scale with a margin; never empty."""
    low, high = float(np.min(values)), float(np.max(values))
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def inline(figure: Figure, name: str, caption: str) -> Markup:
    """The figure as an <svg> element; `caption` describes it to readers who cannot see it."""
    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):  # ids of clip paths differ between the pictures of a page
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})  # type: ignore[no-untyped-call]
    svg = text.getvalue()
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    for pattern, new in _REPLACEMENTS:
        body = pattern.sub(new, body)
    body = _TAG.sub(lambda m: _DIGITS.sub(r"\1", m[0]), body)
    body = body if "<g " in body else re.sub("</?g>", "", body)  # groups without attributes say nothing
    body = _PATH.sub(lambda m: f' d="{compact(m[1])}"', body)
    body = _COLOUR.sub(lambda m: _VARIABLES.get(m[0].lower(), m[0]), body)
    width, height = figure.get_size_inches() * 72
    head = f'<svg class="pic" viewBox="0 0 {width:g} {height:.4g}" role="img" aria-label="{escape(caption)}">'
    return Markup(head + body + "</svg>")  # made here; text in it was escaped by matplotlib


#: Metadata, ids, fonts and spaces that a picture does not need.
_REPLACEMENTS = tuple((re.compile(pattern, re.DOTALL), new) for pattern, new in (
    (r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", ""),
    (r'<g id="[^"]*"', "<g"),
    (r"xlink:href", "href"),
    (r"font-family: [^;\"]*; ", ""),
    (r"; stroke-linejoin: miter|; stroke-linecap: square", ""),
    (r'(?<= )transform="rotate\(-?0 [^"]*"', ""),
    (r">\s+<", "><"),
    (r"([;:]) +", r"\1"),
    (r"<g/>|<defs/>", ""),
    (r" +(?=/?>)", ""),
))  # fmt: skip
_TAG = re.compile(r"<[^>]*>")
_DIGITS = re.compile(r"(\d+\.\d)\d+")
_PATH = re.compile(r' d="([^"]*)"')
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
_VARIABLES = {light: f"var(--{role})" for role, (light, _) in ROLES.items()} | {"#000000": "var(--ink)"}


def compact(path: str) -> str:
    """An SVG path of moves and lines in relative steps of tenths of a pixel; a path with curves stays as it is."""
    if set(re.findall(r"[A-Za-z]", path)) - set("MLz"):
        return " ".join(path.split())
    out: list[str] = []
    for part in re.findall(r"M[^Mz]*z?|z", path):
        numbers = [round(float(v) * TENTH) for v in re.findall(r"-?\d+(?:\.\d+)?", part)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        out += [f"M{_tenths(points[0][0])} {_tenths(points[0][1])}"] if points else []
        # Points in the middle of a horizontal run are left out.
        flat = [a[1] == b[1] == c[1] for a, b, c in zip(points, points[1:], points[2:], strict=False)]
        bends = [p for p, drop in zip(points, [False, *flat, False][: len(points)], strict=True) if not drop]
        out += [_step(a, b) for a, b in pairwise(bends)]
        out += ["z"] if part.endswith("z") else []
    return "".join(out)


def _step(a: tuple[int, int], b: tuple[int, int]) -> str:
    dx, dy = b[0] - a[0], b[1] - a[1]
    if dx and dy:
        return f"l{_tenths(dx)} {_tenths(dy)}"
    return f"h{_tenths(dx)}" if dx else (f"v{_tenths(dy)}" if dy else "")


def _tenths(value: int) -> str:
    return f"{value / TENTH:g}"
