"""Figures of a run: plan and run-now side by side, by site, pool, job and period, each worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from energy.report.formatting import clipped
from energy.runs.record import Record
from energy.schema import Bools, Floats, Ints, Times

#: The parts of the price of a GPU-hour, in the order of the `prices` array.
PARTS = ("energy", "demand", "limits", "capacity")
#: Most sites that get pictures of their own; the others are in the tables alone.
MOST_SITES = 12


class RunFigures:
    """Names, axes and sums of one Record; S sites, N pools, T periods. `who` is `plan` or `base` (run-now)."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.problem, self.solution, self.prices = record.problem, record.solution, record.prices
        self.plan, self.base = record.replay, record.baseline_replay
        self.replays = {"plan": record.replay, "base": record.baseline_replay}
        self.schedules = {"plan": record.schedule, "base": record.baseline_schedule}
        self.bills = {"plan": record.bills["bill"], "base": record.bills["baseline_bill"]}
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
    def submitted(self) -> Bools:
        """Jobs that are submitted, not expected arrivals, (J,)."""
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

    def energy(self, who: str) -> Floats:
        """Facility energy by site, (S,) [MWh]."""
        return np.asarray(self.replays[who]["facility_mw"].values @ self.dt)

    def cost(self, who: str, energy_only: bool = False) -> Floats:
        """Bill by site, (S,) [EUR]; spot and energy lines alone on request."""
        lines = self.bills[who]
        lines = lines[lines["kind"].isin(["spot", "energy"])] if energy_only else lines
        sums = lines.groupby("site")["amount_eur"].sum()
        return np.asarray(sums.reindex(self.sites, fill_value=0.0), dtype=float)

    def used(self, who: str) -> Floats:
        """GPUs that jobs hold, firm ones not counted, (N, T)."""
        placed = self.schedules[who]
        out = np.zeros((len(self.pools), len(self.dt)))
        np.add.at(out, (placed["entry_pool"].values, placed["entry_time"].values), placed["entry_gpus"].values)
        return out

    def busy(self, who: str, site: int | None = None) -> float:
        """Share of the available GPU-hours that is used, firm ones included; of the fleet or of one site."""
        mine = np.full(len(self.pools), True) if site is None else self.pool_site == site
        used = (self.used(who) + self.problem["firm"].values)[mine] @ self.dt
        available = self.problem["available"].values[mine] @ self.dt
        return float(used.sum() / available.sum()) if available.sum() > 0 else 0.0

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
        placed = self.schedules[who]
        job, pool, t, gpus = (placed[f"entry_{x}"].values for x in ("job", "pool", "time", "gpus"))
        hours = gpus * self.dt[t]
        work = hours * self.speed[self.problem["job_group"].values[job], pool]
        parts = {part: hours * self.prices[f"gpu_hour_{part}"].values[pool, t] for part in PARTS}
        middle = work * (self.edges[t] + self.dt[t] / 2)
        return pd.DataFrame(
            {"job": job, "pool": pool, "site": self.pool_site[pool], "work": work, "middle": middle} | parts
        )


def ratio(above: Floats, below: Floats, otherwise: Floats | float) -> Floats:
    """The quotient of two arrays, `otherwise` where the divisor is not above zero."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), otherwise)
