"""Rebuild a broken database: a new one beside it, from the published nights and the readable rows of the old one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

from energy.errors import InputError, RunFolderError
from energy.inputs.load import read_inputs
from energy.nightly.accounts import ex_ante_cost
from energy.nightly.config import NightlyWorkspace, lock, now
from energy.nightly.database import Store, open_store, plan_row
from energy.nightly.inputs import CASE
from energy.nightly.outcome import tomorrow
from energy.nightly.publish import is_published
from energy.runs import older_formats
from energy.runs.record import NIGHT, read_manifest, read_night, read_setpoints
from energy.schedule.table import read_schedule

#: Tables whose rows the published nights lack; those of the table `plans` they have.
SALVAGED = ("runs", "settled_days", "settled_work", "progress", "meter")
#: What SQLite keeps beside a database that was not closed in peace; the first of them holds its last transactions.
BESIDE = ("-wal", "-shm")


def rebuild_store(workspace: NightlyWorkspace) -> str:
    """Build a database beside the old one, keep the old one under a dated name, then put the new one in its place.

    Plans, runs, settled days, work and readings come from the old file, as far as it can be read; plans that it lacks
    from the published folders. Returns what came over and what did not. Until the new file is whole the old one is as it was.

    Raises
    ------
    NightError : a run is at work.
    StoreError : the new one cannot be made.
    RunFolderError : the old one cannot be kept.
    """
    old = workspace.database
    new = old.with_name(f".{old.name}.new")
    with lock(workspace.out):
        _remove(new)
        try:
            with open_store(new) as store, store.transaction():
                others = _salvaged(old, store)
                found = [_plans(workspace, store), *others]
            kept = _put(new, old)
        finally:
            _remove(new)
    return f"the new database has {', '.join(found)}; {kept}"


def _put(new: Path, old: Path) -> str:
    """Swap: at every moment there is a database in the place, and once the new one is, the old one has its copy."""
    aside = old.with_name(f"{old.name}.{now():%Y%m%dT%H%M%S}.old")
    was_there = old.exists()
    try:
        for suffix in ("", *BESIDE):
            with suppress(FileNotFoundError):
                shutil.copy2(f"{old}{suffix}", f"{aside}{suffix}")
        for suffix in BESIDE:  # they would be read into the new file
            Path(f"{old}{suffix}").unlink(missing_ok=True)
        new.replace(old)
    except OSError as e:
        raise RunFolderError(f"{old}: cannot be kept as {aside.name} ({e.strerror}); nothing was changed") from None
    return f"the old one is {aside.name}" if was_there else "there was none before"


def _remove(path: Path) -> None:
    for suffix in ("", *BESIDE):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _plans(workspace: NightlyWorkspace, store: Store) -> str:
    """Active plans: those of the old file, for other nights what the published folders can prove."""
    lost = []
    known = {r["night"] for r in store.rows("SELECT night FROM plans")}
    for folder in (folder for night, folder in _active(workspace).items() if night not in known):
        try:  # its ex-ante cost again, from the kept inputs
            day = date.fromisoformat(read_night(folder)["date"])
            inputs = read_inputs(workspace.snapshots / folder.name / CASE)
            schedule = read_schedule(folder / "schedule.parquet")
            jobs = {j.id: j for j in inputs.jobs}
            cost = ex_ante_cost(inputs, day, schedule, read_setpoints(folder), inputs.state, jobs)
            store.put("plans", plan_row(day, folder, folder.name, cost))
        except (InputError, OSError, ValueError, KeyError):
            lost.append(folder.name)
    without = f" (not {', '.join(lost)}: what they kept cannot be read)" if lost else ""
    return f"{store.rows('SELECT count(*) AS n FROM plans')[0]['n']} plans{without}"


def _active(workspace: NightlyWorkspace) -> dict[str, Path]:
    """Night -> folder of its plan, of the published ones up to tomorrow.

    Of two that became active the last made stands, as in `nightly`. A folder of an older version does not say whether
    it did: the first made stands, for a later one may have been made on file only.
    """
    paths = [p for p in workspace.out.glob(f"*/{NIGHT}") if not p.parent.is_symlink() and p.parent.name[0] != "."]
    folders = sorted(filter(is_published, (p.parent for p in paths)), key=lambda p: p.stat().st_mtime_ns)
    found: dict[str, Path] = {}
    for folder in folders:
        manifest = read_manifest(folder)
        night, active = manifest.get("night"), manifest.get("active")
        if night is None or night > str(tomorrow(workspace)) or active is False:
            continue
        if active or night not in found:
            found[night] = folder
    return found


def _salvaged(old: Path, store: Store) -> list[str]:
    """Copy every row of the old file that can be read and fits; returns how many of each table but the plans."""
    counts = []
    for table in ("plans", *SALVAGED):
        columns = [str(r["name"]) for r in store.rows(f"PRAGMA table_info({table})")]
        rows: list[dict[str, Any]] = []
        if old.exists():  # what is damaged, or has other columns, ends the rows: those before it are kept
            with suppress(sqlite3.Error, ValueError):
                rows.extend(_rows(old, table, columns))
        policies = Counter(row["day"] for row in rows) if table == "settled_days" else Counter()
        for row in rows:
            if table != "settled_days" or policies[row["day"]] == 2:  # settled days have a row of both policies
                store.put(table, row)
        count = store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]
        counts.append(f"{count} {table.replace('_', ' ')}")
    return counts[1:]


def _rows(path: Path, table: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of a table of the old file, of this layout or the first, up to one that cannot be read."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        first = connection.execute("PRAGMA user_version").fetchone()[0] == 1
        source, names = older_formats.columns_of(table, columns) if first else (table, columns)
        for values in connection.execute(f"SELECT {', '.join(names)} FROM {source} ORDER BY rowid"):
            row = dict(zip(columns, values, strict=True))
            if first and row.get("night_json"):
                row["night_json"] = json.dumps(older_formats.night(json.loads(row["night_json"])))
            yield row
