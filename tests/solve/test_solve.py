"""Scaling guard, gate, dual prices by perturbation."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.audit.certificate import certify
from energy.program import build
from energy.solve import Options, SolverError, compile_model, dual_prices, gate, solution, solve
from energy.solve.highs import check_scale
from tests.few import few
from tests.program.test_program import solved


@pytest.fixture(scope="module")
def case():
    problem = random_problem(Size(speeds=2, jobs=10, negative_share=0.0, cap=None), 7)
    found, form, raw = solved(problem)
    return problem, found, form, raw, dual_prices(problem, found)


def test_scaled_money_is_refused_with_the_culprit(case):
    form = case[2]
    with pytest.raises(SolverError, match=r"peak\[0\] = 8e-07.*too close to the solver's tolerance"):
        solve(replace(form, cost=form.cost * 1e-9))
    with pytest.raises(SolverError, match="not finite"):
        solve(replace(form, cost=np.where(np.arange(len(form.cost)) == 3, np.nan, form.cost)))
    assert check_scale(form.cost) > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "Time limit reached"}, "Time limit reached"),
        ({"values": np.array([np.nan])}, "returned 1 values and"),
        ({"row_duals": np.array([np.inf])}, "row dual that is not finite"),
        ({"objective": 1.0}, "states 1.000000 EUR"),
        ({"objective": float("nan")}, "states nan EUR"),
    ],
)
def test_gate_refuses(case, change, message):
    _, _, form, raw, _ = case
    gate(raw, form.cost, form.offset)
    with pytest.raises(SolverError, match=message):
        gate(replace(raw, **change), form.cost, form.offset)


@pytest.mark.parametrize("name", ["values", "column_duals"])
def test_gate_refuses_vectors_with_one_bad_entry_or_of_objects(case, name):
    _, _, form, raw, _ = case
    vector = getattr(raw, name)
    for bad in (np.where(np.arange(len(vector)) == 2, np.nan, vector), vector.astype(object)):
        with pytest.raises(SolverError, match="that is not finite"):
            gate(replace(raw, **{name: bad}), form.cost, form.offset)


def test_a_value_that_no_plan_can_have_is_the_solvers_failure(case):
    problem, _, form, raw, _ = case
    model = build(problem)
    negative = replace(raw, values=np.where(np.arange(len(raw.values)) == int(np.argmax(raw.values)), -5.0, raw.values))
    with pytest.raises(SolverError, match="no plan can have"):
        solution(problem, model, compile_model(model), negative)
    assert form.shape[1] == len(raw.values)


def test_time_limit_is_no_plan():
    form = compile_model(build(random_problem(Size(60, 4, 168, 5), 0)))
    with pytest.raises(SolverError, match="solver status"):
        gate(solve(form, Options(time_limit_s=1e-3)), form.cost, form.offset)


def objective(problem):
    return solved(problem)[2].objective


def bumped(problem, name, at, step):
    values = problem[name].values.copy()
    values[at] += step
    return problem.assign({name: (problem[name].dims, values)})


def assert_predicts(problem, raw, change, value, step):
    """A dual lies between the two one-sided slopes of the optimum; True where they agree (no degeneracy).

    `change(step)` is the problem with the right-hand side moved; the optimum is convex in it, so
    (f(0) - f(-h)) / h <= dual <= (f(h) - f(0)) / h, with value = -dual the saving per unit.
    """
    after = (raw.objective - objective(change(step))) / step
    before = (objective(change(-step)) - raw.objective) / step
    noise = 1e-9 * abs(raw.objective) / step + 1e-6 * abs(value)
    assert after - noise <= value <= before + noise
    return before - after <= 1e-3 * max(abs(value), 1e-6)


def ranked(value, most=6):
    """Positions of the largest values."""
    return [tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in np.argsort(-value, axis=None)[:most]]


@pytest.mark.parametrize("rate", [0.0, 800.0])
def test_price_of_grid_by_perturbation(rate):
    """A connection at its limit: the dual predicts the saving from a slightly larger one."""
    problem = random_problem(Size(jobs=10, negative_share=0.0, cap=None, demand_rate=rate), 7)
    problem = problem.assign(grid_limit_mw=problem["grid_limit_mw"] * (0.75 if rate == 0 else 0.62))
    found, _, raw = solved(problem)
    value = dual_prices(problem, found)["value_grid"].values
    assert value.max() > 1e-6, "no limit binds"
    tight = [assert_predicts(problem, raw, lambda h, at=at: bumped(problem, "grid_limit_mw", at, h), value[at], 1e-5)
             for at in ranked(value) if value[at] > 1e-6]  # fmt: skip
    assert any(tight) or rate > 0, "nothing was compared without degeneracy"


@pytest.mark.parametrize(("rate", "heat"), few([(800.0, 12.0), (0.0, None), (800.0, None), (0.0, 12.0)], 1))
def test_price_of_a_gpu_by_perturbation(rate, heat):
    """One more GPU works or idles: room dual plus the idle draw, with the cooling curve left as it is."""
    problem = random_problem(
        Size(jobs=60, negative_share=0.0, cap=None, demand_rate=rate, utilisation=0.95, heat_price=heat), 7
    )
    found, _, raw = solved(problem)
    value = dual_prices(problem, found)["value_gpu"].values

    def change(step, at):
        hall = (int(problem["pool_hall"].values[at[0]]), at[1])
        draws = step * float(problem["idle_mw"].values[at[0]])
        slope = float(problem["slope"].values[(*hall, 0)])  # the idle GPU moves the load along the first segment
        more = bumped(bumped(problem, "available", at, step), "base_it", hall, draws)
        return bumped(bumped(more, "base_overhead", hall, slope * draws), "width", (*hall, 0), -draws)

    positions = [*ranked(value, 4), *ranked(-value, 2)]
    tight = [assert_predicts(problem, raw, lambda h, at=at: change(h, at), value[at], 1e-3) for at in positions]
    assert value.max() > 1e-6
    assert any(tight)


@pytest.mark.parametrize(("rate", "heat"), few([(800.0, 12.0), (0.0, None), (800.0, None), (0.0, 12.0)], 1))
def test_price_of_work_by_perturbation(rate, heat):
    problem = random_problem(Size(jobs=10, negative_share=0.0, cap=None, demand_rate=rate, heat_price=heat), 7)
    found, _, raw = solved(problem)
    value = dual_prices(problem, found)["value_work"].values
    tight = [assert_predicts(problem, raw, lambda h, j=j: bumped(problem, "work_left", j, h), -value[j], 1e-2)
             for j in range(problem.sizes["job"])]  # fmt: skip
    assert sum(tight) >= (5 if rate == 0 else 1)


@pytest.mark.parametrize(("rate", "heat"), few([(800.0, 12.0), (0.0, None), (800.0, None), (0.0, 12.0)], 1))
def test_price_of_a_later_deadline_by_perturbation(rate, heat):
    """A sliver of the period behind the deadline opens: worth at most max_gpus · max(0, gain) per hour,
    and exactly that where the optimum is not degenerate."""
    problem = random_problem(
        Size(jobs=10, negative_share=0.0, cap=None, demand_rate=rate, utilisation=0.9, speeds=2, heat_price=heat), 3
    )
    found, _, raw = solved(problem)
    value, exact = dual_prices(problem, found)["value_deadline"].values, []
    for (j,) in ranked(value, 5):
        is_open = problem["open"].values[j]
        after = len(is_open) - int(np.argmax(is_open[::-1] > 0))
        if after >= len(is_open) or value[j] <= 1e-6:
            continue
        step = 1e-3
        saving = (raw.objective - objective(bumped(problem, "open", (j, after), step))) / (
            step * float(problem["dt"][after])
        )
        assert -1e-6 <= saving <= value[j] * (1 + 1e-6) + 1e-6
        exact.append(saving >= value[j] * (1 - 5e-3))
    assert any(exact)


def test_deadline_at_the_end_of_the_horizon_has_no_price():
    problem = random_problem(Size(jobs=4), 1)
    problem = problem.assign(open=problem["open"] * 0 + 1.0)
    found, _, _ = solved(problem)
    assert (dual_prices(problem, found)["value_deadline"].values == 0).all()


def test_price_of_a_cap_by_perturbation():
    """A cap tight enough to bind: its dual times the IT energy predicts the saving from a looser one."""
    problem = random_problem(Size(cap=1.25, negative_share=0.0, demand_rate=0.0), 2)
    found, _, _ = solved(problem)
    pue = float((found["facility"] * problem["dt"]).sum("time")[0] / (found["it"] * problem["dt"]).sum("time")[0])
    tight = problem.assign(cap_limit=problem["cap_limit"] * 0 + [pue - 0.003, 2.0, 2.0])
    found, _, raw = solved(tight)
    value = dual_prices(tight, found)["value_cap"].values
    assert value[0] > 0
    assert float(found["cap_breach"].sum()) < 1e-9
    assert assert_predicts(tight, raw, lambda h: bumped(tight, "cap_limit", 0, h), value[0], 1e-6)


def test_parts_of_a_gpu_hour_add_up(case):
    prices = case[4]
    parts = sum(prices[f"gpu_hour_{x}"] for x in ("energy", "demand", "limits", "capacity"))
    np.testing.assert_allclose(parts, prices["gpu_hour"], atol=1e-9)


def test_certificate_of_a_plan_without_crossover_still_bounds():
    problem = random_problem(Size(), 9)
    found, _, _ = solved(problem, Options(crossover=False))
    proof = certify(problem, found)
    assert proof.dual_eur <= solved(problem)[2].objective + 1e-6
