"""The Solution that a ready-made Schedule stands for: its variables filled in by the algebra, duals all 0.

With it a Schedule that no solver made goes through the same certificate, reconciliation and report as a plan:
rows and bounds are proven, only the gap is not.

The program's cost terms for given grid powers, from the Problem: what chords alone change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.array_model import array_model
from energy.schema import Floats, arrays, validate, values_of


def stand_in(problem: xr.Dataset, schedule: xr.Dataset) -> xr.Dataset:
    """Values of every variable for the GPUs that a Schedule holds; `objective_eur` is their cost.

    Work that the schedule does not do is `short`. Segments fill in order, the sun serves the site first, the
    billed peak fills its bands, the best contracts are taken first.
    """
    p: dict[str, Any] = values_of(problem)
    x = {name: np.zeros([problem.sizes[d] for d in row.dims]) for name, row in arrays.SOLUTION.items()}
    _work(p, schedule, x)
    _halls(p, x)
    _sites(p, x)
    _tariffs(p, x)
    _caps(p, x)
    found = validate.dataset(x, {str(k): v for k, v in problem.coords.items()}, arrays.SOLUTION)
    model = array_model(problem)
    return found.assign_attrs(objective_eur=float(model.cost @ model.vector(found)) + model.offset)


def _work(p: dict[str, Any], schedule: xr.Dataset, x: dict[str, Floats]) -> None:
    """run, gpus and short."""
    job, pool = schedule["entry_job"].values, schedule["entry_pool"].values
    time, held = schedule["entry_time"].values, schedule["entry_gpus"].values
    group = p["job_group"][job]
    speed_class = p["pool_class"][group, pool]
    np.add.at(x["run"], (job, speed_class, time), held)
    np.add.at(x["gpus"], (group, pool, time), held)
    done = (p["speed"][p["job_group"]][:, :, None] * x["run"] * p["dt"]).sum(axis=(1, 2))
    left = np.maximum(p["work_left"] - done, 0.0)
    x["later"] = _later(p, left)
    x["short"] = left - x["later"]


def _later(p: dict[str, Any], left: Floats) -> Floats:
    """What may wait for after the horizon, earliest due first, within the guards, (J,)."""
    fastest = p["speed"].max(axis=1)[p["job_group"]]
    room, out = p["guard_room"].astype(float).copy(), np.zeros(len(left))
    for j in np.argsort(p["due_after"], kind="stable"):
        mine = (p["due_after"][j] <= p["guard_until"]) & np.isin(p["guard_group"], (-1, p["job_group"][j]))
        fits = room[mine].min(initial=np.inf) * fastest[j]
        out[j] = max(min(left[j], p["later_max"][j], fits), 0.0)
        room[mine] -= out[j] / fastest[j]
    return out


def _halls(p: dict[str, Any], x: dict[str, Floats]) -> None:
    """it and over; what no segment holds goes into the last, as the program has it."""
    x["it"] = p["it_min"].copy()
    np.add.at(x["it"], p["pool_hall"], (p["busy_mw"] - p["idle_mw"])[:, None] * x["gpus"].sum(axis=0))
    left = x["it"] - p["it_min"]
    for i in range(p["width"].shape[2]):
        last = (p["width"][:, :, i] > 0) & ~(p["width"][:, :, i + 1 :] > 0).any(axis=2)
        x["over"][:, :, i] = np.where(last, left, np.minimum(left, p["width"][:, :, i]))
        left = left - x["over"][:, :, i]


def _sites(p: dict[str, Any], x: dict[str, Floats]) -> None:
    """facility, solar_use, grid_import, grid_export and heat."""
    x["facility"] = p["other_site_mw"].copy()
    np.add.at(x["facility"], p["hall_site"], x["it"] + p["overhead_min"] + (p["slope"] * x["over"]).sum(axis=2))
    sun = np.where(p["price"] < 0, 0.0, p["solar_mw"])
    own = np.minimum(sun, x["facility"])
    sold = np.where(p["export_price"] > 0, np.minimum(sun - own, p["export_limit_mw"]), 0.0)
    x["solar_use"], x["grid_export"], x["grid_import"] = own + sold, sold, x["facility"] - own
    given = np.zeros_like(p["heat_limit_mw"])
    np.add.at(given, p["hall_site"], p["heat_share"][:, None] * x["it"])
    x["heat"] = np.where(p["heat_price"] > 0, np.minimum(given, p["heat_limit_mw"]), 0.0)


def _tariffs(p: dict[str, Any], x: dict[str, Floats]) -> None:
    """peak, band, taken and top_up."""
    drawn = x["grid_import"]
    x["peak"] = billed_peak(p, drawn)
    several = np.count_nonzero(p["charge_band_mw"] > 0, axis=1, keepdims=True) > 1
    x["band"] = np.where(several, bands_of(p, x["peak"]), 0.0)
    x["taken"] = contract_taken(p, drawn)
    x["top_up"] = top_up(p, drawn, demand_by_charge(p, drawn))


def _caps(p: dict[str, Any], x: dict[str, Floats]) -> None:
    """over_cap: what each PUE window draws above its cap and credit."""
    it = np.zeros_like(x["facility"])
    np.add.at(it, p["hall_site"], x["it"])
    for r, s in enumerate(p["cap_site"]):
        who = slice(None) if s < 0 else slice(s, s + 1)
        when = slice(p["cap_start"][r], p["cap_stop"][r])
        balance = ((x["facility"] - p["cap_limit"][r] * it)[who, when] * p["dt"][when]).sum()
        x["over_cap"][r] = max(balance - p["cap_credit"][r], 0.0)


@dataclass(frozen=True)
class Cost:
    """Cost of given grid powers [EUR]: by hour where it has one, else by demand charge or minimum bill.

    Attributes
    ----------
    energy, contracts, feed_in, clipped : (S, T)
    counted : energy charges that count towards each minimum bill, (B, S, T)
    demand : (D,);  top_up : (B,);  heat_sales, fixed : sums
    """

    energy: Floats
    contracts: Floats
    feed_in: Floats
    clipped: Floats
    counted: Floats
    demand: Floats
    top_up: Floats
    heat_sales: float
    fixed: float


def cost(problem: xr.Dataset, drawn: Floats, fed: Floats, heat: Floats) -> Cost:
    """Cost when the sites draw and feed in these powers and hand over this heat [MW], (S, T).

    Peaks, their bands and the top-up are those of the powers drawn: where a minimum bill binds, the program's own
    variables for them may be anything that costs the same.
    """
    p: dict[str, Any] = values_of(problem)
    saved = np.zeros_like(drawn)
    np.add.at(saved, p["contract_site"], p["dt"] * p["contract_saving"] * contract_taken(p, drawn))
    at_site = p["minimum_site"][:, None] == np.arange(len(drawn))
    counted = at_site[:, :, None] * (p["minimum_rate"] * p["dt"])[:, None, :] * drawn
    demand = demand_by_charge(p, drawn)
    return Cost(
        energy=p["dt"] * p["price"] * drawn, contracts=-saved, feed_in=-(p["dt"] * p["export_price"] * fed),
        clipped=-(p["dt"] * p["export_clip"] * fed), counted=counted, demand=demand,
        top_up=top_up(p, drawn, demand),
        heat_sales=-float((p["dt"] * p["heat_price"] * heat).sum()), fixed=float(p["fixed_eur"].sum()),
    )  # fmt: skip


def terms(problem: xr.Dataset, drawn: Floats, fed: Floats, heat: Floats) -> dict[str, float]:
    """The same by term [EUR]; they add up to the program's cost without penalties."""
    found = cost(problem, drawn, fed, heat)
    names = ("energy", "demand", "contracts", "feed_in", "heat_sales", "top_up", "fixed")
    return {name: float(np.sum(getattr(found, name))) for name in names}


