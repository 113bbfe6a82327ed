"""Causes of undone work and of breached PUE caps, and the cheapest remedy, in the keys of the input files.

A remedy is what an owner can change: GPUs of a pool, the job's deadline or its `max_gpus`, a grid connection, a PUE cap. For
the undone work W of a job the amount a that makes room for all of it is stated with its saving, value per unit x a, the value
from the duals: the most it can save, because each further unit saves no more than the one before. The cheapest remedy saves
most, that is, the work then costs least to run. Where all work is done and every cap is met, the limits that cost most money
are named instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.verdict import BREACH_MWH, UNDONE_SHARE
from energy.schema import Bools, Floats, values_of

#: Work below this [GPU-hours] is done: rounding of a sum over periods.
LEAST_WORK = 1e-9
#: A GPU that draws no more than this [MW] when busy is held by no hall or connection.
LEAST_MW = 1e-12


@dataclass(frozen=True)
class Remedy:
    """Change of one input, its amount, and the most that it saves [EUR]."""

    key: str  # key of the input file: count, deadline, max_gpus, grid_limit_mw, limit
    where: str  # job, pool, site or cap
    amount: float
    unit: str
    hours: tuple[str, str] | None  # first and last period in which it is needed [UTC], None: not by the hour
    saving_eur: float

    def message(self) -> str:
        """One phrase, such as: count of south/air/h200 up by 12 GPUs, 04:00Z to 09:00Z: saves up to 310 EUR."""
        when = f" from {self.hours[0]} to {self.hours[1]}" if self.hours else ""
        step = {"deadline": "later by", "limit": "looser by"}.get(self.key, "up by")
        amount = f"{self.amount:.4g} {self.unit}".strip()
        return f"{self.key} of {self.where} {step} {amount}{when}: saves up to {self.saving_eur:.2f} EUR"


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


def remedies(plan: Plan, j: int) -> Iterator[Remedy]:
    """Every remedy for the undone work of a job."""
    for way in (more_gpus, later_deadline, higher_max_gpus, more_grid, looser_cap):
        yield from way(plan, j)


def more_gpus(plan: Plan, j: int) -> list[Remedy]:
    """GPUs that hold the undone work, for each pool that is full in hours of the window."""
    p, x, v, out = plan.p, plan.x, plan.v, []
    speed = plan.speed(j)
    for n in np.flatnonzero(speed > 0):
        power = (v["gpu_hour"][n] - v["gpu_hour_capacity"][n]) * p["dt"]
        mine = np.minimum(v["value_gpu"][n], speed[n] * p["dt"] * x["dual_finish"][j] - power)  # not what others gain
        full = (p["open"][j] > 0) & (mine > 0)
        if full.any():
            gpus = float(x["unserved"][j] / (speed[n] * p["dt"][full].sum()))
            saves = gpus * float(mine[full].sum())
            out.append(Remedy("count", str(plan.names["pool"][n]), gpus, "GPUs", plan.span(full), saves))
    return out


def later_deadline(plan: Plan, j: int) -> list[Remedy]:
    """A deadline so much later that the job does the rest at its GPU limit on the GPUs that are free after it.

    None where the horizon ends before: periods after its end have no price.
    """
    shut = np.maximum(1 - plan.p["open"][j], 0.0)
    shut[: int(np.argmax(plan.p["open"][j] > 0))] = 0.0  # before its release
    left, hours, saves = float(plan.x["unserved"][j]), 0.0, 0.0
    for t in np.flatnonzero(shut * plan.p["dt"]):
        work, gain = _in_period(plan, j, int(t))
        part = min(shut[t], left / work) if work > 0 else shut[t]
        left, hours, saves = left - part * work, hours + part * plan.p["dt"][t], saves + part * gain
        if left <= LEAST_WORK:
            return [Remedy("deadline", f"job {plan.names['job'][j]}", float(hours), "h", None, float(saves))]
    return []


def _in_period(plan: Plan, j: int, t: int) -> tuple[float, float]:
    """Work that the job could do in a period after its deadline [GPU-hours], and what that saves at most [EUR]."""
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
    return float(max(min(p["available"][n, t] - p["firm"][n, t] - x["group_gpus"][:, n, t].sum(), hall, grid), 0.0))


def higher_max_gpus(plan: Plan, j: int) -> list[Remedy]:
    """A GPU limit of the job so much higher that its window holds the work; its price is that of all its bounds."""
    p, x = plan.p, plan.x
    per_gpu = np.minimum(x["bound_cumulative_gpus"][j], 0.0).sum(axis=0)
    gpus = float(x["unserved"][j] / (plan.speed(j).max() * (p["open"][j] * p["dt"]).sum()))
    saves = -gpus * float((per_gpu * p["open"][j]).sum())
    return [Remedy("max_gpus", f"job {plan.names['job'][j]}", gpus, "GPUs", None, saves)]


def more_grid(plan: Plan, j: int) -> list[Remedy]:
    """MW for the work, with the steepest overhead, for each site whose connection is full in hours of the window."""
    p, x, v, out, speed = plan.p, plan.x, plan.v, [], plan.speed(j)
    for n in np.flatnonzero(speed > 0):
        h = p["pool_hall"][n]
        s = p["hall_site"][h]
        full = (p["open"][j] > 0) & (v["value_grid"][s] > 0)
        if full.any():
            drawn = 1 + plan.steepest(h)[full].max()
            mw = float(x["unserved"][j] * plan.gpu_mw(int(n)) / speed[n] * drawn / p["dt"][full].sum())
            saves = mw * float(v["value_grid"][s][full].sum())
            out.append(Remedy("grid_limit_mw", str(plan.names["site"][s]), mw, "MW", plan.span(full), saves))
    return list({c.where: c for c in sorted(out, key=lambda c: -c.amount)}.values())


def looser_cap(plan: Plan, j: int) -> list[Remedy]:
    """Change of each cap that binds over hours of the window which lets the work's energy through."""
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
                looser = float(x["unserved"][j]) * plan.gpu_mw(int(n)) / float(speed[n]) * excess / energy
                saves = looser * float(v["value_cap"][r])
                out.append(Remedy("limit", f"PUE cap {plan.names['cap'][r]}", looser, "", None, saves))
    return list({c.where: c for c in sorted(out, key=lambda c: -c.amount)}.values())


