"""Small multiples as inline SVG: stacked panels over one x axis, colours as CSS variables, the same bytes each time.

A `Panel` collects its marks in the units of the data; `svg` draws them once the scales are known. Values beyond a scale
run along its edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from markupsafe import Markup, escape

from energy.report.formatting import clock, number, short_day
from energy.schema import Bools, Floats, Ints, Times

#: Role -> light and dark colour. Okabe-Ito hues, a little muted for large areas: distinct with every common colour
#: blindness; lightness differs too, for grey printers.
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


def light(role: str) -> str:
    """The light colour of a role, for what has no CSS variables: mail and chat."""
    return ROLES[role][0]


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
#: Mean width of a letter over the type size, for words set side by side.
LETTER = 0.6
#: From the middle of a line of type to its base line, over the type size.
HALF_HEIGHT = 0.35
#: Space left of the axes for tick labels, right of them, between panels, below for the days [px].
LEFT, RIGHT, GAP, BELOW = 34.0, 8.0, 26.0, 22.0
#: From a title to its panel, between words of a legend, from an axis to its labels at the left and below [px].
ABOVE, APART, BESIDE, UNDER = 7.0, 9.0, 3.0, 15.0
#: Least distance between labels of a y axis [px], and most labels of either axis.
TICK, MOST_Y, MOST_X = 19.0, 4, 7
#: Width of grid lines and of the lower axis [px].
THIN_LINE = 0.8
#: Distances of labels in units of a power of ten.
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
#: Part of a distance by which a label may lie outside the scale: rounding.
ROUNDING = 1e-9
#: Coordinates are kept to a tenth of a pixel.
TENTH = 10
#: Empty space above and below a line, as a share of its range; and above the highest value of a scale from zero.
MARGIN, HEADROOM = 0.06, 1.05

Range = tuple[float, float]
Label = tuple[float, str]


def span(values: Floats) -> Range:
    """Range of a scale with a margin; never empty."""
    low, high = float(np.min(values)), float(np.max(values))
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def labels(scale: Range, most: int, digits: int | None = None) -> list[Label]:
    """Round values inside a scale, at most `most` + 1, with the decimals that tell them apart or `digits`."""
    low, high = scale
    power = int(np.floor(np.log10((high - low) / most)))
    unit = 10.0**power
    step = next(s for s in STEPS if s * unit * most >= (high - low) * (1 - ROUNDING))
    places = max(0, -power + (step == 2.5) - (step == 10.0)) if digits is None else digits
    at = np.arange(np.ceil(low / (step * unit) - ROUNDING), np.floor(high / (step * unit) + ROUNDING) + 1)
    return [(float(v), number(float(v), places)) for v in at * step * unit]


@dataclass
class Panel:
    """The axes of one panel.

    Attributes
    ----------
    top, height, right : its place in the picture, and the space right of it [px]
    x, y : scales; without one it is the range of the marks with a margin
    x_labels : places and words below the axis; without them round values
    digits : decimals of the labels of the y axis; as few as tell them apart where it is None
    """

    top: float
    height: float
    right: float
    x: Range | None = None
    y: Range | None = None
    x_labels: list[Label] | None = None
    digits: int | None = None
    _behind: list[Callable[[Panel], str]] = field(default_factory=list)
    _marks: list[Callable[[Panel], str]] = field(default_factory=list)
    _seen: list[tuple[Floats, Floats]] = field(default_factory=list)

    def line(self, x: Floats, y: Floats, role: str, width: float, dashed: bool = False) -> None:
        """A line through points; where y is not finite it is interrupted."""
        dash = f' stroke-dasharray="{4 * width:.3g} {2.5 * width:.3g}"' if dashed else ""
        self._mark(x, y, f'fill="none" stroke="var(--{role})" stroke-width="{width:g}"{dash}')

    def area(self, x: Floats, low: Floats, high: Floats, role: str, opacity: float = 1.0) -> None:
        """The area between two lines over the same x."""
        fine = np.isfinite(low) & np.isfinite(high)
        if not fine.any():
            return
        faint = "" if opacity == 1.0 else f' fill-opacity="{opacity:g}"'
        outline = np.concatenate([x[fine], x[fine][::-1]]), np.concatenate([high[fine], low[fine][::-1]])
        self._mark(*outline, f'fill="var(--{role})"{faint}', closed=True)

    def shade(self, first: float, last: float, role: str) -> None:
        """A strip of the whole height, behind everything."""
        x, y = np.array([first, last, last, first]), np.array([-np.inf, -np.inf, np.inf, np.inf])
        self._behind.append(lambda p: p.path(x, y, f'fill="var(--{role})"', True))

    def level(self, value: float, role: str, width: float) -> None:
        """A dashed line over the whole width."""
        self.line(np.array([-np.inf, np.inf]), np.array([value, value]), role, width, dashed=True)

    def note(self, value: float, text: str, role: str) -> None:
        """A word right of the axes, level with a value."""
        self._marks.append(
            lambda p: _text(
                WIDTH - p.right + BESIDE, p.pixels_y(np.array([value]))[0] + HALF_HEIGHT * TYPE, text, role, "start"
            )
        )

    def title(self, text: str, keys: Sequence[tuple[str, str]] = ()) -> None:
        """Title above the axes at the left; `keys` (word, colour role) at the right name the lines in their colours."""
        words = [_text(2.0, self.top - ABOVE, text, "ink", "start")]
        at = WIDTH - self.right
        for word, role in reversed(keys):
            words.append(_text(at, self.top - ABOVE, word, role, "end"))
            at -= TYPE * LETTER * len(word) + APART
        self._marks.append(lambda _: "".join(words))

    def _mark(self, x: Floats, y: Floats, style: str, closed: bool = False) -> None:
        self._seen.append((x, y))
        self._marks.append(lambda p: p.path(x, y, style, closed))

    def pixels_x(self, x: Floats) -> Floats:
        """Places [px] of values along the axis."""
        low, high = self.x or (0.0, 1.0)
        return LEFT + (np.clip(x, low, high) - low) / (high - low) * (WIDTH - LEFT - self.right)

    def pixels_y(self, y: Floats) -> Floats:
        """Heights [px] of values, counted from the top of the picture."""
        low, high = self.y or (0.0, 1.0)
        return self.top + (high - np.clip(y, low, high)) / (high - low) * self.height

    def path(self, x: Floats, y: Floats, style: str, closed: bool) -> str:
        """The <path> through points in the units of the data."""
        known = np.flatnonzero(~np.isnan(y))
        parts = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
        across, up = (
            np.round(TENTH * v).astype(int) for v in (self.pixels_x(x), self.pixels_y(np.where(np.isnan(y), 0.0, y)))
        )
        drawn = "".join(
            steps(list(zip(across[p].tolist(), up[p].tolist(), strict=True)), closed) for p in parts if len(p)
        )
        return f'<path d="{drawn}" {style}/>'

    def svg(self, labelled: bool) -> str:
        """Strips, grid, marks and labels; those below the axis where the panel is `labelled`."""
        self.x, self.y = self.x or self._range(0), self.y or self._range(1)
        y_labels = labels(self.y, max(1, min(MOST_Y, round(self.height / TICK))), self.digits)
        x_labels = labels(self.x, MOST_X) if self.x_labels is None else self.x_labels
        whole, bottom = np.array([-np.inf, np.inf]), np.array([-np.inf, -np.inf])
        grid = [self.path(whole, np.array([v, v]), _grid("rule"), False) for v, _ in y_labels]
        axis = self.path(whole, bottom, _grid("soft"), False)
        words = [
            _text(LEFT - BESIDE, self.pixels_y(np.array([v]))[0] + HALF_HEIGHT * TYPE, w, "soft", "end")
            for v, w in y_labels
        ]
        if labelled:
            words += [
                _text(self.pixels_x(np.array([v]))[0], self.top + self.height + UNDER, w, "soft", "middle")
                for v, w in x_labels
            ]
        return "".join([*(m(self) for m in self._behind), *grid, *(m(self) for m in self._marks), axis, *words])

    def _range(self, axis: Literal[0, 1]) -> Range:
        values = np.concatenate([[0.0] if not self._seen else [], *(seen[axis] for seen in self._seen)])
        return span(values[np.isfinite(values)])


def _grid(role: str) -> str:
    return f'fill="none" stroke="var(--{role})" stroke-width="{THIN_LINE:g}"'


def _text(x: float, y: float, text: str, role: str, anchor: Literal["start", "middle", "end"]) -> str:
    end = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.4g}" y="{y:.4g}"{end} fill="var(--{role})">{escape(text)}</text>'


def panels(heights: Sequence[float], right: float = RIGHT) -> list[Panel]:
    """Stacked panels of the given heights [px] over one x axis, each with room for its title."""
    tops = np.cumsum([GAP + h for h in heights]) - np.array(heights)
    return [Panel(float(top), height, right) for top, height in zip(tops, heights, strict=True)]


def svg(stacked: Sequence[Panel], caption: str) -> Markup:
    """The panels as an <svg> element; `caption` says what it shows to those who cannot see it."""
    height = stacked[-1].top + stacked[-1].height + BELOW
    body = "".join(p.svg(labelled=p is stacked[-1]) for p in stacked)
    head = f'<svg class="pic" viewBox="0 0 {WIDTH:g} {height:.4g}" font-size="{TYPE:g}" role="img" aria-label="{escape(caption)}">'
    return Markup(head + body + "</svg>")  # made here, with every text in it escaped


def steps(points: Sequence[tuple[int, int]], closed: bool) -> str:
    """Path data through points in tenths of a pixel: a move, then relative steps, without those inside a horizontal run."""
    flat = [a[1] == b[1] == c[1] for a, b, c in zip(points, points[1:], points[2:], strict=False)]
    kept = [p for p, drop in zip(points, [False, *flat, False][: len(points)], strict=True) if not drop]
    return (
        f"M{_tenths(kept[0][0])} {_tenths(kept[0][1])}" + "".join(_step(a, b) for a, b in pairwise(kept)) + "z" * closed
    )


def _step(a: tuple[int, int], b: tuple[int, int]) -> str:
    dx, dy = b[0] - a[0], b[1] - a[1]
    if dx and dy:
        return f"l{_tenths(dx)} {_tenths(dy)}"
    return f"h{_tenths(dx)}" if dx else (f"v{_tenths(dy)}" if dy else "")


def _tenths(value: int) -> str:
    return f"{value / TENTH:g}"


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
        self._corners: Floats = np.repeat(self.edges, 2)[1:-1]

    def mean(self, values: Floats) -> Floats:
        """Means over the steps, weighted with dt, along the last axis."""
        total = np.add.reduceat(values * self.dt, self.starts, axis=-1)
        return np.asarray(total / np.add.reduceat(self.dt, self.starts))

    def label(self, panel: Panel) -> None:
        """Limits and day (or hour) labels of an x axis."""
        at = self.ticks()
        panel.x, panel.x_labels = (0.0, float(self.edges[-1])), list(zip(at, self.labels(at), strict=True))

    def ticks(self) -> list[float]:
        """Full days (or hours of the day) from the first one inside the horizon [h]."""
        length = float(self.edges[-1])
        step = next((d for d in DISTANCES if length / d <= MOST_LABELS), DISTANCES[-1])
        offset = float((self.start - self.start.astype("datetime64[D]")) / np.timedelta64(1, "s")) / 3600
        first = -offset % min(step, HOURS_OF_DAY)
        return [float(t) for t in np.arange(first, length - 1e-9, step)]

    def labels(self, at: list[float]) -> list[str]:
        """The day, with its month on the first label and where it changes; below a day the hour."""
        moments = [np.datetime64(self.start + np.timedelta64(round(t * 3600), "s")) for t in at]
        days = [short_day(m) for m in moments]
        if len(at) > 1 and at[1] - at[0] < HOURS_OF_DAY:
            return [day if clock(m) == "00:00" else clock(m) for m, day in zip(moments, days, strict=True)]
        months = [day.split()[1] for day in days]
        fresh = [i == 0 or months[i] != months[i - 1] for i in range(len(days))]
        return [day if new else day.split()[0] for day, new in zip(days, fresh, strict=True)]

    def line(self, panel: Panel, values: Floats, role: str, width: float = 1.3, dashed: bool = False) -> None:
        """A stepped line: a value holds for its whole period."""
        self.steps(panel, self.mean(values), role, width, dashed)

    def steps(self, panel: Panel, means: Floats, role: str, width: float, dashed: bool = False) -> None:
        """The same line from means over the steps."""
        panel.line(self._corners, np.repeat(means, 2), role, width, dashed)

    def stack(self, panel: Panel, rows: Floats, roles: Sequence[str]) -> None:
        """Areas above one another, the first row lowest, in a scale from zero."""
        levels = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
        for lower, upper, role in zip(levels[:-1], levels[1:], roles, strict=True):
            if (upper - lower).max() > 0:
                low, high = (np.repeat(self.mean(level), 2) for level in (lower, upper))
                panel.area(self._corners, low, high, role)
        panel.y = (0.0, HEADROOM * float(levels[-1].max()) or 1.0)
        self.label(panel)

    def shade(self, panel: Panel, when: Bools, role: str) -> None:
        """Shade the periods that are marked, neighbours as one."""
        change = np.flatnonzero(np.diff(np.concatenate([[False], when, [False]]).astype(int)))
        for first, after in zip(change[::2], change[1::2], strict=True):
            panel.shade(float(self.periods[first]), float(self.periods[after]), role)
