"""The certificate refuses what is not proven, whatever the solver says."""

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.audit.array_model import array_model
from energy.audit.certificate import LEAST_GROSS_EUR, boxes, certify, dual_bound, gross_terms
from tests.program.test_program import solved


@pytest.fixture(scope="module")
def case():
    problem = random_problem(Size(jobs=60, speeds=2, utilisation=0.95, demand_rate=20.0), 11)
    problem = problem.assign(available=problem["firm"] + 0.8 * (problem["available"] - problem["firm"]))
    return problem, solved(problem)[0]


def test_passes_on_an_optimal_plan(case):
    proof = certify(*case)
    assert proof.passed
    assert proof.relative_gap < 1e-9
    assert proof.as_dict()["pass"] is True


@pytest.mark.parametrize(
    "name", ["cumulative_gpus", "group_gpus", "unserved", "it", "segment_load", "facility", "grid_import", "peak"]
)
def test_refuses_a_changed_value(case, name):
    """One entry moved by a thousandth of its range breaks a row or the gap."""
    problem, found = case
    values = found[name].values.copy()
    at = np.unravel_index(np.argmax(values), values.shape)
    values[at] += max(1e-3, 1e-3 * values[at])
    proof = certify(problem, found.assign({name: (found[name].dims, values)}))
    assert not proof.passed


@pytest.mark.parametrize(
    "name", ["finish", "link", "pool_capacity", "it_power", "facility_power", "balance", "billed_peak"]
)
def test_refuses_changed_duals(case, name):
    """Duals prove the bound: scaled by a per mille they prove too little."""
    problem, found = case
    assert float(np.abs(found[f"dual_{name}"]).max()) > 0
    proof = certify(problem, found.assign({f"dual_{name}": found[f"dual_{name}"] * 1.001}))
    assert not proof.passed
    assert proof.max_violation < 1e-9


def test_refuses_nan_and_zeros(case):
    problem, found = case
    assert not certify(problem, found.map(lambda a: a * 0)).passed
    assert not certify(problem, found.assign(unserved=found["unserved"] * np.nan)).passed


@pytest.mark.parametrize("seed", range(5))
def test_weak_duality_for_any_prices(case, seed):
    """Any duals, however wrong, give a bound below the optimum."""
    problem, found = case
    model = array_model(problem)
    y = np.random.default_rng(seed).normal(0, 50, len(model.row_low))
    optimum = float(model.cost @ model.vector(found)) + model.offset
    assert dual_bound(model, boxes(model, problem), y) <= optimum + 1e-6


def test_small_money_is_judged_by_its_own_size():
    """A gap hidden by max(1, |p|) shows: with prices of a ten-thousandth, a 1 % worse plan fails."""
    problem = random_problem(Size(demand_rate=0.0, negative_share=0.0, cap=None), 5)
    cheap = problem.assign({k: problem[k] * 1e-4 for k in ("spot", "price", "penalty")})
    found, _, _ = solved(cheap)
    assert certify(cheap, found).passed
    worse = found.assign(dual_balance=found["dual_balance"] * 0.99)
    assert not certify(cheap, worse).passed


def test_the_gap_is_measured_against_the_gross_bill_and_not_against_penalties(case):
    """Undone work at a million EUR a GPU-hour: a millionth of that objective is more than the whole bill."""
    problem, _ = case
    dear = problem.assign(penalty=problem["penalty"] * 0 + 1e6, work_left=problem["work_left"] * 3)
    plan = solved(dear)[0]
    proof = certify(dear, plan, 10_000.0)
    assert proof.passed
    assert proof.gross_bill_eur == 10_000.0
    assert proof.primal_eur > 1e9
    loose = certify(dear, plan.assign(dual_finish=plan["dual_finish"] * (1 - 1e-8)), 10_000.0)
    assert abs(loose.primal_eur - loose.dual_eur) < 1e-6 * loose.primal_eur, "of the objective it would have passed"
    assert not loose.passed
    assert loose.relative_gap == pytest.approx((loose.primal_eur - loose.dual_eur) / 10_000.0)


def test_without_a_bill_the_terms_that_would_be_billed_count(case):
    problem, found = case
    assert certify(problem, found).gross_bill_eur == gross_terms(problem, found) > 1
    assert certify(problem, found, 0.0).gross_bill_eur == LEAST_GROSS_EUR
    assert not certify(problem, found, float("nan")).passed


def test_a_violation_that_is_no_number_is_none_that_passes(case):
    problem, found = case
    for name in ("unserved", "it"):  # a bound of the one, a row of the other
        values = found[name].values.copy()
        values.flat[0] = np.nan
        assert not certify(problem, found.assign({name: (found[name].dims, values)})).max_violation <= 1e-6


@pytest.mark.parametrize("stated", [0.0, float("nan"), None])
def test_refuses_a_stated_cost_that_is_not_the_plans_own(case, stated):
    problem, found = case
    attrs = {} if stated is None else {"objective_eur": stated}
    proof = certify(problem, found.copy().assign_attrs(attrs) if attrs else found.drop_attrs())
    assert proof.relative_gap < 1e-9
    assert not proof.passed
