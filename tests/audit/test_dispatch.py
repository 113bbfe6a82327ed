"""Schedules without a solver, entry by entry: who runs where and when, by hand."""

import numpy as np
import pandas as pd
import pytest

from energy.schedule.dispatch import RULES, done, earliest_deadline_first, planned_work, pool_speed, run_now, trimmed
from energy.schema import values_of
from tests.audit.toy import HELD, entries, schedule, toy
from tests.closed_forms.builder import one, problem
from tests.closed_forms.words import Hall, Job, Pool, Site

#: A GPU-hour of work, with the steepest overhead: 2·price at site 0; 0.4·price/0.5 in the slow pool of site 1, price in
#: the other, which is the site's first: [20, 60, 10], [12, 12, 24], [15, 15, 30].
PLACES = [
    one([10, 30, 5], gpus=6, overhead=((1.0, 0.1), (99.0, 1.0))),
    Site([15, 15, 30], (Hall((Pool(3), Pool(8, busy=0.7, idle=0.3))),)),
]


def test_earliest_deadline_first_then_cheapest_work():
    """Half-hours. Job 1 must end after the second: 4 of work, 6 GPUs at most: 6 at 12 in each of both (3 done) leaves
    none for others there. Then 1 of work: period 0 and 1 have no GPU of it left. Job 0, until the third: 5 GPUs at 10,
    then the 2 that are left at 12 in both, 3 at 15 in both, the rest of its limit of 5 at 20 and 60."""
    jobs = [Job(8, 5), Job(4, 6, window=(0, 2)), Job(1, 1, window=(2, 3), speeds={0: 1.0})]
    jobs = [Job(j.work, j.gpus, j.window, j.speeds or {0: 1.0, 1: 1.0, 2: 0.5}) for j in jobs]
    found = entries(earliest_deadline_first(problem(PLACES, jobs, hours=0.5)))
    assert found == [(0, 0, 2, 5), (0, 1, 0, 3), (0, 1, 1, 3), (0, 2, 0, 2), (0, 2, 1, 2),
                     (1, 2, 0, 6), (1, 2, 1, 6), (2, 0, 2, 1)]  # fmt: skip


def test_it_stops_when_the_work_is_done_and_at_the_shares_of_a_window():
    """3 of work in hours: 4 GPUs in half of the cheapest hour count 2 there, then 1 in the next."""
    case = problem([one([20, 30, 10])], [Job(3, 4, share=0.5)])
    assert entries(earliest_deadline_first(case)) == [(0, 0, 0, 1), (0, 0, 2, 2)]


@pytest.mark.parametrize(
    "site",
    [
        one([10], gpus=4, firm=1),
        one([10], limit=4, firm_it=1),
        one([10], grid=6, other=1, base_overhead=0.5, overhead=((1, 0.1), (9, 0.5))),
    ],
    ids=["pool", "hall", "connection"],
)
def test_room_of_pool_hall_and_connection_holds(site):
    """Room for 3 GPUs: 4 less a firm one; 4 MW less 1; 6 MW less 1 beside and 0.5 in any case, at the steepest overhead
    1.5 MW each. One job takes them all, or the second what the first leaves."""
    for jobs, held in (([Job(9, 9)], [(0, 0, 0, 3)]), ([Job(2, 2)] * 2, [(0, 0, 0, 2), (1, 0, 0, 1)])):
        case = problem([site], jobs)
        assert entries(earliest_deadline_first(case)) == held
        assert entries(run_now(case, case["work_left"].values, [None] * len(jobs))) == held


def rows(case, held):
    names = [str(n).split("/") for n in case["pool"].values]
    return pd.DataFrame(
        [{"job": f"job{j}", "site": names[n][0], "hall": names[n][1], "pool": names[n][2],
          "start": pd.Timestamp(case["time"].values[t]), "gpus": g} for j, n, t, g in held])  # fmt: skip


def named_toy():
    return toy().assign_coords(pool=["n/a/x", "n/a/y", "n/b/x", "s/c/x"])


def test_an_old_schedule_that_holds_is_kept_entry_by_entry():
    case = named_toy()
    assert entries(trimmed(case, rows(case, HELD))) == sorted(HELD)


def test_an_old_schedule_is_trimmed_to_limit_window_eligibility_and_work():
    """Job 0: 9 GPUs are its limit over its pools, at 0.5 + 0.25 h each; it ends with 5.5 of work. Job 1 never ran in
    pool 0. Job 2 has 2 of work at speed 1/2: 8 GPUs in a half-hour."""
    case = named_toy()
    old = [(0, 0, 0, 20), (0, 1, 0, 5), (0, 1, 1, 7), (1, 0, 0, 5), (2, 3, 0, 7), (2, 3, 1, 7)]
    strange = rows(case, [(0, 0, 2, 1)]).assign(job="gone")
    found = entries(trimmed(case, pd.concat([rows(case, old), strange])))
    assert found == [(0, 0, 0, 9), (0, 1, 1, 4), (2, 3, 0, 7), (2, 3, 1, 1)]


