"""Laws of duality: a dual predicts the cost of one more unit, and no feasible plan beats a bound from prices."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.instances import Size
from energy.audit.array_model import array_model
from energy.audit.certificate import boxes, dual_bound
from energy.program import CONSTRAINTS, build
from energy.schedule.dispatch import run_now
from energy.schema import values_of
from energy.solve import compile_model, gate, solve
from tests.audit.toy import program_cost
from tests.laws.cases import BOUNDED, SAME, Case, cases, optimum
from tests.laws.transforms import changed
from tests.program.test_program import overhead_true, solved

#: Step of a right-hand side, in GPUs, MW, MWh or EUR: large against the solver's tolerance, small against the rest.
STEP = 1e-3


def moved(form, row, step):
    """Cost after moving both sides of one row; infinite where that is not feasible."""
    low, up = form.row_low.copy(), form.row_up.copy()
    low[row] += step
    up[row] += step
    raw = solve(replace(form, row_low=low, row_up=up))
    if raw.status == "Infeasible":
        return np.inf
    gate(raw, form.cost, form.offset)
    return raw.objective


def bracket(form, raw, row):
    """One-sided slopes of the optimum about the row's right-hand side, and the noise on them."""
    money = float(np.abs(form.cost) @ np.abs(raw.values)) + abs(form.offset)
    before = (raw.objective - moved(form, row, -STEP)) / STEP
    after = (moved(form, row, STEP) - raw.objective) / STEP
    return before, after, 1e-9 * money / STEP + 1e-6 * abs(raw.row_duals[row])


@BOUNDED
@given(cases(share=0.8), st.integers(0, 10_000))
def test_a_dual_predicts_the_cost_of_one_more_unit(case, which):
    """f is convex in the right-hand side b: (f(b) - f(b - h)) / h <= dual <= (f(b + h) - f(b)) / h, for any row."""
    model = build(case.problem())  # kept: rows hold weak references to it
    form = compile_model(model)
    raw = solve(form)
    priced = np.flatnonzero(np.abs(raw.row_duals) > 1e-9)
    for row in {which % len(raw.row_duals), int(priced[which % len(priced)])}:
        before, after, noise = bracket(form, raw, row)
        assert before - noise <= raw.row_duals[row] <= after + noise, form.rows[row].name


def test_duals_of_every_kind_of_row_are_exact_somewhere():
    """For each constraint of the program some row has a price that both slopes confirm: signs and units hold."""
    size = Size(jobs=8, sites=2, periods=10, groups=2, speeds=2, utilisation=0.95, bands=True, demand_rate=50.0)
    exact = set()
    for seed in range(25):
        model = build(Case(size, seed, 0.9).problem())
        form = compile_model(model)
        raw = solve(form)
        for row in np.flatnonzero(np.abs(raw.row_duals) > 1e-6):
            kind = form.rows[row].parent_component().name
            if kind not in exact:
                before, after, noise = bracket(form, raw, row)
                assert before - noise <= raw.row_duals[row] <= after + noise, form.rows[row].name
                exact |= {kind} if after - before <= 3 * noise + 1e-4 * abs(raw.row_duals[row]) else set()
        if exact == set(CONSTRAINTS):
            return
    assert exact == set(CONSTRAINTS)


@BOUNDED
@given(cases(share=0.8), st.integers(0, 99))
def test_price_of_work_predicts_one_more_gpu_hour(case, which):
    problem = case.problem()
    found, _, raw = solved(problem)
    job, step = which % problem.sizes["job"], 1e-2
    here = np.arange(problem.sizes["job"]) == job
    after, before = (
        optimum(changed(problem, work_left=problem["work_left"].values + sign * step * here)) for sign in (1, -1)
    )
    price, noise = float(found["dual_finish"].values[job]), 1e-9 * after.money / step + 1e-6 * abs(after.cost) * 1e-3
    assert (raw.objective - before.cost) / step - noise <= price <= (after.cost - raw.objective) / step + noise


@BOUNDED
@given(cases(share=0.8), st.integers(0, 99))
def test_no_feasible_plan_costs_less_than_a_bound_from_any_prices(case, seed):
    """Weak duality: plans that minimise something else, and mixes of them, against duals right, bent and random."""
    problem = case.problem()
    rng = np.random.default_rng(seed)
    model = array_model(problem)
    best = solve(model)
    box = boxes(model, problem)
    boxed = replace(model, up=box)
    plans = [solve(replace(boxed, cost=rng.normal(size=len(model.cost)))).values for _ in range(2)]
    plans.append(0.3 * plans[0] + 0.7 * plans[1])
    bent = best.row_duals * rng.uniform(0.5, 1.5, len(best.row_duals))
    for y in (best.row_duals, bent, rng.normal(0, 50, len(bent))):
        bound = dual_bound(model, box, y)
        for x in (*plans, best.values):
            cost = float(model.cost @ x) + model.offset
            assert bound <= cost + 1e-6 * float(np.abs(model.cost) @ np.abs(x))


def schedule_cost(problem, schedule):
    """What a schedule inside the windows costs on the cooling curve itself [EUR], undone work included."""
    p = values_of(problem)
    job, pool, t, gpus = (schedule[f"entry_{k}"].values for k in ("job", "pool", "time", "gpus"))
    inside = p["open"][job, t] > 0
    gpus = np.where(inside, gpus, 0.0)
    it, done = p["base_it"].copy(), np.zeros(len(p["work_left"]))
    np.add.at(it, (p["pool_hall"][pool], t), (p["busy_mw"] - p["idle_mw"])[pool] * gpus)
    group = p["job_group"][job]
    np.add.at(done, job, gpus * p["dt"][t] * p["speed"][group, p["pool_class"][group, pool]])
    facility = p["other_site_mw"].copy()
    np.add.at(facility, p["hall_site"], it + overhead_true(problem, it))
    drawn = np.maximum(facility - np.where(p["price"] > 0, p["solar_mw"], 0.0), 0.0)
    undone = float(p["penalty"] @ (p["work_left"] - done))
    nothing = np.zeros_like(drawn)
    return program_cost(problem, drawn, nothing, nothing) + undone


@pytest.mark.parametrize("utilisation", [0.5, 0.95])
@BOUNDED
@given(case=cases(share=0.7, cap=None))
def test_run_now_never_beats_the_program(utilisation, case):
    """A schedule made without any program, billed on the curve: the optimum is a bound for it too."""
    case = replace(case, size=replace(case.size, utilisation=utilisation))
    problem = case.problem().isel(cap=slice(0, 0))
    # run_now knows partial shares at the start only; heat that a schedule could sell would only lower its cost
    full = changed(problem, open=np.ceil(problem["open"].values), heat_limit_mw=problem["heat_limit_mw"].values * 0)
    schedule = run_now(full, full["work_left"].values, [None] * full.sizes["job"])
    best = optimum(full)
    assert best.cost <= schedule_cost(full, schedule) + SAME * best.money