#: Savings below this are rounding of duals [EUR].
LEAST_SAVING_EUR = 1e-6
#: A limit is tight when one more unit of it saves at least this much [EUR]; less is nobody's concern.
TIGHT_EUR = 1.0
#: Tight limits that are named, dearest first.
MOST_TIGHT = 5
#: The step of a PUE cap whose saving is given.
CAP_STEP = 0.01


@dataclass(frozen=True)
class Unserved:
    """A job that is not finished: where and when GPUs are dearest in its window, and its remedies, cheapest first."""

    job: str
    gpu_hours: float
    site: str
    hour: str
    penalty_eur: float
    remedies: tuple[Remedy, ...]

    def message(self) -> str:
        """One line."""
        first = self.remedies[0].message() if self.remedies else "no change of one of them alone helps"
        return (f"job {self.job}: {self.gpu_hours:.1f} GPU-hours undone ({self.penalty_eur:.2f} EUR), scarcest at "
                f"{self.site} at {self.hour}; cheapest remedy: {first}")  # fmt: skip


@dataclass(frozen=True)
class Breach:
    """A cap that is exceeded: where its window's worst hour lies, and how much looser it would have to be."""

    cap: str
    site: str
    hour: str
    mwh: float
    penalty_eur: float
    remedy: Remedy

    def message(self) -> str:
        """One line."""
        return (f"PUE cap {self.cap}: exceeded by {self.mwh:.4f} MWh ({self.penalty_eur:.2f} EUR), most at {self.site} "
                f"at {self.hour}; remedy: {self.remedy.message()}")  # fmt: skip


@dataclass(frozen=True)
class Tight:
    """A limit that costs money although all work is done: where, when most, and what one more unit saves."""

    limit: str
    site: str
    hour: str
    remedy: Remedy

    def message(self) -> str:
        """One line."""
        return f"tight, most at {self.site} at {self.hour}: {self.remedy.message()}"


