"""Published nights for a scheduler: the plan that is active at a moment, and those that follow it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import h5netcdf
import numpy as np
import xarray as xr

from energy.errors import NewerFormat, RunFolderError
from energy.handover import Group, Quotas, quotas
from energy.handover.quota import groups_of, joined
from energy.nightly.config import LATEST
from energy.runs.folder import read_run

#: Where the active plans are on record, in the folder of nights, unless the nightly file names another place.
DATABASE = "state.sqlite"
#: Nights before the active one whose groups get nothing any more: a scheduler that no hand-over reached for so many
#: days has been left to itself.
REMEMBERED = 7
#: Arrays of a Problem that say who its groups are.
OF_GROUPS = ("pool", "pool_class", "speed", "job", "job_group", "expected")


def folder_of_nights(path: Path) -> Path | None:
    """The folder of nights that a path means: itself, or the one that `latest` lies in; None for anything else."""
    if path.is_symlink() and path.name == LATEST:
        return path.parent
    return path if not (path / "manifest.json").is_file() and any(_nights_in(path)) else None


def plan_at(out: Path, moment: datetime, follow: bool) -> Quotas:
    """Quotas of the plan that is active at a moment: that of the newest night whose delivery day has begun.

    Groups of the nights before it that have no job in it any more get nothing.

    Parameters
    ----------
    out : folder of nights
    moment : UTC
    follow : join the nights that begin after it, each from its beginning on

    Raises
    ------
    RunFolderError : not one whole night is there, or a newer version of this program has written one.
    """
    at, parts = np.datetime64(moment.replace(tzinfo=None), "ns"), list[Quotas]()
    nights = in_order(out)
    while nights and not (parts and parts[0].start[0] <= at):
        try:
            parts.insert(0, quotas(read_run(nights.pop())))
        except NewerFormat:
            raise
        except (RunFolderError, OSError, ValueError):  # a folder that is not whole is passed over
            continue
    if not parts:
        raise RunFolderError(f"{out}: holds no whole night; allowed: a run folder, or the folder of nights")
    former = [g for night in nights[-REMEMBERED:] for g in _former(night)]
    while len(parts) > 1 and parts[0].end <= at:  # it covers nothing any more
        former += parts.pop(0).groups
    return joined(parts if follow else parts[:1], former)


def in_order(out: Path) -> list[Path]:
    """Folders of the active plans, by delivery day, without nights that were reprocessed on file only.

    What the database says, and where it cannot be read: of two folders of one night the younger, unless a later night
    was there before it.
    """
    found: dict[str, list[Path]] = {}
    for night, folder in sorted(_nights_in(out), key=lambda x: (x[0], (x[1] / "manifest.json").stat().st_mtime_ns)):
        found.setdefault(night, []).append(folder)
    on_record, last, chosen = dict[str, str](), float("inf"), list[Path]()
    database = f"file:{out / DATABASE}?mode=ro"  # read-only: the user who hands over may not write there
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, uri=True)) as connection:
        on_record = dict(connection.execute("SELECT night, folder FROM plans"))
    for night in sorted(found, reverse=True):
        folders = found[night]
        timely = [f for f in folders if (f / "manifest.json").stat().st_mtime_ns <= last] or folders[:1]
        entered = [f for f in folders if f.name == on_record.get(night)]
        chosen.insert(0, (entered or timely)[-1])
        last = min(last, (chosen[0] / "manifest.json").stat().st_mtime_ns)
    return chosen


def _nights_in(out: Path) -> Iterator[tuple[str, Path]]:
    """Delivery day and folder of every night, without `latest` and what is being written."""
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


def _former(folder: Path) -> tuple[Group, ...]:
    """Groups of an older night, from the few arrays that say so: xarray would read two hundred."""
    try:
        with h5netcdf.File(folder / "problem.nc", decode_vlen_strings=True) as file:
            found = {n: (v.dimensions, v[...]) for n, v in file.variables.items() if n in OF_GROUPS}
        return groups_of(xr.Dataset(found))
    except (OSError, ValueError, KeyError):
        return ()
