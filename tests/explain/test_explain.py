"""Undone work and breached caps say why, and the amount of the remedy they name is enough."""

import json

import numpy as np
import pytest

from energy.audit.diagnosis import MOST_TIGHT, Breach, Unserved, binding_limits, explain, tight
from energy.solve import dual_prices
from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Cap, Job
from tests.laws.transforms import changed
from tests.lying_solver.chain import SEEDS, random_case


def explained(case):
    found = best(case).found
    return explain(case, found, dual_prices(case, found))


def remedy(reason, key):
    return next(c for c in reason.remedies if c.key == key)


def test_nothing_to_explain():
    assert explained(problem([one([10, 20])], [Job(5, 5)])) == ()


def test_full_pool_names_pool_hours_and_gpus():
    """3 GPUs in hours 0 to 2, work 12 within them: 3 undone. One GPU more in all three hours does it; a GPU-hour
    saves the penalty of 100 less its power: (100 - 10) + (100 - 20) + (100 - 30) = 240."""
    case = problem([one([10, 20, 30, 95], gpus=[3, 3, 3, 0], other=1.0)], [Job(12, 9, window=(0, 3), penalty=100)])
    (undone,) = explained(case)
    assert (undone.job, undone.site) == ("job0", "site0")
    assert undone.gpu_hours == pytest.approx(3)
    assert undone.penalty_eur == pytest.approx(300)
    assert undone.hour == "2021-01-01T00:00Z"  # the cheapest hour is the scarcest: a GPU there saves most
    first = undone.remedies[0]
    assert (first.key, first.where, first.unit) == ("count", "pool0", "GPUs")
    assert first.amount == pytest.approx(1)
    assert first.hours == ("2021-01-01T00:00Z", "2021-01-01T02:00Z")
    assert first.saving_eur == pytest.approx(240)
    more = changed(case, available=case["available"].values + np.array([1, 1, 1, 0]))
    assert explained(more) == ()
    assert best(case).cost - best(more).cost == pytest.approx(240)


def test_deadline_is_the_remedy_where_time_is_short():
    """The job holds 4 GPUs for 2 hours and needs 12: 4 undone. An hour more does it, at 7: saves 4·(100 - 7)."""
    case = problem([one([10, 20, 7], other=1.0)], [Job(12, 4, window=(0, 2), penalty=100)])
    (undone,) = explained(case)
    assert remedy(undone, "deadline").amount == pytest.approx(1)
    assert remedy(undone, "deadline").saving_eur == pytest.approx(4 * 93)
    assert undone.remedies[0].key == "deadline"
    wider = remedy(undone, "max_gpus")
    assert wider.amount == pytest.approx(2)
    assert wider.saving_eur == pytest.approx(2 * 90 + 2 * 80)
    assert explained(changed(case, open=np.ones((1, 3)))) == ()
    assert explained(changed(case, max_gpus=case["max_gpus"].values + wider.amount)) == ()


def test_gpu_limit_of_a_job_with_two_speeds_has_one_price():
    """As above with a slow pool beside the fast one: the limit over both is a row, not a bound, and says the same."""
    sites = [one([10, 20, 7], other=1.0), one([10, 20, 7], other=1.0)]
    case = problem(sites, [Job(12, 4, window=(0, 2), speeds={0: 1.0, 1: 0.5}, penalty=100)])
    (undone,) = explained(case)
    wider = remedy(undone, "max_gpus")
    assert wider.amount == pytest.approx(2)
    assert wider.saving_eur == pytest.approx(2 * 90 + 2 * 80)


def test_slow_pool_needs_more_gpus_for_the_same_work():
    """Speed 1/2: 2 units undone in an hour need 4 GPUs; each saves 100/2 - 10 = 40."""
    case = problem([one([10, 1], gpus=[4, 0], other=1.0)], [Job(4, 10, window=(0, 1), speeds={0: 0.5}, penalty=100)])
    (undone,) = explained(case)
    assert remedy(undone, "count").amount == pytest.approx(4)
    assert remedy(undone, "count").saving_eur == pytest.approx(4 * 40)


