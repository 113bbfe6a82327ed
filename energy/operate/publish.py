"""Publishing a night: a folder that is whole or not there, and `latest` that points to a whole one."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from energy.operate.durable import sync, sync_one
from energy.operate.errors import NightError, RunFolderError
from energy.operate.runs import PAGE, changed_files, save_page, sha256
from energy.report import markdown
from energy.report.record import NIGHT, PLAN_STATUS, Record, write_json

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
        (work / SUMMARY).write_text(markdown.page(night), encoding="utf-8")
        if page:
            save_page(replace(record, manifest=manifest, night=night), work / PAGE)
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
