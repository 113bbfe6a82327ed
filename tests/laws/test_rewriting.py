"""Laws of rewriting: the same problem in other units, another order or other pieces costs the same."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from energy.audit.certificate import certify
from tests.laws.cases import BOUNDED, cases, optimum
from tests.laws.transforms import after_idle_hours, in_kw, permuted, split_hour, split_job, times_money
from tests.program.test_program import solved


def another_order(length, seed):
    """A random order of so many that is not the one they have."""
    order = np.random.default_rng(seed).permutation(length)
    return np.roll(order, 1) if (order == np.arange(length)).all() else order


@BOUNDED
@given(cases(), st.floats(0.1, 50.0))
def test_prices_times_k(case, k):
    """f(k c) = k f(c): with every price, rate and penalty k times as large the optimum costs k times as much."""
    problem = case.problem()
    assert optimum(problem).same(optimum(times_money(problem, k)), factor=k)


@BOUNDED
@given(cases())
def test_kw_and_mw(case):
    """The same problem in kW costs the same euros."""
    problem = case.problem()
    assert optimum(problem).same(optimum(in_kw(problem)))


@pytest.mark.parametrize("dim", ["site", "hall", "pool", "group", "job", "charge", "contract", "minimum", "cap",
                                 "speed_class", "month", "post_horizon"])  # fmt: skip
@BOUNDED
@given(case=cases(share=0.8), seed=st.integers(0, 99))
def test_order_of_an_axis_does_not_matter(dim, case, seed):
    problem = case.problem()
    assume(problem.sizes[dim] > 1)
    assert optimum(problem).same(optimum(permuted(problem, dim, another_order(problem.sizes[dim], seed))))


@BOUNDED
@given(cases(cap=None), st.integers(0, 99))
def test_order_of_hours_does_not_matter(case, seed):
    """Without windows of caps no row ties one hour to the next: any order of the hours costs the same."""
    problem = case.problem()
    problem = problem.isel(cap=slice(0, 0))
    order = another_order(problem.sizes["time"], seed)
    assert optimum(problem).same(optimum(permuted(problem, "time", order)))


@BOUNDED
@given(cases(share=0.8), st.floats(0.05, 0.95), st.integers(0, 99))
def test_job_in_two(case, share, which):
    problem = case.problem()
    job = which % problem.sizes["job"]
    assert optimum(problem).same(optimum(split_job(problem, job, share)))


@BOUNDED
@given(cases(share=0.8), st.integers(0, 99))
def test_hour_in_two(case, which):
    """Halves that are alike: copying a plan is feasible, and the mean of two halves costs no more (convexity)."""
    problem = case.problem()
    assert optimum(problem).same(optimum(split_hour(problem, which % problem.sizes["time"])))


@BOUNDED
@given(cases(share=0.8))
def test_everything_a_day_later(case):
    """Behind a day of idle, free hours the same problem costs the same: no row counts from the start."""
    problem = case.problem()
    assert optimum(problem).same(optimum(after_idle_hours(problem, round(24 / case.size.hours))))


@BOUNDED
@given(cases(share=0.8))
def test_calendar_a_day_later_is_the_same_plan(case):
    """The program knows durations, not dates: a shifted calendar gives the same plan, bit by bit."""
    problem = case.problem()
    shifted = problem.assign_coords(time=problem["time"].values + np.timedelta64(1, "D"))
    first, second = solved(problem)[0], solved(shifted)[0]
    for name in first.data_vars:
        assert first[name].values.tobytes() == second[name].values.tobytes()
    assert certify(shifted, first.assign_coords(time=shifted["time"].values)).passed