def test_grid_limit_counts_overhead():
    """5 MW of connection for GPUs (1 MW more for the rest), 25 % overhead: 4 of 6 GPU-hours. 2 more need 2.5 MW; a MW saves 100/1.25 - 10 = 70."""
    case = problem(
        [one([10, 1], grid=[6.0, 1.0], other=1.0, overhead=((1000.0, 0.25),))], [Job(6, 10, window=(0, 1), penalty=100)]
    )
    (undone,) = explained(case)
    grid = remedy(undone, "grid_limit_mw")
    assert (grid.where, grid.unit) == ("site0", "MW")
    assert grid.amount == pytest.approx(2.5)
    assert grid.saving_eur == pytest.approx(2.5 * 70)
    assert explained(changed(case, grid_limit_mw=case["grid_limit_mw"].values + np.array([2.5, 0]))) == ()


def test_cap_that_holds_work_back():
    """Overhead 0 up to 5 MW, 50 % above, cap 1.1: (a - 5)/2 <= a/10, so a = 6.25 of 10; each of the 3.75 undone
    exceeds by 0.4: with IT of 6.25 MWh the cap would be looser by 3.75·0.4/6.25 = 0.24."""
    case = problem([one([10], overhead=((5.0, 0.0), (100.0, 0.5)))], [Job(10, 10, penalty=100)],
                   caps=[Cap(1.1, penalty=1e4)])  # fmt: skip
    (undone,) = explained(case)
    looser = remedy(undone, "limit")
    assert looser.where == "PUE cap cap0"
    assert looser.amount == pytest.approx(0.24)
    assert explained(changed(case, cap_limit=case["cap_limit"].values + looser.amount)) == ()


def test_breach_names_cap_hour_and_the_cap_that_holds():
    """PUE 1.4 in both hours against 1.2, loads 2 and 8 (the window of the second job): 2 MWh too many, most in hour 1."""
    jobs = [Job(2, 2, window=(0, 1)), Job(8, 8, window=(1, 2))]
    case = problem([one([10, 10], overhead=((100.0, 0.4),))], jobs, caps=[Cap(1.2, penalty=40)])
    (breach,) = explained(case)
    assert isinstance(breach, Breach)
    assert (breach.cap, breach.site, breach.hour) == ("cap0", "site0", "2021-01-01T01:00Z")
    assert breach.mwh == pytest.approx(2)
    assert breach.penalty_eur == pytest.approx(80)
    assert breach.remedy.amount == pytest.approx(0.2)
    assert breach.remedy.saving_eur == pytest.approx(80)
    assert explained(changed(case, cap_limit=case["cap_limit"].values + breach.remedy.amount + 1e-6)) == ()


def test_fleet_cap_names_the_site_that_exceeds():
    sites = [one([10], overhead=((100.0, 0.1),)), one([10], overhead=((100.0, 0.6),))]
    jobs = [Job(5, 5, speeds={0: 1.0}), Job(5, 5, speeds={1: 1.0})]
    (breach,) = explained(problem(sites, jobs, caps=[Cap(1.2, site=-1, penalty=40)]))
    assert breach.site == "site1"
    assert breach.remedy.amount == pytest.approx(0.15)


def test_words_speak_the_input_files_language():
    case = problem([one([10, 95], gpus=[3, 0], other=1.0)], [Job(5, 9, window=(0, 1), penalty=100)])
    (undone,) = explained(case)
    assert undone.message() == (
        "job job0: 2.0 GPU-hours undone (200.00 EUR), scarcest at site0 at 2021-01-01T00:00Z; cheapest remedy: "
        "count of pool0 up by 2 GPUs from 2021-01-01T00:00Z to 2021-01-01T00:00Z: saves up to 180.00 EUR"
    )
    case = problem([one([10], overhead=((100.0, 0.4),))], [Job(5, 5)], caps=[Cap(1.2, penalty=40)])
    assert (
        explained(case)[0]
        .message()
        .startswith("PUE cap cap0: exceeded by 1.0000 MWh (40.00 EUR), most at site0 at 2021")
    )


def test_most_work_comes_first_and_no_remedy_is_said():
    case = problem([one([10], gpus=0, other=1.0)], [Job(2, 9, penalty=100), Job(7, 9, penalty=5)])
    first, second = explained(case)
    assert (first.job, second.job) == ("job1", "job0")
    assert first.remedies == ()  # at 5 a GPU-hour its power of 10 is not worth it, whatever is changed
    assert "no change of one of them alone helps" in first.message()
    assert second.remedies


