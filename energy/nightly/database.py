"""The state database: what nights leave for nights. One SQLite file, one transaction per night.

Rows carry their day and are never overwritten by later nights, so that any night can be run again as known then.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from energy.errors import OlderLayout, StoreError
from energy.nightly.config import LATEST, NightlyWorkspace, now
from energy.runs import older_formats
from energy.runs.folder import sync_one
from energy.runs.record import NIGHT

#: Number of the layout below; kept in the file as `user_version`.
SCHEMA = 2
#: How long a night waits for another writer [s].
BUSY_S = 10.0
#: Bytes that say "HCDB": the file is ours, not another program's.
APPLICATION = 0x48434442
#: From now to the last moment that is tomorrow's first somewhere: where the day begins first, 14 h before UTC.
FARTHEST = timedelta(days=1, hours=14)
TABLES = """
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, night TEXT NOT NULL, run_id TEXT, status TEXT NOT NULL, method TEXT NOT NULL,
  exit_code INTEGER NOT NULL, reasons TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL,
  solve_seconds REAL NOT NULL, wall_seconds REAL NOT NULL, folder TEXT, published INTEGER NOT NULL,
  gap REAL, cost_eur REAL, saving_eur REAL, imputed_hours REAL NOT NULL, unserved_gpu_hours REAL, night_json TEXT);
CREATE INDEX runs_by_night ON runs (night);
CREATE TABLE plans (night TEXT PRIMARY KEY, run_id TEXT NOT NULL, folder TEXT NOT NULL, snapshot TEXT NOT NULL,
  ex_ante_cost_eur REAL NOT NULL);
CREATE TABLE settled_days (
  policy TEXT NOT NULL, day TEXT NOT NULL, night TEXT, realised_cost_eur REAL NOT NULL, idle_cost_eur REAL,
  ex_ante_cost_eur REAL, price_variance_eur REAL,
  weather_variance_eur REAL, load_variance_eur REAL, other_variance_eur REAL, energy_mwh REAL NOT NULL, gpu_hours REAL NOT NULL,
  metered INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (policy, day));
CREATE TABLE settled_work (policy TEXT NOT NULL, day TEXT NOT NULL, job TEXT NOT NULL, gpu_hours REAL NOT NULL,
  PRIMARY KEY (policy, day, job));
CREATE TABLE progress (at TEXT NOT NULL, job TEXT NOT NULL, gpu_hours REAL NOT NULL, PRIMARY KEY (at, job));
CREATE TABLE meter (site TEXT NOT NULL, utc TEXT NOT NULL, hours REAL NOT NULL, import_mwh REAL NOT NULL,
  it_mwh REAL, PRIMARY KEY (site, utc));
