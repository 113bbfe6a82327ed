"""A Record as the report looks at it: positions, energies and job entries, worked out once.

The time axis of the pictures: hours from the start, day labels, and means where periods outnumber pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from energy.report import charts
from energy.report.charts import light
from energy.report.text import clipped, clock, short_day
from energy.runs.record import Record
from energy.schema import QUALITY, Bools, Floats, Ints, Times

#: The parts of the price of a GPU-hour, in the order of the `prices` table.
PARTS = ("energy", "demand", "limits", "room")
#: Qualities that were not seen on a market or by an instrument at the place and time.
NOT_SEEN = ("proxy", "persistence", "scenario")
#: Most sites that get pictures of their own; the others stand in the tables.
MOST_SITES = 12


class View:
    """Names, axes and sums of one Record; S sites, N pools, T periods."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.problem, self.solution, self.prices = record.problem, record.solution, record.prices
        self.plan, self.base = record.replay, record.baseline_replay
        self.sites, self.pools = ([str(v) for v in record.problem[axis].values] for axis in ("site", "pool"))
        self.jobs = [clipped(str(v)) for v in record.problem["job"].values]
        self.dt: Floats = record.problem["dt"].values
        self.time: Times = record.problem["time"].values

    @cached_property
    def edges(self) -> Floats:
        """Starts of the periods and the end of the last, from the start of the horizon, (T+1,) [h]."""
        return np.concatenate([[0.0], np.cumsum(self.dt)])

    @cached_property
    def end(self) -> np.datetime64:
        """First moment after the horizon (UTC)."""
        return self.at(float(self.edges[-1]))

    def at(self, hours: float) -> np.datetime64:
        """The moment so many hours after the start of the horizon (UTC)."""
        return np.datetime64(self.time[0] + np.timedelta64(round(hours * 3600), "s"))

    @cached_property
    def there(self) -> Bools:
        """Jobs there are, not expected arrivals, (J,)."""
        return np.asarray(self.problem["expected"].values == 0)

    @cached_property
    def pool_site(self) -> Ints:
        """Position of each pool's site, (N,)."""
        return np.asarray(self.problem["hall_site"].values[self.problem["pool_hall"].values])

    @cached_property
    def kinds(self) -> list[str]:
        """Name of each pool inside its hall, (N,): by custom the kind of GPU."""
        return [name.rsplit("/", 1)[-1] for name in self.pools]

    @cached_property
    def shown(self) -> list[int]:
        """Positions of the sites with pictures, in fleet order: all, or those that draw most."""
        if len(self.sites) <= MOST_SITES:
            return list(range(len(self.sites)))
        return sorted(np.argsort(-self.energy("plan"), kind="stable")[:MOST_SITES].tolist())

    def replay(self, who: str) -> xr.Dataset:
        """The replay of `plan` or `base`."""
        return self.plan if who == "plan" else self.base

    def energy(self, who: str) -> Floats:
        """Facility energy by site, (S,) [MWh]."""
        return np.asarray(self.replay(who)["facility_mw"].values @ self.dt)

    def bill(self, who: str) -> pd.DataFrame:
        """Invoice lines of `plan` or `base`."""
        return self.record.bills["bill" if who == "plan" else "baseline_bill"]

    def cost(self, who: str, energy_only: bool = False) -> Floats:
        """Bill by site, (S,) [EUR]; spot and energy lines alone on request."""
        lines = self.bill(who)
        lines = lines[lines["kind"].isin(["spot", "energy"])] if energy_only else lines
        sums = lines.groupby("site")["amount_eur"].sum()
        return np.asarray(sums.reindex(self.sites, fill_value=0.0), dtype=float)

    def of_kind(self, who: str, kind: str) -> float:
        """Sum of the invoice lines of a kind [EUR]."""
        lines = self.bill(who)
        return float(lines["amount_eur"][lines["kind"] == kind].sum())

    def used(self, who: str) -> Floats:
        """GPUs that jobs hold, firm ones not counted, (N, T)."""
        placed = self._placement(who)
        out = np.zeros((len(self.pools), len(self.dt)))
        np.add.at(out, (placed["entry_pool"].values, placed["entry_time"].values), placed["entry_gpus"].values)
        return out

    def _placement(self, who: str) -> xr.Dataset:
        return self.record.placement if who == "plan" else self.record.baseline_placement

    @cached_property
    def speed(self) -> Floats:
        """Reference GPU-hours per GPU-hour by group and pool, 0 where not eligible, (K, N)."""
        place = self.problem["pool_class"].values
        at = np.take_along_axis(self.problem["speed"].values, np.maximum(place, 0), axis=1)
        return np.where(place >= 0, at, 0.0)

    def entries(self, who: str) -> pd.DataFrame:
        """One row per holding: job, pool, site (positions), work [GPU-h], middle (work times hour), parts [EUR].

        The parts are the GPU-hours at the PLAN's marginal prices, so that plan and run-now are priced alike.
        """
        placed = self._placement(who)
        job, pool, t, gpus = (placed[f"entry_{x}"].values for x in ("job", "pool", "time", "gpus"))
        hours = gpus * self.dt[t]
        work = hours * self.speed[self.problem["job_group"].values[job], pool]
        parts = {part: hours * self.prices[f"gpu_hour_{part}"].values[pool, t] for part in PARTS}
        middle = work * (self.edges[t] + self.dt[t] / 2)
        return pd.DataFrame(
            {"job": job, "pool": pool, "site": self.pool_site[pool], "work": work, "middle": middle} | parts
        )

    def doubtful(self) -> dict[str, dict[str, float]]:
        """Series not seen where and when they are used: "price of narvik" -> quality -> share of periods."""
        out: dict[str, dict[str, float]] = {}
        for kind in ("price", "weather"):
            for name, row in zip(self.sites, self.problem[f"{kind}_quality"].values, strict=True):
                shares = {q: float((row == QUALITY.index(q)).mean()) for q in NOT_SEEN}
                if any(shares.values()):
                    out[f"{kind} of {name}"] = {q: v for q, v in shares.items() if v}
        return out


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
        charts.stairs(ax, self.mean(values), self.edges, edgecolor=light(role), linewidth=width,
                   linestyle=(0, (4, 2.5)) if dashed else "solid")  # fmt: skip

    def shade(self, ax: Axes, when: Bools, role: str) -> None:
        """Shade the periods that are marked, neighbours as one."""
        change = np.flatnonzero(np.diff(np.concatenate([[False], when, [False]]).astype(int)))
        for first, after in zip(change[::2], change[1::2], strict=True):
            ax.axvspan(
                self.view.edges[first], self.view.edges[after], facecolor=light(role), edgecolor="none", zorder=0
            )
