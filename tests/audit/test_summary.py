"""The verdict and summary.json, each figure worked out a second time from the run's own arrays or by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from energy.audit.verdict import cap_excess, judge, late, pue
from energy.optimize import optimize
from energy.schema import validate
from tests.cases import SmallCase
from tests.closed_forms.builder import one, problem
from tests.closed_forms.words import Cap, Job
from tests.report.build import record_of, renamed, with_carbon

KEYS = {
    "status", "reasons", "horizon", "objective_eur", "bill_eur", "baseline_eur", "saving_eur", "saving_share", "equal_work",
    "work_gpu_hours", "unserved_gpu_hours", "energy_mwh", "carbon_t", "water_m3", "cooling", "pue", "pue_baseline",
    "baseline_late_gpu_hours", "busy_share", "certificate", "reconciliation", "limits", "binding_limits", "shape",
    "jobs_outside_horizon", "case", "notices", "deferred", "expected",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return optimize(SmallCase(tmp_path_factory.mktemp("case")).path)


def test_summary_has_what_the_readers_of_the_run_folder_ask_for(run):
    assert set(run.summary) == KEYS
    assert run.summary["horizon"] == {"first": "2024-03-05T00:00Z", "last": "2024-03-06T23:00Z", "hours": 48.0}
    assert (run.summary["status"], run.summary["reasons"], run.summary["case"]) == ("OK", [], "small")


def test_money_is_that_of_bills_and_proof(run):
    s = run.summary
    plan, base = (sum(line.amount_eur for line in x.bill.lines) for x in (run.plan, run.baseline))
    assert (s["bill_eur"], s["baseline_eur"]) == pytest.approx((plan, base))
    assert s["saving_eur"] == pytest.approx(base - plan)
    assert s["saving_share"] == pytest.approx((base - plan) / base)
    assert s["objective_eur"] == pytest.approx(run.raw.objective)
    assert s["certificate"]["pass"] is True
    assert s["reconciliation"]["agrees"] is True
    assert s["reconciliation"]["named_share"] == run.reconciliation.named_share


def test_work_is_that_of_the_job_table(run):
    """4000 + 2500 + 900 + 600 + 150 + 80 reference GPU-hours."""
    s = run.summary
    assert s["work_gpu_hours"] == pytest.approx({"due": 8230, "plan": 8230, "baseline": 8230})
    assert s["equal_work"] is True
    assert s["unserved_gpu_hours"] == pytest.approx(0, abs=1e-6)


def test_energy_water_and_pue_are_sums_over_the_replay(run):
    s, dt = run.summary, run.problem["dt"].values
    for part, key, of in ((run.plan, "pue", "plan"), (run.baseline, "pue_baseline", "baseline")):
        facility, it = part.replay["facility_mw"].values @ dt, part.replay["site_it_mw"].values @ dt
        assert s["energy_mwh"][of] == pytest.approx(facility.sum())
        assert s["water_m3"][of] == pytest.approx(part.replay["water_m3"].values.sum())
        ratio = {"north": facility[0] / it[0], "south": facility[1] / it[1], "fleet": facility.sum() / it.sum()}
        assert s[key] == pytest.approx(ratio)
    assert s["pue"] != s["pue_baseline"]


def test_busy_share_counts_firm_gpus_and_jobs(run):
    """120 of 1600 GPUs are firm; the rest is what the schedule holds."""
    table = run.plan.schedule
    held = float(table["entry_gpus"].values.sum())  # hours of one hour each
    assert run.summary["busy_share"] == pytest.approx((held + 120 * 48) / (1600 * 48))


def test_late_work_is_what_lies_outside_the_window():
    """3 GPUs in the window and 2 behind it, at half speed: 1 reference GPU-hour late."""
    case = problem([one([10, 10, 10])], [Job(9, 9, window=(0, 2), speeds={0: 0.5})])
    at = [np.array(x) for x in ([0, 0], [0, 0], [1, 2], [3.0, 2.0])]
    assert late(case, validate.as_schedule(case, *at)) == pytest.approx(1.0)
    assert late(case, validate.as_schedule(case, *(x[:1] for x in at))) == 0.0


def test_pue_of_a_site_without_it_load_is_not_invented(run):
    replayed = run.plan.replay.copy(deep=True)
    replayed["site_it_mw"].values[1] = 0.0
    assert set(pue(replayed)) == {"north", "fleet"}
    replayed["site_it_mw"].values[:] = 0.0
    assert pue(replayed) == {}


def test_carbon_counts_only_sites_whose_grid_is_known():
    case = renamed(problem([one([10, 20]), one([90, 90])], [Job(5, 5)]), "pool", ["a/h/g", "b/h/g"])
    assert record_of(case).summary["carbon_t"] == {"known_sites": [], "plan": None, "baseline": None}
    record = record_of(with_carbon(case, 1))
    assert record.summary["carbon_t"]["known_sites"] == ["site0"]
    assert record.summary["carbon_t"]["plan"] == pytest.approx(0.05 * 5)
    assert record.summary["carbon_t"]["baseline"] == pytest.approx(0.05 * 5)


def verdict(case):
    """What `judge` says of the optimum, with the replay of the report's own cooling."""
    return record_of(renamed(case, "pool", [f"s/h/p{i}" for i in range(case.sizes["pool"])])).summary


