"""`energy doctor` tells everything that an operator would look at, and makes nothing."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.errors import RunFolderError
from energy.nightly import doctor
from energy.nightly.doctor import can_write

MOMENT = "2024-03-11T13:00:00+00:00"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch, tmp_path):
    """No settings of the user at this machine, and a folder of its own."""
    for name in [n for n in os.environ if n.startswith("HYDROCOOL_")]:
        monkeypatch.delenv(name)
    (tmp_path / "none").touch(mode=0o600)
    monkeypatch.setenv("HYDROCOOL_CREDENTIALS", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


def found(nights):
    """What at -> (ok, warn or FAIL, words)."""
    return {
        f.what: ("warn" if f.warns else "ok" if f.ok else "FAIL", f.message) for f in doctor.check_health(nights.place)
    }


def test_a_look_before_the_first_night_makes_nothing(nights, monkeypatch):
    monkeypatch.setenv("HYDROCOOL_NOW", MOMENT)
    nights.edit("nightly.yaml", "metrics", "elsewhere/hydrocool.prom")
    before = sorted(nights.folder.rglob("*"))
    got = found(nights)
    assert sorted(nights.folder.rglob("*")) == before
    assert {what: kind for what, (kind, _) in got.items() if kind != "ok"} == {"file times": "warn"}
    assert got["database"][1].endswith("is not there yet; the first night makes it")
    assert got["jobs with a pool"] == ("ok", "4 jobs have a pool"), "the fifth is not submitted yet"


def test_jobs_that_no_pool_can_run_are_told_by_name(nights, monkeypatch):
    monkeypatch.setenv("HYDROCOOL_NOW", MOMENT)
    nights.each("queue.csv", lambda r: r | ({"gpu_kinds": "tpu=1"} if r["id"] == "j3" else {}))
    kind, words = found(nights)["jobs with a pool"]
    assert kind == "warn"
    assert words.startswith("1 jobs are set aside every night, the first: job j3: no pool may run it")


def test_files_beside_the_nights_that_cannot_be_written_or_read(nights, tmp_path):
    (tmp_path / "file").write_text("")
    nights.edit("nightly.yaml", "metrics", str(tmp_path / "file" / "hydrocool.prom"))
    nights.edit("nightly.yaml", "log", str(tmp_path / "file" / "log.jsonl"))
    nights.edit("nightly.yaml", "state", "nowhere.yaml")
    got = found(nights)
    assert {w: got[w][0] for w in ("metrics", "log", "fx and state")} == dict.fromkeys(
        ("metrics", "log", "fx and state"), "FAIL"
    )
    assert "let the user of the night write to" in got["metrics"][1]
    nights.edit("nightly.yaml", "fx.NOK", {"file": "rates.csv", "column": "NOK", "source": "bank"})
    assert "rates.csv" in found(nights)["fx and state"][1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path):
    (tmp_path / "shut").mkdir(mode=0o555)
    with pytest.raises(RunFolderError, match="let the user of the night write"):
        can_write(tmp_path / "shut" / "nights")


def test_extras_that_are_asked_for_must_be_there(nights, monkeypatch):
    for name in ("apprise", "weasyprint"):
        monkeypatch.setitem(sys.modules, name, None)
    assert found(nights)["messages"] == ("ok", "no message is sent: HYDROCOOL_NOTIFY is not set")
    assert found(nights)["pdf"] == ("ok", "not asked for")
    monkeypatch.setenv("HYDROCOOL_NOTIFY", "mailtos://user:secret@example.org")
    nights.edit("nightly.yaml", "pdf", True)
    got = found(nights)
    assert (got["messages"][0], got["pdf"][0]) == ("warn", "warn")
    assert "hydrocool[notify]" in got["messages"][1]
    assert "hydrocool[pdf]" in got["pdf"][1]
    assert "secret" not in str(got)


def test_a_file_from_the_future_says_that_the_clock_is_behind(nights):
    assert found(nights)["file times"][0] == "ok"
    ahead = time.time() + 2 * 86_400
    os.utime(nights.folder / "prices.csv", (ahead, ahead))
    kind, words = found(nights)["file times"]
    assert kind == "FAIL"
    assert "prices.csv was written" in words
    assert "set the clock" in words


def test_a_plan_of_last_week_is_a_warning(nights):
    assert found(nights)["last success"] == ("ok", "none yet")
    folder = nights.out / "small_2024-03-12_aaaa"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (nights.out / "latest").symlink_to(folder.name)
    old = time.time() - 7 * 86_400
    os.utime(folder / "manifest.json", (old, old))
    kind, words = found(nights)["last success"]
    assert (kind, words.partition(";")[0]) == ("warn", "published 168 h ago")


def live(nights):
    for key in ("prices", "weather"):
        nights.edit("nightly.yaml", key, [] if key == "prices" else {})
    return nights.edit("nightly.yaml", "live", True)


def test_keys_of_live_sources_are_told_by_name_alone(nights, monkeypatch, tmp_path):
    assert "keys of sources" not in found(nights)
    live(nights)
    monkeypatch.setenv("HYDROCOOL_ENTSOE_TOKEN", "top-secret-token")
    kind, words = found(nights)["keys of sources"]
    assert kind == "warn"
    assert "HYDROCOOL_FROST_CLIENT_ID (frost)" in words
    assert "ENTSOE" not in words
    assert "top-secret" not in str(found(nights))
    (tmp_path / "none").chmod(0o644)
    assert found(nights)["keys of sources"][0] == "FAIL"


def test_live_sources_tell_when_they_last_gave_something(nights, tmp_path):
    live(nights)
    kind, words = found(nights)["sources"]
    assert (kind, words.partition(" (")[0]) == ("ok", "nothing was fetched yet from this folder")
    assert not (tmp_path / "data").exists()
    folder = tmp_path / "data" / "cache" / "sources"
    folder.mkdir(parents=True)

    def answered(hours: float) -> tuple[str, str]:
        at = (datetime.now(UTC) - timedelta(hours=hours)).replace(tzinfo=None).isoformat(timespec="microseconds")
        with sqlite3.connect(folder / "ledger.sqlite") as db:
            db.execute("CREATE TABLE IF NOT EXISTS delivery (source TEXT, at TEXT, kind TEXT, stale INTEGER)")
            db.execute("INSERT INTO delivery VALUES ('nve', ?, 'ok', 0), ('ecb', ?, 'retry', 0)", (at, at))
        return found(nights)["sources"]

    assert answered(72) == ("warn", "nve old, 3 days; energy sources tells the last failure of each")
    assert answered(5) == ("ok", "nve fresh, 5 h")
    (folder / "ledger.sqlite").write_bytes(b"no database " * 500)
    assert found(nights)["sources"][0] == "FAIL"


def test_a_relative_path_that_is_there_can_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.jsonl").write_text("{}\n")
    for name in ("log.jsonl", "."):
        assert can_write(Path(name)).endswith("can be written")
    assert can_write(Path("new")).endswith("can be made")
