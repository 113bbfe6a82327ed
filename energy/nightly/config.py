"""A nightly file where it stands, the folders it works in, and the clock."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from energy.inputs.case import Nightly
from energy.inputs.yaml_files import Frozen, load_model

#: Stands for the clock where it is set: rehearsals and tests run a night at another moment (ISO 8601, UTC).
CLOCK = "HYDROCOOL_NOW"
#: What a child may take, as a multiple of its limit, before it is killed.
OVERTIME = 1.5


class Place(Frozen):
    """A nightly file where it stands, with the folders it works in.

    Attributes
    ----------
    notes, reasons : what whoever fetched the series of its night has to tell; reasons make the night DEGRADED
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
        """The state database."""
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
    def kept(self) -> Path:
        """Inputs of every night, as they were known then."""
        return self.out / "inputs"


def load_nightly(path: Path) -> Place:
    """Read a nightly file.

    Raises
    ------
    ConfigError : names the file, the key and what is allowed.
    """
    return Place(path=path, config=load_model(path, Nightly))


def now() -> datetime:
    """This moment (UTC), or that of HYDROCOOL_NOW."""
    given = os.environ.get(CLOCK)
    if given is None:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(given)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def today(config: Nightly) -> date:
    """The day on the fleet's clock."""
    return now().astimezone(ZoneInfo(config.time_zone)).date()


def due(config: Nightly) -> date:
    """The delivery day of the newest night whose moment has come: tomorrow once its auction is known, before it today."""
    tomorrow = today(config) + timedelta(days=1)
    here = np.datetime64(now().replace(tzinfo=None))
    return tomorrow if here >= config.known_at(tomorrow) else tomorrow - timedelta(days=1)
