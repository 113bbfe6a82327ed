"""Before the solve: what is known, what yesterday left, which jobs are at hand, and the case of the night.

The plan in force before a night: its schedule for the last rung, its figures for what has changed.

Neither is needed for a plan: where the folder is gone or damaged the night says so and goes on without.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy import __version__
from energy.forecast import expected_arrivals
from energy.inputs.case import Nightly
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.gpus import GpuPower, load_gpu_powers
from energy.inputs.jobs import Job
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import load_tariffs
from energy.nightly.case import CASE, STATE, Then, digest, keep, recall, write_night_case
from energy.nightly.config import Place
from energy.nightly.database import Store
from energy.nightly.outcome import Known
from energy.nightly.publish import step
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
)
from energy.nightly.settlement import Settled, fitted, settle
from energy.nightly.snapshot import check, know, slack_days
from energy.runs.folder import sync, sync_one
from energy.runs.record import NIGHT


@dataclass
class Prepared:
    """Everything that a night knows before it is solved.

    Attributes
    ----------
    case : case file among the kept inputs
    run_id : name, delivery day, and a hash of the case and the version
    late : jobs that cannot meet their deadline any more: id -> GPU-hours left
    """

    day: date
    case: Path
    run_id: str
    known: Known
    settled: Settled
    queue: Queue
    left: dict[str, float]
    late: dict[str, float] = field(default_factory=dict)

    @property
    def kept(self) -> str:
        """Name of the folder of kept inputs."""
        return self.case.parent.name

    @property
    def reasons(self) -> list[str]:
        """What makes the night DEGRADED before it is planned."""
        return [*self.known.reasons, *self.settled.reasons]


def prepare(place: Place, store: Store, day: date) -> Prepared:
    """Read, fill, settle, and keep the case of the night.

    Raises
    ------
    ConfigError, SeriesError : what no stand-in can replace.
    """
    config = place.config
    known = know(place, day, _longest(config), _older(place, store, day))
    check(config, known)
    fleet_path = place.beside(config.fleet)
    fleet = load_fleet(fleet_path)
    powers = load_gpu_powers(fleet, fleet_path)
    queue = read_queue(place.beside(config.jobs), known.known_at)
    set_aside(queue, fleet, powers, most_gpus(fleet, np.array([config.begin(day)]).astype("datetime64[ns]")))
    settled = _settle(place, store, known, queue, day, fleet, powers)
    queue.drop_done(dict(settled.state.work_done))
    left = queue.left(dict(settled.state.work_done))
    new = _empty(place, day)
    new.mkdir()
    late = _write(place, new, known, settled, queue, left, fleet, powers, day)
    keep(new, Then(known, queue, left, late))
    case = _keep(new, place, day)
    return Prepared(day, case, case.parent.name, known, settled, queue, left, late)


def prepare_as_then(place: Place, day: date, kept: Path) -> Prepared:
    """A night from the inputs that it kept; no day is settled by it, and a newer version gives its run another name.

    Raises
    ------
    ConfigError, SeriesError : the kept inputs no longer hold in this version.
    """
    then = recall(kept)
    new = _empty(place, day)
    shutil.copytree(kept, new)
    settled = Settled(load_state(new / STATE))
    case = _keep(new, place, day)
    return Prepared(day, case, case.parent.name, then.known, settled, then.queue, then.left, then.late)


def _empty(place: Place, day: date) -> Path:
    """Where the inputs of a night are put together: not there yet."""
    new = place.kept / f".new-{day}"
    shutil.rmtree(new, ignore_errors=True)
    place.kept.mkdir(parents=True, exist_ok=True)
    return new


def _longest(config: Nightly) -> int:
    return 1 if config.foresight == "known" else config.horizon.days or config.horizon.most_days


def _older(place: Place, store: Store, day: date) -> Path | None:
    row = store.row("SELECT kept FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1", str(day))
    return place.kept / row["kept"] if row else None


def _settle(
    place: Place, store: Store, known: Known, queue: Queue, day: date, fleet: Fleet, powers: dict[str, GpuPower]
) -> Settled:
    """Settle from a case folder of this night's series that is thrown away afterwards."""
    work = place.out / ".work" / "books"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    since = place.config.begin(day - timedelta(days=34))
    always = pd.Timestamp(place.config.begin(day)) + pd.Timedelta(days=2)
    filler = no_work(fleet, powers, pd.Timestamp(since)).model_copy(update={"deadline": always})
    case = write_night_case(work, place, known, day, day, State(), [filler])
    step("books")
    return settle(place, store, case, known, queue.jobs, day)


