"""Health checks of `energy doctor`: what a night needs on this machine, what its operator should know, live sources."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

from energy.errors import InputError, NightError, OlderLayout, RunFolderError, StoreError
from energy.fetch import CACHE
from energy.inputs.fleet import load_fleet
from energy.inputs.fx import read_fx
from energy.inputs.gpus import load_gpu_powers
from energy.inputs.state import load_state
from energy.inputs.tariffs import load_tariffs
from energy.nightly.config import CLOCK, LATEST, LOCK, NightlyWorkspace, due, lock, now, today
from energy.nightly.database import check_integrity, has_nights, open_state
from energy.nightly.notify import ADDRESSES, NOT_INSTALLED, PdfError, import_weasyprint, service_of
from energy.nightly.publish import is_published
from energy.nightly.queue import most_gpus, read_queue, set_aside
from energy.series.files import read_series
from energy.sources.catalogue import SOURCES
from energy.sources.client.credentials import CredentialError
from energy.sources.client.settings import CONTACT_VARIABLE, from_environment
from energy.sources.status import freshness

#: Free space below which nights will soon fail [MB]: some hundred nights of a small fleet.
LEAST_FREE_MB = 500
#: The clock is wrong when it stands before the newest night by more than this [days].
CLOCK_DAYS = 2
#: A health check: its message where all is well.
Check = Callable[[NightlyWorkspace], str]
Checks = tuple[tuple[str, Check], ...]


@dataclass(frozen=True)
class Finding:
    """Finding of one check: whether a night can go on with it, and whether the message is a warning."""

    what: str
    ok: bool
    message: str
    warns: bool = False


class HealthWarning(RuntimeError):
    """A message for the operator about a state that makes no night fail."""


def check_health(workspace: NightlyWorkspace) -> list[Finding]:
    """Run every check, those of live sources where they are fetched; none stops the next, none asks or makes anything."""
    live: Checks = (("keys of sources", _keys), ("sources", _sources)) if workspace.config.live else ()
    found = []
    for what, check in (*CHECKS, *live):
        try:
            found.append(Finding(what, True, check(workspace)))
        except (HealthWarning, OlderLayout) as e:
            found.append(Finding(what, True, str(e), warns=True))
        except (InputError, NightError, StoreError, OSError) as e:
            found.append(Finding(what, False, str(e)))
    return found


def _fleet(workspace: NightlyWorkspace) -> str:
    path = workspace.beside(workspace.config.fleet)
    fleet = load_fleet(path)
    load_gpu_powers(fleet, path)
    load_tariffs(fleet, path)
    if not workspace.config.live and (lacking := sorted(set(fleet.sites) - set(workspace.config.weather))):
        raise NightError(f"no weather for site {lacking[0]}")
    return f"{len(fleet.sites)} sites, {len(fleet.pools())} pools"


def _jobs(workspace: NightlyWorkspace) -> str:
    queue = read_queue(workspace.beside(workspace.config.jobs), workspace.config.known_at(due(workspace.config)))
    if queue.refused:
        raise NightError(f"{len(queue.refused)} rows cannot be planned, the first: {queue.refused[0]}")
    return f"{len(queue.jobs)} jobs"


def _series(workspace: NightlyWorkspace) -> str:
    config = workspace.config
    if config.live:
        return "fetched every night; energy sources tells how fresh each source is"
    until = config.begin(today(config))
    others = [*(w.file for w in config.weather.values()), *(c.file for c in config.carbon.values())]
    files = dict.fromkeys([*(p.file for p in config.prices), *others])
    for file in files:
        table = read_series(workspace.beside(file))
        if table.index[-1].to_datetime64() < until:
            raise NightError(f"{workspace.beside(file)}: ends at {table.index[-1]}Z, before today")
    return f"{len(files)} files reach today"


def _once(check: Check, file: Callable[[NightlyWorkspace], Path]) -> Check:
    """The check, but only of a file that exists: to open it would make it."""

    def there(workspace: NightlyWorkspace) -> str:
        path = file(workspace)
        if path.exists() or has_nights(workspace):
            return check(workspace)
        return f"{path} is not there yet; the first night makes it"

    return there


def can_write(path: Path) -> str:
    """Check, without writing, that a file or folder can be written, or made where it does not exist yet.

    Raises
    ------
    RunFolderError : neither is allowed; names the nearest folder that exists.
    """
    path = path.absolute()  # as `nearest` has it: a nightly file named by a relative path has relative places
    there = nearest(path)
    if not os.access(there, os.W_OK | (os.X_OK if there.is_dir() else 0)) or (there != path and not there.is_dir()):
        raise RunFolderError(f"{path} cannot be written; let the user of the night write to {there}, or name another")
    return f"{path} can be written" if there == path else f"{path} can be made"


def nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())


def _disk(workspace: NightlyWorkspace) -> str:
    places = (workspace.out, workspace.database, workspace.log, workspace.metrics)
    free = min(shutil.disk_usage(nearest(p)).free for p in places) / 1e6
    if free < LEAST_FREE_MB:
        raise NightError(f"{free:,.0f} MB are free, {LEAST_FREE_MB} are wanted")
    return f"{free:,.0f} MB are free"


def _lock(workspace: NightlyWorkspace) -> str:
    with lock(workspace.out):
        return "no run is at work"


def _database(workspace: NightlyWorkspace) -> str:
    with open_state(workspace, migrate=False) as store:
        check_integrity(store)
        plans = store.rows("SELECT night, folder, snapshot FROM plans ORDER BY night")
    gone = [
        r["night"]
        for r in plans
        if not ((workspace.snapshots / r["snapshot"]).is_dir() and (workspace.out / r["folder"]).is_dir())
    ]
    if gone:
        lost = f"folders of {len(gone)} nights on record are gone, the last of {gone[-1]}"
        raise HealthWarning(f"{lost}: their days cannot be settled")
    return f"{len(plans)} plans, the last of {plans[-1]['night'] if plans else None}"


def _latest(workspace: NightlyWorkspace) -> str:
    link = workspace.out / LATEST
    if link.exists() and not link.is_symlink():
        raise HealthWarning(f"{link} is no link to a night; the next night puts it aside")
    if link.is_symlink() and not is_published(link.parent / link.readlink()):
        raise NightError(f"{link} points to {link.readlink()}, which is not whole")
    return f"points to {link.readlink()}, whole" if link.is_symlink() else "nothing is published yet"


def _clock(workspace: NightlyWorkspace) -> str:
    with open_state(workspace, migrate=False) as store:
        row = store.row("SELECT max(night) AS night FROM plans")
    last = str(row["night"]) if row and row["night"] else ""
    if last > str(today(workspace.config) + timedelta(days=1 + CLOCK_DAYS)):
        raise NightError(f"it is {now():%Y-%m-%d %H:%M} UTC, but night {last} is published already")
    return f"{now():%Y-%m-%d %H:%M} UTC"


def _keys(_: NightlyWorkspace) -> str:
    """Names of the variables that are not set; never their values."""
    try:
        settings = from_environment(CACHE, SOURCES)
    except CredentialError as e:
        raise NightError(str(e)) from None
    keys = {s.key.variable: name for name, s in SOURCES.items() if s.key}
    missing = [f"{v} ({keys[v]})" for v in keys if settings.credentials.get(v) is None]
    missing += [] if settings.contact else [f"{CONTACT_VARIABLE} (met_norway asks for one)"]
    if missing:
        what = f"not set: {', '.join(missing)}"
        raise HealthWarning(f"{what}; those sources are left out where they need it (docs/sources.md)")
    return f"{len(keys)} and the contact are set"


def _sources(_: NightlyWorkspace) -> str:
    """Last success of each source, from the ledger of requests, which is read without writing."""
    ledger = Path(CACHE / "ledger.sqlite").absolute()
    if not ledger.is_file():
        return f"nothing was fetched yet from this folder ({Path.cwd()})"
    query = "SELECT source, max(at) FROM delivery WHERE kind = 'ok' AND stale = 0 GROUP BY source"
    way = "mode=ro" if os.access(ledger.parent, os.W_OK) else "mode=ro&immutable=1"  # WAL wants a file beside it
    try:
        with closing(sqlite3.connect(f"file:{ledger}?{way}", uri=True)) as connection:
            last = {name: datetime.fromisoformat(at) for name, at in connection.execute(query)}
    except (sqlite3.Error, ValueError) as e:
        raise NightError(f"{ledger}: cannot be read ({e}); move it aside, the next fetch makes a new one") from None
    ages = {name: (datetime.now(UTC).replace(tzinfo=None) - at) / timedelta(hours=1) for name, at in last.items()}
    words = "; ".join(f"{name} {freshness(age)}" for name, age in sorted(ages.items(), key=lambda x: x[1]))
    if not ages or freshness(min(ages.values())).startswith("old"):
        raise HealthWarning(f"{words or 'not one has ever answered'}; energy sources tells the last failure of each")
    return words


#: A file from so far ahead was written by a clock that is right, or will be [h]: less is the drift between two machines.
AHEAD_H = 1.0
#: Without a plan for so many days nobody has looked [days].
OLD_PLAN_DAYS = 2


def _fit(workspace: NightlyWorkspace) -> str:
    """Jobs of the queue that some pool can run, by the fleet of today."""
    path = workspace.beside(workspace.config.fleet)
    fleet, moment = load_fleet(path), np.datetime64(now().replace(tzinfo=None), "ns")
    queue = read_queue(workspace.beside(workspace.config.jobs), moment)
    queue.refused.clear()  # rows that cannot be read are another check
    set_aside(queue, fleet, load_gpu_powers(fleet, path), most_gpus(fleet, np.array([moment])))
    if queue.refused:
        first = f"the first: {queue.refused[0]}"
        raise HealthWarning(f"{len(queue.refused)} jobs are set aside every night, {first}; mend the table")
    return f"{len(queue.jobs)} jobs have a pool"


def _metrics(workspace: NightlyWorkspace) -> str:
    can_write(workspace.metrics.with_suffix(".new"))  # written beside its place and renamed
    return f"{workspace.metrics} can be written"


def _extra_files(workspace: NightlyWorkspace) -> str:
    read_fx(workspace.config.fx, workspace.path.parent, np.datetime64(now().replace(tzinfo=None), "ns"))
    if workspace.config.state:
        load_state(workspace.beside(workspace.config.state))
    return f"{len(workspace.config.fx)} rates{' and the opening state' if workspace.config.state else ''} can be read"


def _messages(workspace: NightlyWorkspace) -> str:
    """Number of addresses, and the kind of a wrong one: the rest of an address is a secret."""
    addresses = os.environ.get(ADDRESSES, "").split()
    if not addresses:
        return f"no message is sent: {ADDRESSES} is not set"
    try:
        make = import_module("apprise").Apprise
    except ImportError:
        raise HealthWarning(NOT_INSTALLED) from None
    wrong = [service_of(a) for a in addresses if not make().add(a)]
    if wrong:
        what = f"{len(wrong)} addresses of {ADDRESSES} are none that apprise knows"
        raise HealthWarning(f"{what}, the first of kind {wrong[0]}")
    return f"{len(addresses)} addresses"


def _pdf(workspace: NightlyWorkspace) -> str:
    if not workspace.config.pdf:
        return "not asked for"
    try:
        import_weasyprint()
    except PdfError as e:
        raise HealthWarning(str(e)) from None
    return "can be made"


def _file_times(workspace: NightlyWorkspace) -> str:
    """Compare the clock with the newest file: a clock that is behind plans nights that are over."""
    if given := os.environ.get(CLOCK):
        raise HealthWarning(f"{CLOCK} is set: nights take {given} for the clock; unset it but for rehearsals")
    c = workspace.config
    read = (c.fleet, c.jobs, *(p.file for p in c.prices), *(w.file for w in c.weather.values()))
    there = [*map(workspace.beside, read), *workspace.out.glob("*/manifest.json")]
    newest = max(filter(Path.is_file, there), key=lambda p: p.stat().st_mtime, default=None)
    if newest is None:
        return "no file to compare the clock with"
    written = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    if written > datetime.now(UTC) + timedelta(hours=AHEAD_H):
        raise NightError(
            f"it is {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, but {newest} was written {written:%Y-%m-%d %H:%M}; "
            "set the clock, or that file's time"
        )
    return f"the newest file is of {written:%Y-%m-%d %H:%M} UTC"


def _newest_plan(workspace: NightlyWorkspace) -> str:
    """Age of the active plan, from the published nights themselves."""
    link = workspace.out / "latest" / "manifest.json"
    if not link.is_file():
        return "none yet"
    age = max(now() - datetime.fromtimestamp(link.stat().st_mtime, UTC), timedelta(0))
    words = f"published {age / timedelta(hours=1):.0f} h ago"
    if age > timedelta(days=OLD_PLAN_DAYS):
        raise HealthWarning(f"{words}; energy history shows the nights since, the timer whether they were run")
    return words


#: In the order in which a night needs them, then what else its operator should know.
CHECKS: Checks = (
    ("fleet", _fleet), ("jobs", _jobs), ("series", _series), ("output folder", lambda w: can_write(w.out)),
    ("disk", _disk), ("lock", _once(_lock, lambda w: w.out / LOCK)), ("database", _once(_database, lambda w: w.database)),
    ("latest", _latest), ("clock", _once(_clock, lambda w: w.database)), ("solver", lambda _: f"HiGHS {version('highspy')}, Pyomo {version('pyomo')}"),
    ("jobs with a pool", _fit), ("fx and state", _extra_files), ("metrics", _metrics),
    ("log", lambda w: can_write(w.log)), ("messages", _messages), ("pdf", _pdf), ("file times", _file_times),
    ("last success", _newest_plan),
)  # fmt: skip
