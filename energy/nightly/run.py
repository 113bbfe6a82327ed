"""Run a night: prepare, plan, publish, record. The clock, the lock, the budget and the database of a night are here.

What a night writes into the database: settled days and its plan in one transaction, then its row among the runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from energy.errors import DEGRADED, OK, UNPUBLISHED, InputError, NightError, StoreError
from energy.inputs.load import read_inputs
from energy.nightly.accounts import ex_ante_cost
from energy.nightly.case import kept_inputs
from energy.nightly.config import NightlyWorkspace, latest, lock, now, step, sweep
from energy.nightly.database import Store, open_state, plan_row
from energy.nightly.fallback import run_fallbacks
from energy.nightly.inputs import Prepared
from energy.nightly.logs import known_as, logger, logging_to
from energy.nightly.notify import follow_up
from energy.nightly.outcome import Night, NightContext, OnProgress, Precedence, precedence_of
from energy.nightly.prepare import prepare, prepare_from_snapshot
from energy.nightly.publish import is_published, publish_night, switch_latest
from energy.plant import PlantError
from energy.runs.record import read_night, read_setpoints
from energy.schedule.table import read_schedule
from energy.schema import SchemaError

#: Share of the budget after which the fallback sequence must have ended: what is left is for publishing.
PLANNING_SHARE = 0.9
#: What cannot be published and is not the program's fault; anything else is one, and its traceback is in the log.
EXPECTED = (InputError, SchemaError, PlantError, OSError)
#: What fetches the series of a night: the nightly file with them in files, which may be gone afterwards.
Series = Callable[[NightlyWorkspace, date, OnProgress], AbstractContextManager[NightlyWorkspace]]


def series_from_files(
    workspace: NightlyWorkspace, day: date, on_progress: OnProgress
) -> AbstractContextManager[NightlyWorkspace]:
    """The series are the files that the nightly file names."""
    return nullcontext(workspace)


def run_night(
    workspace: NightlyWorkspace,
    day: date,
    reprocess: bool = False,
    on_progress: OnProgress = lambda _: None,
    from_snapshot: bool = False,
    quiet: bool = False,
    series: Series = series_from_files,
) -> Night:
    """Run the night of one delivery day.

    Parameters
    ----------
    reprocess : also when a later night is published already; its plan is then on file and not active
    from_snapshot : from the inputs that the night kept, where it has any, and not from the sources as they are now
    quiet : without metrics and messages, which are about the newest night
    series : fetches them, within the night's budget; what it cannot fetch fails the night like a file that is not there

    Raises
    ------
    NightError : another run is at work, or (OlderNight) a later night is published already.
    RunFolderError : the output folder cannot be written at all.
    """
    with lock(workspace.out), logging_to(workspace.log, f"{workspace.config.name}_{day}") as log:
        sweep(workspace.out)

        def progress(text: str) -> None:
            log.info(text)
            on_progress(text)

        try:
            with open_state(workspace) as store:
                context = NightContext(workspace, store, day, progress)
                kept = kept_inputs(context) if from_snapshot else None
                night = _recorded(context, precedence_of(context, reprocess), kept, series)
                follow_up(workspace, store, night, quiet)
        except StoreError as e:  # reported as far as possible without it; another attempt completes what is half done
            night = Night(day, "FAILED", reasons=[str(e)])
            follow_up(workspace, None, night, quiet)
        sweep(workspace.out)
        log.info("ended", extra={"status": night.status, "method": night.method, "exit_code": night.code,
                                 "published": night.folder and night.folder.name, "reasons": night.reasons})  # fmt: skip
    return night


def _recorded(context: NightContext, precedence: Precedence, kept: Path | None, series: Series) -> Night:
    """The night, and its row among the runs; what it kept before needs no series."""
    started, fetched = now(), series_from_files if kept else series
    try:
        with fetched(context.workspace, context.day, context.on_progress) as here:
            night = _night(replace(context, workspace=here), precedence, kept)
    except EXPECTED as e:
        night = Night(context.day, "FAILED", reasons=[str(e)])
    except (NightError, StoreError):
        raise
    except Exception as e:  # a fault of this program: the traceback is for its makers, the record for its users
        logger().exception("fault of the program")
        night = Night(
            context.day,
            "FAILED",
            reasons=[f"a fault of this program, {type(e).__name__}: {e}; the log has the traceback"],
        )
    if not night.unchanged:
        seconds = time.monotonic() - context.began
        record_run(context.store, night, started.isoformat(timespec="seconds"), seconds)
    return night


def _night(context: NightContext, precedence: Precedence, kept: Path | None) -> Night:
    """Go through the steps; each can be killed and run again with the same outcome."""
    config, out, store = context.config, context.workspace.out, context.store
    context.on_progress("what is known, what yesterday left" if kept is None else "what was known then")
    reasons = precedence.reasons()
    night = prepare(context, reasons) if kept is None else prepare_from_snapshot(context, kept, reasons)
    known_as(night.run_id)
    if is_published(out / night.run_id):
        return _published_before(context, precedence, night, out / night.run_id)
    context.on_progress("plan")
    work = out / ".work"
    work.mkdir(parents=True, exist_ok=True)
    ends_at = context.began + PLANNING_SHARE * 60 * config.budget_minutes
    found = run_fallbacks(night, work, config.solve_limit_s, ends_at)
    step("solved")
    if found.plan is None:
        enter(store, night, None)
        return Night(context.day, "FAILED", reasons=[*night.reasons, *found.reasons], run_id=night.run_id)
    context.on_progress("publish")
    folder = publish_night(found.plan, out, config.report, precedence.active)
    enter(store, night, plan_row(night.day, folder, night.run_id, found.plan.ex_ante_cost_eur), precedence.superseded)
    seconds = round(found.plan.run.raw.seconds, 3)
    return _point_to_newest(context, precedence, folder, found.plan.summary, seconds)


def _published_before(context: NightContext, precedence: Precedence, night: Prepared, folder: Path) -> Night:
    """Complete the database row and `latest` of a night that is already published."""
    summary = read_night(folder)
    query = "SELECT id FROM runs WHERE run_id = ? AND published = 1"
    entered = context.store.row(query, night.run_id) is not None
    schedule, held = read_schedule(folder / "schedule.parquet"), read_setpoints(folder)
    state, jobs = night.settlement.state, night.queue.jobs
    cost = ex_ante_cost(read_inputs(night.case), night.day, schedule, held, state, jobs)
    enter(context.store, night, plan_row(night.day, folder, night.run_id, cost), precedence.superseded)
    return replace(_point_to_newest(context, precedence, folder, summary, 0.0), unchanged=entered)


def _point_to_newest(
    context: NightContext, precedence: Precedence, folder: Path, summary: dict[str, Any], solve_seconds: float
) -> Night:
    """Switch `latest` after the database: a plan that is pointed to is on record."""
    out = context.workspace.out
    step("entered")
    for reason in precedence.reasons():
        context.on_progress(reason)
    newest = context.store.row("SELECT run_id FROM plans ORDER BY night DESC LIMIT 1")
    if newest and latest(out) != newest["run_id"]:
        switch_latest(out, newest["run_id"])
    return Night(
        context.day, summary["status"], summary["method"], OK if summary["status"] == "OK" else DEGRADED,
        summary["run_id"], folder, summary["reasons"], solve_seconds=solve_seconds, night=summary,
    )  # fmt: skip


def worst(nights: list[Night]) -> int:
    """Exit code of several nights: the worst of them."""
    return max((n.code for n in nights), key=(OK, DEGRADED, UNPUBLISHED).index, default=OK)


def enter(
    store: Store, night: Prepared, plan: dict[str, Any] | None, superseded: Sequence[dict[str, Any]] = ()
) -> None:
    """Settled days and the plan in one transaction; a plan is active unless a later night's is.

    Parameters
    ----------
    superseded : later plans, which are removed

    Raises
    ------
    StoreError : the database cannot be written; nothing is then.
    """
    with store.transaction():
        for table, rows in (("settled_days", night.settlement.days), ("settled_work", night.settlement.work)):
            for row in rows:
                store.put(table, row)
        if plan is not None:
            for row in superseded:
                store.remove("plans", row["night"])
            if store.row("SELECT night FROM plans WHERE night > ?", plan["night"]) is None:
                store.put("plans", plan, replace=True)
        step("entering")


def record_run(store: Store, night: Night, started: str, seconds: float) -> None:
    """Add the row of a run, also of one that made no plan, for metrics and history.

    Parameters
    ----------
    started : when (UTC, ISO 8601)
    seconds : duration of the run [s]

    Raises
    ------
    StoreError : the database cannot be written.
    """
    n = night.night or {}
    fallback = n.get("imputed_hours", {"price": {}, "weather": {}})
    hours = float(np.sum([h for kind in fallback.values() for h in kind.values()]))
    with store.transaction():
        store.put("runs", {
            "night": str(night.day), "run_id": night.run_id, "status": night.status, "method": night.method,
            "exit_code": night.code, "reasons": json.dumps(night.reasons), "started": started,
            "finished": now().isoformat(timespec="seconds"), "solve_seconds": night.solve_seconds,
            "wall_seconds": seconds, "folder": night.folder.name if night.folder else None,
            "published": int(night.folder is not None), "gap": n.get("gap"), "cost_eur": n.get("cost_eur"),
            "saving_eur": n.get("saving_eur", {}).get("last_settled_day"), "imputed_hours": hours,
            "unserved_gpu_hours": n.get("unserved_gpu_hours"), "night_json": json.dumps(n) if n else None,
        })  # fmt: skip
