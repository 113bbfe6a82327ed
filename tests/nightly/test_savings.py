"""Realised savings for equal work, by hand."""

import pytest

from energy.nightly.summary import _last_settled_day, saved_by_day


def day(policy, date, eur, hours):
    return {
        "policy": policy,
        "day": date,
        "realised_cost_eur": eur,
        "gpu_hours": hours,
        "idle_cost_eur": 50.0 if policy == "run_now" else None,
        "ex_ante_cost_eur": eur - 10.0,
    } | {f"{cause}_variance_eur": n for n, cause in enumerate(("price", "weather", "load", "other"), 1)}


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


def test_the_last_settled_day_has_its_costs_causes_backlog_and_saving():
    """On the first of March the plan owes 100 GPU-hours of run-now's, at 3 EUR; on the second it has done them."""
    assert _last_settled_day([]) is None
    owed = _last_settled_day(DAYS[:2])
    assert (owed["backlog_gpu_hours"], owed["backlog_eur"], owed["saving_eur"]) == pytest.approx((100.0, 300.0, 0.0))
    assert _last_settled_day(DAYS) == {
        "date": "2024-03-02", "ex_ante_cost_eur": 140.0, "realised_cost_eur": 150.0,
        "variance_eur": {"price": 1, "weather": 2, "load": 3, "other": 4}, "run_now_eur": 50.0,
        "backlog_gpu_hours": -100.0, "backlog_eur": pytest.approx(-300.0), "saving_eur": pytest.approx(200.0),
    }  # fmt: skip


def test_a_settled_day_without_its_run_now_is_compared_with_nothing():
    alone = _last_settled_day([DAYS[1]])
    assert (alone["run_now_eur"], alone["saving_eur"], alone["backlog_gpu_hours"]) == (None, None, 0.0)
