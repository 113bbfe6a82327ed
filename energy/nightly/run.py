"""A night from top to bottom: known, settled, kept, solved down a ladder, published, written into the books.

What a night writes into the database: settled days and its plan in one transaction, then its row among the runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from energy.errors import DEGRADED, OK, UNPUBLISHED, InputError, StoreError
from energy.inputs.fleet import load_fleet
from energy.nightly import publish
from energy.nightly.case import kept_of
from energy.nightly.config import Place, now
from energy.nightly.database import Store, open_state
from energy.nightly.fallback import Climb, climb
from energy.nightly.logs import known_as, logging_to
from energy.nightly.notify import follow_up
from energy.nightly.outcome import Night
from energy.nightly.precedence import Turn, turn, withdrawal
from energy.nightly.prepare import Before, Prepared, in_force_before, prepare, prepare_as_then
from energy.nightly.publish import step
from energy.nightly.settlement import promise
from energy.nightly.summary import days_until, night_of
from energy.plant import PlantError
from energy.runs.record import NIGHT, Record, read
from energy.schema import SchemaError

#: Share of the budget after which the ladder must have ended: what is left is for publishing.
LADDER_SHARE = 0.9
#: What cannot be published and is not the program's fault; anything else is a fault of it and a traceback.
EXPECTED = (InputError, SchemaError, PlantError, OSError)
Tell = Callable[[str], None]
#: What fetches the series of a night: the nightly file with them in files, which may be gone afterwards.
Series = Callable[[Place, date, Tell], AbstractContextManager[Place]]


def as_they_stand(place: Place, day: date, tell: Tell) -> AbstractContextManager[Place]:
    """The series are the files that the nightly file names."""
    return nullcontext(place)


@dataclass(frozen=True)
class Tonight:
    """What a night is run with.

    Attributes
    ----------
    turn : what later nights leave to it
    kept : inputs that it kept when it was run before, to be run from; None: from the sources as they are
    began : moment of the monotonic clock
    """

    place: Place
    store: Store
    day: date
    turn: Turn
    kept: Path | None
    tell: Tell
    began: float = field(default_factory=time.monotonic)


def run_night(
    place: Place,
    day: date,
    again: bool = False,
    tell: Tell = lambda _: None,
    as_then: bool = False,
    quiet: bool = False,
    series: Series = as_they_stand,
) -> Night:
    """Run the night of one delivery day.

    Parameters
    ----------
    again : also when a later night is published already; its plan is then on file, not in force
    as_then : from the inputs that the night kept, where it has any, and not from the sources as they are now
    quiet : without metrics and messages, which tell of the newest night
    series : fetches them, within the night's budget; what it cannot fetch fails the night like a file that is not there

    Raises
    ------
    NightError : another run is at work, or (OlderNight) a later night is published already.
    RunFolderError : the output folder cannot be written at all.
    """
    with publish.lock(place.out), logging_to(place.log, f"{place.config.name}_{day}") as log:
        publish.sweep(place.out)

        def told(text: str) -> None:
            log.info(text)
            tell(text)

        try:
            night = _with_store(place, day, again, told, as_then, quiet, series)
        except StoreError as e:  # told as far as that goes without it; another attempt makes good what is half done
            night = Night(day, "FAILED", reasons=[str(e)])
            follow_up(place, None, night, quiet)
        publish.sweep(place.out)
        log.info("ended", extra={"status": night.status, "rung": night.rung, "exit_code": night.code,
                                 "published": night.folder and night.folder.name, "reasons": night.reasons})  # fmt: skip
    return night


def _with_store(place: Place, day: date, again: bool, tell: Tell, as_then: bool, quiet: bool, series: Series) -> Night:
    """The night with its database, and what follows it."""
    with open_state(place) as store:
        kept = kept_of(place, store, day) if as_then else None
        night = _recorded(Tonight(place, store, day, turn(place, store, day, again), kept, tell), series)
        follow_up(place, store, night, quiet)
    return night


def _recorded(tonight: Tonight, series: Series) -> Night:
    """The night, and its row among the runs; what it kept before needs no series."""
    started, fetched = now(), as_they_stand if tonight.kept else series
    try:
        with fetched(tonight.place, tonight.day, tonight.tell) as here:
            night = _night(replace(tonight, place=here))
    except EXPECTED as e:
        night = Night(tonight.day, "FAILED", reasons=[str(e)])
    if not night.unchanged:
        seconds = time.monotonic() - tonight.began
        record_run(tonight.store, night, started.isoformat(timespec="seconds"), seconds)
    return night


def _night(tonight: Tonight) -> Night:
    """The steps; each can be killed and run again with the same outcome."""
    place, store = tonight.place, tonight.store
    prepared = _prepared(tonight)
    known_as(prepared.run_id)
    folder = place.out / prepared.run_id
    if publish.is_published(folder):
        return _same(tonight, prepared, folder)
    tonight.tell("plan")
    ends_at = tonight.began + LADDER_SHARE * 60 * place.config.budget_minutes
    before = in_force_before(place, store, tonight.day)
    found = climb(prepared.case, _work(place), before.schedule, place.config.solve_limit_s, ends_at)
    step("solved")
    if found.folder is None:
        enter(store, prepared, None)
        return Night(tonight.day, "FAILED", reasons=[*prepared.reasons, *found.reasons], run_id=prepared.run_id)
    tonight.tell("publish")
    record = read(found.folder)
    summed = _digest(tonight, prepared, before, found, record)
    publish.publish_night(
        found.folder, place.out, prepared.run_id, summed, record, place.config.report, tonight.turn.in_force
    )
    return _finish(tonight, prepared, folder, summed, found.solve_seconds)


def _prepared(tonight: Tonight) -> Prepared:
    """The case of the night, from its sources or as it was known then."""
    if tonight.kept is not None:
        tonight.tell("what was known then")
        return prepare_as_then(tonight.place, tonight.day, tonight.kept)
    tonight.tell("what is known, what yesterday left")
    return prepare(tonight.place, tonight.store, tonight.day)


def _same(tonight: Tonight, prepared: Prepared, folder: Path) -> Night:
    """The same inputs are published: make good what a killed run may have left undone, and no more."""
    summed = json.loads((folder / NIGHT).read_text(encoding="utf-8"))
    entered = tonight.store.row("SELECT id FROM runs WHERE run_id = ? AND published = 1", prepared.run_id) is not None
    night = _finish(tonight, prepared, folder, summed, 0.0)
    night.unchanged = entered
    return night


def _finish(
    tonight: Tonight, prepared: Prepared, folder: Path, summed: dict[str, Any], solve_seconds: float
) -> Night:  # fmt: skip
    """Books first, then `latest`: a plan that is pointed to is in the books."""
    out, store = tonight.place.out, tonight.store
    enter(store, prepared, plan_row(prepared, folder), tonight.turn.withdrawn)
    step("entered")
    for row in tonight.turn.withdrawn:
        tonight.tell(withdrawal(row))
    newest = store.row("SELECT run_id FROM plans ORDER BY night DESC LIMIT 1")
    if newest and publish.latest(out) != newest["run_id"]:
        publish.switch_latest(out, newest["run_id"])
    code = OK if summed["status"] == "OK" else DEGRADED
    return Night(prepared.day, summed["status"], summed["rung"], code, prepared.run_id, folder, summed["reasons"],
                 solve_seconds=solve_seconds, night=summed)  # fmt: skip


def _work(place: Place) -> Path:
    work = place.out / ".work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _digest(tonight: Tonight, prepared: Prepared, before: Before, found: Climb, record: Record) -> dict[str, Any]:
    config = tonight.place.config
    prepared.known.notes.extend(before.notes)
    ahead = [withdrawal(row) for row in tonight.turn.withdrawn]
    reasons = [*prepared.reasons, *ahead, *found.reasons, *record.summary["reasons"]]
    fleet = load_fleet(prepared.case.parent / "fleet" / Path(config.fleet).name)
    return night_of(config, fleet, prepared, record, found.rung, reasons,
                    days_until(tonight.store, prepared.day, prepared.settled.days), before.plan)  # fmt: skip


def worst(nights: list[Night]) -> int:
    """Exit code of several nights: the worst of them."""
    return max((n.code for n in nights), key=(OK, DEGRADED, UNPUBLISHED).index, default=OK)


def plan_row(prepared: Prepared, folder: Path) -> dict[str, Any]:
    """The row of a plan: what it promises for its own day [EUR]."""
    jobs = prepared.queue.jobs
    eur = promise(prepared.case, prepared.day, folder / "schedule.parquet", prepared.settled.state, jobs)
    return {"night": str(prepared.day), "run_id": prepared.run_id, "folder": folder.name, "kept": prepared.kept,
            "promised_eur": eur}  # fmt: skip


def enter(
    store: Store, prepared: Prepared, plan: dict[str, Any] | None, withdrawn: Sequence[dict[str, Any]] = ()
) -> None:
    """Settled days and the plan in one transaction; a plan is in force unless a later night's is.

    Parameters
    ----------
    withdrawn : later plans that this one takes out of force

    Raises
    ------
    StoreError : the database cannot be written; nothing is then.
    """
    with store.transaction():
        for row in prepared.settled.days:
            store.put("days", row)
        for row in prepared.settled.work:
            store.put("work", row)
        if plan is not None:
            _into_force(store, plan, withdrawn)
        step("entering")


def _into_force(store: Store, plan: dict[str, Any], withdrawn: Sequence[dict[str, Any]]) -> None:
    for row in withdrawn:
        store.remove("plans", row["night"])
    if store.row("SELECT night FROM plans WHERE night > ?", plan["night"]) is None:
        store.put("plans", plan, replace=True)


def record_run(store: Store, night: Night, started: str, seconds: float) -> None:
    """What a run leaves for metrics and history; of a night that is no plan too.

    Parameters
    ----------
    started : when (UTC, ISO 8601)
    seconds : it took [s]

    Raises
    ------
    StoreError : the database cannot be written.
    """
    n = night.night or {}
    fallback = n.get("fallback_hours", {"price": {}, "weather": {}})
    hours = float(np.sum([h for kind in fallback.values() for h in kind.values()]))
    with store.transaction():
        store.put("runs", {
            "night": str(night.day), "run_id": night.run_id, "status": night.status, "rung": night.rung,
            "exit_code": night.code, "reasons": json.dumps(night.reasons), "started": started,
            "finished": now().isoformat(timespec="seconds"), "solve_seconds": night.solve_seconds,
            "wall_seconds": seconds, "folder": night.folder.name if night.folder else None,
            "published": int(night.folder is not None), "gap": n.get("gap"), "cost_eur": n.get("cost_eur"),
            "saving_eur": n.get("saving_eur", {}).get("last_night"), "fallback_hours": hours,
            "undone_gpu_hours": n.get("undone_gpu_hours"), "night_json": json.dumps(n) if n else None,
        })  # fmt: skip
