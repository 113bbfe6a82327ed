"""Realised savings for equal work, by hand."""

import pytest

from energy.nightly.summary import saved_by_day


def day(policy, date, eur, hours):
    return {
        "policy": policy,
        "day": date,
        "realised_cost_eur": eur,
        "gpu_hours": hours,
        "idle_cost_eur": 50.0 if policy == "run_now" else None,
    }


#: Run-now works 100 GPU-hours at 3 EUR on a dear day; the plan waits for the next, at 1 EUR; 50 EUR a day are idle load.
DAYS = [
    day("run_now", "2024-03-01", 350.0, 100.0), day("plan", "2024-03-01", 50.0, 0.0),
    day("run_now", "2024-03-02", 50.0, 0.0), day("plan", "2024-03-02", 150.0, 100.0),
]  # fmt: skip


def test_waiting_for_a_cheaper_day_is_a_saving_once_the_work_is_done():
    """Price of work 300 EUR / 100 h = 3: the first day 300 - 300 = 0, the second -100 + 300 = 200."""
    assert saved_by_day(DAYS) == pytest.approx({"2024-03-01": 0.0, "2024-03-02": 200.0})


def test_work_that_is_still_to_be_done_is_no_saving():
    """300 EUR spent less, and 100 GPU-hours owed that run-now did for as much."""
    assert saved_by_day(DAYS[:2]) == pytest.approx({"2024-03-01": 0.0})


def test_equal_work_every_day_is_the_difference_of_the_bills():
    days = [day("run_now", "2024-03-01", 300.0, 10.0), day("plan", "2024-03-01", 260.0, 10.0)]
    assert saved_by_day(days) == pytest.approx({"2024-03-01": 40.0})


def test_before_any_work_nothing_has_a_price():
    assert saved_by_day([day("run_now", "2024-03-01", 50.0, 0.0), day("plan", "2024-03-01", 50.0, 0.0)]) == {
        "2024-03-01": 0.0
    }
