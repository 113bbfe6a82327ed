"""`energy handover` and `energy queue`: nothing is applied without --apply, mistakes are one line."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from energy.runs.folder import publish
from tests.cli.conftest import energy  # noqa: F401
from tests.handover.test_queue import AT, NOW, number, row
from tests.report.build import small


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return publish(small(periods=24), tmp_path_factory.mktemp("runs"))


@pytest.mark.slow
@pytest.mark.parametrize(("to", "first"), [("slurm", "#!/bin/sh"), ("json", "{"), ("ics", "BEGIN:VCALENDAR")])
def test_prints_and_writes_the_same_and_applies_nothing(energy, run, tmp_path, to, first, monkeypatch):  # noqa: F811
    monkeypatch.setattr("subprocess.run", lambda *a, **k: pytest.fail("a scheduler was called"))
    printed = energy("handover", run, "--to", to)
    assert printed.code == 0
    assert printed.out.startswith(first)
    assert energy("handover", run, "--to", to, "--out", tmp_path / "x").out == ""
    assert (tmp_path / "x").read_bytes().decode() == printed.out


@pytest.mark.slow
def test_kueue_prints_the_period_and_refuses_one_outside(energy, run):  # noqa: F811
    start = json.loads(energy("handover", run, "--to", "json").out)["periods"][3]["start"]
    got = energy("handover", run, "--to", "kueue", "--at", start)
    assert f'hydrocool.dev/from: "{start}"' in got.out
    outside = energy("handover", run, "--to", "kueue", "--at", "1999-01-01")
    assert outside.code == 2
    assert "the plan holds from" in outside.err
    assert energy("handover", run, "--to", "kueue", "--at", "soon").code == 2


@pytest.mark.slow
def test_apply_without_the_scheduler_is_one_line(energy, run, monkeypatch, tmp_path):  # noqa: F811
    start = json.loads(energy("handover", run, "--to", "json").out)["periods"][0]["start"]
    monkeypatch.setenv("PATH", str(tmp_path))
    got = energy("handover", run, "--to", "slurm", "--at", start, "--apply")
    assert got.code == 2
    assert got.err.count("\n") == 1
    assert "sacctmgr is not on the path" in got.err
    assert energy("handover", run, "--to", "ics", "--apply").code == 2


@pytest.mark.slow
def test_apply_runs_the_script_for_the_period(energy, run, monkeypatch):  # noqa: F811
    seen = []
    monkeypatch.setattr(
        "energy.handover.apply.apply",
        lambda scheduler, text, *given: seen.append((scheduler, text[:9], *given)) or "ok\n",
    )
    start = json.loads(energy("handover", run, "--to", "json").out)["periods"][2]["start"]
    got = energy("handover", run, "--to", "slurm", "--at", start, "--apply")
    assert (got.code, got.out) == (0, "ok\n")
    assert seen == [("slurm", "#!/bin/sh", "".join(c for c in start if c.isdigit()))]


def test_no_run_folder_is_one_line(energy, tmp_path):  # noqa: F811
    got = energy("handover", tmp_path, "--to", "json")
    assert got.code == 2
    assert "is no finished run folder" in got.err


def test_queue_writes_the_job_table_and_tells_what_it_left_out(energy, tmp_path):  # noqa: F811
    path = tmp_path / "q.json"
    path.write_text(json.dumps({"jobs": [row(), row(job_id=5, tres_req_str="cpu=1")], "last_update": number(NOW)}))
    got = energy("queue", path, "--out", tmp_path / "jobs.csv")
    assert got.code == 0
    assert got.err == "left out: job 5 asks for no GPU\n"
    assert (tmp_path / "jobs.csv").read_text().splitlines()[1].startswith(f"101,train,32,16,{AT:%Y-%m-%d}T06:00:00Z")
    assert energy("queue", path).out == (tmp_path / "jobs.csv").read_text()


def test_queue_for_nights_writes_progress_beside_the_whole_work(energy, tmp_path):  # noqa: F811
    path, done = tmp_path / "q.json", tmp_path / "progress.csv"
    running = row(job_state=["RUNNING"], start_time=number(NOW - 5400))
    path.write_text(json.dumps({"jobs": [running], "last_update": number(NOW)}))
    got = energy("queue", path, "--progress", done)
    assert got.out.splitlines()[1].startswith("101,train,32,16,")
    assert done.read_text() == f"at,job,gpu_hours\n{AT:%Y-%m-%d}T06:00:00Z,101,24\n"
    refused = energy("queue", path, "--progress", tmp_path / "none" / "p.csv")
    assert (refused.code, refused.out) == (2, "")
    assert "choose another with --progress" in refused.err


def test_work_done_counts_to_the_moment_that_the_file_or_the_command_says_or_to_now(energy, tmp_path):  # noqa: F811
    """A job of two hours on 16 GPUs that began an hour and a half ago, at each of the three moments."""

    def done(written: float, began: float, *args: str, **top: object) -> str:
        path, out = tmp_path / "q.json", tmp_path / "progress.csv"
        times = {"start_time": number(began), "submit_time": number(began), "eligible_time": number(began)}
        path.write_text(json.dumps({"jobs": [row(job_state=["RUNNING"], **times)]} | top))
        assert energy("queue", path, "--progress", out, *args).code == 0
        at, _, hours = out.read_text().splitlines()[1].split(",")
        assert abs(datetime.fromisoformat(at).timestamp() - written) < 60
        return f"{float(hours):.0f}"

    now = time.time()
    assert done(NOW, NOW - 5400, last_update=number(NOW)) == "24"
    assert done(NOW, NOW - 5400, "--at", f"{AT:%Y-%m-%dT%H:%M:%SZ}") == "24"
    assert done(NOW, NOW - 5400, "--at", f"{AT:%Y-%m-%dT%H:%M:%SZ}", last_update=number(NOW + 900)) == "24"
    assert done(now, now - 5400) == "24"


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [(("--time-zone", "Mars"), 2, "IANA"), (("--at", "then"), 2, "--at 'then'"), ((), 3, "squeue --json")],
)
def test_mistakes_are_one_line(energy, tmp_path, args, code, says):  # noqa: F811
    (tmp_path / "q").write_text("{}")
    got = energy("queue", tmp_path / "q", *args)
    assert got.code == code
    assert says in got.err
    assert got.err.count("\n") == 1
