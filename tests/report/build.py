"""Synthetic Records: random Problems solved, placed and priced, with the program's own power as replay."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from types import SimpleNamespace

import numpy as np
import xarray as xr

from benchmarks.instances import Size, random_problem
from energy.audit.certificate import certify
from energy.audit.diagnosis import binding_limits
from energy.audit.invoice import Bill
from energy.audit.reconciliation import reconcile
from energy.audit.verdict import judge, summarise
from energy.inputs.metered import Line
from energy.program import build
from energy.runs.record import Record
from energy.schedule.disaggregate import disaggregate
from energy.schedule.dispatch import planned_work, run_now
from energy.schedule.table import frame, handed_over, shape_of
from energy.schema import arrays as arrays_module
from energy.schema import validate, values_of
from energy.solve import compile_model, dual_prices, gate, solution, solve

CARBON_T_PER_MWH = 0.05


def record_of(problem: xr.Dataset, manifest: dict[str, object] | None = None) -> Record:
    """Solve a Problem and keep what a run would keep."""
    model = build(problem)
    form = compile_model(model)
    raw = solve(form)
    gate(raw, form.cost, form.offset)
    found = solution(problem, model, form, raw)
    plan = priced(problem, disaggregate(problem, found))
    work = planned_work(problem, found)
    base = priced(problem, run_now(problem, work, [str(problem["site"].values[0])] * problem.sizes["job"]))
    proof, agreement = certify(problem, found), reconcile(problem, found, plan.replay, plan.bill)
    outcome = judge(problem, found, proof, agreement, plan.replay)
    prices = dual_prices(problem, found)
    summary = summarise(problem, found, plan, base, proof, agreement, outcome) | {
        "shape": shape_of(handed_over(problem, plan.schedule)),
        "binding_limits": binding_limits(problem, found, prices),
    }
    datasets = {
        "problem": problem, "solution": found, "prices": prices, "replay": plan.replay,
        "baseline_replay": base.replay, "schedule": plan.schedule, "baseline_schedule": base.schedule,
    }  # fmt: skip
    bills = {"bill": plan.bill.frame(), "baseline_bill": base.bill.frame()}
    return Record(
        datasets, frame(handed_over(problem, plan.schedule)), bills, summary, manifest or {"run_id": "synthetic"}
    )


def small(**changes: object) -> Record:
    """A Record of a random Problem; what is not given is small, because drawing takes the time."""
    return deepcopy(_small(Size(**{"sites": 2, "groups": 2, "jobs": 6} | changes)))  # type: ignore[arg-type]


@cache
def _small(size: Size) -> Record:
    return record_of(random_problem(size, 3))


def priced(problem: xr.Dataset, schedule: xr.Dataset) -> SimpleNamespace:
    """A schedule with the replay and bill of the program's own cooling segments."""
    replayed = replay(problem, schedule)
    return SimpleNamespace(schedule=schedule, replay=replayed, bill=bill(problem, replayed))


def replay(problem: xr.Dataset, schedule: xr.Dataset) -> xr.Dataset:
    """Power by hall and site; overhead filled along the segments, cheapest first."""
    p = values_of(problem)
    it = p["base_it"].copy()
    pool, t = schedule["entry_pool"].values, schedule["entry_time"].values
    np.add.at(it, (p["pool_hall"][pool], t), (p["busy_mw"] - p["idle_mw"])[pool] * schedule["entry_gpus"].values)
    below = np.cumsum(p["width"], axis=2) - p["width"]
    filled = np.clip((it - p["base_it"])[..., None] - below, 0, p["width"])
    overhead = p["base_overhead"] + (p["slope"] * filled).sum(axis=2)
    shares = np.array([0.3, 0.2, 0.2, 0.2, 0.1])[:, None, None]
    parts = dict(zip(arrays_module.COMPONENTS, shares * overhead, strict=True))
    site_it, facility = np.zeros_like(p["price"]), p["other_site_mw"].copy()
    np.add.at(site_it, p["hall_site"], it)
    np.add.at(facility, p["hall_site"], it + overhead)
    arrays: dict[str, object] = {
        "dt": p["dt"], "it_mw": it, "overhead_mw": overhead, "water_m3": 0 * it, "facility_mw": facility,
        "site_it_mw": site_it, "import_mw": facility, "export_mw": 0 * facility, "solar_mw": 0 * facility,
        "heat_mw": 0 * facility, **parts, "free_cooling": 1 + 0 * it, "derating_mw": 0 * it,
        "cost_eur": facility * p["price"] * p["dt"], "carbon_t": facility * p["carbon_intensity"] * p["dt"],
    }  # fmt: skip
    return validate.dataset(arrays, {n: problem[n].values for n in ("time", "site", "hall")}, arrays_module.REPLAY)


def bill(problem: xr.Dataset, replayed: xr.Dataset) -> Bill:
    """Spot and a demand charge by site and month."""
    lines = []
    months, dt = problem["month_of"].values, problem["dt"].values
    charge = problem.drop_vars("charge", errors="ignore")
    for s, name in enumerate(problem["site"].values.astype(str)):
        power, cost = replayed["facility_mw"].values[s], replayed["cost_eur"].values[s]
        for m, month in enumerate(problem["month"].values.astype(str)):
            mine = months[s] == m
            energy, amount = float((power * dt)[mine].sum()), float(cost[mine].sum())
            lines.append(Line(name, month, "spot", "spot", energy, "MWh", amount / energy if energy else 0.0, amount))
            peak = float(power[mine].max(initial=0.0))
            here = (charge["charge_site"].values == s) & (charge["charge_month"].values == m)
            rate = float(charge["charge_rate"].values[here, 0].sum())
            lines.append(Line(name, month, "grid_power", "demand", peak, "MW", rate, peak * rate))
    return Bill(tuple(lines))


def with_carbon(problem: xr.Dataset, sites: int) -> xr.Dataset:
    """The Problem with a known, constant carbon intensity at its first sites."""
    known = (np.arange(problem.sizes["site"]) < sites).astype(float)
    intensity = known[:, None] * np.full(problem.sizes["time"], CARBON_T_PER_MWH)
    return problem.assign(carbon_known=("site", known), carbon_intensity=(("site", "time"), intensity))


def renamed(problem: xr.Dataset, axis: str, names: list[str]) -> xr.Dataset:
    """The Problem with other labels on an axis."""
    return problem.assign_coords({axis: np.array(names)})
