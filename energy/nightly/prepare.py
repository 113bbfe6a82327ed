"""Prepare a night: read what is known, settle what yesterday left, choose the jobs at hand, and keep the case."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy import __version__
from energy.errors import SeriesError
from energy.forecast import expected_arrivals
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.gpus import GpuPower, load_gpu_powers
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import load_tariffs
from energy.nightly import inputs as snapshots
from energy.nightly.case import digest, write_night_case
from energy.nightly.config import step
from energy.nightly.inputs import Prepared, PreviousPlan, SeriesSnapshot, Settlement, hours_of
from energy.nightly.metering import reports_of
from energy.nightly.outcome import NightContext
from energy.nightly.queue import (
    MissingJob,
    Queue,
    history,
    missing_jobs,
    most_gpus,
    no_work,
    planned_job,
    read_queue,
    set_aside,
    slack_days,
)
from energy.nightly.settlement import fitted, settle
from energy.nightly.snapshot import read_series_snapshot, require_real_price
from energy.runs.folder import sync, sync_one
from energy.runs.record import NIGHT, read_night

#: Days that the series of the settlement's case reach back: months and rolling limits, and a few more.
SETTLED_DAYS = 34


def prepare(context: NightContext, superseded: tuple[str, ...] = ()) -> Prepared:
    """Read, fill, settle, and keep the case of the night.

    Parameters
    ----------
    superseded : reasons about later plans that the night's plan replaces

    Raises
    ------
    ConfigError, SeriesError : an input can be neither read nor imputed nor replaced.
    """
    config, workspace, day = context.config, context.workspace, context.day
    days = 1 if config.foresight == "known" else config.horizon.days or config.horizon.most_days
    query = "SELECT snapshot FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1"
    row = context.store.row(query, str(day))  # its kept inputs replace what cannot be read now
    known = read_series_snapshot(workspace, day, days, workspace.snapshots / row["snapshot"] if row else None)
    require_real_price(config, known)
    fleet_path = workspace.beside(config.fleet)
    fleet = load_fleet(fleet_path)
    powers = load_gpu_powers(fleet, fleet_path)
    queue = read_queue(workspace.beside(config.jobs), known.known_at)
    set_aside(queue, fleet, powers, most_gpus(fleet, np.array([config.begin(day)]).astype("datetime64[ns]")))
    settlement = _settle(context, known, queue, fleet, powers)
    queue.drop_done(dict(settlement.state.work_done))
    left = queue.left(dict(settlement.state.work_done))
    missing = _missing(context, row["snapshot"], queue, settlement) if row else []
    new = _empty(context)
    new.mkdir()
    late = _write(context, new, known, settlement.state, queue, left, fleet, powers)
    snapshots.save_snapshot(new, known, queue, left, late, missing)
    return _prepared(context, new, known, settlement, queue, (left, late, missing), superseded)


def prepare_from_snapshot(context: NightContext, kept: Path, superseded: tuple[str, ...] = ()) -> Prepared:
    """A night from the inputs that it kept; no day is settled by it, and a newer version gives its run another name.

    Raises
    ------
    ConfigError, SeriesError : the kept inputs no longer hold in this version.
    """
    known, queue, left, late, missing = snapshots.load_snapshot(kept)
    new = _empty(context)
    shutil.copytree(kept, new)
    settlement = Settlement(load_state(new / snapshots.STATE))
    return _prepared(context, new, known, settlement, queue, (left, late, missing), superseded)


def _missing(context: NightContext, snapshot: str, queue: Queue, settlement: Settlement) -> list[MissingJob]:
    """Unfinished jobs of the last plan that the queue names no more.

    Where the inputs that the plan kept are gone or damaged nobody knows them, and the settlement says so.
    """
    try:
        _, before, left, _, still = snapshots.load_snapshot(context.workspace.snapshots / snapshot)
    except (OSError, ValueError, KeyError, SeriesError):
        settlement.reasons.append(
            f"kept inputs of night {snapshot} cannot be read: whether jobs are missing is not known"
        )
        return []
    done, begin = dict(settlement.state.work_done), context.config.begin(context.day)
    for _, name, hours in reports_of(context.store, pd.Timestamp(begin)):
        done[name] = max(hours, done.get(name, 0.0))
    return missing_jobs(queue, before.jobs, left, still, done, begin)


def _prepared(
    context: NightContext, new: Path, known: SeriesSnapshot, settlement: Settlement, queue: Queue,
    jobs: tuple[dict[str, float], dict[str, float], list[MissingJob]], superseded: tuple[str, ...],
) -> Prepared:  # fmt: skip
    """Keep the inputs of the night, and add the accounts and the plan before it."""
    case, before = _keep(context, new), str(context.day - timedelta(days=1))
    days = context.store.rows("SELECT * FROM settled_days WHERE day < ? ORDER BY day, policy", before)
    known_days = {(d["policy"], d["day"]) for d in days}
    days += [d for d in settlement.days if (d["policy"], d["day"]) not in known_days]
    previous = previous_plan(context)
    return Prepared(context.config, context.day, case, known, settlement, queue, *jobs, days, previous, superseded)


def _empty(context: NightContext) -> Path:
    """Path of the folder in which the inputs of a night are put together; it does not exist yet."""
    kept = context.workspace.snapshots
    new = kept / f".new-{context.day}"
    shutil.rmtree(new, ignore_errors=True)
    kept.mkdir(parents=True, exist_ok=True)
    return new


def _settle(
    context: NightContext, known: SeriesSnapshot, queue: Queue, fleet: Fleet, powers: dict[str, GpuPower]
) -> Settlement:
    """Settle from a case folder of this night's series that is thrown away afterwards."""
    config, day = context.config, context.day
    work = context.workspace.out / ".work" / "settlement"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    since = config.begin(day - timedelta(days=SETTLED_DAYS))
    always = pd.Timestamp(config.begin(day)) + pd.Timedelta(days=2)
    filler = no_work(fleet, powers, pd.Timestamp(since)).model_copy(update={"deadline": always})
    case = write_night_case(work, context.workspace, known, day, day, State(), [filler])
    step("settlement")
    return settle(context, case, known, queue.jobs)