def minimum_of(p: dict[str, Any]) -> Floats:
    """1 where a demand charge counts towards a minimum bill: same site and month, (B, D)."""
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    return np.asarray(same, dtype=float)


def billed_peak(p: dict[str, Any], drawn: Floats) -> Floats:
    """Billed peak of each demand charge, (D,) [MW]."""
    highest = (p["charge_weight"] * drawn[p["charge_site"]]).max(axis=1, initial=0.0)
    return np.asarray(np.maximum(highest, p["charge_floor"]))


def bands_of(p: dict[str, Any], peak: Floats) -> Floats:
    """Billed peaks filled into their bands, the first ones first, (D, bands) [MW]."""
    below = np.cumsum(p["charge_band_mw"], axis=1) - p["charge_band_mw"]
    return np.asarray(np.clip(peak[:, None] - below, 0.0, p["charge_band_mw"]))


def demand_by_charge(p: dict[str, Any], drawn: Floats) -> Floats:
    """Demand charges, (D,) [EUR]: the billed peak in its bands, each at its rate."""
    return np.asarray((bands_of(p, billed_peak(p, drawn)) * p["charge_rate"]).sum(axis=1))


def contract_taken(p: dict[str, Any], drawn: Floats) -> Floats:
    """What is taken from each contract when every hour takes the best offers first, (Q, T) [MW]."""
    left, taken = drawn.copy(), np.zeros(p["contract_mw"].shape)
    order = np.argsort(-p["contract_saving"], axis=0, kind="stable")
    for rank in range(len(order)):
        for q in range(len(order)):
            wanted = (order[rank] == q) & (p["contract_saving"][q] > 0)
            s = p["contract_site"][q]
            taken[q] += np.where(wanted, np.minimum(left[s], p["contract_mw"][q]), 0.0)
            left[s] -= np.where(wanted, np.minimum(left[s], p["contract_mw"][q]), 0.0)
    return np.asarray(taken)


def top_up(p: dict[str, Any], drawn: Floats, demand: Floats) -> Floats:
    """What each minimum bill adds, (B,) [EUR]."""
    energy = (p["minimum_rate"] * p["dt"] * drawn[p["minimum_site"]]).sum(axis=1)
    return np.asarray(np.maximum(p["minimum_eur"] - energy - minimum_of(p) @ demand, 0.0))
