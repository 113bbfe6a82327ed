"""Optima of work and capacity, derived by hand. One GPU draws 1 MW, so a GPU-hour is a MWh."""

import numpy as np
import pytest

from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Job


def test_sort_and_fill():
    """25 GPU-hours at 10 GPUs are 2.5 hours: the two cheapest hours in full and half of the third.
    Prices 50 20 40 10 30: 10·10 + 10·20 + 5·30 = 450."""
    answer = best(problem([one([50, 20, 40, 10, 30])], [Job(25, 10)]))
    assert answer.cost == pytest.approx(450)
    np.testing.assert_allclose(answer.draws(), [0, 10, 0, 10, 5], atol=1e-6)


def test_window():
    """The cheap hours 0 and 4 lie outside the window 1 … 3: 10·20 + 5·30 = 350."""
    answer = best(problem([one([1, 20, 40, 30, 1])], [Job(15, 10, window=(1, 4))]))
    assert answer.cost == pytest.approx(350)


def test_window_that_ends_inside_a_period():
    """Half of the last period is inside: 10 GPUs do 5 there at 10, the other 5 cost 40: 50 + 200 = 250."""
    assert best(problem([one([40, 10])], [Job(10, 10, share=0.5)])).cost == pytest.approx(250)


def test_two_jobs_want_the_same_hour():
    """10 GPUs; two jobs of 10 GPU-hours. A may use hours 0 and 1 (prices 10 and 30), B hours 0 and 2 (10 and 25).
    Someone leaves hour 0; B does it for 15 more, A for 20: B goes. 10·10 + 10·25 = 350."""
    jobs = [Job(10, 10, window=(0, 2)), Job(10, 10, speeds={0: 1.0})]
    case = problem([one([10, 30, 25], gpus=10)], jobs)
    assert best(case).cost == pytest.approx(350)


def test_job_limit_spreads_work():
    """100 GPUs are free but the job holds at most 4: 12 GPU-hours take three hours, 4·(10 + 20 + 30) = 240."""
    assert best(problem([one([10, 20, 30, 40])], [Job(12, 4)])).cost == pytest.approx(240)


def test_cheaper_site():
    """Per hour the cheaper of two sites: 5·(10 + 15) = 125; each site has room."""
    answer = best(problem([one([10, 30]), one([20, 15])], [Job(10, 5)]))
    assert answer.cost == pytest.approx(125)
    np.testing.assert_allclose(answer.draws(1), [0, 5], atol=1e-6)


def test_slow_pool_pays_only_below_its_speed():
    """Speed 1/2 needs two GPU-hours per unit: at 12 a unit costs 24 there, 20 at home; at 8 it costs 16.
    8 units, one GPU-hour each hour and job limit 8: the slow pool does 8·0.5 = 4 units in hour 1 for 64, home the
    rest in hour 0 for 4·20 = 80."""
    case = problem([one([20, 100]), one([12, 8])], [Job(8, 8, speeds={0: 1.0, 1: 0.5})])
    answer = best(case)
    assert answer.cost == pytest.approx(144)
    np.testing.assert_allclose(answer.draws(1), [0, 8], atol=1e-6)


def test_job_limit_counts_gpus_over_all_classes():
    """One hour, 6 units, at most 8 GPUs. x fast at 30, y slow (1/2) at 10: x + y/2 = 6, x + y <= 8.
    Slow costs 20 a unit, so as much as possible: x = 4, y = 4: 120 + 40 = 160. Without the shared limit: 120."""
    answer = best(problem([one([30]), one([10])], [Job(6, 8, speeds={0: 1.0, 1: 0.5})]))
    assert answer.cost == pytest.approx(160)


def test_work_worth_less_than_its_power_is_left():
    """Undone work costs 25: the hour at 20 is used, the hour at 30 is not. 10·20 + 10·25 = 450."""
    answer = best(problem([one([20, 30])], [Job(20, 10, penalty=25)]))
    assert answer.cost == pytest.approx(450)
    assert float(answer.found["unserved"][0]) == pytest.approx(10)


def test_too_little_time_leaves_work_at_its_price():
    """Two hours of 10 GPUs do 20 of 30: 10·(5 + 7) + 10·1000 = 10,120."""
    assert best(problem([one([5, 7])], [Job(30, 10)])).cost == pytest.approx(10_120)


def test_phase_that_arrives_in_mid_horizon():
    """2 GPUs until hour 2, 10 from then on; prices 10 20 30 40; 14 GPU-hours by the end: 2·10 + 2·20 + 10·30 = 360."""
    answer = best(problem([one([10, 20, 30, 40], gpus=[2, 2, 10, 10])], [Job(14, 20)]))
    assert answer.cost == pytest.approx(360)
    np.testing.assert_allclose(answer.draws(), [2, 2, 10, 0], atol=1e-6)


def test_firm_gpus_take_room_and_power():
    """10 GPUs, 4 firm: 6 are free. 8 GPU-hours: 6 at 10 and 2 at 20. Firm load is paid anyway:
    4·(10 + 20) + 60 + 40 = 220."""
    assert best(problem([one([10, 20], gpus=10, firm=4.0)], [Job(8, 10)])).cost == pytest.approx(220)


def test_idle_power_is_paid_and_saved():
    """10 GPUs idle at 0.2 MW: 2 MW each hour; a busy one draws 0.8 more. (2·10 + 2·20) + 5·0.8·10 = 100."""
    assert best(problem([one([10, 20], gpus=10, idle=0.2)], [Job(5, 5)])).cost == pytest.approx(100)


def test_quarter_hours():
    """A quarter-hour of 8 GPUs does 2 GPU-hours; 4 are due: the two cheapest quarters, 2·(10 + 20) = 60."""
    assert best(problem([one([40, 10, 20, 30])], [Job(4, 8)], hours=0.25)).cost == pytest.approx(60)


def test_mixed_steps():
    """A quarter-hour at 5 and a coarse tail of two hours at 20: 8 GPUs do 2 in the quarter, 6 in the tail:
    2·5 + 6·20 = 130."""
    answer = best(problem([one([5, 20])], [Job(8, 8)], hours=[0.25, 2.0]))
    assert answer.cost == pytest.approx(130)
    np.testing.assert_allclose(answer.draws(), [8, 3], atol=1e-6)


def test_hall_limit():
    """The hall feeds 6 MW: 6 at 10, the other 4 at 20. 60 + 80 = 140."""
    assert best(problem([one([10, 20], limit=6.0)], [Job(10, 10)])).cost == pytest.approx(140)


def test_grid_limit_counts_overhead_and_the_rest():
    """7 MW connection, 1 MW of other load, 20 % overhead: (7 - 1) / 1.2 = 5 MW of IT in hour 0, 5 in hour 1.
    Drawn: 7 in both: 7·10 + 7·20 = 210."""
    case = problem([one([10, 20], grid=7.0, other=1.0, overhead=((1000.0, 0.2),))], [Job(10, 10)])
    answer = best(case)
    assert answer.cost == pytest.approx(210)
    np.testing.assert_allclose(answer.draws(), [7, 7])
