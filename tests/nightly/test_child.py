"""A night ends with its budget and on record, whatever hangs or breaks in it; no traceback reaches the terminal."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time

import pytest

from energy.inputs.state import State
from energy.nightly import run as page
from energy.nightly.config import load_nightly
from energy.nightly.fallback import KILLED, Ended, run_fallbacks
from energy.nightly.inputs import Prepared, PreviousPlan, SeriesSnapshot, Settlement
from energy.nightly.queue import Queue
from tests.nightly.nightcase import DAY, NightCase


def command(case, *args, **env):
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "energy", "nightly", str(case.folder / "nightly.yaml"), "--date", str(DAY), *args],
        capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"HYDROCOOL_NOW": "2024-03-11T13:00:00+00:00"} | env,
    )  # fmt: skip
    return done, time.monotonic() - began


def last_run(case):
    with sqlite3.connect(case.out / "state.sqlite") as db:
        return db.execute("SELECT status, exit_code, reasons FROM runs ORDER BY id DESC LIMIT 1").fetchone()


def test_what_hangs_is_killed_with_the_budget_and_on_record(tmp_path, record_property):
    """A stalled mount, acted by a test hook that sleeps where the night reads: 6 s of budget, not for ever."""
    case = NightCase(tmp_path)
    text = (case.folder / "nightly.yaml").read_text(encoding="utf-8")
    (case.folder / "nightly.yaml").write_text(text + "budget_minutes: 0.1\n", encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, time\nread = pathlib.Path.read_bytes\n"
        "def slow(self):\n    if self.name == 'prices.csv': time.sleep(600)\n    return read(self)\n"
        "pathlib.Path.read_bytes = slow\n", encoding="utf-8")  # fmt: skip
    done, seconds = command(case, PYTHONPATH=f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    record_property("attacks", 1)
    assert done.returncode == 7, done.stderr
    assert "killed at the end of its budget of 0.1 min" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert seconds < 6 * 1.1 + 8  # the budget, and what two processes take to start and to write the record
    status, code, reasons = last_run(case)
    assert (status, code) == ("FAILED", 7)
    assert "killed at the end of its budget" in json.loads(reasons)[0]
    assert 'status="FAILED"} 1' in (case.out / "hydrocool.prom").read_text(encoding="utf-8")


def test_a_pipe_for_a_series_is_refused_at_once(tmp_path, record_property):
    case = NightCase(tmp_path)
    (case.folder / "weather_north.csv").unlink()
    os.mkfifo(case.folder / "weather_north.csv")
    night = case.night()
    record_property("attacks", 1)
    assert night.status == "FAILED"
    assert "is no regular file" in night.reasons[0]


def test_a_fault_of_the_program_is_one_line_and_a_record(tmp_path, monkeypatch):
    case = NightCase(tmp_path)

    def broken(*_):
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr(page, "prepare", broken)
    night = case.night()
    assert (night.status, night.code) == ("FAILED", 7)
    assert night.reasons == ["a fault of this program, ZeroDivisionError: deep inside; the log has the traceback"]
    assert last_run(case)[0] == "FAILED"
    log = (case.out / "log.jsonl").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in log
    assert "Traceback" in log
    assert (case.out / "hydrocool.prom").is_file()


@pytest.mark.parametrize("moment", ["yesterday", "", "2024-13-45", "1e400", "\u0662\u0660"])
def test_junk_in_the_clock_is_one_message(moment, tmp_path, record_property):
    case = NightCase(tmp_path)
    done, _ = command(case, HYDROCOOL_NOW=moment)
    record_property("attacks", 1)
    assert done.returncode == 2
    assert "HYDROCOOL_NOW" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_log_that_cannot_be_written_costs_no_plan(tmp_path):
    case = NightCase(tmp_path)
    text = (case.folder / "nightly.yaml").read_text(encoding="utf-8")
    (case.folder / "nightly.yaml").write_text(text + "log: /dev/full\n", encoding="utf-8")
    done, _ = command(case)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout
    assert load_nightly(case.folder / "nightly.yaml").out.joinpath("latest").is_symlink()


def prepared(jobs):
    left = {f"j{i}": 1.0 for i in range(jobs)}
    return Prepared(
        None, DAY, None, SeriesSnapshot(None, None), Settlement(State()), Queue(), left, {}, previous=PreviousPlan()
    )


def limits(jobs, seconds, words):
    """What each method was given [s], when lp ends as stated."""
    given = {}

    def attempt(night, method, failed, limit, work):
        given[method] = limit
        return Ended(KILLED if words is None else 5, limit, words or "killed")

    found = run_fallbacks(prepared(jobs), None, 1e9, time.monotonic() + seconds, attempt)
    return given, found.reasons


def test_time_for_the_greedy_method_is_kept():
    """At 20,000 jobs the solver gets what is left of the budget after 45 s for greedy; simplex is not tried after a time-out."""
    given, reasons = limits(20_000, 108.0, None)
    assert list(given) == ["lp", "greedy"]
    assert given["lp"] == pytest.approx(0.5 * (108 - 45) / 1.5, abs=0.1)
    assert any("simplex: not tried" in r for r in reasons)
    assert list(limits(300, 108.0, "solver status 'Time limit reached' after 30 s")[0]) == ["lp", "greedy"]
    assert list(limits(300, 108.0, "another error")[0]) == ["lp", "simplex", "greedy"]