@pytest.mark.parametrize("seed", [s for s in SEEDS if s not in {7, 11}])  # in those no pool is full
def test_savings_lie_between_nothing_and_what_duals_promise(seed):
    """On random Problems: every undone job is explained; GPUs granted save what the duals of `room` promise at most,
    and a remedy promises one job neither more than that nor more than its penalty."""
    case = random_case(seed)
    case = case.assign(deferred_max=0 * case["deferred_max"]).isel(
        post_horizon=slice(0, 0)
    )  # nothing waits, or little is undone
    answer = best(case)
    prices = dual_prices(case, answer.found)
    undone = [r for r in explain(case, answer.found, prices) if isinstance(r, Unserved)]
    assert {r.job for r in undone} == set(case["job"].values[answer.found["unserved"].values > 1e-5])
    assert any(c.key == "count" for r in undone for c in r.remedies), "no pool is full in this case"
    for reason in undone:
        for way in (c for c in reason.remedies if c.key == "count"):
            n, time = case["pool"].values.tolist().index(way.where), case["time"].values
            inside = (time >= np.datetime64(way.hours[0][:-1])) & (time <= np.datetime64(way.hours[1][:-1]))
            more = case["available"].values.copy()
            more[n, inside] += way.amount
            promised = -way.amount * float(answer.found["dual_pool_capacity"].values[n, inside].sum())
            assert answer.cost - best(changed(case, available=more)).cost <= promised * (1 + 1e-6)
            with_idle_draw = way.amount * float(np.maximum(prices["value_gpu"].values[n, inside], 0.0).sum())
            assert 0 < way.saving_eur <= min(with_idle_draw, reason.penalty_eur) * (1 + 1e-6)


def test_later_deadline_counts_the_gpus_that_are_free_behind_it():
    """4 undone. Behind the deadline 2 GPUs are free, then none, then 4: 2 in the first hour, 2 in half of the third:
    2.5 hours later. Saves 2·(100 - 7) + 2·(100 - 9) = 368. With the horizon's end an hour earlier nothing is enough."""
    case = problem([one([10, 20, 7, 8, 9], gpus=[4, 4, 2, 0, 4], other=1.0)], [Job(12, 4, window=(0, 2), penalty=100)])
    (undone,) = explained(case)
    assert remedy(undone, "deadline").amount == pytest.approx(2.5)
    assert remedy(undone, "deadline").saving_eur == pytest.approx(368)
    later = changed(case, open=np.array([[1, 1, 1, 1, 0.5]]))
    assert explained(later) == ()
    assert best(case).cost - best(later).cost == pytest.approx(368)
    short = problem([one([10, 20, 7, 8], gpus=[4, 4, 2, 0], other=1.0)], [Job(12, 4, window=(0, 2), penalty=100)])
    assert [c.key for c in explained(short)[0].remedies if c.key == "deadline"] == []


def test_later_deadline_leaves_the_others_their_gpus_hall_and_connection():
    """In the third hour another job holds 3 of 5 GPUs: 2 hours at 2 GPUs and the rest alone. A hall of 4 MW or a
    connection of 5 MW (1 MW for the rest of the site) says the same in the third and fourth hours."""
    jobs = [Job(12, 4, window=(0, 2), penalty=100), Job(3, 3, window=(2, 3), penalty=300)]
    for site in (
        one([10, 20, 7, 7, 7], gpus=[9, 9, 5, 9, 9], other=1.0),
        one([10, 20, 7, 7, 7], limit=[9, 9, 5, 9, 9], other=1.0),
        one([10, 20, 7, 7, 7], grid=[9, 9, 6, 9, 9], other=1.0),
    ):
        undone = explained(problem([site], jobs))[0]
        assert remedy(undone, "deadline").amount == pytest.approx(1.5)
        assert remedy(undone, "deadline").saving_eur == pytest.approx(2 * 93 + 2 * 93)


def test_a_deadline_inside_a_period_is_counted_from_there():
    """The second period counts half: 6 of 12 done, 6 left. The other half gives 2, one more hour 4: 1.5 h later."""
    case = problem([one([10, 20, 7], other=1.0)], [Job(12, 4, window=(0, 2), share=0.5, penalty=100)])
    (undone,) = explained(case)
    assert remedy(undone, "deadline").amount == pytest.approx(1.5)
    assert remedy(undone, "deadline").saving_eur == pytest.approx(2 * 80 + 4 * 93)


