"""A night from top to bottom: known, settled, kept, solved down a ladder, published, written into the books."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from energy.codes import DEGRADED, OK, UNPUBLISHED
from energy.inputs.errors import InputError
from energy.inputs.fleet import load_fleet
from energy.operate import publish
from energy.operate.after import follow_up
from energy.operate.as_then import kept_of
from energy.operate.config import Place, now
from energy.operate.digest import days_until, night_of
from energy.operate.errors import OlderNight
from energy.operate.ladder import Climb, climb
from energy.operate.logs import known_as, logging_to
from energy.operate.prepare import Prepared, prepare, prepare_as_then
from energy.operate.publish import step
from energy.operate.settle import promise
from energy.operate.store import Store, open_store
from energy.plant import PlantError
from energy.report.record import NIGHT, Record, read
from energy.schema import SchemaError

#: Share of the budget after which the ladder must have ended: what is left is for publishing.
LADDER_SHARE = 0.9
#: What cannot be published and is not the program's fault; anything else is a fault of it and a traceback.
EXPECTED = (InputError, SchemaError, PlantError, OSError)


@dataclass
class Night:
    """How a night ended.

    Attributes
    ----------
    code : exit code
    folder : the published folder, of this run or of the same inputs before; None when nothing was published
    unchanged : the same inputs were published before, nothing was done
    """

    day: date
    status: str
    rung: str = "nothing"
    code: int = UNPUBLISHED
    run_id: str | None = None
    folder: Path | None = None
    reasons: list[str] = field(default_factory=list)
    unchanged: bool = False
    solve_seconds: float = 0.0
    night: dict[str, Any] | None = None


Tell = Callable[[str], None]


def run_night(
    place: Place,
    day: date,
    again: bool = False,
    tell: Tell = lambda _: None,
    as_then: bool = False,
    quiet: bool = False,
) -> Night:
    """Run the night of one delivery day.

    Parameters
    ----------
    again : also when a later night is published already; its plan is then on file, not in force
    as_then : from the inputs that the night kept, where it has any, and not from the sources as they are now
    quiet : without metrics and messages, which tell of the newest night

    Raises
    ------
    NightError : another run is at work, or (OlderNight) a later night is published already.
    StoreError : the state database cannot be used.
    RunFolderError : the output folder cannot be written at all.
    """
    with (
        publish.lock(place.out),
        open_store(place.database) as store,
        logging_to(place.log, f"{place.config.name}_{day}") as log,
    ):
        publish.sweep(place.out)
        _in_order(store, day, again)

        def told(text: str) -> None:
            log.info(text)
            tell(text)

        kept = kept_of(place, store, day) if as_then else None
        night = _recorded(place, store, day, told, kept)
        follow_up(place, store, night, quiet)
        publish.sweep(place.out)
        log.info("ended", extra={"status": night.status, "rung": night.rung, "exit_code": night.code,
                                 "published": night.folder and night.folder.name, "reasons": night.reasons})  # fmt: skip
    return night


def _recorded(place: Place, store: Store, day: date, tell: Tell, kept: Path | None) -> Night:
    """The night, and its row among the runs."""
    began, started = time.monotonic(), now()
    try:
        night = _night(place, store, day, began, tell, kept)
    except EXPECTED as e:
        night = Night(day, "FAILED", reasons=[str(e)])
    if not night.unchanged:
        _record_run(store, night, started.isoformat(timespec="seconds"), time.monotonic() - began)
    return night


def _in_order(store: Store, day: date, again: bool) -> None:
    later = store.row("SELECT max(night) AS night FROM plans WHERE night > ?", str(day))
    if later and later["night"] and not again:
        raise OlderNight(
            f"night {day}: night {later['night']} is published already, so nothing was (is the clock right?); "
            "--reprocess all makes it again, on file only"
        )


def _night(place: Place, store: Store, day: date, began: float, tell: Tell, kept: Path | None) -> Night:
    """The steps; each can be killed and run again with the same outcome."""
    tell("what is known, what yesterday left" if kept is None else "what was known then")
    prepared = prepare(place, store, day) if kept is None else prepare_as_then(place, day, kept)
    known_as(prepared.run_id)
    folder = place.out / prepared.run_id
    if publish.is_published(folder):
        return _same(place, store, prepared, folder)
    tell("plan")
    ends_at = began + LADDER_SHARE * 60 * place.config.budget_minutes
    found = climb(prepared.case, _work(place), _in_force(place, store, day), place.config.solve_limit_s, ends_at)
    step("solved")
    if found.folder is None:
        _enter(store, prepared, None)
        return Night(day, "FAILED", reasons=[*prepared.reasons, *found.reasons], run_id=prepared.run_id)
    tell("publish")
    record = read(found.folder)
    summed = _digest(place, store, prepared, found, record)
    publish.publish_night(found.folder, place.out, prepared.run_id, summed, record, place.config.report)
    return _finish(place, store, prepared, folder, summed, found.solve_seconds)


def _same(place: Place, store: Store, prepared: Prepared, folder: Path) -> Night:
    """The same inputs are published: make good what a killed run may have left undone, and no more."""
    summed = json.loads((folder / NIGHT).read_text(encoding="utf-8"))
    entered = store.row("SELECT id FROM runs WHERE run_id = ? AND published = 1", prepared.run_id) is not None
    night = _finish(place, store, prepared, folder, summed, 0.0)
    night.unchanged = entered
    return night


def _finish(
    place: Place, store: Store, prepared: Prepared, folder: Path, summed: dict[str, Any], solve_seconds: float
) -> Night:
    """Books first, then `latest`: a plan that is pointed to is in the books."""
    _enter(store, prepared, _promise(prepared, folder))
    step("entered")
    newest = store.row("SELECT run_id FROM plans ORDER BY night DESC LIMIT 1")
    if newest and publish.latest(place.out) != newest["run_id"]:
        publish.switch_latest(place.out, newest["run_id"])
    code = OK if summed["status"] == "OK" else DEGRADED
    return Night(prepared.day, summed["status"], summed["rung"], code, prepared.run_id, folder, summed["reasons"],
                 solve_seconds=solve_seconds, night=summed)  # fmt: skip


def _work(place: Place) -> Path:
    work = place.out / ".work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _in_force(place: Place, store: Store, day: date) -> Path | None:
    """The schedule that is in force before this night."""
    row = store.row("SELECT folder FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1", str(day))
    return place.out / row["folder"] / "schedule.parquet" if row else None


def _digest(place: Place, store: Store, prepared: Prepared, found: Climb, record: Record) -> dict[str, Any]:
    schedule = _in_force(place, store, prepared.day)
    before: list[dict[str, Any]] = []
    if schedule is not None:
        before = json.loads((schedule.parent / NIGHT).read_text(encoding="utf-8"))["plan"]
    reasons = [*prepared.reasons, *found.reasons, *record.summary["reasons"]]
    fleet = load_fleet(prepared.case.parent / "fleet" / Path(place.config.fleet).name)
    return night_of(place.config, fleet, prepared, record, found.rung, reasons,
                    days_until(store, prepared.day, prepared.settled.days), before)  # fmt: skip


def _promise(prepared: Prepared, folder: Path) -> dict[str, Any]:
    """The row of a plan: what it promises for its own day."""
    jobs = prepared.queue.jobs
    eur = promise(prepared.case, prepared.day, folder / "schedule.parquet", prepared.settled.state, jobs)
    return {"night": str(prepared.day), "run_id": prepared.run_id, "folder": folder.name, "kept": prepared.kept,
            "promised_eur": eur}  # fmt: skip


def _enter(store: Store, prepared: Prepared, plan: dict[str, Any] | None) -> None:
    """Settled days and the plan in one transaction; a plan is in force unless a later night's is."""
    with store.transaction():
        for row in prepared.settled.days:
            store.put("days", row)
        for row in prepared.settled.work:
            store.put("work", row)
        later = store.row("SELECT night FROM plans WHERE night > ?", str(prepared.day))
        if plan is not None and later is None:
            store.put("plans", plan, replace=True)
        step("entering")


def _record_run(store: Store, night: Night, started: str, seconds: float) -> None:
    """What a run leaves for metrics and history; of a night that is no plan too."""
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


def worst(nights: list[Night]) -> int:
    """Exit code of several nights: the worst of them."""
    return max((n.code for n in nights), key=(OK, DEGRADED, UNPUBLISHED).index, default=OK)
