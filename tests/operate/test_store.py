"""Bad states of the database: each a named error with a way out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from energy.operate import store as module
from energy.operate.errors import StoreError
from energy.operate.rebuild import rebuild_store
from energy.operate.store import SCHEMA, Store, check_integrity, open_store

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
        store.put("work", row)
        store.put("work", row | {"gpu_hours": 2.0})
        assert store.row("SELECT gpu_hours FROM work") == {"gpu_hours": 1.0}


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


@pytest.mark.parametrize(
    ("version", "way"), [(SCHEMA - 1, "energy doctor --rebuild"), (SCHEMA + 1, "update hydrocool")]
)
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
    refused(path, "another program's database", "database:")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"), open_store(tmp_path / "file" / "state.sqlite"):
        pass


@pytest.mark.slow
def test_rebuilt_from_the_published_nights(solved, tmp_path):
    place = solved.case.place
    with open_store(place.database) as store:
        plans = store.rows("SELECT * FROM plans")
        store.put("progress", {"at": "2024-03-12T00:00:00", "job": "j1", "gpu_hours": 0.0})
    try:
        words = rebuild_store(place)
        assert words.startswith(
            "the new database has 1 plans, 1 runs, 0 days, 0 work, 1 progress, 0 meter; the old one is"
        )
        with open_store(place.database) as store:
            again = store.rows("SELECT * FROM plans")
            store.connection.execute("DELETE FROM progress")
        assert again[0] == plans[0] | {"promised_eur": pytest.approx(plans[0]["promised_eur"], rel=1e-12)}
        assert solved.case.night().folder == solved.night.folder
    finally:
        for old in place.out.glob("*.old"):
            old.unlink()
