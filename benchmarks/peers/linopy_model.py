"""The whole linear program a third time, in linopy: dense arrays, absent members held at zero by their bounds."""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import xarray as xr


def optimum(problem: xr.Dataset) -> float:
    """Cost of the optimum [EUR], solved by linopy with HiGHS's default method."""
    m, offset = model(problem)
    status, condition = m.solve(solver_name="highs", output_flag=False)
    if condition != "optimal":
        raise RuntimeError(f"linopy: {status}, {condition}")
    return float(m.objective.value) + offset


def model(problem: xr.Dataset) -> tuple[linopy.Model, float]:
    """The model, and the constant part of its cost."""
    p = numbered(problem)
    m = linopy.Model()
    v = _variables(m, p)
    _work(m, p, v)
    _power(m, p, v)
    _heat(m, p, v)
    _tariffs(m, p, v)
    _caps(m, p, v)
    m.add_objective(_cost(p, v))
    return m, float(p.fixed_eur.sum() - (p.base_it * p.chord * burnt(p)).sum())


def burnt(p: xr.Dataset) -> Any:
    """Lowest marginal price times hours at the hall where it is negative, else 0, (H, T)."""
    lowest = p.price - (p.least * np.maximum(p.minimum_rate, 0.0)).sum("minimum")
    if p.sizes["contract"]:
        lowest = lowest - (p.delivered * xr.where(p.contract_mw > 0, p.contract_saving, 0.0)).max("contract")
    return (p.of_site * np.minimum(lowest * p.dt, 0.0)).sum("site")


def numbered(problem: xr.Dataset) -> xr.Dataset:
    """The Problem with positions as labels, and 0/1 arrays of membership added."""
    p = problem.drop_vars(list(problem.coords)).assign_coords({str(d): np.arange(n) for d, n in problem.sizes.items()})
    p["of_group"] = (p.job_group == p.group).astype(float)
    p["of_hall"] = (p.pool_hall == p.hall).astype(float)
    p["of_site"] = (p.hall_site == p.site).astype(float)
    p["in_class"] = (p.pool_class == p.speed_class).astype(float)
    p["charged"] = (p.charge_site == p.site).astype(float)
    p["delivered"] = (p.contract_site == p.site).astype(float)
    p["least"] = (p.minimum_site == p.site).astype(float)
    p["counted"] = ((p.charge_site == p.minimum_site) & (p.charge_month == p.minimum_month)).astype(float)
    window = (p.time >= p.cap_start) & (p.time < p.cap_stop)
    p["capped"] = (window & ((p.cap_site == p.site) | (p.cap_site < 0))) * p.dt
    return p


def _variables(m: linopy.Model, p: xr.Dataset) -> dict[str, Any]:
    speed = p.speed.isel(group=p.job_group).drop_vars("group")
    upper = {
        "job_gpus": xr.where(speed > 0, p.max_gpus * p.open, 0.0).transpose("job", "speed_class", "time"),
        "group_gpus": xr.where(p.pool_class >= 0, np.inf, 0.0) * xr.ones_like(p.dt), "unserved": p.work_left, "deferred": p.deferred_max,
        "it": p.hall_mw,
        "segment_load": p.width, "facility": np.inf * xr.ones_like(p.price), "grid_import": p.grid_limit_mw,
        "grid_export": p.export_limit_mw, "solar_use": p.solar_mw, "band": p.charge_band_mw, "offtake": p.contract_mw,
        "heat": p.heat_limit_mw, "top_up": np.inf * xr.ones_like(p.minimum_eur), "cap_breach": np.inf * xr.ones_like(p.cap_limit),
    }  # fmt: skip
    upper["group_gpus"] = xr.where(np.isnan(upper["group_gpus"]), 0.0, upper["group_gpus"])
    return {k: m.add_variables(lower=xr.zeros_like(u), upper=u, name=k) for k, u in upper.items() if u.size}


