"""Cures: what an owner can change so that a job's undone work is done, by how much, and what that saves at most.

GPUs of a pool, the job's deadline or its `max_gpus`, a grid connection, a PUE cap. For the undone work W of a job the
amount a that makes room for all of it is stated with its saving, value per unit x a, the value from the duals: the
most it can save, because each further unit saves no more than the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import Bools, Floats, values_of

#: Work below this [GPU-hours] is done: rounding of a sum over periods.
LEAST_WORK = 1e-9
#: A GPU that draws no more than this [MW] when busy is held by no hall or connection.
LEAST_MW = 1e-12


@dataclass(frozen=True)
class Cure:
    """What to change, by how much, and what that saves at most [EUR]."""

    key: str  # key of the input file: count, deadline, max_gpus, grid_limit_mw, limit
    where: str  # job, pool, site or cap
    amount: float
    unit: str
    hours: tuple[str, str] | None  # first and last period in which it is needed [UTC], None: not by the hour
    saves_eur: float

    def words(self) -> str:
        """One phrase, such as: count of south/air/h200 up by 12 GPUs, 04:00Z to 09:00Z: saves up to 310 EUR."""
        when = f" from {self.hours[0]} to {self.hours[1]}" if self.hours else ""
        step = {"deadline": "later by", "limit": "looser by"}.get(self.key, "up by")
        amount = f"{self.amount:.4g} {self.unit}".strip()
        return f"{self.key} of {self.where} {step} {amount}{when}: saves up to {self.saves_eur:.2f} EUR"


@dataclass(frozen=True)
class Plan:
    """Problem, Solution and prices as plain arrays by name, and the labels of their axes."""

    p: dict[str, Any]
    x: dict[str, Any]
    v: dict[str, Any]
    names: dict[str, Any]

    @classmethod
    def of(cls, problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> Plan:
        """The arrays of the three Datasets."""
        p, x, v = (values_of(ds) for ds in (problem, solution, prices))
        return cls(p, x, v, {str(k): c.values for k, c in problem.coords.items()})

    def stamp(self, t: int) -> str:
        """Start of a period, 2021-01-01T00:00Z."""
        return f"{np.datetime_as_string(self.names['time'][t], unit='m')}Z"

    def span(self, hours: Bools) -> tuple[str, str]:
        """First and last of some periods."""
        at = np.flatnonzero(hours)
        return self.stamp(int(at[0])), self.stamp(int(at[-1]))

    def speed(self, j: int) -> Floats:
        """Speed of the job in each pool, 0 where it may not run, (N,)."""
        k = self.p["job_group"][j]
        return np.where(self.p["pool_class"][k] >= 0, self.p["speed"][k][self.p["pool_class"][k]], 0.0)

    def steepest(self, h: int) -> Floats:
        """Steepest overhead of a hall, (T,) [MW/MW]."""
        return np.asarray(np.where(self.p["width"][h] > 0, self.p["slope"][h], 0.0).max(axis=1))

    def gpu_mw(self, n: int) -> float:
        """IT power that a GPU draws more when busy [MW]."""
        return float(self.p["busy_mw"][n] - self.p["idle_mw"][n])

    def members(self, r: int) -> tuple[Bools, Bools, slice]:
        """Sites, halls and periods of a cap."""
        sites = np.isin(np.arange(len(self.p["price"])), self.p["cap_site"][r]) | (self.p["cap_site"][r] < 0)
        return sites, sites[self.p["hall_site"]], slice(int(self.p["cap_start"][r]), int(self.p["cap_stop"][r]))

    def it_energy(self, r: int) -> float:
        """IT energy in the cap's window [MWh]."""
        _, halls, when = self.members(r)
        return float((self.x["it"][halls][:, when] @ self.p["dt"][when]).sum())


def cures(plan: Plan, j: int) -> Iterator[Cure]:
    """Every cure for the undone work of a job."""
    for way in (more_gpus, later, wider_job, more_grid, looser_cap):
        yield from way(plan, j)


def more_gpus(plan: Plan, j: int) -> list[Cure]:
    """For each pool that is full in hours of the window: GPUs in those hours that hold the undone work."""
    p, x, v, out = plan.p, plan.x, plan.v, []
    speed = plan.speed(j)
    for n in np.flatnonzero(speed > 0):
        power = (v["gpu_hour"][n] - v["gpu_hour_room"][n]) * p["dt"]
        mine = np.minimum(v["value_gpu"][n], speed[n] * p["dt"] * x["dual_finish"][j] - power)  # not what others gain
        full = (p["open"][j] > 0) & (mine > 0)
        if full.any():
            gpus = float(x["short"][j] / (speed[n] * p["dt"][full].sum()))
            saves = gpus * float(mine[full].sum())
            out.append(Cure("count", str(plan.names["pool"][n]), gpus, "GPUs", plan.span(full), saves))
    return out