def test_work_done_and_planned():
    """GPUs times half-hours times speed; what a plan neither drops nor leaves."""
    case = toy()
    table = schedule(case, HELD)
    np.testing.assert_allclose(done(case, table), [0.5 * (4 + 4 * 0.5 + 3), 0.5 * (1 * 2 + 2 * 1), 0])
    held = pool_speed(values_of(case))
    assert held.tolist() == [[1, 0.5, 0, 0], [0, 0, 2, 1], [0, 0, 0, 0.5]]
    plan = case.assign(unserved=("job", [1.0, 2, 0]), deferred=("job", [0.0, 1, 2]))
    assert planned_work(case, plan).tolist() == [4.5, 3, 0]


TWO = [one([10, 40, 20], gpus=4), one([30, 20, 90], gpus=4, overhead=((1000.0, 0.1),))]


def run(rule, jobs, home):
    case = problem(TWO, jobs)
    return entries(rule(case, case["work_left"].values, home))


def test_run_now_by_release_home_first_late_work_goes_on():
    """Job 1 comes first; job 0 finds its home full and spills, and goes on after its deadline."""
    jobs = [Job(9, 5, window=(1, 2)), Job(6, 3)]
    assert run(run_now, jobs, ["site1", None]) == [(1, 0, 0, 3), (1, 0, 1, 3), (0, 1, 1, 4), (0, 0, 1, 1), (0, 1, 2, 4)]


def test_a_release_inside_a_period_leaves_part_of_it():
    """Released half an hour before the first period ends: 2 of 4 GPUs on average, 4 from then on, deadline or not."""
    assert run(run_now, [Job(9, 4, window=(0, 1), share=0.5)], [None]) == [(0, 0, 0, 2), (0, 0, 1, 4), (0, 0, 2, 3)]


def test_rules_of_thumb_by_hand():
    """5 of work, 3 GPUs, at home in site 0 with prices 10, 40, 20. Cheap hours: 10 and 20 (median 20). At the cheapest
    site: 10 at 0, 20 at 1. Site 1 has overhead, so the lowest PUE is site 0."""
    jobs = [Job(5, 3)]
    assert run(RULES["cheapest hours at home"], jobs, ["site0"]) == [(0, 0, 0, 3), (0, 0, 2, 2)]
    assert run(RULES["follow the cheapest site"], jobs, [None]) == [(0, 0, 0, 3), (0, 1, 1, 2)]
    assert run(RULES["lowest-PUE site"], jobs, ["site1"]) == [(0, 0, 0, 3), (0, 0, 1, 2)]


def test_the_lowest_pue_is_a_ratio_not_an_overhead():
    """Full load of 2 MW with 0.2 + 0.1 of overhead against 100 MW with 10: 1.15 and 1.1. Idle power counts as load: with 1
    MW of it more the small hall has 1.1 too, and comes first."""
    small, large = Hall((Pool(9),), ((2.0, 0.1),), 0.1), Hall((Pool(9),), ((100.0, 0.1),))
    case = problem([Site([10], (small, large))], [Job(4, 4)])
    assert entries(RULES["lowest-PUE site"](case, np.array([4.0]), [None])) == [(0, 1, 0, 4)]
    idle = Hall((Pool(9),), ((2.0, 0.1),), 0.1, firm_it=1.01)
    case = problem([Site([10], (idle, large))], [Job(4, 4)])
    assert entries(RULES["lowest-PUE site"](case, np.array([4.0]), [None])) == [(0, 0, 0, 4)]


def test_cheapest_hours_do_not_wait_beyond_the_last_chance():
    """9 of work at 3 GPUs need all three hours, the dear one too. With two hours left, half an hour of work waits for
    the cheap one; a whole hour of it does not, because a period is all the slack it would have."""
    assert run(RULES["cheapest hours at home"], [Job(9, 3)], ["site1"]) == [(0, 1, t, 3) for t in range(3)]
    assert run(RULES["cheapest hours at home"], [Job(6, 3)], ["site1"]) == [(0, 1, 0, 3), (0, 1, 1, 3)]
    assert run(RULES["cheapest hours at home"], [Job(1.5, 3, window=(1, 3))], ["site0"]) == [(0, 0, 2, 1.5)]
    assert run(RULES["cheapest hours at home"], [Job(3, 3, window=(1, 3))], ["site0"]) == [(0, 0, 1, 3)]


@pytest.mark.parametrize("rule", RULES)
def test_among_equals_the_fastest_pool_then_the_first(rule):
    site = Site([10, 10], (Hall((Pool(5), Pool(2), Pool(2))),))
    case = problem([site], [Job(6, 4, speeds={0: 1.0, 1: 2.0, 2: 2.0})])
    assert entries(RULES[rule](case, np.array([6.0]), [None])) == [(0, 1, 0, 2), (0, 2, 0, 1)]