def _work(m: linopy.Model, p: xr.Dataset, v: dict[str, Any]) -> None:
    speed = p.speed.isel(group=p.job_group).drop_vars("group")
    done = (v["job_gpus"] * (speed * p.dt)).sum(["speed_class", "time"])
    m.add_constraints(done + v["unserved"] + v["deferred"] == p.work_left, name="finish")
    m.add_constraints(v["job_gpus"].sum("speed_class") <= p.max_gpus * p.open, name="job_limit")
    if p.sizes["post_horizon"]:
        mine = (p.post_horizon_group == p.job_group) | (p.post_horizon_group < 0)
        counted = (mine & (p.due_after <= p.post_horizon_until)) / speed.max("speed_class")
        m.add_constraints((v["deferred"] * counted).sum("job") <= p.post_horizon_capacity, name="post_horizon_capacity")
    held = (v["job_gpus"] * p.of_group).sum("job")
    m.add_constraints(held - (v["group_gpus"] * p.in_class).sum("pool") == 0, name="link")
    m.add_constraints(v["group_gpus"].sum("group") <= p.available - p.firm, name="pool_capacity")


def _power(m: linopy.Model, p: xr.Dataset, v: dict[str, Any]) -> None:
    busy = (v["group_gpus"].sum("group") * ((p.busy_mw - p.idle_mw) * p.of_hall)).sum("pool")
    m.add_constraints(v["it"] - busy == p.base_it, name="it_power")
    m.add_constraints(v["it"] - v["segment_load"].sum("segment") == p.base_it, name="segments")
    hall = v["it"] + (v["segment_load"] * p.slope).sum("segment")
    fixed = (p.base_overhead * p.of_site).sum("hall") + p.other_site_mw
    m.add_constraints(v["facility"] - (hall * p.of_site).sum("hall") == fixed, name="facility_power")
    grid = v["grid_import"] - v["grid_export"] + v["solar_use"]
    m.add_constraints(v["facility"] - grid == 0, name="balance")


def _heat(m: linopy.Model, p: xr.Dataset, v: dict[str, Any]) -> None:
    given = (v["it"] * (p.of_site * p.heat_share)).sum("hall")
    m.add_constraints(v["heat"] - given <= 0, name="heat_available")


def _demand(p: xr.Dataset, v: dict[str, Any]) -> Any:
    """Demand charges by charge: every charge is banded here, one band or many."""
    return (v["band"] * p.charge_rate).sum("rate_band")


def _tariffs(m: linopy.Model, p: xr.Dataset, v: dict[str, Any]) -> None:
    if p.sizes["charge"]:
        drawn = (v["grid_import"] * p.charged).sum("site") * p.charge_weight
        m.add_constraints(drawn - v["band"].sum("rate_band") <= 0, name="billed_peak")
        m.add_constraints(v["band"].sum("rate_band") >= p.charge_floor, name="charge_floor")
    if p.sizes["contract"]:
        taken = (v["offtake"] * p.delivered).sum("contract")
        m.add_constraints(taken - v["grid_import"] <= 0, name="offtake_limit")
    if p.sizes["minimum"]:
        paid = ((v["grid_import"] * p.least).sum("site") * (p.minimum_rate * p.dt)).sum("time") + v["top_up"]
        demand = (_demand(p, v) * p.counted).sum("charge") if p.sizes["charge"] else 0.0
        m.add_constraints(paid + demand >= p.minimum_eur, name="minimum_bill")


def _caps(m: linopy.Model, p: xr.Dataset, v: dict[str, Any]) -> None:
    if p.sizes["cap"]:
        drawn = (v["facility"] * p.capped).sum(["site", "time"])
        useful = ((v["it"] * p.of_site).sum("hall") * p.capped).sum(["site", "time"])
        m.add_constraints(drawn - useful * p.cap_limit - v["cap_breach"] <= p.cap_credit, name="pue_cap")


def _cost(p: xr.Dataset, v: dict[str, Any]) -> Any:
    rate = p.price * p.dt
    sold = p.dt * p.export_price
    cost = (v["grid_import"] * rate).sum() - (v["grid_export"] * sold).sum() + (v["unserved"] * p.penalty).sum()
    cost = cost - (v["heat"] * (p.dt * p.heat_price)).sum()
    hull = v["it"] * p.chord - (v["segment_load"] * p.slope).sum("segment")
    cost = cost + (hull * burnt(p)).sum()
    for name, weight in (("offtake", -p.contract_saving * p.dt), ("top_up", 1.0), ("cap_breach", p.cap_penalty),
                         ("deferred", p.terminal_price)):  # fmt: skip
        if name in v:
            cost = cost + (v[name] * weight).sum()
    return cost + _demand(p, v).sum() if p.sizes["charge"] else cost
