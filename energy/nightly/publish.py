"""Publishing a night: a folder that is whole or not there, and `latest` that points to a whole one.

Which published nights a scheduler is handed: the one in force at a moment, and those that follow it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import xarray as xr

from energy.errors import NightError, RunFolderError
from energy.handover import Group, Quotas, quotas
from energy.handover.quota import groups_of, joined
from energy.report import markdown
from energy.report.night import night_view
from energy.report.page import render
from energy.runs.folder import PAGE, changed_files, read_run, save_page, sha256, sync, sync_one
from energy.runs.record import NIGHT, PLAN_STATUS, Record, write_json

#: Test hooks: the step at which the process kills itself, or finds the disk full.
KILL_AT, FULL_AT = "HYDROCOOL_KILL_AT", "HYDROCOOL_FULL_AT"
#: Keys of a run's manifest that tell of the clock and not of the plan: the database keeps them.
OF_THE_CLOCK = ("created_utc", "seconds", "files_sha256")
LATEST, LOCK, SUMMARY = "latest", ".lock", "summary.md"


def step(name: str) -> None:
    """A point between two steps of a night, where tests kill it or fill the disk."""
    if os.environ.get(KILL_AT) == name:
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get(FULL_AT) == name:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """One night at a time; the system frees the lock of a process that dies.

    Raises
    ------
    NightError : another run holds it.
    RunFolderError : the folder cannot be made, written or locked.
    """
    with _named(out):
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("a+b")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NightError(f"{out}: another run is at work there; nothing was touched") from None
        except OSError as e:  # a file system without locks, say
            raise RunFolderError(f"{out / LOCK}: cannot be locked ({e.strerror or e}); name another `out`") from None
        yield


def is_published(folder: Path) -> bool:
    """Whether a folder is a whole night: manifest there, every file with its hash, but for a page drawn again."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return not changed_files(folder, manifest)
    except (OSError, ValueError, KeyError):
        return False


def publish_night(
    run: Path,
    out: Path,
    run_id: str,
    night: dict[str, Any],
    record: Record,
    page: bool = True,
    in_force: bool = True,
) -> Path:
    """Make the folder of a night out of a run folder: without the clock, with night.json, manifest last.

    Parameters
    ----------
    record : what the run folder holds
    page : draw the report
    in_force : whether the plan comes into force; without, a database made anew must not take it for one that did

    Raises
    ------
    RunFolderError : it cannot be written; nothing half-written stays under its name.
    """
    final, work = out / run_id, out / f".night-{run_id}"
    with _named(final):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(run, work, ignore=shutil.ignore_patterns(PAGE, "manifest.json"))
        step("copied")
        write_json(night, work / NIGHT)
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        manifest = {k: v for k, v in manifest.items() if k not in OF_THE_CLOCK}
        # The optimiser's own verdict stays beside the night's, which data and books may have made worse.
        manifest |= {PLAN_STATUS: manifest["status"], "run_id": run_id, "night": night["date"], "status": night["status"],
                     "rung": night["rung"], "reasons": night["reasons"], "in_force": in_force}  # fmt: skip
        manifest["solver"] = {k: v for k, v in manifest["solver"].items() if k != "seconds"}
        (work / SUMMARY).write_text(markdown.page(night_view(night)), encoding="utf-8")
        if page:
            save_page(render(replace(record, manifest=manifest, night=night)), work / PAGE)
        step("drawn")
        hashes = {
            str(p.relative_to(work)): sha256(p)
            for p in sorted(work.rglob("*"))
            if p.is_file() and p.name != "manifest.json"
        }
        write_json(manifest | {"files_sha256": hashes}, work / "manifest.json")
        step("manifest")
        work.chmod(0o755)
        sync(work)
        step("synced")
        if final.exists():
            shutil.rmtree(final)  # not whole, or to be made again
        work.rename(final)
        sync_one(out)
        step("renamed")
    return final


def switch_latest(out: Path, run_id: str) -> None:
    """Point `latest` to a night in one step."""
    with _named(out / LATEST):
        new = out / f".{LATEST}"
        with suppress(FileNotFoundError):
            new.unlink()
        new.symlink_to(run_id, target_is_directory=True)
        step("linked")
        new.replace(out / LATEST)
        sync_one(out)
        step("switched")


def latest(out: Path) -> str | None:
    """The run id that `latest` points to."""
    link = out / LATEST
    return str(link.readlink()) if link.is_symlink() else None


