"""Bad states of the database: each a named error with a way out."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from energy.errors import StoreError
from energy.nightly import database as module
from energy.nightly import rebuild
from energy.nightly.database import SCHEMA, Store, check_integrity, open_state, open_store
from energy.nightly.doctor import check_health
from energy.nightly.history import last_nights
from energy.nightly.metering import read_progress
from energy.nightly.rebuild import rebuild_store
from tests.nightly.nightcase import publish_plan

ROW = {"at": "2024-03-12T00:00:00", "job": "j", "gpu_hours": 1.0}


def _half(store: Store) -> None:
    with store.transaction():
        store.put("progress", ROW)
        store.put("nowhere", ROW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def use(path: Path) -> None:
    with open_store(path) as store:
        check_integrity(store)
        with store.transaction():
            store.put("progress", ROW)


def refused(path: Path, *words: str) -> None:
    with pytest.raises(StoreError) as caught:
        use(path)
    message = str(caught.value)
    assert [w for w in (str(path), *words) if w not in message] == [], message
    assert "\n" not in message


def test_a_new_database_keeps_rows_and_its_layout(path):
    with open_store(path) as store, store.transaction():
        store.put("progress", {"at": "2024-03-12T00:00:00", "job": "j", "gpu_hours": 1.0})
    with open_store(path) as store:
        assert store.rows("PRAGMA user_version")[0]["user_version"] == SCHEMA
        assert store.rows("PRAGMA journal_mode")[0]["journal_mode"] == "wal"
        assert store.row("SELECT gpu_hours FROM progress") == {"gpu_hours": 1.0}


def test_a_transaction_is_all_or_nothing(path):
    with open_store(path) as store:
        with pytest.raises(StoreError, match="no such table"):
            _half(store)
        assert store.rows("SELECT * FROM progress") == []


def test_rows_of_the_same_day_stay_as_they_are(path):
    row = {"policy": "plan", "day": "2024-03-12", "job": "j", "gpu_hours": 1.0}
    with open_store(path) as store:
        store.put("settled_work", row)
        store.put("settled_work", row | {"gpu_hours": 2.0})
        assert store.row("SELECT gpu_hours FROM settled_work") == {"gpu_hours": 1.0}


def test_locked(path, monkeypatch):
    monkeypatch.setattr(module, "BUSY_S", 0.05)
    with open_store(path):
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused(path, "locked by another process", "wait for it")
        other.close()


def test_no_database_at_all(path):
    path.write_bytes(b"this is no database, whatever its name says" * 200)
    refused(path, "damaged", "energy doctor --rebuild")


def test_a_damaged_page(path):
    with open_store(path) as store, store.transaction():
        for k in range(3000):
            store.put("progress", {"at": f"{k:06d}", "job": "j" * 50, "gpu_hours": 1.0})
    content = bytearray(path.read_bytes())
    content[3 * 4096 : len(content) - 4096] = b"\xa5" * (len(content) - 4 * 4096)
    path.write_bytes(content)
    refused(path, "damaged", "energy doctor --rebuild")


@pytest.mark.parametrize(("version", "way"), [(0, "energy doctor --rebuild"), (SCHEMA + 1, "update hydrocool")])
def test_another_layout(path, version, way):
    with open_store(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    refused(path, "layout", way)


def test_another_programs_database(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    refused(path, "another program's database", "database:")
    assert path.read_bytes() == before, "nothing of it is changed, its journal mode neither"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"), open_store(tmp_path / "file" / "state.sqlite"):
        pass


DAYS = {"day": "2024-03-12", "realised_cost_eur": 1.0, "energy_mwh": 1.0, "gpu_hours": 1.0, "metered": 0, "state": "{}"}


@pytest.fixture
def lived(nights):
    """A database with settled days, the last of run-now alone, in a log that no checkpoint has taken over."""
    with open_store(nights.place.database) as store:
        for policy, day in (("plan", "2024-03-12"), ("run_now", "2024-03-12"), ("run_now", "2024-03-13")):
            store.put("settled_days", DAYS | {"policy": policy, "day": day})
        store.put("settled_work", {"policy": "plan", "day": "2024-03-12", "job": "j", "gpu_hours": 1.0})
        store.put("meter", {"site": "north", "utc": "2024-03-12T00:00:00", "hours": 1.0, "import_mwh": 1.0})
    return nights.place


def test_days_and_work_come_over_into_a_rebuilt_database(lived):
    words = rebuild_store(lived)
    assert "0 plans, 0 runs, 2 settled days, 1 settled work, 0 progress, 1 meter; the old one is state.sqlite." in words
    with open_store(lived.database) as store:
        assert {d["day"] for d in store.rows("SELECT day FROM settled_days")} == {"2024-03-12"}
        check_integrity(store)
    [old] = lived.out.glob("*.old")
    with open_store(old) as store:
        assert len(store.rows("SELECT * FROM settled_days")) == 3


def test_a_rebuild_that_fails_leaves_the_old_database(lived, monkeypatch):
    before = lived.database.read_bytes()
    monkeypatch.setattr(rebuild, "_salvaged", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rebuild_store(lived)
    assert lived.database.read_bytes() == before
    assert [p.name for p in lived.out.glob("*state*")] == ["state.sqlite"]


def test_what_is_in_the_write_ahead_log_comes_over(lived):
    other = sqlite3.connect(lived.database, isolation_level=None)
    other.execute("INSERT INTO progress VALUES ('2024-03-12T00:00:00', 'j', 5.0)")
    assert Path(f"{lived.database}-wal").stat().st_size > 0
    assert "1 progress" in rebuild_store(lived)
    other.close()
    assert list(lived.out.glob("*.old-wal"))
    with open_store(lived.database) as store:
        assert store.row("SELECT gpu_hours FROM progress") == {"gpu_hours": 5.0}


def test_what_is_damaged_or_of_another_layout_stays_behind(lived):
    connection = sqlite3.connect(lived.database)
    connection.executescript("DROP TABLE settled_work; CREATE TABLE settled_work (x); PRAGMA user_version = 0")
    connection.close()
    assert "2 settled days, 0 settled work" in rebuild_store(lived)
    lived.database.write_bytes(b"no database " * 500)
    assert "0 plans, 0 runs, 0 settled days" in rebuild_store(lived)


def plan_folder(nights, name, made, kept, **says):
    """A published night that a manifest vouches for, made at a moment [s], from the inputs `kept`."""
    folder = shutil.copytree(nights.out / kept, nights.out / name)
    shutil.copytree(nights.place.snapshots / kept, nights.place.snapshots / name)
    (folder / "night.json").write_text(json.dumps({"date": "2024-03-12", "run_id": name}))
    (folder / "manifest.json").write_text(json.dumps({"night": "2024-03-12", "files_sha256": {}} | says))
    os.utime(folder, (made, made))


@pytest.fixture
def kept(nights):
    """Kept inputs and schedule that plan_folder copies; the database is forgotten."""
    name = publish_plan(nights, [("j1", "north/liquid/gb300", "2024-03-12T00:00", 8.0)]).run_id
    with open_store(nights.place.database) as store:
        store.remove("plans", "2024-03-12")
    return name


def rebuilt_plan(nights):
    rebuild_store(nights.place)
    with open_store(nights.place.database) as store:
        [row] = store.rows("SELECT run_id FROM plans")
    return row["run_id"]


def test_a_run_on_file_only_is_not_put_into_force(nights, kept):
    for name, made, active in (("first", 1, True), ("second", 2, True), ("again", 3, False)):
        plan_folder(nights, name, made, kept, active=active)
    assert rebuilt_plan(nights) == "second"


def test_of_folders_that_do_not_say_so_the_first_is_in_force(nights, kept):
    for name, made in (("first", 1), ("again", 2)):
        plan_folder(nights, name, made, kept)
    assert rebuilt_plan(nights) == "first"


def test_what_the_old_file_says_of_plans_comes_first(nights, kept):
    for name, made in (("first", 1), ("again", 2)):
        plan_folder(nights, name, made, kept, active=True)
    row = {"night": "2024-03-12", "run_id": "first", "folder": "first", "snapshot": "first", "ex_ante_cost_eur": 1.0}
    with open_store(nights.place.database) as store:
        store.put("plans", row)
    assert rebuilt_plan(nights) == "first"


@pytest.fixture
def lost(nights):
    """A folder with a published night whose database is gone."""
    (nights.out / "small_2024-03-12_0123456789ab").mkdir(parents=True)
    (nights.out / "small_2024-03-12_0123456789ab" / "night.json").write_text("{}")
    return nights


def test_no_database_is_made_beside_published_nights(lost, tmp_path):
    reading = tmp_path / "progress.csv"
    reading.write_text("at,job,gpu_hours\n2024-03-12T11:30Z,j1,17.5\n")
    place = lost.place
    for use_it in (lambda: last_nights(place, 9), lambda: read_progress(place, reading)):
        with pytest.raises(StoreError, match=r"no state database.*database: in.*energy doctor --rebuild"):
            use_it()
    found = {f.what: f for f in check_health(place)}
    assert not found["database"].ok
    assert "energy doctor --rebuild" in found["database"].message
    assert not place.database.exists()


def test_an_empty_file_or_a_link_that_is_left_is_no_database_either(nights):
    nights.out.mkdir()
    (nights.out / "latest").symlink_to("gone", target_is_directory=True)
    nights.place.database.write_bytes(b"")
    with pytest.raises(StoreError, match="no state database"):
        last_nights(nights.place, 9)


def test_rebuilt_where_there_is_none(lost):
    assert "0 runs, 0 settled days, 0 settled work, 0 progress, 0 meter; there was none before" in rebuild_store(
        lost.place
    )
    assert last_nights(lost.place, 9) == []


def test_the_first_night_makes_its_database(nights):
    with open_state(nights.place) as store:
        assert store.row("SELECT * FROM runs") is None


@pytest.mark.slow
def test_rebuilt_from_the_published_nights(solved, tmp_path):
    place = solved.case.place
    with open_store(place.database) as store:
        plans = store.rows("SELECT * FROM plans")
        store.put("progress", {"at": "2024-03-12T00:00:00", "job": "j1", "gpu_hours": 0.0})
    try:
        words = rebuild_store(place)
        assert words.startswith(
            "the new database has 1 plans, 1 runs, 0 settled days, 0 settled work, 1 progress, 0 meter; the old one is"
        )
        with open_store(place.database) as store:
            again = store.rows("SELECT * FROM plans")
            store.connection.execute("DELETE FROM progress")
        assert again[0] == plans[0] | {"ex_ante_cost_eur": pytest.approx(plans[0]["ex_ante_cost_eur"], rel=1e-12)}
        assert solved.case.night().folder == solved.night.folder
    finally:
        for old in place.out.glob("*.old"):
            old.unlink()


def damage(path, statement):
    with open_store(path) as store, store.transaction():
        store.put("progress", {"at": "2024-03-12T00:00:00", "job": "j", "gpu_hours": 1.0})
        store.put("plans", PLAN)
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


PLAN = {"night": "2024-03-12", "run_id": "a", "folder": "a", "snapshot": "a", "ex_ante_cost_eur": 1.0}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE meter", "table meter is gone"),
        ("ALTER TABLE plans DROP COLUMN snapshot", "table plans has other columns"),
        ("INSERT INTO plans VALUES ('zzz', 'a', 'a', 'a', 1)", "table plans has 1 rows"),
        ("INSERT INTO plans VALUES ('2030-01-01', 'a', '../../etc', 'a', 1)", "table plans has 1 rows"),
        ("INSERT INTO plans VALUES ('2030-01-01', 'a', 'a', 'a', 'much')", "table plans has 1 rows"),
        ("INSERT INTO progress VALUES ('2024-03-12T01:00:00', 'j', 9e999)", "table progress has 1 rows"),
        ("INSERT INTO meter VALUES ('s', '2024-03-12T01:00:00', x'00', 1, 1)", "table meter has 1 rows"),
    ],
)
def test_tables_and_rows_that_no_night_has_written(path, statement, words):
    damage(path, statement)
    refused(path, words, "energy doctor --rebuild")


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_are_damage_or_nothing(path, seed, record_property):
    """A page overwritten at random: refused as damaged, or every row is as it was."""
    rng = random.Random(seed)
    with open_store(path) as store, store.transaction():
        for k in range(400):
            store.put("progress", {"at": f"2024-03-12T00:00:00.{k:06d}", "job": f"j{k}" * 20, "gpu_hours": float(k)})
        before = store.rows("SELECT * FROM progress ORDER BY at")
    content = bytearray(path.read_bytes())
    at = rng.randrange(100, len(content) - 600)
    content[at : at + 500] = rng.randbytes(500)
    path.write_bytes(content)
    record_property("attacks", 1)
    try:
        with open_store(path) as store:
            now = store.rows("SELECT * FROM progress ORDER BY at")
    except StoreError as e:
        now, said = before, str(e)
        assert str(path) in said
    assert now == before
