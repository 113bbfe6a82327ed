"""What may wait for after the horizon: terminal prices by hand, limits, capacity then, expected arrivals, bad input."""

import numpy as np
import pytest

from energy.errors import ConfigError, ImpossibleWork, SeriesError
from energy.optimize import optimize
from energy.problem.terminal_value import terminal_price
from energy.runs.folder import record_of
from tests.cases import SmallCase

TEN = np.arange(1.0, 11.0)
HEADER = ("id", "gpu_hours", "max_gpus", "release", "deadline", "gpu_kinds", "jurisdictions", "home_site")


@pytest.fixture
def case(tmp_path):
    """Two days; j1 is due a day after them, j2 36 hours after them."""
    small = SmallCase(tmp_path).cell("jobs.csv", "j1", "deadline", "+72h").cell("jobs.csv", "j2", "deadline", "+84h")
    return small.edit("case.yaml", "horizon.beyond", "terminal_value")


def expecting(case, *rows):
    case.put("expected.csv", [dict(zip(HEADER, row, strict=True)) for row in rows])
    return case.edit("case.yaml", "expected_jobs", "expected.csv")


@pytest.mark.parametrize(("load", "price"), [
    (0.0, 1.0),  # the cheapest
    (0.5, (3.0 + 5.0) / 2),  # mean of 1 … 5 is 3, the 50 % quantile is 5
    (0.6, (3.5 + 6.0) / 2),
    (0.65, (7.0 + ((21 + 0.5 * 7) / 6.5 + 7.0) / 2) / 2),  # half way between the two rules
    (0.7, 7.0),
    (1.0, 10.0),
])  # fmt: skip
def test_terminal_price_of_ten_equal_hours(load, price):
    assert terminal_price(TEN[::-1].copy(), np.ones(10), load) == pytest.approx(price)


def test_terminal_price_weighs_hours_by_their_capacity():
    """Three quarters of the capacity cost 2, a quarter 10: at half load all of it costs 2; full, 10."""
    cost, capacity = np.array([[10.0, 2.0]]), np.array([[1.0, 3.0]])
    assert terminal_price(cost, capacity, 0.5) == pytest.approx(2)
    assert terminal_price(cost, capacity, 1.0) == pytest.approx(10)


def test_terminal_price_without_capacity_is_the_dearest():
    assert terminal_price(TEN, np.zeros(10), 0.3) == 10


def test_default_leaves_nothing_for_later(tmp_path):
    small = SmallCase(tmp_path).cell("jobs.csv", "j1", "deadline", "+72h").problem()
    assert not small["deferred_max"].values.any()
    assert not small["terminal_price"].values.any()
    assert not small["expected"].values.any()
    assert small.sizes["post_horizon"] == 0


def test_what_a_job_may_leave_is_what_it_can_do_then(case):
    """j1: 256 GPUs at its best speed 2 for 24 h are more than its 4000 GPU-hours: all of them. j2 has 36 h and 2500."""
    small = case.cell("jobs.csv", "j1", "max_gpus", 64).problem()
    later = dict(zip(small["job"].values, small["deferred_max"].values, strict=True))
    assert later == {"j1": 64 * 2 * 24, "j2": 2500.0, "j3": 0, "j4": 0, "j5": 0, "j6": 0}
    assert small["due_after"].values.tolist() == [24, 36, 0, 0, 0, 0]


def test_capacity_reaches_until_the_last_deadline_of_a_day(case):
    """Free: 720 gb300 in the north, 360 h200 and 400 a100 in the south. j1 and j2 take gb300 at 2 and h200 at 1, so in
    gb300-hours a group's hour has 720 + 360/2. First day: until 24 h; second: until 36 h."""
    small = case.problem()
    capacity = {str(k).split("@")[0] + f"@{u:.0f}": float(r) for k, u, r in
            zip(small["post_horizon"].values, small["post_horizon_until"].values, small["post_horizon_capacity"].values, strict=True)}  # fmt: skip
    group = f"g{int(small['job_group'].values[0])}"
    assert capacity == pytest.approx(
        {"all@24": 1480 * 24, "all@36": 1480 * 36, f"{group}@24": 900 * 24, f"{group}@36": 900 * 36}
    )