def sweep(out: Path) -> None:
    """Remove what killed runs left behind; only while the lock is held."""
    for pattern in (".night-*", ".writing-*", ".old-*", ".work", f".{LATEST}", "inputs/.new-*"):
        for path in out.glob(pattern):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def _named(what: Path) -> Iterator[None]:
    try:
        yield
    except RunFolderError:
        raise
    except OSError as e:
        raise RunFolderError(f"{what}: cannot be written ({e.strerror or e}); `latest` is as it was") from None


#: Where the plans in force are on record, in the folder of nights, unless the nightly file names another place.
DATABASE = "state.sqlite"
#: Nights before the one in force whose groups are told that they have nothing any more: a scheduler that no hand-over
#: reached for so many days has been left to itself.
REMEMBERED = 7
#: Arrays of a Problem that say who its groups are.
OF_GROUPS = ("pool", "pool_class", "speed", "job", "job_group", "expected")


def folder_of_nights(path: Path) -> Path | None:
    """The folder of nights that a path means: itself, or the one that `latest` lies in; None for anything else."""
    if path.is_symlink() and path.name == LATEST:
        return path.parent
    return path if not (path / "manifest.json").is_file() and any(_dated(path)) else None


def plan_at(out: Path, moment: datetime, follow: bool) -> Quotas:
    """Quotas of the night in force at a moment: the newest whose delivery day has begun.

    Groups of the nights before it that have no job in it any more get nothing.

    Parameters
    ----------
    out : folder of nights
    moment : UTC
    follow : join the nights that begin after it, each from its beginning on

    Raises
    ------
    RunFolderError : not one whole night is there.
    """
    at, parts = np.datetime64(moment.replace(tzinfo=None), "ns"), list[Quotas]()
    nights = in_order(out)
    while nights and not (parts and parts[0].start[0] <= at):
        if (found := _whole(nights.pop())) is not None:
            parts.insert(0, found)
    if not parts:
        raise RunFolderError(f"{out}: holds no whole night; allowed: a run folder, or the folder of nights")
    former = [g for night in nights[-REMEMBERED:] for g in _former(night)]
    while len(parts) > 1 and parts[0].end <= at:  # it covers nothing any more
        former += parts.pop(0).groups
    return joined(parts if follow else parts[:1], former)


def in_order(out: Path) -> list[Path]:
    """Folders of the plans in force, by delivery day; a night that was made again on file only is none of them.

    What the database says, and where it cannot be read: of two folders of one night the younger, unless a later night
    was there before it.
    """
    found: dict[str, list[Path]] = {}
    for night, folder in sorted(_dated(out), key=lambda x: (x[0], (x[1] / "manifest.json").stat().st_mtime_ns)):
        found.setdefault(night, []).append(folder)
    entered, last, chosen = _entered(out), float("inf"), list[Path]()
    for night in sorted(found, reverse=True):
        folders = found[night]
        timely = [f for f in folders if (f / "manifest.json").stat().st_mtime_ns <= last] or folders[:1]
        booked = [f for f in folders if f.name == entered.get(night)]
        chosen.insert(0, (booked or timely)[-1])
        last = min(last, (chosen[0] / "manifest.json").stat().st_mtime_ns)
    return chosen


def _dated(out: Path) -> Iterator[tuple[str, Path]]:
    """Delivery day and folder of every night; `latest` and what is being written are none of them."""
    for manifest in out.glob("*/manifest.json"):
        folder = manifest.parent
        if folder.is_symlink() or folder.name.startswith("."):
            continue
        try:
            night = json.loads(manifest.read_text(encoding="utf-8")).get("night")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(night, str):
            yield night, folder


def _entered(out: Path) -> dict[str, str]:
    """Folder by night, as the database has it: only looked at, for whoever hands over may not write there."""
    try:
        with closing(sqlite3.connect(f"file:{out / DATABASE}?mode=ro", uri=True)) as connection:
            return dict(connection.execute("SELECT night, folder FROM plans"))
    except sqlite3.Error:
        return {}


def _whole(folder: Path) -> Quotas | None:
    """Quotas of a night; None where the folder is not whole."""
    try:
        return quotas(read_run(folder))
    except (RunFolderError, OSError, ValueError):
        return None


def _former(folder: Path) -> tuple[Group, ...]:
    """Groups of an older night, from the few arrays that say so: xarray would read two hundred."""
    try:
        with h5netcdf.File(folder / "problem.nc", decode_vlen_strings=True) as file:
            found = {n: (v.dimensions, v[...]) for n, v in file.variables.items() if n in OF_GROUPS}
        return groups_of(xr.Dataset(found))
    except (OSError, ValueError, KeyError):
        return ()