def later(plan: Plan, j: int) -> list[Cure]:
    """A deadline so much later that the job does the rest at its GPU limit on the GPUs that are free behind it.

    None where the horizon ends before: what lies behind it has no price.
    """
    shut = np.maximum(1 - plan.p["open"][j], 0.0)
    shut[: int(np.argmax(plan.p["open"][j] > 0))] = 0.0  # before its release
    left, hours, saves = float(plan.x["short"][j]), 0.0, 0.0
    for t in np.flatnonzero(shut * plan.p["dt"]):
        work, gain = _in_period(plan, j, int(t))
        part = min(shut[t], left / work) if work > 0 else shut[t]
        left, hours, saves = left - part * work, hours + part * plan.p["dt"][t], saves + part * gain
        if left <= LEAST_WORK:
            return [Cure("deadline", f"job {plan.names['job'][j]}", float(hours), "h", None, float(saves))]
    return []


def _in_period(plan: Plan, j: int, t: int) -> tuple[float, float]:
    """Work that the job could do in a period behind its deadline [GPU-hours], and what that saves at most [EUR]."""
    p, speed, dt = plan.p, plan.speed(j), plan.p["dt"][t]
    gain = speed * plan.x["dual_finish"][j] - plan.v["gpu_hour"][:, t]
    left, work, saves = float(p["max_gpus"][j]), 0.0, 0.0
    for n in np.argsort(-gain, kind="stable"):
        if speed[n] > 0 and gain[n] > 0:
            gpus = min(left, _free(plan, int(n), t))
            left, work, saves = left - gpus, work + gpus * speed[n] * dt, saves + gpus * gain[n] * dt
    return float(work), float(saves)


def _free(plan: Plan, n: int, t: int) -> float:
    """GPUs of a pool that neither inference nor the plan holds, and that hall and connection can feed."""
    p, x = plan.p, plan.x
    h, mw = p["pool_hall"][n], max(plan.gpu_mw(n), LEAST_MW)
    s, steepest = p["hall_site"][h], float(plan.steepest(h)[t])
    hall = (p["hall_mw"][h, t] - x["it"][h, t]) / mw
    grid = (p["grid_limit_mw"][s, t] - x["grid_import"][s, t]) / (mw * (1 + steepest))
    return float(max(min(p["available"][n, t] - p["firm"][n, t] - x["gpus"][:, n, t].sum(), hall, grid), 0.0))


def wider_job(plan: Plan, j: int) -> list[Cure]:
    """A GPU limit of the job so much higher that its window holds the work; its price is that of all its bounds."""
    p, x = plan.p, plan.x
    per_gpu = np.minimum(x["bound_run"][j], 0.0).sum(axis=0) + np.minimum(x["dual_job_limit"][j], 0.0)
    gpus = float(x["short"][j] / (plan.speed(j).max() * (p["open"][j] * p["dt"]).sum()))
    saves = -gpus * float((per_gpu * p["open"][j]).sum())
    return [Cure("max_gpus", f"job {plan.names['job'][j]}", gpus, "GPUs", None, saves)]


def more_grid(plan: Plan, j: int) -> list[Cure]:
    """For each site whose connection is full in hours of the window: MW, with the steepest overhead, for the work."""
    p, x, v, out, speed = plan.p, plan.x, plan.v, [], plan.speed(j)
    for n in np.flatnonzero(speed > 0):
        h = p["pool_hall"][n]
        s = p["hall_site"][h]
        full = (p["open"][j] > 0) & (v["value_grid"][s] > 0)
        if full.any():
            drawn = 1 + plan.steepest(h)[full].max()
            mw = float(x["short"][j] * plan.gpu_mw(int(n)) / speed[n] * drawn / p["dt"][full].sum())
            saves = mw * float(v["value_grid"][s][full].sum())
            out.append(Cure("grid_limit_mw", str(plan.names["site"][s]), mw, "MW", plan.span(full), saves))
    return list({c.where: c for c in sorted(out, key=lambda c: -c.amount)}.values())


def looser_cap(plan: Plan, j: int) -> list[Cure]:
    """For each cap that binds over hours of the window: how much looser the work's energy needs it."""
    p, x, v, out, speed = plan.p, plan.x, plan.v, [], plan.speed(j)
    for r in np.flatnonzero(v["value_cap"] > 0):
        _, halls, when = plan.members(int(r))
        energy = plan.it_energy(int(r))
        for n in np.flatnonzero((speed > 0) & halls[p["pool_hall"]]):
            inside = np.zeros(len(p["dt"]), bool)
            inside[when] = p["open"][j][when] > 0
            if inside.any() and energy > 0:
                steepest = plan.steepest(p["pool_hall"][n])[inside].min()
                excess = max(1 + float(steepest) - float(p["cap_limit"][r]), 0.0)
                looser = float(x["short"][j]) * plan.gpu_mw(int(n)) / float(speed[n]) * excess / energy
                saves = looser * float(v["value_cap"][r])
                out.append(Cure("limit", f"PUE cap {plan.names['cap'][r]}", looser, "", None, saves))
    return list({c.where: c for c in sorted(out, key=lambda c: -c.amount)}.values())
