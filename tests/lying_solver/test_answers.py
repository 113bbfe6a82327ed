"""A solver, or the hand-over to it, that lies about its answer: every lie is refused, with the right status."""

from dataclasses import replace

import numpy as np
import pytest

from energy.program import CONSTRAINTS, VARIABLES
from energy.schema import PROBLEM, SchemaError, check
from energy.solve import Options, SolverError, solve
from tests.laws.transforms import changed
from tests.lying_solver.chain import honest_problem, verdict
from tests.program.test_program import solved


@pytest.fixture(scope="module")
def problem():
    return honest_problem()


def test_the_truth_passes_and_everything_is_at_work(problem):
    """Every variable and every row has a value or a price here: a fault in any of them can show."""
    assert verdict(problem).status == "OK"
    found, _, _ = solved(problem)
    assert [k for k in VARIABLES if np.abs(found[k].values).max() < 1e-7] == []
    assert [k for k in CONSTRAINTS if np.abs(found[f"dual_{k}"].values).max() < 1e-7] == []


def vector(change):
    return lambda raw: replace(raw, values=change(raw.values))


def lied(found, name, change):
    return found.assign({name: (found[name].dims, change(found[name].values))})


def with_nan(values):
    out = values.copy()
    out[len(out) // 2] = np.nan
    return out


@pytest.mark.parametrize("status", ["Time limit reached", "Infeasible", "Unbounded", "Unknown", "Solve error", "",
                                    "optimal", "Interrupted by user", "Iteration limit reached"])  # fmt: skip
def test_any_status_but_optimal(problem, status):
    answer = verdict(problem, raw_lies=lambda raw: replace(raw, status=status))
    assert (answer.by, answer.status) == ("gate", "FAILED")
    assert repr(status) in answer.words


@pytest.mark.parametrize("where", ["values", "row_duals", "column_duals"])
def test_not_a_number_in_the_answer(problem, where):
    answer = verdict(problem, raw_lies=lambda raw: replace(raw, **{where: with_nan(getattr(raw, where))}))
    assert (answer.by, answer.status) == ("gate", "FAILED")
    assert "not finite" in answer.words


def test_not_a_number_in_the_objective(problem):
    assert verdict(problem, raw_lies=lambda raw: replace(raw, objective=float("nan"))).by == "gate"


@pytest.mark.parametrize("name", ["price", "penalty", "charge_rate", "cap_penalty", "fixed_eur"])
def test_not_a_number_in_the_money(problem, name):
    """HiGHS answers Optimal on a NaN price: it is not asked."""
    values = problem[name].values.copy()
    values.flat[np.argmax(np.abs(values))] = np.nan
    answer = verdict(changed(problem, **{name: values}))
    assert (answer.by, answer.status) == ("gate", "FAILED")


@pytest.mark.parametrize("name", [k for k, a in PROBLEM.items() if a.unit not in {"1"} and k != "fx"])
def test_not_a_number_anywhere_in_the_problem(problem, name):
    """A NaN may also hide: a saving that is not a number is no offer. No Problem with one gets that far."""
    values = problem[name].values.astype(float)
    values.flat[-1] = np.nan
    with pytest.raises(SchemaError, match=rf"{name}\[.*nan"):
        check(changed(problem, **{name: values}), PROBLEM)


def test_zeros_after_a_time_out(problem):
    """The vector of a solve that ran out of time is zeros; said to be optimal and consistent, it is no plan."""

    def zeros(raw):
        nothing = {k: np.zeros_like(getattr(raw, k)) for k in ("values", "row_duals", "column_duals")}
        return replace(raw, **nothing)

    assert verdict(problem, raw_lies=zeros).by == "gate"  # the objective is not that of zeros
    offset = []
    answer = verdict(problem, form_lies=lambda form: offset.append(form.offset) or form,
                     raw_lies=lambda raw: replace(zeros(raw), objective=offset[0]))  # fmt: skip
    assert (answer.by, answer.status) == ("certificate", "FAILED")


def test_a_real_time_out_is_refused(problem):
    late = {}

    def stop(form):
        late["raw"] = solve(form, Options(time_limit_s=0.0))
        return form

    answer = verdict(problem, form_lies=stop, raw_lies=lambda raw: late["raw"])
    assert (answer.by, answer.status) == ("gate", "FAILED")


def test_yesterdays_vector(problem):
    """Yesterday's plan for today's prices, with its objective or with the right one: refused by gate or proof."""
    yesterday = changed(problem, price=np.roll(problem["price"].values, 5, axis=1))
    old = solved(yesterday)[2]
    assert verdict(problem, raw_lies=lambda raw: old).by == "gate"
    today = {}
    answer = verdict(problem, form_lies=lambda form: today.update(form=form) or form, raw_lies=lambda raw: replace(
        old, objective=float(today["form"].cost @ old.values) + today["form"].offset))  # fmt: skip
    assert (answer.by, answer.status) == ("certificate", "FAILED")
    assert answer.proof.relative_gap > 1e-6


@pytest.mark.parametrize("factor", [1e-9, 1e-6])
def test_money_scaled_before_the_solver(problem, factor):
    """Money in gigaeuros is answered Optimal and wrong: it is not handed over."""
    answer = verdict(problem, form_lies=lambda form: replace(form, cost=form.cost * factor))
    if factor == 1e-9:
        assert (answer.by, answer.status) == ("gate", "FAILED")
        assert "too close to the solver's tolerance" in answer.words
    else:  # resolved by the solver, but its duals are in megaeuros
        assert (answer.by, answer.status) == ("certificate", "FAILED")


def test_objective_in_other_money(problem):
    assert verdict(problem, raw_lies=lambda raw: replace(raw, objective=raw.objective / 1000)).by == "gate"


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_swapped_duals(problem, name):
    """The two most different duals of a constraint change places."""

    def swap(values):
        out = values.copy()
        low, high = int(np.argmin(out)), int(np.argmax(out))
        if low == high:
            high = int(np.argmin(np.abs(out)))
        out.flat[[low, high]] = out.flat[[high, low]]
        return out

    answer = verdict(problem, solution_lies=lambda found: lied(found, f"dual_{name}", swap))
    assert (answer.by, answer.status) == ("certificate", "FAILED")


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_duals_with_the_other_sign(problem, name):
    answer = verdict(problem, solution_lies=lambda found: lied(found, f"dual_{name}", lambda y: -y))
    assert (answer.by, answer.status) == ("certificate", "FAILED")


@pytest.mark.parametrize("name", VARIABLES)
def test_a_value_with_the_other_sign(problem, name):
    answer = verdict(problem, solution_lies=lambda found: lied(found, name, lambda x: -x))
    assert (answer.by, answer.status) == ("certificate", "FAILED")
    assert answer.proof.max_violation > 1e-6


@pytest.mark.parametrize("name", VARIABLES)
def test_values_read_back_one_place_off(problem, name):
    answer = verdict(problem, solution_lies=lambda found: lied(found, name, lambda x: np.roll(x, 1)))
    assert (answer.by, answer.status) == ("certificate", "FAILED")


def test_vector_in_another_order(problem):
    """Columns confused between model and solver: the gate sees another cost."""
    assert verdict(problem, raw_lies=vector(lambda x: x[::-1].copy())).by == "gate"


def test_a_loose_solve_that_says_optimal(problem):
    """A first-order answer, good to three digits and said to be optimal, proves too little."""
    rng = np.random.default_rng(0)
    held = {}

    def loose(raw):
        values = raw.values * (1 + 1e-3 * rng.normal(size=len(raw.values)))
        return replace(raw, values=values, objective=float(held["form"].cost @ values) + held["form"].offset)

    answer = verdict(problem, form_lies=lambda form: held.update(form=form) or form, raw_lies=loose)
    assert (answer.by, answer.status) == ("certificate", "FAILED")


def test_a_feasible_plan_that_is_not_the_best(problem):
    """Everything holds, only it is dearer: the optimum for other prices, with the duals of the right ones."""
    other = solved(changed(problem, price=np.abs(problem["price"].values[:, ::-1])))[0]
    duals = {k: v for k, v in solved(problem)[0].items() if str(k).startswith("dual_")}
    answer = verdict(problem, solution_lies=lambda found: other.assign(duals))
    assert (answer.by, answer.status) == ("certificate", "FAILED")
    assert answer.proof.max_violation < 1e-6
    assert answer.proof.relative_gap > 1e-6


def test_a_model_that_highs_refuses_is_no_plan(problem):
    """A NaN in the matrix."""
    speed = problem["speed"].values.copy()
    speed[0, 0] = np.nan
    with pytest.raises((SolverError, ValueError)):
        solved(changed(problem, speed=speed))
