"""The commands of the nightly run."""

from __future__ import annotations

import errno
import json
import shutil

import pytest

from energy.cli import nightly as commands
from energy.errors import NightError, OlderNight, RunFolderError
from energy.nightly import run as nightly
from energy.nightly.config import lock
from energy.nightly.outcome import Night
from energy.nightly.publish import is_published
from tests.cli.conftest import energy  # noqa: F401 - the fixture that runs a command
from tests.nightly.nightcase import DAY

pytestmark = pytest.mark.usefixtures("solved")


def test_nightly_says_what_it_published(energy, solved):  # noqa: F811
    done = energy("nightly", solved.case.folder / "nightly.yaml", "--date", DAY, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["status"], told["method"], told["unchanged"]) == ("OK", "lp", True)
    assert told["night"]["run_id"] == told["run_id"]


def test_an_older_night_is_exit_code_7(energy, solved):  # noqa: F811
    done = energy("nightly", solved.case.folder / "nightly.yaml", "--date", "2024-03-01")
    assert done.code == 7
    assert "is published already" in done.err


@pytest.mark.parametrize(
    "args",
    [
        ("--date", "soon"),
        ("--from", "2024-03-01"),
        ("--from", "2024-03-01", "--to", "2024-03-02", "--reprocess", "some"),
    ],
)
def test_bad_options_are_exit_code_2(args, energy, solved):  # noqa: F811
    done = energy("nightly", solved.case.folder / "nightly.yaml", *args)
    assert done.code == 2
    assert done.err.startswith("energy: --")


def test_a_night_that_cannot_be_is_exit_code_7_and_in_the_history(energy, nights):  # noqa: F811
    config = nights.folder / "nightly.yaml"
    nights.put("prices.csv", [r for r in nights.rows("prices.csv") if r["utc"] < "2024-03-01"])
    done = energy("nightly", config, "--date", DAY)
    assert done.code == 7
    assert "nothing published, latest is as it was" in done.out
    rows = json.loads(energy("history", config, "--json").out)
    assert [(r["night"], r["status"], r["method"], r["exit_code"]) for r in rows] == [
        (str(DAY), "FAILED", "nothing", 7)
    ]


def test_history_draws_a_table(energy, solved):  # noqa: F811
    done = energy("history", solved.case.folder / "nightly.yaml")
    assert done.code == 0
    assert "2024-03-12" in done.out


def test_doctor_finds_all_well(energy, solved, monkeypatch):  # noqa: F811
    monkeypatch.setenv("HYDROCOOL_NOW", "2024-03-11T13:00:00+00:00")
    done = energy("doctor", solved.case.folder / "nightly.yaml")
    assert done.code == 0, done.out
    assert "FAIL" not in done.out
    assert [line[5:].partition(":")[0] for line in done.out.splitlines() if line[:4] != "ok  "] == ["file times"]
    assert "HYDROCOOL_NOW is set" in done.out


def test_doctor_names_what_is_wrong(energy, nights, monkeypatch):  # noqa: F811
    monkeypatch.setenv("HYDROCOOL_NOW", "2024-05-11T13:00:00+00:00")
    rows = nights.rows("queue.csv")
    nights.put("queue.csv", [*rows, rows[0] | {"id": "bad", "gpu_hours": "many"}])
    nights.out.mkdir()
    nights.place.database.write_bytes(b"no database " * 500)
    (nights.out / "latest").symlink_to("gone", target_is_directory=True)
    done = energy("doctor", nights.folder / "nightly.yaml")
    assert done.code == 2
    failed = {line[5:].partition(":")[0] for line in done.out.splitlines() if line.startswith("FAIL")}
    assert failed == {"jobs", "series", "database", "latest", "clock"}


@pytest.mark.slow
def test_any_night_is_replayed_from_its_folder(energy, solved):  # noqa: F811
    done = energy("replay", solved.night.folder)
    assert (done.code, done.err.count("energy:")) == (0, 0)
    assert "objective and certificate agree" in done.out


OLDER = OlderNight("a later night is published")


def fake(monkeypatch, refused=(), error=OLDER):
    """Nights that take no time; returns what each was asked for, and what was printed before it."""
    asked = []

    def run(workspace, day, reprocess, on_progress, from_snapshot, quiet, series):
        asked.append((str(day), reprocess, from_snapshot, quiet))
        if str(day) in refused:
            raise error
        return Night(day, "OK", "lp", 0)

    monkeypatch.setattr(nightly, "run_night", run)
    return asked


@pytest.mark.parametrize(("how", "again"), [("none", False), ("failed", False), ("all", True)])
def test_a_back_fill_asks_for_no_more_than_it_should(how, again, energy, nights, monkeypatch):  # noqa: F811
    asked = fake(monkeypatch)
    done = energy(
        "nightly", nights.folder / "nightly.yaml", "--from", "2024-03-12", "--to", "2024-03-13", "--reprocess", how
    )
    assert done.code == 0
    assert asked == [("2024-03-12", again, True, True), ("2024-03-13", again, True, False)]


def test_a_back_fill_prints_each_night_as_it_ends(energy, nights, monkeypatch):  # noqa: F811
    seen = []
    monkeypatch.setattr(commands, "_print", lambda night, _: seen.append(str(night.day)))
    run = commands._run
    monkeypatch.setattr(commands, "_run", lambda place, day, *a, **k: seen.append("run") or run(place, day, *a, **k))
    fake(monkeypatch, refused=("2024-03-12",))
    done = energy("nightly", nights.folder / "nightly.yaml", "--from", "2024-03-12", "--to", "2024-03-13")
    assert done.code == 7
    assert seen == ["run", "2024-03-12", "run", "2024-03-13"]


@pytest.mark.parametrize(
    "error",
    [OlderNight("an older night"), NightError("held"), RunFolderError("full"), RuntimeError("a fault")],
    ids=str,
)
def test_no_night_of_a_back_fill_ends_those_behind_it(error, energy, nights, monkeypatch):  # noqa: F811
    asked = fake(monkeypatch, refused=("2024-03-12",), error=error)
    done = energy("nightly", nights.folder / "nightly.yaml", "--from", "2024-03-12", "--to", "2024-03-13")
    assert (done.code, len(asked)) == (7, 2)
    assert str(error) in done.out
    assert ("Traceback" in done.err) == (type(error) is RuntimeError), "a fault of the program is seen"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [(errno.EAGAIN, NightError, "another run is at work"), (errno.ENOLCK, RunFolderError, "cannot be locked")],
)
def test_only_a_held_lock_is_another_run(error, kind, words, nights, monkeypatch):
    def flock(*_):
        raise OSError(error, "no")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(kind, match=words), lock(nights.out):
        pass


def test_a_page_that_is_drawn_again_leaves_a_night_whole(energy, solved, tmp_path):  # noqa: F811
    folder = shutil.copytree(solved.night.folder, tmp_path / "night")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files_sha256"]["report.html"] = "that of the page as it was published"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert energy("report", "--run", folder).code == 0
    assert (folder / "report.html").is_file()
    assert is_published(folder)
    (folder / "bill.csv").write_text("")
    assert not is_published(folder)