def explain(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> tuple[Unserved | Breach, ...]:
    """Every undone job, most work first, then every breached cap; empty when all is done and met."""
    plan = Plan.of(problem, solution, prices)
    there = plan.x["unserved"] * (
        1 - plan.p["expected"]
    )  # an expected arrival that finds no GPUs leaves no work unserved
    short = np.flatnonzero(there > UNDONE_SHARE * plan.p["work_left"].sum())
    jobs = sorted((_undone(plan, int(j)) for j in short), key=lambda u: (-u.gpu_hours, u.job))
    return (*jobs, *(_breach(plan, int(r)) for r in np.flatnonzero(plan.x["cap_breach"] > BREACH_MWH)))


def tight(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> tuple[Tight, ...]:
    """The limits of which one more unit saves most, dearest first: connections, pools, PUE caps."""
    plan, found = Plan.of(problem, solution, prices), list[Tight]()
    for site, value in zip(plan.names["site"], plan.v["value_grid"], strict=True):
        if value.max() > 0:  # one more MW through the hours in which the connection is full
            remedy = Remedy("grid_limit_mw", str(site), 1.0, "MW", plan.span(value > 0), float(value.sum()))
            found.append(Tight(f"the grid connection of {site}", str(site), plan.stamp(int(value.argmax())), remedy))
    for n, value in enumerate(plan.v["value_gpu"]):  # one more GPU all the time, what it draws when idle included
        pool, site = plan.names["pool"][n], plan.names["site"][plan.p["hall_site"][plan.p["pool_hall"][n]]]
        remedy = Remedy("count", str(pool), 1.0, "GPU", None, float(value.sum()))
        found.append(Tight(f"pool {pool}", str(site), plan.stamp(int(value.argmax())), remedy))
    for r in np.flatnonzero(plan.v["value_cap"] > 0):  # the hour is the one with most energy above the cap
        at, cap = _breach(plan, int(r)), f"PUE cap {plan.names['cap'][r]}"
        remedy = Remedy("limit", cap, CAP_STEP, "", None, float(plan.v["value_cap"][r]) * CAP_STEP)
        found.append(Tight(cap, at.site, at.hour, remedy))
    dear = [x for x in found if x.remedy.saving_eur >= TIGHT_EUR]
    return tuple(sorted(dear, key=lambda x: (-x.remedy.saving_eur, x.limit))[:MOST_TIGHT])


def binding_limits(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> list[dict[str, object]]:
    """Undone work and breached caps with their remedies, for summary.json; without any, the limits that cost most.

    Each entry has `kind` (unserved, breach, tight), the fields of its class, and `message`, one line.
    """
    reasons = explain(problem, solution, prices) or tight(problem, solution, prices)
    return [{"kind": type(r).__name__.lower(), **asdict(r), "message": r.message()} for r in reasons]


def _undone(plan: Plan, j: int) -> Unserved:
    p, speed = plan.p, plan.speed(j)
    usable = (speed > 0)[:, None] & (p["open"][j] > 0)
    worth = np.where(usable, plan.v["value_gpu"] / p["dt"] / np.where(speed > 0, speed, 1.0)[:, None], -np.inf)
    n, t = (int(i) for i in np.unravel_index(np.argmax(worth), worth.shape))
    short = float(plan.x["unserved"][j])
    site = str(plan.names["site"][p["hall_site"][p["pool_hall"][n]]])
    penalty = float(p["penalty"][j]) * short
    useful = [c for c in remedies(plan, j) if c.saving_eur > LEAST_SAVING_EUR]
    limited = (replace(c, saving_eur=min(c.saving_eur, penalty)) for c in useful)
    best = sorted(limited, key=lambda c: (-c.saving_eur, c.key, c.where))
    return Unserved(str(plan.names["job"][j]), short, site, plan.stamp(t), penalty, tuple(best))


def _breach(plan: Plan, r: int) -> Breach:
    """The excess, its worst site and hour, and the cap at which nothing would be exceeded."""
    p, x = plan.p, plan.x
    sites, _, when = plan.members(r)
    mwh, label = float(x["cap_breach"][r]), str(plan.names["cap"][r])
    it = np.zeros_like(p["price"])
    np.add.at(it, p["hall_site"], x["it"])
    excess = np.where(sites[:, None], (x["facility"] - p["cap_limit"][r] * it) * p["dt"], -np.inf)[:, when]
    s, t = (int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    penalty = float(p["cap_penalty"][r]) * mwh
    remedy = Remedy("limit", f"PUE cap {label}", mwh / plan.it_energy(r), "", None, penalty)
    return Breach(label, str(plan.names["site"][s]), plan.stamp(when.start + t), mwh, penalty, remedy)
