"""The time axis of the pictures: hours from the start, day labels, and means where periods outnumber pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from energy.report import svg
from energy.report.style import light
from energy.report.view import View
from energy.report.words import clock, short_day
from energy.schema import Bools, Floats, Ints

#: Most steps that a picture draws: about one per pixel of its axes.
MOST_STEPS = 340
#: Most labels below a picture, so that "30 Apr" never touches its neighbour.
MOST_LABELS = 7
#: Distances between labels [h]; the first that needs no more than MOST_LABELS is used.
DISTANCES = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672, 2016, 8760)
HOURS_OF_DAY = 24


@dataclass(frozen=True)
class Horizon:
    """Steps of the pictures: `starts` are positions of periods, `edges` [h] the ends of the steps drawn."""

    view: View
    starts: Ints
    edges: Floats

    @classmethod
    def of(cls, view: View) -> Horizon:
        """Steps of one period, or of as few periods as fit."""
        starts = np.arange(0, len(view.dt), -(-len(view.dt) // MOST_STEPS))
        return cls(view, starts, np.append(view.edges[starts], view.edges[-1]))

    @property
    def periods_per_step(self) -> int:
        """1 where every period is drawn."""
        return int(self.starts[1] - self.starts[0]) if len(self.starts) > 1 else len(self.view.dt)

    def mean(self, values: Floats) -> Floats:
        """Means over the steps, weighted with dt, along the last axis."""
        dt = self.view.dt
        total = np.add.reduceat(values * dt, self.starts, axis=-1)
        return np.asarray(total / np.add.reduceat(dt, self.starts))

    def label(self, ax: Axes) -> None:
        """Limits and day (or hour) labels of an x axis."""
        at = self._ticks()
        ax.set_xlim(0, float(self.edges[-1]))
        ax.set_xticks(at, self._labels(at))

    def _ticks(self) -> list[float]:
        """Full days (or hours of the day) from the first one inside the horizon [h]."""
        length = float(self.edges[-1])
        step = next((d for d in DISTANCES if length / d <= MOST_LABELS), DISTANCES[-1])
        midnight = self.view.time[0].astype("datetime64[D]")
        offset = float((self.view.time[0] - midnight) / np.timedelta64(1, "s")) / 3600
        first = -offset % min(step, HOURS_OF_DAY)
        return [float(t) for t in np.arange(first, length - 1e-9, step)]

    def _labels(self, at: list[float]) -> list[str]:
        """The day, with its month on the first label and where it changes; below a day the hour."""
        moments = [self.view.at(t) for t in at]
        if len(at) > 1 and at[1] - at[0] < HOURS_OF_DAY:
            return [clock(m) if clock(m) != "00:00" else short_day(m) for m in moments]
        full = [short_day(m) for m in moments]
        months = [text.split()[1] for text in full]
        fresh = [i == 0 or months[i] != months[i - 1] for i in range(len(full))]
        return [text if new else text.split()[0] for text, new in zip(full, fresh, strict=True)]

    def line(self, ax: Axes, values: Floats, role: str, width: float = 1.3, dashed: bool = False) -> None:
        """A stepped line: a value holds for its whole period."""
        svg.stairs(ax, self.mean(values), self.edges, edgecolor=light(role), linewidth=width,
                   linestyle=(0, (4, 2.5)) if dashed else "solid")  # fmt: skip

    def shade(self, ax: Axes, when: Bools, role: str) -> None:
        """Shade the periods that are marked, neighbours as one."""
        change = np.flatnonzero(np.diff(np.concatenate([[False], when, [False]]).astype(int)))
        for first, after in zip(change[::2], change[1::2], strict=True):
            ax.axvspan(
                self.view.edges[first], self.view.edges[after], facecolor=light(role), edgecolor="none", zorder=0
            )
