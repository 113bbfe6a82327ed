"""Slurm's queue as a job table that `energy optimize` reads, in every version of its JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from energy.errors import SeriesError
from energy.handover.job_table import Rules, gpus_of, job_table, read_queue, read_queues, tasks_of
from energy.inputs.jobs import read_jobs
from energy.nightly.database import open_store
from energy.nightly.metering import read_progress
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.nightly.queue import read_queue as read_night_queue
from tests.cli.conftest import energy  # noqa: F401
from tests.nightly.conftest import nights  # noqa: F401 - a nightly folder
from tests.nightly.nightcase import DAY
from tests.nightly.nights import HOSTILE

AT = datetime(2026, 5, 1, 6, 0, tzinfo=UTC)
NOW = int(AT.timestamp())


def number(value: float | None, infinite: bool = False) -> dict[str, object]:
    return {"set": value is not None, "infinite": infinite, "number": value or 0}


def row(**changes):
    """A pending job of Slurm 24: 16 H200 for two hours, submitted an hour ago."""
    return {
        "job_id": 101, "name": "train", "job_state": ["PENDING"], "tres_req_str": "cpu=64,mem=1T,node=2,billing=64,gres/gpu=16,gres/gpu:h200=16",
        "submit_time": number(NOW - 3600), "eligible_time": number(NOW - 3600), "start_time": number(None), "time_limit": number(120),
        "deadline": number(0), "array_task_string": "",
    } | changes  # fmt: skip


def queue_of(tmp_path, *rows, **top):
    path = tmp_path / "squeue.json"
    path.write_text(json.dumps({"jobs": list(rows), "last_update": number(NOW)} | top), encoding="utf-8")
    return read_queue(path)


def jobs_of(tmp_path, table):
    path = tmp_path / "jobs.csv"
    path.write_text(table.csv(), encoding="utf-8")
    return {j.id: j for j in read_jobs(path, np.datetime64("2026-05-01"))}


def test_pending_job(tmp_path):
    found = queue_of(tmp_path, row())
    assert found.at == AT
    job = jobs_of(tmp_path, job_table(found, Rules(AT)))["101"]
    assert (job.gpu_hours, job.max_gpus, job.gpu_kinds, job.label) == (32.0, 16.0, {"h200": 1.0}, "train")
    assert str(job.release) == "2026-05-01 06:00:00"
    assert str(job.deadline) == "2026-05-02 07:00:00"  # eligible 05:00, two hours, a day of slack


def test_the_table_says_when_each_job_was_submitted(tmp_path):
    """What a nightly run reads: before that moment the job is not known to it."""
    found = queue_of(tmp_path, row(), row(job_id=102, submit_time=number(NOW - 60)))
    path = tmp_path / "queue.csv"
    path.write_text(job_table(found, Rules(AT)).csv(), encoding="utf-8")
    known = read_night_queue(path, np.datetime64("2026-05-01T05:30"))
    assert list(known.jobs) == ["101"]
    assert str(known.submitted["101"]) == "2026-05-01 05:00:00"


def test_running_job_has_what_its_limit_leaves(tmp_path):
    found = queue_of(tmp_path, row(job_state=["RUNNING"], start_time=number(NOW - 5400)))
    job = jobs_of(tmp_path, job_table(found, Rules(AT)))["101"]
    assert job.gpu_hours == pytest.approx(8.0)


def night_of(case, tmp_path, found, at):
    """Work left of the job in a first night, its queue and progress imported at a moment."""
    table = job_table(found, Rules(at, whole=True))
    (case.folder / "queue.csv").write_text(table.csv(), encoding="utf-8")
    (tmp_path / "progress.csv").write_text(table.progress(), encoding="utf-8")
    read_progress(case.place, tmp_path / "progress.csv")
    with open_store(case.place.database) as store:
        return prepare(NightContext(case.place, store, DAY)).left["101"]


def test_for_nights_a_running_job_has_its_whole_work_and_what_is_done_beside_it(tmp_path):
    found = queue_of(tmp_path, row(job_state=["RUNNING"], start_time=number(NOW - 5400)), row(job_id=102))
    table = job_table(found, Rules(AT, whole=True))
    jobs = jobs_of(tmp_path, table)
    assert {k: j.gpu_hours for k, j in jobs.items()} == {"101": 32.0, "102": 32.0}
    assert table.progress() == "at,job,gpu_hours\n2026-05-01T06:00:00Z,101,24\n2026-05-01T06:00:00Z,102,0\n"
    assert str(jobs["101"].release) == "2026-05-01 05:00:00", "the same every night"
    again = job_table(found, Rules(AT + timedelta(hours=24), whole=True))
    assert jobs_of(tmp_path, again)["101"].gpu_hours == 32.0


def test_work_done_is_taken_away_once_however_often_the_queue_is_imported(tmp_path, nights):  # noqa: F811
    """32 GPU-hours, three quarters done at ten o'clock, seven eighths a quarter of an hour later."""
    ten = datetime(2024, 3, 11, 10, tzinfo=UTC)
    times = {"submit_time": number(ten.timestamp() - 5400), "eligible_time": number(ten.timestamp() - 5400),
             "start_time": number(ten.timestamp() - 5400), "job_state": ["RUNNING"]}  # fmt: skip
    for later, left in ((0, 8.0), (900, 4.0)):
        at = ten.timestamp() + later
        found = queue_of(tmp_path, row(**times), last_update=number(at))
        assert night_of(nights, tmp_path, found, datetime.fromtimestamp(at, UTC)) == pytest.approx(left)