def dear(case):
    found = best(case).found
    return tight(case, found, dual_prices(case, found))


def test_tight_connection_pool_and_cap_name_site_hour_and_saving():
    """Work 8 in hours of 4 at most. Connection: a MW more moves one from 40 to 10 and one from 40 to 20: saves 30 + 20.
    The second site is free of limits."""
    price = [10, 20, 40, 40]
    (grid,) = dear(problem([one(price, grid=4.0), one([90] * 4)], [Job(12, 9)]))
    assert (grid.site, grid.hour) == ("site0", "2021-01-01T00:00Z")
    assert (grid.remedy.key, grid.remedy.where, grid.remedy.amount) == ("grid_limit_mw", "site0", 1.0)
    assert grid.remedy.hours == ("2021-01-01T00:00Z", "2021-01-01T01:00Z")
    assert grid.remedy.saving_eur == pytest.approx(50)
    assert grid.message() == (
        "tight, most at site0 at 2021-01-01T00:00Z: grid_limit_mw of site0 up by 1 MW "
        "from 2021-01-01T00:00Z to 2021-01-01T01:00Z: saves up to 50.00 EUR"
    )
    (pool,) = dear(problem([one([90] * 4), one(price, gpus=4.0, idle=0.1)], [Job(12, 9, speeds={1: 1.0})]))
    assert (pool.remedy.key, pool.remedy.where, pool.site) == ("count", "pool1", "site1")
    assert pool.remedy.saving_eur == pytest.approx(
        0.9 * 50 - 0.1 * sum(price)
    )  # one more GPU idles at 0.1 MW throughout


def test_tight_cap_is_named_with_the_saving_of_a_hundredth():
    """Overhead 40 % at site 0 at 10, none at site 1 at 50; cap 1.2 on site 0 with a firm MW without overhead beside it:
    1 + a + 0.4a <= 1.2(1 + a), so a = 1 of 10. One hundredth more: a = 0.21/0.19; each moves from 50 to 14."""
    sites = [one([10], overhead=((100.0, 0.4),), firm_it=1.0), one([50])]
    (cap,) = dear(problem(sites, [Job(10, 10)], caps=[Cap(1.2, site=0)]))
    assert (cap.site, cap.remedy.key, cap.remedy.where, cap.remedy.amount) == ("site0", "limit", "PUE cap cap0", 0.01)
    assert cap.remedy.saving_eur == pytest.approx((50 - 14) / 0.2 * 2 * 0.01)  # dual 180 EUR/MWh, 2 MWh of IT


def test_few_tight_limits_dearest_first_and_none_for_cents():
    prices = [10.0, 40.0]
    sites = [one(prices, grid=1.0 + 0.1 * k) for k in range(7)] + [one([90.0, 90.0])]
    found = dear(problem(sites, [Job(25, 50, penalty=1000)]))
    assert len(found) == MOST_TIGHT
    assert [x.remedy.saving_eur for x in found] == sorted((x.remedy.saving_eur for x in found), reverse=True)
    assert dear(problem([one([10, 10.5], grid=1.0)], [Job(1.5, 2)])) == ()


def test_binding_limits_are_urgent_first_and_tight_only_without_it():
    """For summary.json: kind, fields and one line each; plain values only."""
    undone = problem([one([10, 95], gpus=[3, 0], other=1.0)], [Job(5, 9, window=(0, 1), penalty=100)])
    breach = problem([one([10], overhead=((100.0, 0.4),))], [Job(5, 5)], caps=[Cap(1.2, penalty=40)])
    calm = problem([one([10, 20, 40, 40], grid=4.0)], [Job(12, 9)])
    for case, kind in ((undone, "unserved"), (breach, "breach"), (calm, "tight")):
        found = best(case).found
        told = binding_limits(case, found, dual_prices(case, found))
        assert {x["kind"] for x in told} == {kind}
        assert json.loads(json.dumps(told))[0]["message"] == told[0]["message"]
        assert all(x["remedies"][0]["key"] == "count" for x in told if kind == "unserved")
