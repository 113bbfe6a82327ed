"""Why work is left undone or a PUE cap is breached, and the cheapest cure: in the words of the input files.

A cure is something an owner can change: GPUs of a pool, a job's deadline or its `max_gpus`, a grid connection, a
cap. Duals say what one unit of it saves. For the undone work W of a job the amount a that would make room for all
of it is stated with its saving, value per unit x a: the most it can save, because each further unit saves no more
than the one before. The cheapest cure is the one that saves most, that is, after which the work costs least to run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import Bools, Floats

#: Undone work below this share of all work is the solver's tolerance, as in `summary`.
UNDONE_SHARE = 1e-7
#: A cap counts as breached above this energy [MWh], as in `summary`.
BREACH_MWH = 1e-6
#: Savings below this are rounding of duals [EUR].
LEAST_SAVING_EUR = 1e-6


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
        return f"{self.key} of {self.where} {step} {self.amount:.4g} {self.unit}{when}: saves up to {self.saves_eur:.2f} EUR"


@dataclass(frozen=True)
class Undone:
    """A job that is not finished: where and when room is dearest in its window, and its cures, cheapest first."""

    job: str
    gpu_hours: float
    site: str
    hour: str
    penalty_eur: float
    cures: tuple[Cure, ...]

    def words(self) -> str:
        """One line."""
        first = self.cures[0].words() if self.cures else "no change of one of them alone helps"
        return (f"job {self.job}: {self.gpu_hours:.1f} GPU-hours undone ({self.penalty_eur:.2f} EUR), scarcest at "
                f"{self.site} at {self.hour}; cheapest cure: {first}")  # fmt: skip


@dataclass(frozen=True)
class Breach:
    """A cap that is exceeded: where its window's worst hour lies, and how much looser it would have to be."""

    cap: str
    site: str
    hour: str
    mwh: float
    penalty_eur: float
    cure: Cure

    def words(self) -> str:
        """One line."""
        return (f"PUE cap {self.cap}: exceeded by {self.mwh:.4f} MWh ({self.penalty_eur:.2f} EUR), most at {self.site} "
                f"at {self.hour}; cure: {self.cure.words()}")  # fmt: skip


def explain(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> tuple[Undone | Breach, ...]:
    """Every undone job, most work first, then every breached cap; empty when all is done and met."""
    p, x, v = (_arrays(ds) for ds in (problem, solution, prices))
    names = {str(k): c.values for k, c in problem.coords.items()}
    there = x["short"] * (1 - p["expected"])  # an expected arrival without room is no job left undone
    short = np.flatnonzero(there > UNDONE_SHARE * p["work_left"].sum())
    jobs = sorted((_undone(p, x, v, names, int(j)) for j in short), key=lambda u: (-u.gpu_hours, u.job))
    return (*jobs, *(_breach(p, x, names, int(r)) for r in np.flatnonzero(x["over_cap"] > BREACH_MWH)))


def _arrays(ds: xr.Dataset) -> dict[str, Any]:
    return {str(k): a.values for k, a in ds.data_vars.items()}


def _stamp(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='m')}Z"


def _span(names: dict[str, Any], hours: Bools) -> tuple[str, str]:
    at = np.flatnonzero(hours)
    return _stamp(names["time"][at[0]]), _stamp(names["time"][at[-1]])


def _undone(p: dict[str, Any], x: dict[str, Any], v: dict[str, Any], names: dict[str, Any], j: int) -> Undone:
    window = p["open"][j] > 0
    speed = _pool_speed(p, j)
    worth = np.where(
        (speed > 0)[:, None] & window, v["value_gpu"] / p["dt"] / np.maximum(speed, 1e-9)[:, None], -np.inf
    )
    n, t = (int(i) for i in np.unravel_index(np.argmax(worth), worth.shape))
    cures = [*_more_gpus(p, x, v, names, j, speed), *_later(p, x, v, names, j), *_wider_job(p, x, names, j, speed),
             *_more_grid(p, x, v, names, j, speed), *_looser_cap(p, x, v, names, j, speed)]  # fmt: skip
    short = float(x["short"][j])
    site = str(names["site"][p["hall_site"][p["pool_hall"][n]]])
    penalty = float(p["penalty"][j]) * short
    limited = (replace(c, saves_eur=min(c.saves_eur, penalty)) for c in cures if c.saves_eur > LEAST_SAVING_EUR)
    best = sorted(limited, key=lambda c: (-c.saves_eur, c.key, c.where))
    return Undone(str(names["job"][j]), short, site, _stamp(names["time"][t]), penalty, tuple(best))


def _pool_speed(p: dict[str, Any], j: int) -> Floats:
    """Speed of the job in each pool, 0 where it may not run, (N,)."""
    k = p["job_group"][j]
    return np.where(p["pool_class"][k] >= 0, p["speed"][k][p["pool_class"][k]], 0.0)


def _more_gpus(
    p: dict[str, Any], x: dict[str, Any], v: dict[str, Any], names: dict[str, Any], j: int, speed: Floats
) -> list[Cure]:
    """For each pool that is full in hours of the window: GPUs in those hours that hold the undone work."""
    out = []
    for n in np.flatnonzero(speed > 0):
        power = (v["gpu_hour"][n] - v["gpu_hour_room"][n]) * p["dt"]
        mine = np.minimum(v["value_gpu"][n], speed[n] * p["dt"] * x["dual_finish"][j] - power)  # not what others gain
        full = (p["open"][j] > 0) & (mine > 0)
        if full.any():
            gpus = float(x["short"][j] / (speed[n] * p["dt"][full].sum()))
            saves = gpus * float(mine[full].sum())
            out.append(Cure("count", str(names["pool"][n]), gpus, "GPUs", _span(names, full), saves))
    return out


