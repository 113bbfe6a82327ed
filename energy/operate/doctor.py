"""What an operator would look at when a night went wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from energy.inputs.errors import InputError
from energy.inputs.fleet import load_fleet
from energy.inputs.gpus import load_gpu_powers
from energy.inputs.tables import read_series
from energy.inputs.tariffs import load_tariffs
from energy.operate.config import Place, due, now, today
from energy.operate.errors import NightError, RunFolderError, StoreError
from energy.operate.publish import LATEST, LOCK, is_published, lock
from energy.operate.queue import read_queue
from energy.operate.store import check_integrity, has_nights, open_state

#: Free space below which nights will soon fail [MB]: some hundred nights of a small fleet.
LEAST_FREE_MB = 500
#: The clock is wrong when it stands before the newest night by more than this [days].
CLOCK_DAYS = 2
#: Looks at a place: what at, and how: words where all is well.
Look = Callable[[Place], str]
Looks = tuple[tuple[str, Look], ...]


@dataclass(frozen=True)
class Finding:
    """One look: what at, whether a night can go on with it, in words, and whether they are a warning."""

    what: str
    ok: bool
    words: str
    warns: bool = False


class Warns(RuntimeError):
    """What somebody should know though no night fails by it."""


def examine(place: Place, more: Looks = ()) -> list[Finding]:
    """Every look, in the order in which a night needs them, and `more`; none stops the next, and none makes anything."""
    looks: Looks = (
        ("fleet", _fleet), ("jobs", _jobs), ("series", _series), ("output folder", _folder), ("disk", _disk),
        ("lock", _once(_lock, _lock_file)), ("database", _once(_database, _database_file)), ("latest", _latest),
        ("clock", _once(_clock, _database_file)), ("solver", _solver),
    )  # fmt: skip
    return [_look(what, look, place) for what, look in (*looks, *more)]


def _look(what: str, look: Look, place: Place) -> Finding:
    try:
        return Finding(what, True, look(place))
    except Warns as e:
        return Finding(what, True, str(e), warns=True)
    except (InputError, NightError, StoreError, OSError) as e:
        return Finding(what, False, str(e))


def _fleet(place: Place) -> str:
    path = place.beside(place.config.fleet)
    fleet = load_fleet(path)
    load_gpu_powers(fleet, path)
    load_tariffs(fleet, path)
    if not place.config.live and (lacking := sorted(set(fleet.sites) - set(place.config.weather))):
        raise NightError(f"no weather for site {lacking[0]}")
    return f"{len(fleet.sites)} sites, {len(fleet.pools())} pools"


def _jobs(place: Place) -> str:
    queue = read_queue(place.beside(place.config.jobs), place.config.known_at(due(place.config)))
    if queue.refused:
        raise NightError(f"{len(queue.refused)} rows cannot be planned, the first: {queue.refused[0]}")
    return f"{len(queue.jobs)} jobs"


def _series(place: Place) -> str:
    config = place.config
    if config.live:
        return "fetched every night; energy sources tells how fresh each source is"
    until = config.begin(today(config))
    files = (
        [p.file for p in config.prices]
        + [w.file for w in config.weather.values()]
        + [c.file for c in config.carbon.values()]
    )
    for file in dict.fromkeys(files):
        table = read_series(place.beside(file))
        if table.index[-1].to_datetime64() < until:
            raise NightError(f"{place.beside(file)}: ends at {table.index[-1]}Z, before today")
    return f"{len(set(files))} files reach today"


def _once(look: Look, file: Callable[[Place], Path]) -> Look:
    """The look, once there is something to look at: to open it would make it."""

    def there(place: Place) -> str:
        path = file(place)
        if path.exists() or has_nights(place):
            return look(place)
        return f"{path} is not there yet; the first night makes it"

    return there


def _lock_file(place: Place) -> Path:
    return place.out / LOCK


def _database_file(place: Place) -> Path:
    return place.database


def _folder(place: Place) -> str:
    return can_write(place.out)


def can_write(path: Path) -> str:
    """That a file or folder can be written, or made where it is not there yet, in words; without writing anything.

    Raises
    ------
    RunFolderError : it cannot; names the nearest folder that is there.
    """
    path = path.absolute()  # as `nearest` has it: a nightly file named by a relative path has relative places
    there = nearest(path)
    if not os.access(there, os.W_OK | (os.X_OK if there.is_dir() else 0)) or (there != path and not there.is_dir()):
        raise RunFolderError(f"{path} cannot be written; let the user of the night write to {there}, or name another")
    return f"{path} can be written" if there == path else f"{path} can be made"


def nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())


def _disk(place: Place) -> str:
    free = min(shutil.disk_usage(nearest(p)).free for p in (place.out, place.database, place.log, place.metrics)) / 1e6
    if free < LEAST_FREE_MB:
        raise NightError(f"{free:,.0f} MB are free, {LEAST_FREE_MB} are wanted")
    return f"{free:,.0f} MB are free"


def _lock(place: Place) -> str:
    with lock(place.out):
        return "no run is at work"


def _database(place: Place) -> str:
    with open_state(place) as store:
        check_integrity(store)
        nights = store.rows("SELECT count(*) AS n, max(night) AS last FROM plans")[0]
        plans = store.rows("SELECT night, folder, kept FROM plans ORDER BY night")
    gone = [r["night"] for r in plans if not _has_folders(place, r)]
    if gone:
        raise Warns(
            f"folders of {len(gone)} nights in the books are gone, the last of {gone[-1]}: their days have no books"
        )
    return f"{nights['n']} plans, the last of {nights['last']}"


def _has_folders(place: Place, plan: dict[str, Any]) -> bool:
    return all(p.is_dir() for p in (place.kept / str(plan["kept"]), place.out / str(plan["folder"])))


def _latest(place: Place) -> str:
    link = place.out / LATEST
    if not link.is_symlink():
        return "nothing is published yet"
    if not is_published(link):
        raise NightError(f"{link} points to {link.readlink()}, which is not whole")
    return f"points to {link.readlink()}, whole"


def _clock(place: Place) -> str:
    with open_state(place) as store:
        row = store.row("SELECT max(night) AS night FROM plans")
    last = str(row["night"]) if row and row["night"] else ""
    if last > str(today(place.config) + timedelta(days=1 + CLOCK_DAYS)):
        raise NightError(f"it is {now():%Y-%m-%d %H:%M} UTC, but night {last} is published already")
    return f"{now():%Y-%m-%d %H:%M} UTC"


def _solver(_: Place) -> str:
    return f"HiGHS {version('highspy')}, Pyomo {version('pyomo')}"