def test_work_that_arrives_after_the_horizon_takes_its_room(case):
    """An expected 3000 GPU-hours on gb300 alone, due within the second day, are 3000 of all jobs' capacity, and no
    group's. The 500 due on the fourth day count in no row."""
    before = case.problem()["post_horizon_capacity"].values
    row = ("+50h", "+80h", "gb300=1", "", "")
    expecting(case, ("expected-a", 3000, 100, *row), ("expected-b", 500, 100, "+50h", "+140h", "gb300=1", "", ""))
    after = case.problem()
    np.testing.assert_allclose(before - after["post_horizon_capacity"].values, [0, 3000, 0, 0])
    assert not after["expected"].values.any()


def test_job_that_cannot_finish_inside_is_impossible_only_where_it_must(case):
    """j1 from hour 44 on has 4 of its hours inside: 256 GPUs at speed 2 do 2048 of 4000 there."""
    case.cell("jobs.csv", "j1", "release", "+44h")
    assert case.problem()["deferred_max"].values[0] == 4000
    case.edit("case.yaml", "horizon.beyond", "must_finish").refused(ImpossibleWork, "job j1", "at most 2,048.0")


def test_plan_with_waiting_work_and_expected_arrivals(case):
    """Through the whole house: proven, priced, reconciled; expected work draws power and is no job of the schedule."""
    expecting(case, ("expected-a", 700, 64, "+20h", "+60h", "h200=1", "", "south"))
    run = optimize(case.path)
    assert run.outcome.status == "OK", run.outcome.reasons
    later, expected = run.summary["deferred"], run.summary["expected"]
    names = run.problem["job"].values
    assert later["gpu_hours"] == pytest.approx(float(run.solution["deferred"].values[names != "expected-a"].sum()))
    assert later["gpu_hours"] > 100
    assert run.reconciliation.terminal_value_eur == pytest.approx(
        float(run.solution["deferred"].values @ run.problem["terminal_price"].values)
    )
    assert expected["pseudo_jobs"] == 1
    assert expected["due_gpu_hours"] == pytest.approx(700)
    assert expected["plan_gpu_hours"] + expected["deferred_gpu_hours"] == pytest.approx(700)
    held = names[run.plan.schedule["entry_job"].values]
    assert ("expected-a" in held) == (expected["plan_gpu_hours"] > 1)
    assert not record_of(run).schedule_table["job"].str.startswith("expected-").any()


def test_expected_work_without_room_is_no_undone_job(case):
    """More than the fleet can ever do: the plan stays OK, the summary says what found no capacity."""
    expecting(case, ("expected-a", 40000, 4000, "+0h", "+40h", "h200=1", "", "south"))
    run = optimize(case.path)
    assert run.outcome.status == "OK", run.outcome.reasons
    assert run.summary["unserved_gpu_hours"] == pytest.approx(0, abs=1e-3)
    assert run.summary["expected"]["unserved_gpu_hours"] > 20000


def test_expected_table_may_have_no_rows(case):
    (case.folder / "expected.csv").write_text(",".join(HEADER) + "\n", encoding="utf-8")
    assert case.edit("case.yaml", "expected_jobs", "expected.csv").problem().sizes["job"] == 6


def test_expected_jobs_are_marked_by_their_names(case):
    row = (700, 64, "+20h", "+60h", "h200=1", "", "south")
    expecting(case, ("hope-1", *row)).refused(
        SeriesError, "expected.csv", "hope-1", "is not marked as expected", "expected-hope-1"
    )
    expecting(case, ("expected-1", *row)).cell("jobs.csv", "j3", "id", "expected-3")
    case.refused(SeriesError, "jobs.csv", "'expected-3'", "do not begin with expected-")


def test_only_two_ways_beyond(case):
    case.edit("case.yaml", "horizon.beyond", "forget").refused(ConfigError, "horizon.beyond", "terminal_value")


def test_expected_file_that_is_missing_is_named(case):
    case.edit("case.yaml", "expected_jobs", "gone.csv").refused(SeriesError, "gone.csv")
