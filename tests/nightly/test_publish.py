"""A night is whole or not there: killed at any step and run again, it leaves the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from energy.cli.app import app
from energy.errors import UNPUBLISHED, NightError
from energy.nightly import prepare
from energy.nightly import run as page
from energy.nightly.case import nights_to_run
from energy.nightly.config import FULL_AT, KILL_AT, latest, lock
from energy.nightly.database import open_store
from energy.nightly.fallback import Found
from energy.nightly.publish import is_published
from energy.nightly.run import run_night
from tests.nightly.conftest import Solved
from tests.nightly.nightcase import DAY, NightCase, bytes_of, canned, in_child

pytestmark = pytest.mark.slow  # nights with solves: make test-nights

STEPS = ("settlement", "snapshot", "solved", "copied", "drawn", "manifest", "synced", "renamed", "entering", "entered", "linked",
         "switched")  # fmt: skip
#: Steps of the fast part: before the rename, between it and the books, between the books and `latest`.
QUICK = ("manifest", "renamed", "linked")


def test_a_night_is_published_with_its_manifest_and_without_the_clock(solved):
    night, folder = solved.night, solved.night.folder
    assert (night.status, night.method, night.code) == ("OK", "lp", 0)
    assert is_published(folder)
    assert latest(solved.case.out) == night.run_id
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"created_utc", "seconds"}.isdisjoint(manifest)
    assert "seconds" not in manifest["solver"]
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(manifest["files_sha256"]) == found - {"manifest.json"}
    assert "inputs/case.yaml" in found
    summed = json.loads((folder / "night.json").read_text())
    assert summed["known_until"] == "2024-03-12T23:00:00Z"
    assert summed["known_at"] == "2024-03-11T12:00:00Z"


def test_only_what_was_submitted_is_planned(solved):
    rows = (solved.case.place.snapshots / solved.night.run_id / "jobs.csv").read_text()
    assert "j3," in rows
    assert "j4," not in rows


def test_same_inputs_are_not_run_again(solved):
    before = bytes_of(solved.case.out)
    night = solved.case.night()
    assert night.unchanged
    assert bytes_of(solved.case.out) == before
    with open_store(solved.case.place.database) as store:
        assert len(store.rows("SELECT * FROM runs WHERE published = 1")) == 1


def test_a_changed_input_is_another_run_of_the_night(solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    first = nights.night()
    nights.cell("queue.csv", "j1", "gpu_hours", 8000)
    second = nights.night()
    assert first.run_id != second.run_id
    assert latest(nights.out) == second.run_id
    assert is_published(nights.out / first.run_id)


@pytest.mark.parametrize("step", [s if s in QUICK else pytest.param(s, marks=pytest.mark.slow) for s in STEPS])
def test_killed_at_a_step_and_run_again_leaves_the_same_bytes(step, solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    assert in_child(nights.night, **{KILL_AT: step}) == -signal.SIGKILL
    link = nights.out / "latest"
    assert not link.is_symlink() or is_published(link.resolve()), "latest points to half a night"
    night = nights.night()
    assert night.status == "OK"
    assert bytes_of(nights.out) == bytes_of(solved.case.out)
    with open_store(nights.place.database) as store:
        assert len(store.rows("SELECT * FROM plans")) == 1
        assert len(store.rows("SELECT * FROM runs WHERE published = 1")) == 1
    assert nights.night().unchanged
    assert [p.name for p in nights.out.glob(".*")] == [".lock"], "something half-made is left"


@pytest.mark.parametrize(
    "step",
    [
        "manifest",
        *(
            pytest.param(s, marks=pytest.mark.slow)
            for s in ("settlement", "snapshot", "copied", "drawn", "synced", "linked")
        ),
    ],
)
def test_a_full_disk_is_named_and_the_next_run_mends_it(step, solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    monkeypatch.setenv(FULL_AT, step)
    night = nights.night()
    assert (night.status, night.code) == ("FAILED", 7)
    assert "No space left on device" in night.reasons[0]
    assert latest(nights.out) is None
    monkeypatch.delenv(FULL_AT)
    assert nights.night().status == "OK"
    assert bytes_of(nights.out) == bytes_of(solved.case.out)


def test_two_runs_at_once(nights):
    with lock(nights.out), pytest.raises(NightError, match="another run is at work"):
        nights.night()


def test_the_lock_of_a_killed_run_is_free(nights):
    def hold() -> None:
        with lock(nights.out):
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(hold) == -signal.SIGKILL
    with lock(nights.out):
        pass


def test_an_older_night_does_not_take_over(solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    newest = nights.night().run_id
    with pytest.raises(NightError, match="night 2024-03-12 is published already"):
        nights.night(DAY - timedelta(days=1))
    older = nights.night(DAY - timedelta(days=1), again=True)
    assert older.folder is not None
    assert latest(nights.out) == newest
    with open_store(nights.place.database) as store:
        assert [r["night"] for r in store.rows("SELECT night FROM plans")] == [str(DAY)]


def test_nights_of_a_back_fill(solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    nights.night(DAY)
    with open_store(nights.place.database) as store:
        store.put("runs", {"night": "2024-03-14", "status": "FAILED", "method": "nothing", "exit_code": 7, "reasons": "[]",
                           "started": "", "finished": "", "solve_seconds": 0, "wall_seconds": 0, "published": 0,
                           "imputed_hours": 0})  # fmt: skip
        first, last = date(2024, 3, 12), date(2024, 3, 15)
        days = {how: [d.day for d in nights_to_run(store, first, last, how)] for how in ("none", "failed", "all")}
    assert days == {"none": [13, 15], "failed": [13, 14, 15], "all": [12, 13, 14, 15]}


def revise(nights):
    """The exchange corrects its prices afterwards."""
    nights.each("prices.csv", lambda r: r | {"NO4": str(float(r["NO4"]) + 20)})


def kept_prices(night, nights):
    return (nights.place.snapshots / night.run_id / "prices.csv").read_bytes()


def test_a_night_that_is_made_again_sees_what_it_saw(solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    first, published = nights.night(), bytes_of(nights.out)
    revise(nights)
    again = run_night(nights.place, DAY, reprocess=True, from_snapshot=True)
    assert (again.unchanged, again.run_id) == (True, first.run_id)
    assert bytes_of(nights.out) == published
    monkeypatch.setattr(prepare, "__version__", "99")
    newer = run_night(nights.place, DAY, reprocess=True, from_snapshot=True)
    assert newer.run_id != first.run_id
    assert kept_prices(newer, nights) == kept_prices(first, nights)
    told = [n.night | {"run_id": "", "changes": []} for n in (first, newer)]
    assert told[0] == told[1]
    assert kept_prices(nights.night(again=True), nights) != kept_prices(first, nights), "by hand the sources count"


def test_a_failed_night_is_made_up_for_with_what_it_knew(solved, nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", lambda *_: Found(reasons=["lp: no luck"]))
    failed = nights.night()
    assert failed.code == UNPUBLISHED
    revise(nights)
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    energy = CliRunner().invoke(
        app, ["nightly", str(nights.folder / "nightly.yaml"), "--from", str(DAY), "--to", str(DAY), "--reprocess", "failed"]
    )  # fmt: skip
    assert energy.exit_code == 0, energy.output
    assert latest(nights.out) == failed.run_id
    assert bytes_of(nights.out) == bytes_of(solved.case.out)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_killed_at_200_random_moments(part, solved: Solved, tmp_path, record_property):
    """Real processes, SIGKILL to the night after a random time or at a random step; 50 moments in each part."""
    rng = np.random.default_rng([11, part])
    record_property("attacks", 50)
    wanted = bytes_of(solved.case.out)
    case, began = NightCase(tmp_path / "case"), time.monotonic()
    _run(case)
    whole = time.monotonic() - began
    for k in range(50):
        case = NightCase(tmp_path / f"case{k}")
        step = str(rng.choice(STEPS)) if k % 2 else None
        _run(case, step, None if step else rng.uniform(0, whole))
        _run(case)
        assert bytes_of(case.out) == wanted, (part, k, step)


def _run(case: NightCase, step: str | None = None, after: float | None = None) -> None:
    env = os.environ | ({KILL_AT: step} if step else {})
    command = [sys.executable, "-m", "energy", "nightly", str(case.folder / "nightly.yaml"), "--date", str(DAY)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    timer = threading.Timer(after, process.kill) if after is not None else None
    if timer:
        timer.start()
    process.wait()
    if timer:
        timer.cancel()
