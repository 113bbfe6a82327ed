"""A Record as the report looks at it: positions, energies and job entries, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from energy.report.record import Record
from energy.report.words import clipped
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