def _write(
    context: NightContext, folder: Path, known: SeriesSnapshot, state: State, queue: Queue, left: dict[str, float],
    fleet: Fleet, powers: dict[str, GpuPower],
) -> dict[str, float]:  # fmt: skip
    """Write the case of the night; returns the late jobs."""
    config, day = context.config, context.day
    begin = config.begin(day)
    table = history(queue)
    mine = table[table["id"].isin(left)]
    mine = mine.assign(left=mine["id"].map(left))
    days = 1 if config.foresight == "known" else config.horizon.of(slack_days(mine, begin))
    last = day + timedelta(days=days - 1)
    end = config.begin(last + timedelta(days=1))
    beyond = "must_finish" if config.foresight == "known" else "terminal_value"
    may_wait = beyond == "terminal_value"
    jobs = {n: planned_job(queue.jobs[n], left[n], begin, end, may_wait, fleet, powers) for n in sorted(left)}
    late = {n: left[n] for n, (_, is_late) in jobs.items() if is_late}
    here = [j for j, _ in jobs.values() if j.release < pd.Timestamp(end)] or [
        no_work(fleet, powers, pd.Timestamp(begin))
    ]
    names = {j.id for j in here}
    done = {k: v for k, v in sorted(state.work_done.items()) if k in names}
    tariffs = load_tariffs(fleet, context.workspace.beside(config.fleet))
    state = fitted(state, tariffs).model_copy(update={"work_done": done})
    spots = [t.loc[(t.index >= begin) & (t.index < end)] for t in (known.tables[z] for z in config.zones())]
    known.forecast_hours = max(int(hours_of(t, t["quality"] == "forecast")) for t in spots)
    expected = None  # nothing arrives where the future is known or not looked at
    if config.foresight == "forecast" and not table.empty:
        expected = expected_arrivals(table, known.known_at, end, config.arrivals_window_days, config.time_zone)
    write_night_case(folder, context.workspace, known, day, last, state, here, expected, beyond)
    return late


def _keep(context: NightContext, new: Path) -> Path:
    """The inputs of a night under the name of its run, unless the same inputs are there already; returns their case.

    What is there is compared byte by byte: a power cut can leave files with names and nothing in them.
    """
    name, kept = _name(context, new), context.workspace.snapshots
    final = kept / name
    if final.is_dir() and _name(context, final) == name:
        shutil.rmtree(new)
    else:
        sync(new)
        shutil.rmtree(final, ignore_errors=True)
        new.rename(final)
        sync_one(kept)
    step("snapshot")
    return final / snapshots.CASE


def _name(context: NightContext, folder: Path) -> str:
    """Name, delivery day, and a hash of the inputs and of what else decides about the plan."""
    config = context.config
    limits = config.solve_limit_s, config.budget_minutes  # more time may lead to a better fallback method
    found = digest(folder, __version__, str(context.day), *map(str, limits))
    return f"{config.name}_{context.day}_{found[:12]}"


def previous_plan(context: NightContext) -> PreviousPlan:
    """The active plan before the night of a day; nothing before the first night.

    It is not needed for a plan: where its folder is gone or damaged the night says so and goes on without.

    Raises
    ------
    StoreError : the database cannot be read.
    """
    query = "SELECT night, folder FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1"
    row = context.store.row(query, str(context.day))
    if row is None:
        return PreviousPlan()
    folder, notes, plan = context.workspace.out / row["folder"], list[str](), list[dict[str, Any]]()
    schedule = folder / "schedule.parquet"
    if folder.is_symlink() or not schedule.is_file():
        notes.append(f"the schedule of night {row['night']} is gone: the method last_good has none to trim")
    try:
        rows = read_night(folder)["plan"]
        plan = [{"site": str(r["site"]), "date": str(r["date"]), "mwh": float(r["mwh"])} for r in rows]
    except (OSError, ValueError, KeyError, TypeError) as e:
        notes.append(f"{NIGHT} of night {row['night']} cannot be read ({type(e).__name__}): no changes are shown")
    return PreviousPlan(schedule if schedule.is_file() and not folder.is_symlink() else None, plan, notes)
