"""The commands of the nightly run."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import energy  # noqa: F401 - the fixture that runs a command
from tests.operate.nightcase import DAY

pytestmark = pytest.mark.usefixtures("solved")


def test_nightly_says_what_it_published(energy, solved):  # noqa: F811
    done = energy("nightly", solved.case.folder / "nightly.yaml", "--date", DAY, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["status"], told["rung"], told["unchanged"]) == ("OK", "lp", True)
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
    assert [(r["night"], r["status"], r["rung"], r["exit_code"]) for r in rows] == [(str(DAY), "FAILED", "nothing", 7)]


def test_history_draws_a_table(energy, solved):  # noqa: F811
    done = energy("history", solved.case.folder / "nightly.yaml")
    assert done.code == 0
    assert "2024-03-12" in done.out


def test_doctor_finds_all_well(energy, solved, monkeypatch):  # noqa: F811
    monkeypatch.setenv("HYDROCOOL_NOW", "2024-03-11T13:00:00+00:00")
    done = energy("doctor", solved.case.folder / "nightly.yaml")
    assert done.code == 0, done.out
    assert "FAIL" not in done.out
    assert done.out.count("ok  ") == 10


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
