"""A program with a slip in it: the solver is honest, its answer is proven against the Problem and refused.

Each slip is put into the program's own tables: a row left out, a bound not kept, a sign turned, a cost forgotten.
"""

import numpy as np
import pyomo.environ as pyo
import pytest

from energy import program
from energy.program import CONSTRAINTS, COST, VARIABLES
from tests.laws.transforms import changed
from tests.lying_solver.chain import honest_problem, verdict
from tests.program.test_program import solved


@pytest.fixture(scope="module")
def problem():
    return honest_problem()


def refused(answer):
    """By the gate (unbounded, infeasible) or by the proof; nothing passes, and it is FAILED."""
    return answer.by in {"gate", "certificate"} and answer.status == "FAILED"


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_constraint_left_out(problem, name, monkeypatch):
    index, _ = CONSTRAINTS[name]
    monkeypatch.setitem(program.CONSTRAINTS, name, (index, lambda m, *i: pyo.Constraint.Skip))
    assert refused(verdict(problem))


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_one_row_left_out(problem, name, monkeypatch):
    """The row with the largest price."""
    dual = solved(problem)[0][f"dual_{name}"].values
    row = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(dual)), dual.shape))
    index, rule = CONSTRAINTS[name]
    monkeypatch.setitem(
        program.CONSTRAINTS, name, (index, lambda m, *i: pyo.Constraint.Skip if i == row else rule(m, *i))
    )
    assert refused(verdict(problem))


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_sign_turned(problem, name, monkeypatch):
    """The last term of the body changes its sign."""
    index, rule = CONSTRAINTS[name]

    def turned(m, *i):
        row = rule(m, *i)
        form = pyo.Constraint.Skip if row is pyo.Constraint.Skip else row
        body, low, up = _sides(form)
        last = body.args[-1]
        return (low, body - 2 * last, up)

    monkeypatch.setitem(program.CONSTRAINTS, name, (index, turned))
    assert refused(verdict(problem))


def _sides(row):
    """Body and sides of a relation as Pyomo reads it, with everything that varies in the body."""
    m = pyo.ConcreteModel()
    m.row = pyo.Constraint(expr=row)
    return m.row.body, m.row.lower, m.row.upper


@pytest.mark.parametrize(
    "name", [k for k in VARIABLES if k not in {"gpus", "facility", "top_up", "over_cap", "band"}]
)
def test_a_bound_not_kept(problem, name, monkeypatch):
    """Twice the upper bound, or half the lower one where there is no upper one."""
    index, bounds = VARIABLES[name]
    free = lambda m, *i: tuple(None if b is None else b * f for b, f in zip(bounds(m, *i), (0.5, 2.0), strict=True))  # noqa: E731
    monkeypatch.setitem(program.VARIABLES, name, (index, free))
    assert refused(verdict(problem))


@pytest.mark.parametrize("name", ["gpus", "facility", "top_up", "over_cap", "band", "short", "taken", "grid_export"])
def test_less_than_nothing(problem, name, monkeypatch):
    """A lower bound of zero forgotten."""
    index, bounds = VARIABLES[name]
    monkeypatch.setitem(program.VARIABLES, name, (index, lambda m, *i: (-1.0, bounds(m, *i)[1])))
    answer = verdict(problem)
    if name == "facility":  # nothing drives it below zero: the rows keep it, and the answer stays right
        assert answer.status == "OK"
    else:
        assert refused(answer)


@pytest.mark.parametrize("name", COST)
def test_a_cost_forgotten(problem, name, monkeypatch):
    monkeypatch.setitem(program.COST, name, lambda m: 0.0)
    answer = verdict(problem)
    if name == "fixed":  # no plan changes it: the plan is right, and objective against bill shows the sum
        assert answer.status == "OK"
    else:
        assert refused(answer)


@pytest.mark.parametrize("name", [k for k in COST if k != "fixed"])
def test_a_cost_with_the_wrong_sign_or_size(problem, name, monkeypatch):
    term = COST[name]
    for factor in (-1.0, 1.01):
        monkeypatch.setitem(program.COST, name, lambda m, factor=factor: factor * term(m))
        assert refused(verdict(problem)), factor


def test_kilowatts_for_megawatts(problem):
    """A Problem whose GPU powers are a thousandth, solved; proven against the right one."""
    small = changed(problem, busy_mw=problem["busy_mw"].values / 1000)
    other = solved(small)[0]
    assert refused(verdict(problem, solution_lies=lambda found: other))