def test_a_job_that_has_waited_long_is_not_late_in_the_night_that_plans_it(tmp_path, nights):  # noqa: F811
    """Submitted three days ago, a day of slack; nobody but the table set it a deadline, and the night begins at midnight."""
    noon = datetime(2024, 3, 11, 11, tzinfo=UTC)
    since = number(noon.timestamp() - 3 * 86400)
    found = queue_of(tmp_path, row(submit_time=since, eligible_time=since), last_update=number(noon.timestamp()))
    (nights.folder / "queue.csv").write_text(job_table(found, Rules(noon, whole=True)).csv(), encoding="utf-8")
    with open_store(nights.place.database) as store:
        prepared = prepare(NightContext(nights.place, store, DAY))
    assert (prepared.left, prepared.late) == ({"101": 32.0}, {})


def test_own_deadline_and_one_that_cannot_be_kept(tmp_path):
    found = queue_of(tmp_path, row(deadline=number(NOW + 8 * 3600)), row(job_id=102, deadline=number(NOW + 60)))
    jobs = jobs_of(tmp_path, job_table(found, Rules(AT)))
    assert str(jobs["101"].deadline) == "2026-05-01 14:00:00"
    assert str(jobs["102"].deadline) == "2026-05-01 09:00:00"  # two hours of work and one of slack


def test_array_is_one_job_with_the_work_of_its_tasks(tmp_path):
    found = queue_of(tmp_path, row(array_task_string="0-9%4"))
    job = jobs_of(tmp_path, job_table(found, Rules(AT)))["101"]
    assert (job.gpu_hours, job.max_gpus) == (320.0, 64.0)
    assert (job.deadline - job.release).total_seconds() / 3600 >= 3 * 2  # three turns of four tasks


def test_older_versions_write_plain_numbers_and_states(tmp_path):
    old = row(
        job_state="PENDING", submit_time=NOW - 3600, eligible_time=NOW - 3600, start_time=0, time_limit=120, deadline=0
    )
    assert job_table(queue_of(tmp_path, old), Rules(AT)).rows == job_table(queue_of(tmp_path, row()), Rules(AT)).rows


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tres_req_str": "cpu=4,mem=8G"}, "asks for no GPU"),
        ({"tres_req_str": "gres/gpu=8"}, "names no kind of GPU"),
        ({"tres_req_str": "gres/gpu:a100=4,gres/gpu:h200=4"}, "several kinds"),
        ({"time_limit": number(None, infinite=True)}, "no time limit"),
        ({"job_state": ["COMPLETED"]}, "has ended"),
        ({"job_state": ["COMPLETING"]}, "is completing"),
        ({"job_state": ["RUNNING"], "start_time": number(NOW - 7200)}, "no work left"),
    ],
)
def test_what_cannot_be_planned_is_left_out_with_its_reason(tmp_path, changes, why):
    table = job_table(queue_of(tmp_path, row(**changes)), Rules(AT))
    assert table.rows == ()
    assert why in table.left_out[0][1]


