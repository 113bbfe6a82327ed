"""Each method of the fallback sequence, with its reason, within its time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from energy.audit.certificate import VIOLATION
from energy.inputs.state import State
from energy.nightly import fallback
from energy.nightly import run as page
from energy.nightly.fallback import KILLED, Ended
from energy.nightly.inputs import Prepared, SeriesSnapshot, Settlement
from energy.nightly.logs import logging_to
from energy.nightly.plan import NightPlan
from energy.nightly.queue import Queue
from tests.nightly.nightcase import DAY

#: All that the sequence itself looks at of a night: there is no previous plan.
NIGHT = Prepared(None, DAY, Path(), SeriesSnapshot(None, None), Settlement(State()), Queue(), {}, {})


def failing(*methods: str, code: int = 5):
    """An attempt in which the named methods fail."""

    def attempt(night: Prepared, method: str, failed: list[str], limit: float, work: Path) -> NightPlan | Ended:
        if method in methods:
            return Ended(code, 0.0, f"{method} fails by request")
        return fallback.plan_in_child(night, method, failed, limit, work)

    return attempt


@pytest.fixture
def fails(monkeypatch):
    """Make methods fail."""

    def set_up(*methods: str, code: int = 5) -> None:
        attempt = failing(*methods, code=code)
        monkeypatch.setattr(page, "run_fallbacks", lambda *a: fallback.run_fallbacks(*a, attempt=attempt))

    return set_up


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "method"),
    [(("lp",), "simplex"), (("lp", "simplex"), "greedy")],
)
def test_methods_below_the_first_are_degraded_and_say_why(broken, method, nights, fails):
    fails(*broken)
    night = nights.night()
    assert (night.status, night.method, night.code) == ("DEGRADED", method, 6)
    assert night.reasons[0] == "lp: lp fails by request"
    manifest = json.loads((night.folder / "manifest.json").read_text())
    assert (manifest["status"], manifest["method"], manifest["reasons"]) == ("DEGRADED", method, night.reasons)
    assert manifest["certificate"]["max_violation"] <= VIOLATION
    assert manifest["certificate"]["pass"] is (method == "simplex")
    assert (json.loads((night.folder / "night.json").read_text())["gap"] is None) is (method == "greedy")


@pytest.mark.slow
def test_last_good_is_the_schedule_in_force_trimmed_and_checked(nights, fails):
    nights.edit("nightly.yaml", "horizon.days", 4)
    first = nights.night()
    assert first.status == "OK"
    fails("lp", "simplex", "greedy")
    night = nights.night(DAY.replace(day=DAY.day + 1))
    assert (night.status, night.method, night.code) == ("DEGRADED", "last_good", 6)
    assert [r.partition(":")[0] for r in night.reasons[:3]] == ["lp", "simplex", "greedy"]
    rows = (night.folder / "schedule.csv").read_text().splitlines()
    assert len(rows) > 1, "nothing of the older schedule is left"
    assert all(row.split(",")[0] in ("j1", "j2", "j3") for row in rows[1:])
    assert min(row.split(",")[4] for row in rows[1:]) >= "2024-03-12T23:00:00Z"


def test_nothing_is_published_when_no_method_makes_a_plan(nights, fails):
    fails("lp", "simplex", "greedy", "last_good")
    night = nights.night()
    assert (night.status, night.method, night.code, night.folder) == ("FAILED", "nothing", 7, None)
    assert night.reasons[-1] == "last_good: no earlier published schedule"
    assert not (nights.out / "latest").is_symlink()


def test_another_method_is_not_tried_on_files_that_cannot_be_read(nights, fails):
    fails("lp", "simplex", "greedy", code=3)
    assert [r.partition(":")[0] for r in nights.night().reasons] == ["lp", "greedy", "last_good"]


def test_a_child_is_killed_with_its_own_children_at_its_limit(tmp_path, monkeypatch):
    (tmp_path / "energy").mkdir()
    (tmp_path / "energy" / "__init__.py").touch()
    pid_file = tmp_path / "grandchild"
    (tmp_path / "energy" / "__main__.py").write_text(
        "import subprocess, sys, time, pathlib\n"
        f"p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(p.pid))\n"
        "time.sleep(60)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    began = time.monotonic()
    ended = fallback.run(["optimize"], 2.0, tmp_path / "log")
    assert ended.code == KILLED
    assert 3.0 <= time.monotonic() - began < 20
    assert "killed after 3 s, 1.5 times its limit" in ended.words
    time.sleep(0.2)
    assert _gone(int(pid_file.read_text()))


def test_the_last_lines_of_a_child_that_failed_are_in_the_log(tmp_path, monkeypatch):
    """The log of a method lies in the work folder, which the night sweeps."""
    (tmp_path / "energy").mkdir()
    (tmp_path / "energy" / "__init__.py").touch()
    (tmp_path / "energy" / "__main__.py").write_text(
        "print('\\n'.join(f'line {n}' for n in range(50)), flush=True)\nraise MemoryError('x' * 2000)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log = tmp_path / "log.jsonl"
    with logging_to(log, "night"):
        found = fallback.run_fallbacks(NIGHT, tmp_path, 20.0, time.monotonic() + 600)
    assert found.plan is None
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(s["event"], s["level"], s["method"], s["exit_code"]) for s in said] == [
        ("fallback method failed", "ERROR", method, 1) for method in ("lp", "simplex", "greedy")
    ]
    assert len(said[0]["last_lines"]) == fallback.TAIL_LINES
    assert "line 49" in said[0]["last_lines"]
    assert said[0]["last_lines"][-1].startswith("MemoryError: xxx")
    assert max(map(len, said[0]["last_lines"])) == fallback.TAIL_WIDTH


def _gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody waits for has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_sequence_ends_with_its_budget(tmp_path):
    calls = []

    def slow(night: Prepared, method: str, failed: list[str], limit: float, work: Path) -> Ended:
        calls.append(limit)
        return Ended(KILLED, limit, "killed")

    found = fallback.run_fallbacks(NIGHT, tmp_path, 300, time.monotonic() + 60, slow)
    assert found.plan is None
    assert all(1.5 * limit <= 0.8 * 60 for limit in calls)
    late = fallback.run_fallbacks(NIGHT, tmp_path, 300, time.monotonic() + 2, slow)
    assert [r for r in late.reasons if "no time left" in r]
