"""The program against its twin, against binaries, and against hand-made optima."""

import numpy as np
import pytest
import scipy.optimize as so

from benchmarks.instances import Size, random_problem
from energy.audit.array_model import array_model
from energy.audit.certificate import certify
from energy.program import CONSTRAINTS, COST, VARIABLES, build, formulation
from energy.schema import SOLUTION, TABLES
from energy.solve import Options, compile_model, gate, solution, solve

SIZES = [Size(), Size(speeds=2), Size(speeds=3, groups=5, jobs=20), Size(cap=None), Size(demand_rate=0.0),
         Size(hours=0.25, periods=96, jobs=6), Size(sites=1, groups=1), Size(negative_share=0.5), Size(bands=True),
         Size(heat_price=12.0, sites=4)]  # fmt: skip


def solved(problem, options=Options()):
    model = build(problem)
    form = compile_model(model)
    raw = solve(form, options)
    gate(raw, form.cost, form.offset)
    return solution(problem, model, form, raw), form, raw


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s.jobs}x{s.sites}x{s.periods}g{s.groups}c{s.speeds}")
@pytest.mark.parametrize("seed", [0, 1])
def test_pyomo_program_and_array_model_are_the_same_program(size, seed):
    """Same rows, columns, nonzeros and optimum, written twice."""
    problem = random_problem(size, seed)
    found, form, raw = solved(problem)
    twin = array_model(problem)
    assert form.shape == (*twin.matrix.shape, twin.matrix.nnz)
    assert solve(twin).objective == pytest.approx(raw.objective, rel=1e-9)
    assert certify(problem, found).passed


@pytest.mark.parametrize("method", ["simplex", "ipx"])
def test_methods_agree(method):
    problem = random_problem(Size(speeds=2), 3)
    reference = solved(problem)[2].objective
    assert solved(problem, Options(method=method))[2].objective == pytest.approx(reference, rel=1e-8)


def test_scipy_agrees():
    problem = random_problem(Size(speeds=2, jobs=8), 4)
    m = array_model(problem)
    result = so.milp(
        m.cost, constraints=so.LinearConstraint(m.matrix, m.row_low, m.row_up), bounds=so.Bounds(m.low, m.up)
    )
    assert result.fun + m.offset == pytest.approx(solved(problem)[2].objective, rel=1e-8)


def overhead_true(problem, it):
    """Overhead of the segments filled in their order, (H, T): the piecewise-linear curve itself."""
    left, out = it - problem["base_it"].values, problem["base_overhead"].values.copy()
    for i in range(problem.sizes["segment"]):
        part = np.clip(left, 0, problem["width"].values[..., i])
        out += problem["slope"].values[..., i] * part
        left = left - part
    return out


def true_cost(problem, found):
    """Cost of a plan with the overhead that its load really has (one hall per site)."""
    it = found["it"].values
    facility = it + overhead_true(problem, it) + problem["other_site_mw"].values
    energy = float((problem["price"].values * facility * problem["dt"].values).sum())
    peaks = (problem["charge_weight"].values * facility[problem["charge_site"].values]).max(axis=1, initial=0.0)
    peak_cost = float(problem["charge_rate"].values[:, 0] @ peaks)
    undone = float((problem["penalty"] * found["unserved"]).sum())
    return energy + peak_cost + undone


def with_binaries(problem):
    """True optimum: in negative hours, segment i+1 only when segment i is full."""
    m = array_model(problem)
    price, width, over = problem["price"].values, problem["width"].values, m.columns["segment_load"]
    cost = m.cost.copy()
    negative = price < 0
    rate = np.where(negative, price * problem["dt"].values, 0.0)
    cost[m.columns["it"]] -= rate * problem["chord"].values
    cost[over[over >= 0]] += (rate[:, :, None] * problem["slope"].values)[over >= 0]
    pairs = [(h, t, i) for h, t in np.argwhere(negative) for i in range(width.shape[2] - 1)]
    n, extra = len(cost), len(pairs)
    rows, low, up = [], [], []
    for y, (h, t, i) in enumerate(pairs):
        full = np.zeros(n + extra)
        full[over[h, t, i]], full[n + y] = 1.0, -width[h, t, i]
        after = np.zeros(n + extra)
        after[over[h, t, i + 1]], after[n + y] = 1.0, -width[h, t, i + 1]
        rows += [full, after]
        low += [0.0, -np.inf]
        up += [np.inf, 0.0]
    wide = np.hstack([m.matrix.toarray(), np.zeros((m.matrix.shape[0], extra))])
    result = so.milp(
        np.concatenate([cost, np.zeros(extra)]),
        constraints=so.LinearConstraint(np.vstack([wide, *rows]), np.concatenate([m.row_low, low]), np.concatenate([m.row_up, up])),
        bounds=so.Bounds(np.concatenate([m.low, np.zeros(extra)]), np.concatenate([m.up, np.ones(extra)])),
        integrality=np.concatenate([np.zeros(n), np.ones(extra)]), options={"mip_rel_gap": 1e-9},
    )  # fmt: skip
    assert result.status == 0, result.message
    # the constant of the hull's chord terms leaves with them
    return float(result.fun)


@pytest.mark.parametrize("seed", range(4))
def test_negative_hours_against_the_true_optimum_with_binaries(seed):
    """Two sites, 48 hours: the hull is a bound, its plan is near the optimum, and bare segments are not a bound.

    Where a price is negative the energy cost is concave in load. The chord over the whole range is the hull of
    each hour, so the program's objective may not exceed the true optimum, and the plan it gives, costed with
    the overhead that its load really has, lies within 0.2 % above it.
    """
    problem = random_problem(
        Size(jobs=10, sites=2, periods=48, groups=2, negative_share=0.3, cap=None, demand_rate=300.0), seed
    )
    optimum = with_binaries(problem)
    found, _, raw = solved(problem)
    plan = true_cost(problem, found)
    scale = float(np.abs(problem["price"].values * found["facility"].values).sum())
    assert raw.objective <= optimum + 1e-6 * scale
    assert optimum <= plan + 1e-6 * scale
    assert plan - optimum <= 2e-3 * scale
    bare = problem.assign(chord=problem["chord"] * 0)  # slopes only: what a model without the rule would claim
    twin = array_model(bare)
    negative = np.where(problem["price"].values < 0, problem["price"].values * problem["dt"].values, 0.0)
    over = twin.columns["segment_load"]
    twin.cost[over[over >= 0]] += (negative[:, :, None] * problem["slope"].values)[over >= 0]
    assert solve(twin).objective < optimum - 1e-4 * scale, "the case does not exercise the rule"


def test_every_variable_and_dual_is_in_the_schema():
    duals = {f"dual_{name}" for name in CONSTRAINTS}
    assert set(VARIABLES) | duals <= set(SOLUTION)
    assert {n for n, a in SOLUTION.items() if a.role == "variable"} == set(VARIABLES)


def test_no_array_is_named_like_a_dimension():
    """xarray turns such an array into a coordinate, and every loop over the arrays of a Dataset passes it by."""
    for table in TABLES.values():
        assert not set(table) & {d for a in table.values() for d in a.dims}


def test_formulation_has_every_part_with_its_algebra():
    text = formulation()
    for name in [*VARIABLES, *CONSTRAINTS, *COST]:
        assert f"### {name}\n\n```\n" in text
        assert f"### {name}\n\n```\nNone" not in text