def test_kinds_for_requests_without_one(tmp_path):
    found = queue_of(tmp_path, row(tres_req_str="gres/gpu=8"))
    job = jobs_of(tmp_path, job_table(found, Rules(AT, gpu_kinds="gb300=2;h200=1")))["101"]
    assert job.gpu_kinds == {"gb300": 2.0, "h200": 1.0}


def test_hostile_job_names_are_labels_on_one_line(tmp_path):
    rows = [row(job_id=i, name=text) for i, text in enumerate(HOSTILE, start=1)]
    table = job_table(queue_of(tmp_path, *rows), Rules(AT))
    jobs = jobs_of(tmp_path, table)
    assert len(jobs) == len(HOSTILE)
    for job in jobs.values():
        assert not job.label.startswith(("=", "+", "-", "@"))
        assert job.label.isprintable()
        assert len(job.label) <= 200


@pytest.mark.parametrize(
    "text", ["{}", '{"jobs": 3}', '{"jobs": [{}]}', "{", '{"jobs": [{"job_id": "; rm", "job_state": "PENDING"}]}']
)
def test_json_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "squeue.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SeriesError, match="squeue --json"):
        read_queue(path)


SACCT = """JobID|JobName|State|Submit|Eligible|ElapsedRaw|TimelimitRaw|ReqTRES
7|train|RUNNING|2026-05-01T07:00:00|2026-05-01T07:00:00|3600|120|billing=8,cpu=8,gres/gpu:h200=8,node=1
7.batch|batch|RUNNING|2026-05-01T07:00:00|2026-05-01T07:00:00|3600||cpu=8
8|a|b =cmd|COMPLETED|2026-04-30T10:00:00|2026-04-30T10:00:00|1800|60|gres/gpu:h200=4
9_[0-3%2]|sweep|PENDING|2026-05-01T07:30:00|Unknown|0|30|gres/gpu:h200=1
10|x|CANCELLED by 1000|2026-05-01T07:30:00|Unknown|0|30|gres/gpu:h200=1
broken
"""


def test_sacct_with_pipes_steps_arrays_and_local_times(tmp_path):
    path = tmp_path / "sacct.txt"
    path.write_text(SACCT, encoding="utf-8")
    found = read_queue(path, "Europe/Oslo")
    assert found.unread == ("row 7: 1 cells, not 8",)
    jobs = jobs_of(tmp_path, job_table(found, Rules(AT, history=True)))
    assert {k: (j.gpu_hours, j.max_gpus) for k, j in jobs.items()} == {
        "7": (8.0, 8.0),
        "8": (2.0, 4.0),
        "9": (2.0, 2.0),
    }
    assert str(jobs["8"].release) == "2026-04-30 08:00:00"
    assert jobs["8"].label == "a|b =cmd"
    assert ("8", "has ended") in job_table(found, Rules(AT)).left_out


def test_sacct_without_a_column_says_what_to_ask_for(tmp_path):
    path = tmp_path / "sacct.txt"
    path.write_text("JobID|State\n1|RUNNING\n", encoding="utf-8")
    with pytest.raises(SeriesError, match="--format=JobID,State,Submit,ElapsedRaw,TimelimitRaw,ReqTRES"):
        read_queue(path)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0-9", (10, 10)),
        ("0-9%3", (10, 3)),
        ("1,3,5-9:2", (5, 5)),
        ("7", (1, 1)),
        ("", (1, 1)),
        ("0,2,...", (1, 1)),
        ("0-1%0", (2, 2)),
    ],
)
def test_tasks_of_an_array(text, count):
    assert tasks_of(text) == count


@pytest.mark.parametrize(
    ("tres", "gpus"),
    [
        ("cpu=1,gres/gpu=8", {"": 8}),
        ("gres/gpu=8,gres/gpu:h200=8", {"h200": 8}),
        ("cpu=1", {}),
        ("", {}),
        ("license/gres/gpu=9", {}),
    ],
)
def test_gpus_of_a_request(tres, gpus):
    assert gpus_of(tres) == gpus


