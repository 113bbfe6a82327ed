"""A program with a slip in it: the solver is honest, its answer is proven against the Problem and refused.

Each slip is put into the program's own tables: a row left out, a bound not kept, a sign turned, a cost forgotten.
"""

import numpy as np
import pyomo.environ as pyo
import pytest

from energy import program
from energy.program import CONSTRAINTS, COST, VARIABLES
from tests.laws.transforms import changed
from tests.lying_solver.chain import SEEDS, honest_problem, random_case, verdict
from tests.program.test_program import solved

SKIP = pyo.Constraint.Skip


@pytest.fixture(scope="module")
def problem():
    return honest_problem()


@pytest.fixture(scope="module")
def several():
    """Problems with their Solutions, for faults that need not matter in each."""
    return [(p, solved(p)[0]) for p in map(random_case, SEEDS)]


def refused_or_right(problem, found):
    """Whether it was refused; an answer that passes is the right one."""
    answer = verdict(problem)
    if not answer.by:
        assert answer.proof.primal_eur == pytest.approx(found.attrs["objective_eur"], rel=1e-6)
    return refused(answer)


def refused(answer):
    """By the gate (unbounded, infeasible) or by the proof; nothing passes, and it is FAILED."""
    return answer.by in {"gate", "certificate"} and answer.status == "FAILED"


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_constraint_left_out(problem, name, monkeypatch):
    index, _ = CONSTRAINTS[name]
    monkeypatch.setitem(program.CONSTRAINTS, name, (index, lambda m, *i: SKIP))
    assert refused(verdict(problem))


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_one_row_left_out(several, name, monkeypatch):
    """The row with the largest price. Where another row says the same, the answer stays right."""
    index, rule = CONSTRAINTS[name]

    def slipped(problem, found):
        dual = found[f"dual_{name}"].values
        row = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(dual)), dual.shape))
        with monkeypatch.context() as slip:
            slip.setitem(program.CONSTRAINTS, name, (index, lambda m, *i: SKIP if i == row else rule(m, *i)))
            return refused_or_right(problem, found)

    assert any(slipped(*case) for case in several)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_sign_turned(problem, name, monkeypatch):
    """The last term of the body changes its sign."""
    index, rule = CONSTRAINTS[name]

    def turned(m, *i):
        body, low, up = _sides(rule(m, *i))
        last = body.args[-1] if body.is_expression_type() else body
        return (low, body - 2 * last, up)

    monkeypatch.setitem(program.CONSTRAINTS, name, (index, turned))
    assert refused(verdict(problem))


def _sides(row):
    """Body and sides of a relation as Pyomo reads it, with everything that varies in the body."""
    m = pyo.ConcreteModel()
    m.row = pyo.Constraint(expr=row)
    return m.row.body, m.row.lower, m.row.upper


@pytest.mark.parametrize(
    "name", [k for k in VARIABLES if k not in {"group_gpus", "facility", "top_up", "cap_breach", "unserved", "peak"}]
)
def test_a_bound_not_kept(several, name, monkeypatch):
    """A half more than the upper bound, or half the lower one."""
    index, bounds = VARIABLES[name]

    def free(m, *i):
        return tuple(None if b is None else b * f for b, f in zip(bounds(m, *i), (0.5, 1.5), strict=True))

    monkeypatch.setitem(program.VARIABLES, name, (index, free))
    assert any(refused_or_right(*case) for case in several)


def test_a_peak_already_set_forgotten(problem, monkeypatch):
    """The month's peak so far lies above what the plan draws, and is paid."""
    high = changed(problem, charge_floor=problem["charge_floor"].values + 2.0)
    assert verdict(high).status == "OK"
    index, _ = VARIABLES["peak"]
    monkeypatch.setitem(program.VARIABLES, "peak", (index, lambda m, d: (0.0, None)))
    assert refused(verdict(high))


def test_more_undone_than_there_is_work(problem, monkeypatch):
    """The bound of `short` is the row `finish` again: run is never negative. Without it the answer stays right."""
    index, _ = VARIABLES["unserved"]
    monkeypatch.setitem(program.VARIABLES, "unserved", (index, lambda m, j: (0.0, None)))
    assert verdict(problem).status == "OK"


@pytest.mark.parametrize("name", [k for k in VARIABLES if k not in {"facility", "it", "peak"}])
def test_less_than_nothing(several, name, monkeypatch):
    """A lower bound of zero forgotten. Bands fill in their order: nothing drives one of them below zero."""
    index, bounds = VARIABLES[name]
    monkeypatch.setitem(program.VARIABLES, name, (index, lambda m, *i: (-1.0, bounds(m, *i)[1])))
    assert any(refused_or_right(*case) for case in several) == (name != "band")


@pytest.mark.parametrize("name", COST)
def test_a_cost_forgotten(problem, name, monkeypatch):
    monkeypatch.setitem(program.COST, name, lambda m: 0.0)
    assert refused(verdict(problem))


@pytest.mark.parametrize("name", COST)
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
