"""Schedules that no solver made, and their Solutions."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from benchmarks.enrich import enriched
from benchmarks.instances import Size, random_problem
from energy.audit.certificate import certify
from energy.audit.completion import complete
from energy.audit.verdict import judge_given
from energy.schedule.disaggregate import disaggregate, gpus_by_class
from energy.schedule.dispatch import earliest_deadline_first, trimmed
from energy.schedule.table import frame, handed_over
from tests.laws.transforms import changed
from tests.program.test_program import solved

#: Rounding of sums over a horizon [share of the money].
EXACT = 1e-9
#: Distance of two optima, each within the solver's tolerance [share of the money].
OPTIMA = 1e-6


def rich(seed):
    """Bands, contracts, heat, sun, minimum bills, caps; no hour with a price below zero, where the program may burn
    power and a Schedule says nothing of it."""
    size = Size(jobs=8, sites=2, periods=14, groups=2, speeds=2, utilisation=0.9, bands=True, demand_rate=50.0,
                negative_share=0.0, halls_per_site=2)  # fmt: skip
    return enriched(random_problem(size, seed), seed, share=1.0)


@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_s_own_schedule_stands_for_the_optimum(seed):
    """Loads, overhead, sun, heat, peaks, bands, contracts, minimum bills and cap excess follow from who runs where."""
    problem = rich(seed)
    best = solved(problem)[0]
    found = complete(problem, disaggregate(problem, best))[1]
    for name in ("group_gpus", "it"):
        np.testing.assert_allclose(found[name].values, best[name].values, atol=1e-6, err_msg=name)
    speed = problem["speed"].values[problem["job_group"].values]
    work = [np.einsum("jc,jct->jt", speed, gpus_by_class(problem, x)) for x in (found, best)]
    np.testing.assert_allclose(*work, atol=1e-5)
    proof = certify(problem, found)
    assert proof.max_violation <= 1e-6, proof.worst_row
    money = abs(best.attrs["objective_eur"])
    assert found.attrs["objective_eur"] >= best.attrs["objective_eur"] - OPTIMA * money
    assert found.attrs["objective_eur"] <= best.attrs["objective_eur"] + 0.05 * money  # sun, heat: no foresight


@pytest.mark.parametrize("seed", range(6))
def test_without_choices_of_its_own_it_costs_the_same(seed):
    """No heat, no feeding in: every other amount has one value for a Schedule."""
    problem = rich(seed)
    problem = changed(problem, heat_limit_mw=problem["heat_limit_mw"].values * 0.0,
                      export_limit_mw=problem["export_limit_mw"].values * 0.0,
                      solar_mw=problem["solar_mw"].values * 0.0)  # fmt: skip
    best = solved(problem)[0]
    found = complete(problem, disaggregate(problem, best))[1]
    assert found.attrs["objective_eur"] == pytest.approx(best.attrs["objective_eur"], rel=OPTIMA)


@pytest.mark.parametrize("seed", range(6))
def test_the_dispatcher_breaks_no_row_and_is_no_better_than_the_program(seed):
    problem = rich(seed)
    schedule = earliest_deadline_first(problem)
    found = complete(problem, schedule)[1]
    proof = certify(problem, found)
    assert proof.max_violation <= 1e-6, proof.worst_row
    best = solved(problem)[0].attrs["objective_eur"]
    assert found.attrs["objective_eur"] >= best - OPTIMA * abs(best)
    assert (schedule["entry_gpus"].values > 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_one_job_with_room_everywhere_runs_in_its_cheapest_hours(seed):
    """Without demand charges and caps, with one segment per hall, the cheapest hours are the optimum."""
    size = Size(jobs=1, sites=2, periods=14, groups=1, segments=1, utilisation=0.3, demand_rate=0.0, cap=None,
                negative_share=0.0)  # fmt: skip
    problem = random_problem(size, seed)
    best = solved(problem)[0].attrs["objective_eur"]
    found = complete(problem, earliest_deadline_first(problem))[1]
    assert float(found["unserved"].sum()) <= 1e-6
    assert found.attrs["objective_eur"] == pytest.approx(best, rel=OPTIMA)


def table_of(problem, schedule):
    return frame(handed_over(problem, schedule))


@pytest.mark.parametrize("seed", range(3))
def test_a_schedule_that_still_holds_is_kept_as_it_is(seed):
    problem = rich(seed)
    schedule = earliest_deadline_first(problem)
    again = trimmed(problem, table_of(problem, schedule))
    sums = [
        s["entry_gpus"].groupby(xr.DataArray(s["entry_time"].values, dims="entry", name="t")).sum()
        for s in (schedule, again)
    ]
    np.testing.assert_allclose(sums[0].values, sums[1].values, atol=1e-6)


def test_what_no_longer_holds_is_trimmed():
    """Twice the GPUs, a job that is gone, an hour outside the horizon, a pool that is gone."""
    problem = rich(1)
    table = table_of(problem, earliest_deadline_first(problem))
    first = table.iloc[[0]]
    strange = [first.assign(job="gone"), first.assign(start=pd.Timestamp("1999-01-01")), first.assign(pool="gone")]
    found = trimmed(problem, pd.concat([table.assign(gpus=2 * table["gpus"]), *strange]))
    proof = certify(problem, complete(problem, found)[1])
    assert proof.max_violation <= 1e-6, proof.worst_row
    done = complete(problem, found)[1]
    assert float(done["unserved"].sum()) <= float(problem["work_left"].sum())
    assert (done["group_gpus"].sum("group").values <= problem["available"].values + 1e-6).all()


def test_it_is_degraded_at_best_and_failed_where_it_breaks_a_row():
    from energy.audit.reconciliation import reconcile
    from tests.report.build import priced

    problem = rich(2)
    schedule = earliest_deadline_first(problem)
    found = complete(problem, schedule)[1]
    plan, proof = priced(problem, schedule), certify(problem, found)
    agreement = reconcile(problem, found, plan.replay, plan.bill)
    outcome = judge_given(problem, found, proof, agreement, plan.replay)
    assert outcome.status == "DEGRADED"
    assert outcome.reasons[0] == "no solver made this schedule: it is feasible, not proven cheapest"
    broken = found.copy(deep=True)
    broken["group_gpus"].values[:] *= 3.0
    outcome = judge_given(problem, broken, certify(problem, broken), agreement, plan.replay)
    assert outcome.status == "FAILED"
    assert outcome.reasons[0].startswith("schedule: violation ")