ARRAY = {"array_job_id": number(9), "array_task_id": number(2)}


@pytest.mark.parametrize(("changes", "name"), [
    (ARRAY | {"job_state": ["RUNNING"], "start_time": number(NOW - 60)}, "9_2"),
    (ARRAY | {"job_id": 9, "array_task_id": number(None), "array_task_string": "3-5"}, "9"),
    ({"array_job_id": number(0), "array_task_id": number(None), "job_state": ["RUNNING"], "start_time": number(NOW - 60)}, "101"),
])  # fmt: skip
def test_a_task_of_an_array_has_the_id_that_sacct_gives_it(tmp_path, changes, name):
    assert [row[0] for row in job_table(queue_of(tmp_path, row(**changes)), Rules(AT)).rows] == [name]


HEADER = "JobID|JobName|State|Submit|Eligible|ElapsedRaw|TimelimitRaw|ReqTRES"


def sacct_of(tmp_path, *rows):
    path = tmp_path / "ended.txt"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CANCELLED by 7", "TIMEOUT", "NODE_FAIL", "PREEMPTED"])
def test_whatever_ended_a_job_all_its_work_is_done(tmp_path, state):
    """Half an hour of a limit of two: what it took is all that it was, and none of it is left."""
    path = sacct_of(tmp_path, f"8|a|{state}|2026-04-30T10:00:00|2026-04-30T10:00:00|1800|120|gres/gpu:h200=4")
    table = job_table(read_queue(path), Rules(AT, history=True, whole=True))
    assert [row[2] for row in table.rows] == ["2"]
    assert [done[1:] for done in table.done] == [("8", "2")]


def test_a_job_that_ended_between_two_files_has_ended(tmp_path):
    open_ = tmp_path / "squeue.json"
    running = row(job_state=["RUNNING"], start_time=number(NOW - 5400))
    open_.write_text(json.dumps({"jobs": [running, row(job_id=102)], "last_update": number(NOW)}), encoding="utf-8")
    ended = sacct_of(tmp_path, "101|train|COMPLETED|2026-05-01T05:00:00|2026-05-01T05:00:00|5460|120|gres/gpu:h200=16")
    found = read_queues([open_, ended])
    assert found.at == AT
    assert {j.id: j.state for j in found.jobs} == {"101": "COMPLETED", "102": "PENDING"}


def test_a_night_expects_what_the_ended_jobs_of_the_last_weeks_let_it_expect(tmp_path, nights, energy):  # noqa: F811
    """The documented commands: a job of 40 GPU-hours ended on each of the last 28 days, one waits."""
    ten = datetime(2024, 3, 11, 10, tzinfo=UTC)
    waits = {"submit_time": number(ten.timestamp() - 3600), "eligible_time": number(ten.timestamp() - 3600)}
    (tmp_path / "queue.json").write_text(json.dumps({"jobs": [row(**waits)], "last_update": number(ten.timestamp())}))
    moments = [f"{ten - timedelta(days=k, hours=-4):%Y-%m-%dT%H:%M:%S}" for k in range(1, 29)]
    ended = sacct_of(tmp_path, *(f"{k}|a|COMPLETED|{t}|{t}|18000|600|gres/gpu:h200=8" for k, t in enumerate(moments)))
    jobs, progress = nights.folder / "queue.csv", tmp_path / "progress.csv"
    assert energy("queue", tmp_path / "queue.json", ended, "--history", "--progress", progress, "--out", jobs).code == 0
    assert energy("ingest", "progress", progress, "--config", nights.folder / "nightly.yaml").code == 0
    with open_store(nights.place.database) as store:
        prepared = prepare(NightContext(nights.place, store, DAY))
    assert prepared.left == {"101": 32.0}, "what has ended is not planned again"
    expected = pd.read_csv(prepared.case.parent / "expected_jobs.csv")
    assert expected["gpu_hours"].tolist() == pytest.approx([40.0] * len(expected))
    assert len(expected) >= 3
