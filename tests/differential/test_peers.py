"""The same problems in linopy, in PyPSA and on a solver that shares nothing with HiGHS: one optimum.

The tools are not dependencies of the project: `make peers` gives them an environment of their own.
"""

import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.differential import numbered_problem, ordinary_problem
from energy.audit.array_model import array_model
from energy.solve import solve

#: As for methods: share of the money that moves.
SAME = 1e-6
NOT_HERE = "{} is not installed here; make peers runs this in an environment of its own"


def own(problem):
    """Own optimum, and the money that moves."""
    model = array_model(problem)
    raw = solve(model)
    assert raw.status == "Optimal"
    return raw.objective, float(np.abs(model.cost) @ np.abs(raw.values)) + abs(model.offset)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(30))
def test_linopy_agrees(number):
    pytest.importorskip("linopy", reason=NOT_HERE.format("linopy"))
    from benchmarks.peers import linopy_model

    problem = numbered_problem(number)
    mine, money = own(problem)
    assert abs(linopy_model.optimum(problem) - mine) <= SAME * money


@pytest.mark.slow
@pytest.mark.parametrize("number", range(15))
def test_pypsa_agrees(number):
    pytest.importorskip("pypsa", reason=NOT_HERE.format("pypsa"))
    from benchmarks.peers import pypsa_model

    problem = ordinary_problem(number)
    assert pypsa_model.covers(problem)
    mine, money = own(problem)
    assert abs(pypsa_model.optimum(problem) - mine) <= SAME * money


@pytest.mark.slow
@pytest.mark.parametrize("number", range(100))
def test_another_solver_agrees(number):
    """Clarabel (an interior point in Rust): min c x with A x + s = b, s in a cone of zeros and of non-negatives."""
    clarabel = pytest.importorskip("clarabel", reason=NOT_HERE.format("clarabel"))
    problem = numbered_problem(number)
    mine, money = own(problem)
    m = array_model(problem)
    rows = sp.vstack([m.matrix, sp.eye_array(len(m.cost))], format="csr")
    low, up = np.concatenate([m.row_low, m.low]), np.concatenate([m.row_up, m.up])
    equal = low == up
    has_up, has_low = ~equal & np.isfinite(up), ~equal & np.isfinite(low)
    a = sp.csc_matrix(sp.vstack([rows[equal], rows[has_up], -rows[has_low]]))
    b = np.concatenate([low[equal], up[has_up], -low[has_low]])
    cones = [clarabel.ZeroConeT(int(equal.sum())), clarabel.NonnegativeConeT(int(has_up.sum() + has_low.sum()))]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = 1e-10  # its 1e-8 leaves 2e-6 of the money
    settings.static_regularization_constant = 1e-10  # with its 1e-8 problem 76 stops at a residual of 2e-8
    found = clarabel.DefaultSolver(sp.csc_matrix(a.shape[1:] * 2), m.cost, a, b, cones, settings).solve()
    assert str(found.status) in {"Solved", "AlmostSolved", "InsufficientProgress"}  # as near as it gets to 1e-10
    assert abs(found.obj_val + m.offset - mine) <= SAME * money
