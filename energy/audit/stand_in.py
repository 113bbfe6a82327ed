"""The Solution that a ready-made Schedule stands for: its variables filled in by the algebra, duals all 0.

With it a Schedule that no solver made goes through the same certificate, reconciliation and report as a plan:
rows and bounds are proven, only the gap is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy import schema
from energy.audit.matrix import array_model
from energy.audit.reprice import bands_of, billed_peak, contract_taken, demand_by_charge, top_up
from energy.schema import Floats, values_of


def stand_in(problem: xr.Dataset, schedule: xr.Dataset) -> xr.Dataset:
    """Values of every variable for the GPUs that a Schedule holds; `objective_eur` is their cost.

    Work that the schedule does not do is `short`. Segments fill in order, the sun serves the site first, the
    billed peak fills its bands, the best contracts are taken first.
    """
    p: dict[str, Any] = values_of(problem)
    x = {name: np.zeros([problem.sizes[d] for d in row.dims]) for name, row in schema.SOLUTION.items()}
    _work(p, schedule, x)
    _halls(p, x)
    _sites(p, x)
    _tariffs(p, x)
    _caps(p, x)
    found = schema.dataset(x, {str(k): v for k, v in problem.coords.items()}, schema.SOLUTION)
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
