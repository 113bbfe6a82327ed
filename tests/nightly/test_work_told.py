"""Jobs of a night as night.json has them: late, at risk with a remedy, set aside."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from energy.nightly.queue import MissingJob
from energy.nightly.summary import job_status, work_reasons

JOB = SimpleNamespace(deadline=pd.Timestamp("2024-03-13T06:00"))
#: 100 GPU-hours at a penalty of 20 EUR each; the later deadline saves 1,850 of it, more GPUs 1,700.
UNDONE = {
    "kind": "unserved", "job": "a", "gpu_hours": 100.0, "site": "north", "hour": "2024-03-12T05:00Z", "penalty_eur": 2000.0,
    "remedies": [{"key": "deadline", "where": "job a", "amount": 3.0, "unit": "h", "hours": None, "saving_eur": 1850.0},
              {"key": "count", "where": "north/air/h200", "amount": 9.0, "unit": "GPUs", "hours": None, "saving_eur": 1700.0}],
}  # fmt: skip


def prepared(late=(), refused=(), names="abc", missing=()):
    """A night of a few jobs, none done."""
    queue = SimpleNamespace(jobs=dict.fromkeys(names, JOB), refused=list(refused))
    settlement = SimpleNamespace(state=SimpleNamespace(work_done={}))
    return SimpleNamespace(
        queue=queue, settlement=settlement, left=dict.fromkeys(names, 100.0), late=dict(late), missing=missing
    )


def test_a_job_at_risk_has_its_cheapest_remedy_and_what_the_work_then_costs():
    """2,000 EUR of penalty less 1,850 saved: 150 EUR of power, and not the penalty."""
    [job] = job_status(prepared(), [UNDONE])["at_risk"]
    assert job["cost_eur"] == pytest.approx(150.0)
    assert job["remedy"] == {"key": "deadline", "where": "job a", "amount": 3.0, "unit": "h", "hours": None}
    assert (job["id"], job["unserved_gpu_hours"], job["deadline"]) == ("a", 100.0, "2024-03-13T06:00:00Z")


def test_without_a_remedy_no_price_is_made_up():
    [job] = job_status(prepared(), [UNDONE | {"remedies": []}])["at_risk"]
    assert (job["remedy"], job["cost_eur"]) == (None, None)


def test_late_jobs_expected_work_and_tight_limits_are_not_at_risk():
    others = [UNDONE, UNDONE | {"job": "expected-1"}, {"kind": "tight"}]
    assert job_status(prepared(late={"a": 100.0}), others)["at_risk"] == []


def test_late_jobs_are_one_reason_that_names_three_and_counts_the_rest():
    assert work_reasons(prepared()) == []
    assert work_reasons(prepared(late={"a": 100.0})) == [
        "1 job cannot meet its deadline any more: a (100.0 GPU-hours left)"
    ]
    late = {"a": 1.0, "b": 400.0, "c": 30.0, "d": 2.5, "e": 20.0}
    assert work_reasons(prepared(late=late)) == [
        "5 jobs cannot meet their deadlines any more: b (400.0 GPU-hours left), c (30.0 GPU-hours left), "
        "e (20.0 GPU-hours left), 2 more (3.5 GPU-hours left)"
    ]


def test_jobs_set_aside_are_one_reason_that_names_three_and_counts_the_rest():
    assert work_reasons(prepared(refused=["job big: no pool may run it"])) == [
        "1 job is set aside and not planned: job big: no pool may run it"
    ]
    five = [f"job {n}: no pool may run it" for n in "abcde"]
    [reason] = work_reasons(prepared(refused=five))
    assert reason == f"5 jobs are set aside and not planned: {'; '.join(five[:3])}; 2 more"
    assert job_status(prepared(refused=five), [])["refused"] == five


def test_missing_jobs_are_one_reason_that_names_three():
    deadline = pd.Timestamp("2024-03-13T06:00")
    missing = [MissingJob(n, 20.0, 10.0, deadline) for n in "abcde"]
    [reason] = work_reasons(prepared(missing=missing))
    assert reason.startswith(
        "5 unfinished jobs of the last plan are not in the queue and not reported as ended: a (10.0 GPU-hours left), "
    )
    assert "2 more; a hand-over gives their GPUs away" in reason
    assert [MissingJob.from_dict(j) for j in job_status(prepared(missing=missing), [])["missing"]] == missing
