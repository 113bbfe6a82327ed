"""Unfinished jobs that vanish from the queue: the night says so by name, and no hand-over takes their GPUs unasked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cli.conftest import energy  # noqa: F401
from tests.nightly.nightcase import DAY, QUEUE, NightCase

HEADER, *ROWS = QUEUE.splitlines(keepends=True)


@pytest.fixture
def case(tmp_path):
    """A published night of five jobs."""
    case = NightCase(tmp_path)
    night = case.night()
    assert night.status == "OK", night.reasons
    assert night.night["jobs"]["missing"] == []
    return case


def following(case, rows, days=1):
    """The night so many days later, with these rows in the queue."""
    (case.folder / "queue.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    return case.night(DAY + timedelta(days=days))


def missing(night):
    return [j["id"] for j in night.night["jobs"]["missing"]]


def test_a_queue_cut_to_its_header_is_no_night_without_work(case, energy):  # noqa: F811
    night = following(case, [])
    assert night.status == "DEGRADED"
    assert set(missing(night)) >= {"j1", "j2", "j3"}
    assert any("not in the queue and not reported as ended" in r for r in night.reasons)
    at = ("--at", f"{DAY + timedelta(days=1)}T10:00Z")
    for to in ("slurm", "kueue", "json"):
        refused = energy("handover", case.out, "--to", to, *at)
        assert (refused.code, refused.out) == (3, "")
        assert "j1" in refused.err
        assert "--yes" in refused.err
        assert energy("handover", case.out, "--to", to, *at, "--yes").code == 0


@pytest.mark.slow
def test_nothing_is_written_or_applied_without_yes(case, energy, tmp_path):  # noqa: F811
    following(case, [])
    at = ("--at", f"{DAY + timedelta(days=1)}T10:00Z")
    written = tmp_path / "limits.sh"
    assert energy("handover", case.out, "--to", "slurm", *at, "--out", written).code == 3
    assert not written.exists()
    assert energy("handover", case.out, "--to", "slurm", *at, "--apply").code == 3


@pytest.mark.slow
def test_a_missing_job_is_named_night_after_night_until_it_is_back(case):
    assert "j1" in missing(following(case, ROWS[1:]))
    assert "j1" in missing(following(case, ROWS[1:], days=2))
    night = following(case, ROWS, days=3)
    assert missing(night) == []


@pytest.mark.slow
def test_jobs_that_are_set_aside_or_done_or_past_their_deadline_are_not_missing(case):
    """j5 has ended by its deadline; a row that cannot be read is still there."""
    broken = ROWS[0].replace("9000", "many")
    night = following(case, [broken, *ROWS[1:4]])
    assert missing(night) == []
    assert any("j1" in r for r in night.night["jobs"]["refused"])


@pytest.mark.slow
def test_work_reported_as_done_is_not_missing(case, energy):  # noqa: F811
    progress = case.folder / "progress.csv"
    progress.write_text(f"at,job,gpu_hours\n{DAY - timedelta(days=1)}T20:00:00Z,j2,2500\n", encoding="utf-8")
    done = energy("ingest", "progress", progress, "--config", case.folder / "nightly.yaml")
    assert done.code == 0, done.err
    night = following(case, [ROWS[0], *ROWS[2:4]])
    assert "j2" not in missing(night)
