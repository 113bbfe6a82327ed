"""What `energy doctor` looks at beyond what ends a night: jobs set aside, files beside the nights, extras, the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import numpy as np

from energy.inputs.fleet import load_fleet
from energy.inputs.fx import read_fx
from energy.inputs.gpus import load_gpu_powers
from energy.inputs.state import load_state
from energy.operate.after import ADDRESSES
from energy.operate.config import CLOCK, Place, now
from energy.operate.doctor import Looks, Warns, can_write
from energy.operate.errors import NightError
from energy.operate.notify import NOT_INSTALLED, service_of
from energy.operate.pdf import NOT_INSTALLED as NO_PDF
from energy.operate.queue import most_gpus, read_queue, set_aside

#: A file from so far ahead was written by a clock that is right, or will be [h]: less is the drift between two machines.
AHEAD_H = 1.0
#: Without a plan for so many days nobody has looked [days].
OLD_PLAN_DAYS = 2


def _fit(place: Place) -> str:
    """Jobs of the queue that some pool can run, by the fleet of today."""
    path = place.beside(place.config.fleet)
    fleet, moment = load_fleet(path), np.datetime64(now().replace(tzinfo=None), "ns")
    queue = read_queue(place.beside(place.config.jobs), moment)
    queue.refused.clear()  # rows that cannot be read are another look
    set_aside(queue, fleet, load_gpu_powers(fleet, path), most_gpus(fleet, np.array([moment])))
    if queue.refused:
        raise Warns(
            f"{len(queue.refused)} jobs are set aside every night, the first: {queue.refused[0]}; mend the table"
        )
    return f"{len(queue.jobs)} jobs have a pool"


def _metrics(place: Place) -> str:
    can_write(place.metrics.with_suffix(".new"))  # written beside its place and renamed
    return f"{place.metrics} can be written"


def _log(place: Place) -> str:
    return can_write(place.log)


def _extra_files(place: Place) -> str:
    read_fx(place.config.fx, place.path.parent, np.datetime64(now().replace(tzinfo=None), "ns"))
    if place.config.state:
        load_state(place.beside(place.config.state))
    return f"{len(place.config.fx)} rates{' and the opening state' if place.config.state else ''} can be read"


def _messages(place: Place) -> str:
    """Kinds of addresses alone: the rest of one is a secret."""
    addresses = os.environ.get(ADDRESSES, "").split()
    if not addresses:
        return f"nobody is told: {ADDRESSES} is not set"
    try:
        make = import_module("apprise").Apprise
    except ImportError:
        raise Warns(NOT_INSTALLED) from None
    wrong = [service_of(a) for a in addresses if not make().add(a)]
    if wrong:
        raise Warns(f"{len(wrong)} addresses of {ADDRESSES} are none that apprise knows, the first of kind {wrong[0]}")
    return f"{len(addresses)} addresses"


def _pdf(place: Place) -> str:
    if not place.config.pdf:
        return "not asked for"
    try:
        import_module("weasyprint")
    except (ImportError, OSError):  # OSError: the Python package is there, pango is not
        raise Warns(NO_PDF) from None
    return "can be made"


def _file_times(place: Place) -> str:
    """No file can be younger than now; a clock that is behind plans nights that are over."""
    if given := os.environ.get(CLOCK):
        raise Warns(f"{CLOCK} is set: nights take {given} for the clock; unset it but for rehearsals")
    there = [p for p in _files(place) if p.is_file()]
    newest = max(there, key=lambda p: p.stat().st_mtime, default=None)
    if newest is None:
        return "no file to compare the clock with"
    written = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    if written > datetime.now(UTC) + timedelta(hours=AHEAD_H):
        raise NightError(
            f"it is {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, but {newest} was written {written:%Y-%m-%d %H:%M}; "
            "set the clock, or that file's time"
        )
    return f"the newest file is of {written:%Y-%m-%d %H:%M} UTC"


def _files(place: Place) -> Iterator[Path]:
    """Everything that a night reads, and what nights have left."""
    c = place.config
    named = (c.fleet, c.jobs, *(p.file for p in c.prices), *(w.file for w in c.weather.values()))
    yield from (place.beside(name) for name in named)
    yield from place.out.glob("*/manifest.json")


def _newest_plan(place: Place) -> str:
    """Age of the plan in force, from the published nights themselves."""
    link = place.out / "latest" / "manifest.json"
    if not link.is_file():
        return "none yet"
    age = max(now() - datetime.fromtimestamp(link.stat().st_mtime, UTC), timedelta(0))
    words = f"published {age / timedelta(hours=1):.0f} h ago"
    if age > timedelta(days=OLD_PLAN_DAYS):
        raise Warns(f"{words}; energy history tells what became of the nights since, the timer whether they were run")
    return words


#: In the order in which they are told.
LOOKS: Looks = (
    ("jobs with a pool", _fit), ("fx and state", _extra_files), ("metrics", _metrics), ("log", _log),
    ("messages", _messages), ("pdf", _pdf), ("file times", _file_times), ("last success", _newest_plan),
)  # fmt: skip
