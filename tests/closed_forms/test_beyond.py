"""Optima of work that may wait for after the horizon, derived by hand. One GPU draws 1 MW, so a GPU-hour is a MWh."""

import numpy as np
import pytest

from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Job, PostHorizon


def test_waits_where_later_is_cheaper():
    """20 GPU-hours at 10 GPUs, prices 10 and 50, later 30: hour 0 runs (10 < 30), hour 1 does not (50 > 30).
    10·10 + 10·30 = 400."""
    answer = best(problem([one([10, 50])], [Job(20, 10, deferred_max=15, terminal_price=30, due=5)]))
    assert answer.cost == pytest.approx(400)
    assert answer.found["deferred"].values.tolist() == pytest.approx([10])
    np.testing.assert_allclose(answer.draws(), [10, 0], atol=1e-6)


def test_price_of_nothing_lets_all_wait_that_may():
    """Later is free for 12 of 20 GPU-hours: they wait; the other 8 take the cheapest hour: 8·10 = 80."""
    answer = best(problem([one([10, 50])], [Job(20, 10, deferred_max=12, terminal_price=0, due=5)]))
    assert answer.cost == pytest.approx(80)
    assert float(answer.found["deferred"][0]) == pytest.approx(12)


def test_very_high_price_is_as_if_all_must_finish():
    """At 900 later nothing waits: 10·10 + 10·50 = 600, as without `later`. Undone work (1000) stays dearer."""
    sites = [one([10, 50])]
    assert best(problem(sites, [Job(20, 10, deferred_max=15, terminal_price=900, due=5)])).cost == pytest.approx(600)
    assert best(problem(sites, [Job(20, 10)])).cost == pytest.approx(600)


def test_work_that_fits_nowhere_else_waits_at_any_price():
    """One hour of 10 GPUs for 14 GPU-hours: 4 wait at 900 before they are left undone at 1000. 10·10 + 4·900 = 3700."""
    answer = best(problem([one([10])], [Job(14, 10, deferred_max=15, terminal_price=900, due=5)]))
    assert answer.cost == pytest.approx(3_700)


def test_capacities_nest_by_deadline():
    """A due 10 h and B due 30 h after the horizon, 10 GPU-hours each; now 20, later 5. Room for 4 by 24 h, 12 by 48 h:
    A leaves 4, B 12 - 4 = 8. 12·5 + 8·20 = 220."""
    jobs = [
        Job(10, 10, deferred_max=10, terminal_price=5, due=10),
        Job(10, 10, deferred_max=10, terminal_price=5, due=30),
    ]
    answer = best(problem([one([20])], jobs, post_horizon=[PostHorizon(4, 24), PostHorizon(12, 48)]))
    assert answer.cost == pytest.approx(220)
    assert answer.found["deferred"].values.tolist() == pytest.approx([4, 8])


def test_capacity_counts_gpu_hours_of_the_fastest_pool():
    """At speed 2, 10 units of work are 5 GPU-hours: a room of 3 GPU-hours holds 6 units. The other 4 take 2 GPU-hours
    at 20: 40; later 6·5 = 30. 70. One more GPU-hour of room takes two units from 10 now to 5 later: worth 10."""
    case = problem(
        [one([20])],
        [Job(10, 10, speeds={0: 2.0}, deferred_max=10, terminal_price=5, due=10)],
        post_horizon=[PostHorizon(3, 24)],
    )
    answer = best(case)
    assert answer.cost == pytest.approx(70)
    assert float(answer.found["dual_post_horizon_capacity"][0]) == pytest.approx(-10)


def test_capacity_of_a_group_leaves_others_alone():
    """Two sites, a job tied to each; 10 GPU-hours each, now 20, later 5; the group of site 1 has room for 1 only.
    10·5 + 1·5 + 9·20 = 235."""
    jobs = [
        Job(10, 10, speeds={0: 1.0}, deferred_max=10, terminal_price=5, due=10),
        Job(10, 10, speeds={1: 1.0}, deferred_max=10, terminal_price=5, due=10),
    ]
    answer = best(problem([one([20]), one([20])], jobs, post_horizon=[PostHorizon(1, 24, group=1)]))
    assert answer.cost == pytest.approx(235)
    assert answer.found["deferred"].values.tolist() == pytest.approx([10, 1])


def test_job_due_after_the_moment_does_not_count():
    """A row at 24 h says nothing about a job due at 30 h: all 10 wait, 10·5 = 50."""
    case = problem(
        [one([20])], [Job(10, 10, deferred_max=10, terminal_price=5, due=30)], post_horizon=[PostHorizon(1, 24)]
    )
    assert best(case).cost == pytest.approx(50)


def test_expected_work_takes_room_from_the_cheap_hour():
    """10 GPUs, prices 10 and 30. A job of 10 and expected work of 5 that fits hour 0 only: the job leaves it 5.
    10·10 + 5·30 = 250."""
    case = problem([one([10, 30], gpus=10)], [Job(10, 10), Job(5, 10, window=(0, 1), expected=True)])
    assert best(case).cost == pytest.approx(250)
