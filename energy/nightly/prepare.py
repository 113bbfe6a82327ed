"""Prepare a night: read what is known, settle what yesterday left, choose the jobs at hand, and keep the case."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy import __version__
from energy.forecast import expected_arrivals
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.gpus import GpuPower, load_gpu_powers
from energy.inputs.jobs import Job
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import load_tariffs
from energy.nightly.case import digest, write_night_case
from energy.nightly.config import step
from energy.nightly.inputs import (
    CASE,
    STATE,
    Prepared,
    PreviousPlan,
    SeriesSnapshot,
    Settlement,
    load_snapshot,
    save_snapshot,
)
from energy.nightly.outcome import NightContext
from energy.nightly.queue import (
    Queue,
    clip,
    deadline_of,
    fastest,
    history,
    hours_inside,
    most_gpus,
    no_work,
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
    ConfigError, SeriesError : what cannot be imputed or replaced.
    """
    config, workspace, day = context.config, context.workspace, context.day
    days = 1 if config.foresight == "known" else config.horizon.days or config.horizon.most_days
    known = read_series_snapshot(workspace, day, days, _older_inputs(context))
    require_real_price(config, known)
    fleet_path = workspace.beside(config.fleet)
    fleet = load_fleet(fleet_path)
    powers = load_gpu_powers(fleet, fleet_path)
    queue = read_queue(workspace.beside(config.jobs), known.known_at)
    set_aside(queue, fleet, powers, most_gpus(fleet, np.array([config.begin(day)]).astype("datetime64[ns]")))
    settlement = _settle(context, known, queue, fleet, powers)
    queue.drop_done(dict(settlement.state.work_done))
    left = queue.left(dict(settlement.state.work_done))
    new = _empty(context)
    new.mkdir()
    late = _write(context, new, known, settlement.state, queue, left, fleet, powers)
    save_snapshot(new, known, queue, left, late)
    return _prepared(context, _keep(context, new), known, settlement, queue, left, late, superseded)


def prepare_from_snapshot(context: NightContext, kept: Path, superseded: tuple[str, ...] = ()) -> Prepared:
    """A night from the inputs that it kept; no day is settled by it, and a newer version gives its run another name.

    Raises
    ------
    ConfigError, SeriesError : the kept inputs no longer hold in this version.
    """
    known, queue, left, late = load_snapshot(kept)
    new = _empty(context)
    shutil.copytree(kept, new)
    settlement = Settlement(load_state(new / STATE))
    return _prepared(context, _keep(context, new), known, settlement, queue, left, late, superseded)


def _prepared(
    context: NightContext, case: Path, known: SeriesSnapshot, settlement: Settlement, queue: Queue,
    left: dict[str, float], late: dict[str, float], superseded: tuple[str, ...],
) -> Prepared:  # fmt: skip
    return Prepared(
        context.config, context.day, case, known, settlement, queue, left, late,
        accounts_until(context, settlement.days), previous_plan(context), superseded,
    )  # fmt: skip


def _empty(context: NightContext) -> Path:
    """Where the inputs of a night are put together: not there yet."""
    kept = context.workspace.snapshots
    new = kept / f".new-{context.day}"
    shutil.rmtree(new, ignore_errors=True)
    kept.mkdir(parents=True, exist_ok=True)
    return new


def _older_inputs(context: NightContext) -> Path | None:
    """Kept inputs of the last plan before the night."""
    query = "SELECT snapshot FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1"
    row = context.store.row(query, str(context.day))
    return context.workspace.snapshots / row["snapshot"] if row else None


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
    late: dict[str, float] = {}
    jobs = [_job(queue.jobs[n], left[n], late, begin, end, beyond, fleet, powers) for n in sorted(left)]
    here = [j for j in jobs if j.release < pd.Timestamp(end)] or [no_work(fleet, powers, pd.Timestamp(begin))]
    names = {j.id for j in here}
    done = {k: v for k, v in sorted(state.work_done.items()) if k in names}
    tariffs = load_tariffs(fleet, context.workspace.beside(config.fleet))
    state = fitted(state, tariffs).model_copy(update={"work_done": done})
    known.count_forecast(config.zones(), begin, end)
    expected = None  # nothing arrives where the future is known or not looked at
    if config.foresight == "forecast" and not table.empty:
        expected = expected_arrivals(table, known.known_at, end, config.arrivals_window_days, config.time_zone)
    write_night_case(folder, context.workspace, known, day, last, state, here, expected, beyond)
    return late


def _job(
    job: Job, left: float, late: dict[str, float], begin: np.datetime64, end: np.datetime64, beyond: str,
    fleet: Fleet, powers: dict[str, GpuPower],
) -> Job:  # fmt: skip
    """The job as the night plans it: late ones as soon as may be, and no more than fits where nothing may wait."""
    speed = fastest(fleet, powers, job)
    deadline, is_late = deadline_of(job, left, speed, pd.Timestamp(begin))
    planned = job.model_copy(update={"deadline": deadline})
    if is_late:
        late[job.id] = left
    if beyond == "terminal_value":
        return planned
    return clip(planned, job.gpu_hours - left, left, job.max_gpus * speed * hours_inside(planned, begin, end))


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
    return final / CASE


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
    schedule: Path | None = folder / "schedule.parquet"
    if not (folder / "schedule.parquet").is_file():
        schedule = None
        notes.append(f"the schedule of night {row['night']} is gone: the method last_good has none to trim")
    try:
        rows = read_night(folder)["plan"]
        plan = [{"site": str(r["site"]), "date": str(r["date"]), "mwh": float(r["mwh"])} for r in rows]
    except (OSError, ValueError, KeyError, TypeError) as e:
        notes.append(f"{NIGHT} of night {row['night']} cannot be read ({type(e).__name__}): no changes are shown")
    return PreviousPlan(schedule, plan, notes)


def accounts_until(context: NightContext, new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Settled days of both policies that a night knows, those it settles itself included."""
    before = str(context.day - timedelta(days=1))
    old = context.store.rows("SELECT * FROM settled_days WHERE day < ? ORDER BY day, policy", before)
    known = {(d["policy"], d["day"]) for d in old}
    return old + [d for d in new if (d["policy"], d["day"]) not in known]