def _write(
    place: Place, folder: Path, known: Known, settled: Settled, queue: Queue, left: dict[str, float],
    fleet: Fleet, powers: dict[str, GpuPower], day: date,
) -> dict[str, float]:  # fmt: skip
    """Write the case of the night; returns the late jobs."""
    config = place.config
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
    done = {k: v for k, v in sorted(settled.state.work_done.items()) if k in names}
    state = fitted(settled.state, load_tariffs(fleet, place.beside(config.fleet))).model_copy(
        update={"work_done": done}
    )
    known.count_forecast([z for p in config.prices for z in p.zones], begin, end)
    expected = _expected(config, known, table, end)
    write_night_case(folder, place, known, day, last, state, here, expected, beyond)
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


def _expected(config: Nightly, known: Known, table: pd.DataFrame, end: np.datetime64) -> pd.DataFrame | None:
    """Mean of what is to arrive; nothing where the future is known or not looked at."""
    if config.foresight != "forecast" or table.empty:
        return None
    return expected_arrivals(table, known.known_at, end, config.arrivals_window_days, config.time_zone)


def _keep(new: Path, place: Place, day: date) -> Path:
    """The inputs of a night under the name of its run; the same inputs are there already.

    What is there is believed by its bytes alone: a power cut can leave files with names and nothing in them.
    """
    found = _name(new, place, day)
    final = place.kept / found
    if final.is_dir() and _name(final, place, day) == found:
        shutil.rmtree(new)
    else:
        sync(new)
        shutil.rmtree(final, ignore_errors=True)
        new.rename(final)
        sync_one(place.kept)
    step("kept")
    return final / CASE


def _name(folder: Path, place: Place, day: date) -> str:
    """Name, delivery day, and a hash of the inputs and of what else decides about the plan."""
    limits = place.config.solve_limit_s, place.config.budget_minutes  # more time may lead to a better rung
    found = digest(folder, __version__, str(day), *map(str, limits))
    return f"{place.config.name}_{day}_{found[:12]}"


@dataclass
class Before:
    """What is left of the plan in force.

    Attributes
    ----------
    schedule : its schedule.parquet; None where there is none
    plan : site, date and energy [MWh] of its `plan` rows
    notes : what is gone
    """

    schedule: Path | None = None
    plan: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def in_force_before(place: Place, store: Store, day: date) -> Before:
    """The plan in force before the night of a day; nothing before the first night.

    Raises
    ------
    StoreError : the database cannot be read.
    """
    row = store.row("SELECT night, folder FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1", str(day))
    if row is None:
        return Before()
    folder, found = place.out / row["folder"], Before()
    if (folder / "schedule.parquet").is_file():
        found.schedule = folder / "schedule.parquet"
    else:
        found.notes.append(f"the schedule of night {row['night']} is gone: it cannot stand in for a plan")
    try:
        found.plan = _plan(folder)
    except (OSError, ValueError, KeyError, TypeError) as e:
        found.notes.append(f"{NIGHT} of night {row['night']} cannot be read ({type(e).__name__}): no changes are told")
    return found


def _plan(folder: Path) -> list[dict[str, Any]]:
    told = json.loads((folder / NIGHT).read_text(encoding="utf-8"))["plan"]
    return [{"site": str(r["site"]), "date": str(r["date"]), "mwh": float(r["mwh"])} for r in told]
