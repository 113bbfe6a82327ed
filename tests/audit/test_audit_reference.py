"""The audit of three days of the reference case: replay, bill and objective agree, and a slip in any of them shows."""

from dataclasses import replace

import numpy as np
import pytest

from energy.audit.invoice import bill
from energy.audit.reconciliation import reconcile
from energy.audit.replay import replay
from energy.audit.verdict import cap_excess, judge
from tests.regression import table


@pytest.fixture(scope="module")
def run():
    return table.run(table.THREE_DAYS, None)


def test_it_stands_where_it_stood(run):
    """The row of the regression table that every `make test` solves; the others are `make regression`."""
    assert table.differences(table.load()[table.THREE_DAYS], table.entry(run)) == []
    assert run.certificate.relative_gap <= 1e-6


def again(run, **changes):
    """Reconcile with some of the raw inputs or the schedule changed."""
    given = replace(run.inputs, **{k: v for k, v in changes.items() if k != "schedule"})
    replayed = replay(given, changes.get("schedule", run.plan.schedule))
    return reconcile(run.problem, run.solution, replayed, bill(given, replayed))


def test_objective_is_the_bill_up_to_named_differences(run):
    r = run.reconciliation
    assert abs(r.unexplained_eur) <= 0.01
    assert r.named_share <= 5e-4
    assert r.agrees
    assert run.outcome.status == "OK"
    assert run.summary["bill_eur"] == pytest.approx(sum(x.amount_eur for x in run.plan.bill.lines))


def test_energy_lines_add_up_to_the_replay(run):
    energy = sum(x.quantity for x in run.plan.bill.lines if x.component == "spot")
    assert energy == pytest.approx(float((run.plan.replay["import_mw"] * run.plan.replay["dt"]).sum()))
    priced = run.plan.bill.total(kind="spot") + run.plan.bill.total(kind="energy")
    assert priced == pytest.approx(float(run.plan.replay["cost_eur"].sum()))


def test_every_pue_cap_is_met_on_replay(run):
    assert run.problem.sizes["cap"] > 0
    assert cap_excess(run.problem, run.plan.replay).max() <= 1e-6


def test_a_wrong_price_in_the_problem_shows(run):
    """A Problem assembled with a price 1 EUR/MWh too high in one hour has an objective that the bill denies."""
    problem = run.problem.copy(deep=True)
    problem["price"].values[0, 5] += 1.0
    solution = run.solution.copy(deep=True)
    solution.attrs["objective_eur"] += float(solution["grid_import"].values[0, 5] * problem["dt"].values[5])
    r = reconcile(problem, solution, run.plan.replay, run.plan.bill)
    assert abs(r.unexplained_eur) > 0.01
    assert any("without a named cause" in p for p in r.problems())


def test_another_tariff_shows(run):
    tariffs = dict(run.inputs.tariffs)
    tariffs["paris"] = tariffs["amsterdam"]
    assert not again(run, tariffs=tariffs).agrees


def test_another_gpu_power_shows(run):
    powers = {k: v.model_copy(update={"busy_mw": v.busy_mw * 1.01}) for k, v in run.inputs.powers.items()}
    r = again(run, powers=powers)
    assert any("IT power" in p for p in r.problems())


def test_warmer_weather_than_planned_shows(run):
    warm = run.inputs.series.weather["paris"].copy(deep=True)
    warm["temp_air"] += 8.0
    weather = dict(run.inputs.series.weather) | {"paris": warm}
    r = again(run, series=replace(run.inputs.series, weather=weather))
    assert r.chord_below_curve_mw > 1e-5
    assert not r.agrees


def test_a_schedule_that_does_less_shows(run):
    schedule = run.plan.schedule.copy(deep=True)
    schedule["entry_gpus"].values[:50] *= 0.5
    assert again(run, schedule=schedule).it_mismatch_mw > 1e-4


def test_a_schedule_with_a_strange_pool_is_refused(run):
    names = run.plan.schedule["pool"].values.astype(object).copy()
    names[0] = "atlantis/h/p"
    with pytest.raises(ValueError, match="atlantis"):
        replay(run.inputs, run.plan.schedule.assign_coords(pool=names.astype(str)))


def test_judge_fails_without_proof_and_degrades_with_reasons(run):
    bad = replace(run.certificate, passed=False, relative_gap=0.1)
    assert judge(run.problem, run.solution, bad, run.reconciliation, run.plan.replay).status == "FAILED"
    short = run.solution.copy(deep=True)
    short["unserved"].values[3] = 1000.0
    outcome = judge(run.problem, short, run.certificate, run.reconciliation, run.plan.replay)
    assert outcome.status == "DEGRADED"
    assert str(run.problem["job"].values[3]) in outcome.reasons[0]
    over = run.solution.copy(deep=True)
    over["cap_breach"].values[0] = 1.0
    outcome = judge(run.problem, over, run.certificate, run.reconciliation, run.plan.replay)
    assert "PUE cap narvik:" in outcome.reasons[0]


def test_pue_is_energy_weighted(run):
    replayed = run.plan.replay
    facility = float((replayed["facility_mw"].sel(site="paris") * replayed["dt"]).sum())
    it = float((replayed["site_it_mw"].sel(site="paris") * replayed["dt"]).sum())
    assert run.summary["pue"]["paris"] == pytest.approx(facility / it)
    assert min(run.summary["pue"].values()) > 1.0


def test_baseline_does_equal_work_and_never_costs_less(run):
    assert run.summary["equal_work"]
    assert run.summary["saving_eur"] == pytest.approx(run.baseline.bill.total() - run.plan.bill.total())
    assert run.summary["saving_eur"] > 0
    assert np.isfinite(run.summary["saving_share"])
