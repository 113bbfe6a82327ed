"""The program and the certificate's array model, number by number under the same names; nothing is solved."""

import numpy as np
import pytest

from energy.audit.array_model import array_model
from energy.program import CONSTRAINTS, VARIABLES, Sets, build
from energy.solve import compile_model
from tests.audit.toy import toy
from tests.closed_forms.builder import one, problem
from tests.closed_forms.words import Job
from tests.golden.tiny import tiny
from tests.lying_solver.chain import honest_problem


def bare():
    """One job, one pool: no charge, contract, minimum bill, cap, post-horizon row, sun or heat."""
    return problem([one([10, -20])], [Job(5, 5)])


CASES = {f.__name__: f for f in (toy, tiny, bare, honest_problem)}


def numbers(blocks, parts):
    """Position in the array model of every Pyomo column or row, by name and index."""
    at = [blocks[x.parent_component().local_name][x.index()] for x in parts]
    assert sorted(int(n) for n in at) == sorted(int(n) for b in blocks.values() for n in b[b >= 0])
    return np.array([int(n) for n in at])


@pytest.fixture(params=CASES, scope="module")
def both(request):
    case = CASES[request.param]()
    form, twin = compile_model(build(case)), array_model(case)
    return form, twin, numbers(twin.columns, form.columns), numbers(twin.rows, form.rows)


def test_same_coefficients(both):
    form, twin, columns, rows = both
    mine, other = form.matrix.toarray(), twin.matrix.toarray()[rows][:, columns]
    np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-15)


def test_same_cost(both):
    form, twin, columns, _ = both
    np.testing.assert_allclose(form.cost, twin.cost[columns], rtol=1e-9, atol=1e-12)
    assert form.offset == pytest.approx(twin.offset, rel=1e-12)


def test_same_bounds_and_sides(both):
    form, twin, columns, rows = both
    for name, order in (("low", columns), ("up", columns), ("row_low", rows), ("row_up", rows)):
        np.testing.assert_allclose(getattr(form, name), getattr(twin, name)[order], rtol=1e-12, err_msg=name)


def test_same_names(both):
    assert set(both[1].columns) == set(VARIABLES)
    assert set(both[1].rows) == set(CONSTRAINTS)


def test_what_the_program_does_not_know_is_named():
    """A slip in a rule is an error that says the name, not an empty answer."""
    with pytest.raises(AttributeError, match=r"^prise$"):
        _ = Sets(bare()).prise