def test_undone_work_is_counted_and_its_worst_job_named():
    jobs = [Job(6, 9, window=(0, 1), penalty=100), Job(9, 9, window=(1, 2), penalty=100)]
    s = verdict(problem([one([10, 10], gpus=4, other=1.0)], jobs))
    assert s["status"] == "DEGRADED"
    assert s["reasons"] == ["7.0 GPU-hours of 2 jobs left undone, most of job job1 (5.0)"]
    assert s["unserved_gpu_hours"] == pytest.approx(7)


def test_a_breached_cap_is_counted_by_its_windows():
    """PUE 1.4 against 1.2 on 5 MWh in each of two windows, 1 MWh each; the third cap is met."""
    caps = [Cap(1.2, start=0, stop=1, penalty=4), Cap(1.2, start=1, stop=2, penalty=4), Cap(1.5, penalty=4)]
    case = problem([one([10, 10], gpus=5, overhead=((100.0, 0.4),))], [Job(10, 5)], caps=caps)
    s = verdict(case.assign_coords(cap=["site0:hour@0", "site0:hour@1", "site0:year@2021"]))
    assert s["status"] == "DEGRADED"
    assert s["reasons"] == ["PUE cap site0:hour exceeded by 1.0000 MWh in 2 windows"]


def replay_of(case, facility, it):
    """Just the arrays that a cap is measured by."""
    return case[["dt"]].assign(facility_mw=(("site", "time"), facility), site_it_mw=(("site", "time"), it))


def test_cap_excess_by_hand():
    """Half-hours. Site 1 in periods 1 and 2: (13 + 14 - 1.2·20)/2 = 1.5, less a credit of 1. The fleet over all:
    (33 + 47 - 1.25·60)/2 = 2.5. A cap that is met counts 0, not less."""
    caps = [Cap(1.2, site=1, start=1, stop=3, credit=1.0), Cap(1.25, site=-1), Cap(3.0, site=0)]
    case = problem([one([10, 10, 10]), one([10, 10, 10])], [Job(1, 1)], caps=caps, hours=0.5)
    facility, it = [[11, 11, 11], [20, 13, 14]], [[10, 10, 10], [10, 10, 10]]
    found = cap_excess(case, replay_of(case, np.array(facility, float), np.array(it, float)))
    assert found == pytest.approx([0.5, 2.5, 0.0])


def test_without_proof_nothing_else_counts(run):
    proof = replace(run.certificate, passed=False, relative_gap=0.5)
    outcome = judge(run.problem, run.solution, proof, run.reconciliation, run.plan.replay)
    assert outcome.status == "FAILED"
    (why,) = outcome.reasons
    assert "gap 5.00e-01 of the gross bill (at most 1e-06)" in why
    assert f"cost stated {proof.stated_eur:.6f} EUR, recomputed {proof.primal_eur:.6f} EUR" in why


def test_disagreement_of_bill_and_objective_degrades(run):
    wrong = replace(run.reconciliation, unexplained_eur=3.0)
    outcome = judge(run.problem, run.solution, run.certificate, wrong, run.plan.replay)
    assert outcome.status == "DEGRADED"
    assert outcome.reasons == ("bill and objective differ by 3.0000 EUR without a named cause",)
