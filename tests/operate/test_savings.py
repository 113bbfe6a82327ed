"""Realised savings for equal work, by hand."""

import pytest

from energy.operate.digest import saved_by_day


def day(policy, date, eur, hours):
    return {"policy": policy, "day": date, "real_eur": eur, "gpu_hours": hours}


#: Run-now works 100 GPU-hours at 3 EUR on a dear day; the plan waits for the next, at 1 EUR; 50 EUR a day are firm.
DAYS = [
    day("run_now", "2024-03-01", 350.0, 100.0), day("plan", "2024-03-01", 50.0, 0.0),
    day("run_now", "2024-03-02", 50.0, 0.0), day("plan", "2024-03-02", 150.0, 100.0),
]  # fmt: skip


def test_waiting_for_a_cheaper_day_is_a_saving_once_the_work_is_done():
    """Price of work 400 EUR / 100 h = 4: the first day 300 - 400 = -100, the second -100 + 400 = 300; 200 in all."""
    assert saved_by_day(DAYS) == pytest.approx({"2024-03-01": -100.0, "2024-03-02": 300.0})
    assert sum(saved_by_day(DAYS).values()) == pytest.approx(400 - 200)


def test_work_that_is_still_to_be_done_is_no_saving():
    """On the first day alone its price is 350 / 100 = 3.5 EUR: 300 spent less, 350 owed."""
    assert saved_by_day(DAYS[:2]) == pytest.approx({"2024-03-01": -50.0})


def test_equal_work_every_day_is_the_difference_of_the_bills():
    days = [day("run_now", "2024-03-01", 300.0, 10.0), day("plan", "2024-03-01", 260.0, 10.0)]
    assert saved_by_day(days) == pytest.approx({"2024-03-01": 40.0})


def test_before_any_work_nothing_has_a_price():
    assert saved_by_day([day("run_now", "2024-03-01", 50.0, 0.0), day("plan", "2024-03-01", 50.0, 0.0)]) == {
        "2024-03-01": 0.0
    }
