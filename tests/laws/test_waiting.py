"""What the price of waiting does at its ends, on random cases."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.enrich import with_waiting
from benchmarks.instances import random_problem
from energy.program import build
from energy.solve import compile_model, gate, solution, solve
from tests.laws.cases import BOUNDED, cases, optimum
from tests.laws.transforms import changed


@BOUNDED
@given(case=cases(negative_share=0.0, cap=None), seed=st.integers(0, 99))
def test_price_of_nothing_lets_all_wait_that_may(case, seed):
    """Where power costs something in every hour and nothing limits it, free waiting is used to the full."""
    problem = with_waiting(random_problem(case.size, case.seed), np.random.default_rng(seed)).isel(
        post_horizon=slice(0, 0)
    )
    problem = changed(
        problem, terminal_price=0.0 * problem["terminal_price"].values, price=problem["price"].values + 200.0
    )
    model = build(problem)
    form = compile_model(model)
    raw = solve(form)
    gate(raw, form.cost, form.offset)
    found = solution(problem, model, form, raw)
    np.testing.assert_allclose(found["deferred"].values, problem["deferred_max"].values, rtol=1e-6, atol=1e-5)


@BOUNDED
@given(case=cases(), seed=st.integers(0, 99))
def test_price_above_all_else_is_as_if_all_must_finish(case, seed):
    """Where waiting costs more than undone work, the optimum is that of a program without `later`."""
    problem = with_waiting(case.problem(), np.random.default_rng(seed))
    dear = changed(problem, terminal_price=problem["penalty"].values * 2)
    must = changed(problem, deferred_max=0.0 * problem["deferred_max"].values).isel(post_horizon=slice(0, 0))
    assert optimum(dear).same(optimum(must))