"""


class Store:
    """An open database; rows come back as dictionaries."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self.connection = path, connection

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query."""
        with _named(self.path):
            return [dict(r) for r in self.connection.execute(query, values)]

    def row(self, query: str, *values: Any) -> dict[str, Any] | None:
        """First row of a query."""
        return next(iter(self.rows(query, *values)), None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing."""
        with _named(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def put(self, table: str, row: dict[str, Any], replace: bool = False) -> None:
        """Insert a row; a row of the same key stays, or is replaced."""
        verb = "INSERT OR REPLACE" if replace else "INSERT OR IGNORE"
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with _named(self.path):
            self.connection.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    def remove(self, table: str, night: str) -> None:
        """Delete the row of a night."""
        with _named(self.path):
            self.connection.execute(f"DELETE FROM {table} WHERE night = ?", (night,))


@contextmanager
def open_store(path: Path, migrate: bool = True) -> Iterator[Store]:
    """Open the database, made where there is none; one of layout 1 is copied and migrated.

    Parameters
    ----------
    migrate : False for those who only look

    Raises
    ------
    StoreError : the file is locked, damaged, read-only, of a newer layout or another program's; names the way out.
    OlderLayout : the file is to be migrated, and `migrate` is False.
    """
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        with _named(path):
            is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if not is_new and _layout(path, connection) < SCHEMA:
                if not migrate:
                    raise OlderLayout(f"{path}: has layout 1; the next night makes it layout {SCHEMA} and keeps a copy")
                _migrate(path, connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if is_new:
                marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};"
                connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {marks} COMMIT;")
        yield Store(path, connection)
    finally:
        connection.close()


def has_nights(workspace: NightlyWorkspace) -> bool:
    """Whether nights are published, so that there must be a database."""
    return (workspace.out / LATEST).is_symlink() or any(workspace.out.glob(f"*/{NIGHT}"))


@contextmanager
def open_state(workspace: NightlyWorkspace, migrate: bool = True) -> Iterator[Store]:
    """The database of a nightly file: as `open_store`, but none is made beside nights that are published.

    Raises
    ------
    StoreError : as `open_store`, or the file is lost or elsewhere; names the way out.
    OlderLayout : as `open_store`.
    """
    path = workspace.database
    there = path.is_file() and path.stat().st_size > 0
    if not there and has_nights(workspace):
        raise StoreError(
            f"{path}: there is no state database, but {workspace.out} has published nights; name the right one with "
            "database: in the nightly file, or build it again from those nights with energy doctor --rebuild"
        )
    with open_store(path, migrate) as store:
        yield store


def plan_row(day: date, folder: Path, snapshot: str, ex_ante_cost_eur: float) -> dict[str, Any]:
    """The row of a plan.

    Parameters
    ----------
    snapshot : name of the folder of its input snapshot
    """
    return {"night": str(day), "run_id": folder.name, "folder": folder.name, "snapshot": snapshot,
            "ex_ante_cost_eur": ex_ante_cost_eur}  # fmt: skip


def last_runs(store: Store, most: int) -> list[dict[str, Any]]:
    """Runs of the last nights, oldest first: each night by its last published run, else its last run.

    Without nights that only a clock that was ahead has run: they would stand for the newest for as long.
    """
    until = (now() + FARTHEST).date()
    found = store.rows(
        "SELECT * FROM runs AS r WHERE id = (SELECT id FROM runs WHERE night = r.night ORDER BY published DESC, id DESC "
        "LIMIT 1) AND night <= ? ORDER BY night DESC LIMIT ?", str(until), most,
    )  # fmt: skip
    return found[::-1]


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Give a database of layout 1 that of today, in one transaction; a copy of it is put beside it before."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _layout(path, connection) < SCHEMA:  # else another process was first
            _copy(path, path.with_name(f"{path.name}.layout-1.old"))
            for statement in older_formats.migration():
                connection.execute(statement)
            nights = connection.execute("SELECT id, night_json FROM runs WHERE night_json IS NOT NULL").fetchall()
            for number, text in nights:
                row = json.dumps(older_formats.night(json.loads(text))), number
                connection.execute("UPDATE runs SET night_json = ? WHERE id = ?", row)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _copy(path: Path, target: Path) -> None:
    """Copy a database with all its transactions, on the disk before its name is."""
    new = target.with_name(f".{target.name}.writing")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as old, closing(sqlite3.connect(new)) as copy:
        old.backup(copy)
    sync_one(new)
    new.replace(target)
    sync_one(target.parent)


def _layout(path: Path, connection: sqlite3.Connection) -> int:
    """Layout of a database, 1 to that of today; asked before anything is written, since the WAL mode stays in a file.

    Raises
    ------
    StoreError : another program's file, or a layout that this version does not know.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise StoreError(f"{path}: is another program's database; name another file with database: in the nightly file")
    if not 1 <= version <= SCHEMA:
        older = "an older" if version < 1 else "a newer"
        way = "build it again with energy doctor --rebuild" if version < 1 else "update hydrocool"
        raise StoreError(f"{path}: has {older} layout ({version}, this program's is {SCHEMA}); {way}")
    return version


def check_integrity(store: Store) -> None:
    """Check every page of the file.

    Raises
    ------
    StoreError : a page is damaged.
    """
    found = store.rows("PRAGMA quick_check")
    if [next(iter(r.values())) for r in found] != ["ok"]:
        raise StoreError(_damaged(store.path, str(next(iter(found[0].values()))).splitlines()[-1]))


def _damaged(path: Path, why: str) -> str:
    return (
        f"{path}: the state database is damaged ({why}); energy doctor --rebuild puts it aside and builds it again "
        "from the published nights"
    )


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors of SQLite with the file and the way out."""
    try:
        yield
    except sqlite3.OperationalError as e:
        text = str(e)
        message = f"{path}: the state database cannot be used ({text}); free space, or allow writing there"
        if "locked" in text or "busy" in text:
            way = f"wait for it, or find it with fuser {path.name}"
            message = f"{path}: the state database is locked by another process; {way}"
        elif "malformed" in text:
            message = _damaged(path, text)
        raise StoreError(message) from None
    except sqlite3.DatabaseError as e:
        raise StoreError(_damaged(path, str(e))) from None
    except OSError as e:
        raise StoreError(f"{path}: cannot be made ({e.strerror}); allow writing there") from None
