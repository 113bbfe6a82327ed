"""What an operator would look at when a night went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from energy.inputs.errors import InputError
from energy.inputs.fleet import load_fleet
from energy.inputs.gpus import load_gpu_powers
from energy.inputs.tables import read_series
from energy.inputs.tariffs import load_tariffs
from energy.operate.config import Place, due, now, today
from energy.operate.errors import NightError, StoreError
from energy.operate.publish import LATEST, is_published, lock
from energy.operate.queue import read_queue
from energy.operate.runs import check_writable
from energy.operate.store import check_integrity, open_state

#: Free space below which nights will soon fail [MB]: some hundred nights of a small fleet.
LEAST_FREE_MB = 500
#: The clock is wrong when it stands before the newest night by more than this [days].
CLOCK_DAYS = 2


@dataclass(frozen=True)
class Finding:
    """One look: what at, whether a night can go on with it, in words, and whether they are a warning."""

    what: str
    ok: bool
    words: str
    warns: bool = False


class Warns(RuntimeError):
    """What somebody should know though no night fails by it."""


def examine(place: Place) -> list[Finding]:
    """Every look, in the order in which a night needs them; none stops the next."""
    looks: tuple[tuple[str, Callable[[Place], str]], ...] = (
        ("fleet", _fleet), ("jobs", _jobs), ("series", _series), ("output folder", _folder), ("disk", _disk),
        ("lock", _lock), ("database", _database), ("latest", _latest), ("clock", _clock), ("solver", _solver),
    )  # fmt: skip
    return [_look(what, look, place) for what, look in looks]


def _look(what: str, look: Callable[[Place], str], place: Place) -> Finding:
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


def _folder(place: Place) -> str:
    check_writable(place.out)
    return f"{place.out} can be written"


def _disk(place: Place) -> str:
    free = shutil.disk_usage(place.out).free / 1e6
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
