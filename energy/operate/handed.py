"""Which published nights a scheduler is handed: the one in force at a moment, and those that follow it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import h5netcdf
import numpy as np
import xarray as xr

from energy.handover.joined import joined
from energy.handover.quota import Group, Quotas, groups_of, quotas
from energy.operate.errors import RunFolderError
from energy.operate.publish import LATEST
from energy.operate.runs import read_run

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
