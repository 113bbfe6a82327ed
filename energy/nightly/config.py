"""A nightly file where it stands, the folder that its nights write to, and the clock."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy.errors import ConfigError, NightError, RunFolderError
from energy.inputs.case import Nightly
from energy.inputs.yaml_files import Frozen, load_model

#: Replaces the clock where it is set: rehearsals and tests run a night at another moment (ISO 8601, UTC).
CLOCK = "HYDROCOOL_NOW"
#: What a child may take, as a multiple of its limit, before it is killed.
OVERTIME = 1.5
#: Test hooks: the step at which the process kills itself, or finds the disk full.
KILL_AT, FULL_AT = "HYDROCOOL_KILL_AT", "HYDROCOOL_FULL_AT"
#: Link to the newest night, and the file whose lock a running night holds.
LATEST, LOCK = "latest", ".lock"


class NightlyWorkspace(Frozen):
    """A nightly file where it stands, with the folders it works in.

    Attributes
    ----------
    notes, reasons : messages about the fetched series of its night; reasons make the night DEGRADED
    water : where a live night has reservoir and hydropower files; None of nights from files
    """

    path: Path
    config: Nightly
    notes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    water: Path | None = None

    def beside(self, name: str) -> Path:
        """A path of the file."""
        return self.path.parent / name

    @property
    def out(self) -> Path:
        """Folder of the published nights."""
        return self.beside(self.config.out)

    @property
    def database(self) -> Path:
        """Path of the state database."""
        return self.beside(self.config.database) if self.config.database else self.out / "state.sqlite"

    @property
    def metrics(self) -> Path:
        """The textfile of the last night's metrics."""
        return self.beside(self.config.metrics) if self.config.metrics else self.out / "hydrocool.prom"

    @property
    def log(self) -> Path:
        """The log, in JSON lines."""
        return self.beside(self.config.log) if self.config.log else self.out / "log.jsonl"

    @property
    def snapshots(self) -> Path:
        """Inputs of every night, as they were known then."""
        return self.out / "inputs"


def load_nightly(path: Path) -> NightlyWorkspace:
    """Read a nightly file.

    Raises
    ------
    ConfigError : names the file, the key and what is allowed.
    """
    return NightlyWorkspace(path=path, config=load_model(path, Nightly))


def now() -> datetime:
    """This moment (UTC), or that of HYDROCOOL_NOW."""
    given = os.environ.get(CLOCK)
    if given is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ConfigError(CLOCK, f"{given[:40]!r} is not a time", "ISO 8601, such as 2026-03-01T12:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def today(config: Nightly) -> date:
    """The day on the fleet's clock."""
    return now().astimezone(ZoneInfo(config.time_zone)).date()


def due(config: Nightly) -> date:
    """The delivery day of the newest night whose moment has come: tomorrow once its auction is known, before it today."""
    tomorrow = today(config) + timedelta(days=1)
    here = np.datetime64(now().replace(tzinfo=None))
    return tomorrow if here >= config.known_at(tomorrow) else tomorrow - timedelta(days=1)


def step(name: str) -> None:
    """A point between two steps of a night, where tests kill it or fill the disk."""
    if os.environ.get(KILL_AT) == name:
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get(FULL_AT) == name:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """Lock the folder for one night at a time; the system frees the lock of a process that dies.

    Raises
    ------
    NightError : another run holds it.
    RunFolderError : the folder cannot be made, written or locked.
    """
    with writing(out):
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


def latest(out: Path) -> str | None:
    """The run id that `latest` points to."""
    link = out / LATEST
    return str(link.readlink()) if link.is_symlink() else None


def sweep(out: Path) -> None:
    """Remove what killed runs left behind; only while the lock is held."""
    for pattern in (".night-*", ".writing-*", ".*.writing", ".old-*", ".work", f".{LATEST}", "inputs/.new-*"):
        for path in out.glob(pattern):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it, so that no reader ever sees half of it.

    Raises
    ------
    OSError : the file cannot be written; an older file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".writing", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def writing(what: Path) -> Iterator[None]:
    """An error of the system while `what` is written becomes a RunFolderError that names it."""
    try:
        yield
    except RunFolderError:
        raise
    except OSError as e:
        raise RunFolderError(f"{what}: cannot be written ({e.strerror or e}); `latest` is as it was") from None
