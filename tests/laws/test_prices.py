"""A constant on every price: it costs the constant times energy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from energy.schema import lowest_price
from tests.laws.cases import BOUNDED, SAME, cases, optimum
from tests.laws.transforms import changed
from tests.program.test_program import solved


def energy(problem, found):
    """MWh drawn from the grid."""
    return float((found["grid_import"].values * problem["dt"].values).sum())


@BOUNDED
@given(cases(negative_share=0.0), st.floats(0.5, 80.0))
def test_plus_a_constant_is_bracketed_by_energy(case, c):
    """f is concave in c with slope E: c E(plan at c) <= f(c) - f(0) <= c E(plan at 0).

    In hours whose lowest marginal price is above 0: below, the overhead is priced by its chord.
    """
    problem = case.problem()
    problem = changed(problem, price=problem["price"].values + max(0.1 - lowest_price(problem).min(), 0.0))
    dearer = changed(problem, price=problem["price"].values + c)
    before, after = solved(problem), solved(dearer)
    noise = SAME * optimum(dearer).money
    rise = after[2].objective - before[2].objective
    assert c * energy(dearer, after[0]) - noise <= rise <= c * energy(problem, before[0]) + noise


@BOUNDED
@given(cases(speeds=1, pools_per_hall=1, share=0.0, cap=None, utilisation=0.5), st.floats(-30.0, 80.0))
def test_plus_a_constant_times_energy_where_energy_is_fixed(case, c):
    """One speed, one kind of GPU and overhead in proportion to IT power: every plan that does all of the work
    draws the same energy E, so f(price + c) = f(price) + c E, through negative prices too."""
    problem = case.problem()
    even = {k: np.full(problem[k].shape, 0.07) for k in ("slope", "chord")}
    problem = changed(problem, penalty=problem["penalty"].values * 10, **even)
    found, _, _ = solved(problem)
    assert float(found["unserved"].sum()) < 1e-6
    shifted = changed(problem, price=problem["price"].values + c)
    assert optimum(shifted).same(optimum(problem).cost + c * energy(problem, found))