def _later(p: dict[str, Any], x: dict[str, Any], v: dict[str, Any], names: dict[str, Any], j: int) -> list[Cure]:
    """A deadline so much later that the job does the rest at its GPU limit."""
    hours = float(x["short"][j] / (p["max_gpus"][j] * _pool_speed(p, j).max()))
    return [Cure("deadline", f"job {names['job'][j]}", hours, "h", None, hours * float(v["value_deadline"][j]))]


def _wider_job(p: dict[str, Any], x: dict[str, Any], names: dict[str, Any], j: int, speed: Floats) -> list[Cure]:
    """A GPU limit of the job so much higher that its window holds the work; its price is that of all its bounds."""
    per_gpu = np.minimum(x["bound_run"][j], 0.0).sum(axis=0) + np.minimum(x["dual_job_limit"][j], 0.0)
    gpus = float(x["short"][j] / (speed.max() * (p["open"][j] * p["dt"]).sum()))
    return [
        Cure("max_gpus", f"job {names['job'][j]}", gpus, "GPUs", None, -gpus * float((per_gpu * p["open"][j]).sum()))
    ]


def _mw_per_work(p: dict[str, Any], n: int, speed: Floats) -> float:
    """IT power per reference GPU-hour and hour in a pool [MW]."""
    return float((p["busy_mw"][n] - p["idle_mw"][n]) / speed[n])


def _more_grid(
    p: dict[str, Any], x: dict[str, Any], v: dict[str, Any], names: dict[str, Any], j: int, speed: Floats
) -> list[Cure]:
    """For each site whose connection is full in hours of the window: MW, with the steepest overhead, for the work."""
    out = []
    for n in np.flatnonzero(speed > 0):
        h = p["pool_hall"][n]
        s = p["hall_site"][h]
        full = (p["open"][j] > 0) & (v["value_grid"][s] > 0)
        if full.any():
            drawn = 1 + np.where(p["width"][h] > 0, p["slope"][h], 0.0).max(axis=1)[full].max()
            mw = float(x["short"][j] * _mw_per_work(p, int(n), speed) * drawn / p["dt"][full].sum())
            saves = mw * float(v["value_grid"][s][full].sum())
            out.append(Cure("grid_limit_mw", str(names["site"][s]), mw, "MW", _span(names, full), saves))
    return list({c.where: c for c in sorted(out, key=lambda c: -c.amount)}.values())


def _looser_cap(
    p: dict[str, Any], x: dict[str, Any], v: dict[str, Any], names: dict[str, Any], j: int, speed: Floats
) -> list[Cure]:
    """For each cap that binds over hours of the window: how much looser the work's energy needs it."""
    out = []
    for r in np.flatnonzero(v["value_cap"] > 0):
        for n in np.flatnonzero(speed > 0):
            h = p["pool_hall"][n]
            inside = np.zeros(len(p["dt"]), bool)
            inside[p["cap_start"][r] : p["cap_stop"][r]] = p["cap_site"][r] in (-1, p["hall_site"][h])
            inside &= p["open"][j] > 0
            energy = _it_energy(p, x, int(r))
            if inside.any() and energy > 0:
                steepest = np.where(p["width"][h] > 0, p["slope"][h], 0.0).max(axis=1)[inside].min()
                excess = max(1 + float(steepest) - float(p["cap_limit"][r]), 0.0)
                looser = float(x["short"][j]) * _mw_per_work(p, int(n), speed) * excess / energy
                saves = looser * float(v["value_cap"][r])
                out.append(Cure("limit", f"PUE cap {names['cap'][r]}", looser, "", None, saves))
    return list({c.where: c for c in sorted(out, key=lambda c: -c.amount)}.values())


def _members(p: dict[str, Any], r: int) -> tuple[Bools, Bools, slice]:
    """Sites, halls and periods of a cap."""
    sites = np.isin(np.arange(len(p["price"])), p["cap_site"][r]) | (p["cap_site"][r] < 0)
    return sites, sites[p["hall_site"]], slice(int(p["cap_start"][r]), int(p["cap_stop"][r]))


def _it_energy(p: dict[str, Any], x: dict[str, Any], r: int) -> float:
    """IT energy in the cap's window [MWh]."""
    _, halls, when = _members(p, r)
    return float((x["it"][halls][:, when] @ p["dt"][when]).sum())


def _breach(p: dict[str, Any], x: dict[str, Any], names: dict[str, Any], r: int) -> Breach:
    """The excess, its worst site and hour, and the cap at which nothing would be exceeded."""
    sites, _, when = _members(p, r)
    mwh, label = float(x["over_cap"][r]), str(names["cap"][r])
    it = np.zeros_like(p["price"])
    np.add.at(it, p["hall_site"], x["it"])
    excess = np.where(sites[:, None], (x["facility"] - p["cap_limit"][r] * it) * p["dt"], -np.inf)[:, when]
    s, t = (int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    penalty = float(p["cap_penalty"][r]) * mwh
    cure = Cure("limit", f"PUE cap {label}", mwh / _it_energy(p, x, r), "", None, penalty)
    return Breach(label, str(names["site"][s]), _stamp(names["time"][when.start + t]), mwh, penalty, cure)
