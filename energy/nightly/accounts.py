"""One day of a schedule in the books: what it draws, costs and does, and the state that it leaves.

What clusters reported of their jobs, in place of what the plan alone would have done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.invoice import bill
from energy.audit.replay import replay
from energy.audit.rollover import roll_forward
from energy.inputs.fx import read_fx
from energy.inputs.jobs import Job
from energy.inputs.load import Inputs, read_inputs
from energy.inputs.series import read_all
from energy.inputs.state import State
from energy.nightly.database import Store
from energy.nightly.metering import metered
from energy.nightly.queue import DONE, clip, fastest, hours_inside, no_work
from energy.problem import assemble
from energy.schedule.dispatch import run_now
from energy.schedule.table import NOT_HELD, frame
from energy.schema import UNLIMITED_MW, Floats, as_schedule

#: A schedule of no job at all.
EMPTY = pd.DataFrame(
    {"job": [], "site": [], "hall": [], "pool": [], "start": pd.Series([], dtype="datetime64[ns]"), "gpus": []}
)


@dataclass(frozen=True)
class Entry:
    """A day in the books.

    Attributes
    ----------
    eur : what the day adds to the invoices
    work : reference GPU-hours done, by job
    state : after the day, work done included
    replayed : power and heat by period, metered where there was a meter
    """

    eur: float
    energy_mwh: float
    work: dict[str, float]
    state: State
    replayed: xr.Dataset


def inputs_of(case: Path, day: date, of: Inputs | None = None) -> Inputs:
    """A case cut to one day, whether or not one of its jobs touches it.

    Parameters
    ----------
    of : another day of the same case, whose fleet, plants and tariffs are taken over; else those of all its horizon
    """
    of = of or read_inputs(case)
    horizon = of.case.horizon.model_copy(update={"start": day, "end": day})
    cut = of.case.model_copy(update={"horizon": horizon})
    sunny = frozenset(name for name, site in of.fleet.sites.items() if site.solar)
    series = read_all(cut, case.parent, False, sunny)
    return replace(of, case=cut, series=series, fx=read_fx(cut.fx, case.parent, horizon.bounds()[0]))


def book(
    inputs: Inputs, state: State, table: pd.DataFrame, jobs: dict[str, Job], meter: pd.DataFrame,
    held: pd.DataFrame = NOT_HELD,
) -> Entry:  # fmt: skip
    """Replay a day's schedule, price it and roll the state forward.

    Parameters
    ----------
    table : job, site, hall, pool, start, gpus of the day
    meter : site, utc, hours, import_mwh, it_mwh; may be empty
    held : site, start, solar_limit_mw of solar arrays held back, of any days
    """
    known = replace(inputs, state=state)
    replayed = metered(replay(known, day_schedule(inputs, table, held)), meter)
    work = work_of(inputs, table, jobs)
    after = roll_forward(known, replayed)
    done = dict(state.work_done)
    for name in sorted(work):
        done[name] = done.get(name, 0.0) + work[name]
    energy = float((replayed["import_mw"] * replayed["dt"]).sum())
    return Entry(bill(known, replayed).total(), energy, work, after.model_copy(update={"work_done": done}), replayed)


def cost_of(inputs: Inputs, state: State, table: pd.DataFrame, held: pd.DataFrame = NOT_HELD) -> float:
    """What a day's schedule adds to the invoices [EUR], for whoever needs no more of its books."""
    known = replace(inputs, state=state)
    return bill(known, replay(known, day_schedule(inputs, table, held))).total()


def day_schedule(inputs: Inputs, table: pd.DataFrame, held: pd.DataFrame = NOT_HELD) -> xr.Dataset:
    """The table, and where solar arrays are held back, on the day's axes."""
    time, pools, sites = inputs.horizon.time, list(inputs.fleet.pools()), list(inputs.fleet.sites)
    jobs = sorted(set(table["job"])) or ["none"]
    axes = xr.Dataset({"dt": ("time", inputs.horizon.dt)}, {"time": time, "job": jobs, "pool": pools, "site": sites})
    at = np.searchsorted(time, table["start"].to_numpy().astype("datetime64[ns]"))
    pool = [pools.index(f"{r.site}/{r.hall}/{r.pool}") for r in table.itertuples()]
    job = [jobs.index(str(name)) for name in table["job"]]
    return as_schedule(
        axes, np.array(job, dtype=float), np.array(pool, dtype=float), at.astype(float), table["gpus"].to_numpy(),
        _solar_limit(inputs, held),
    )  # fmt: skip


def _solar_limit(inputs: Inputs, held: pd.DataFrame) -> Floats | None:
    """Most solar power that each site uses, (S, T) [MW]; None where no array is held back on the day."""
    out = np.full((len(inputs.fleet.sites), len(inputs.horizon)), UNLIMITED_MW)
    here = held[held["start"].isin(inputs.horizon.time) & held["site"].isin(list(inputs.fleet.sites))]
    rows = [list(inputs.fleet.sites).index(site) for site in here["site"]]
    out[rows, np.searchsorted(inputs.horizon.time, here["start"].to_numpy())] = here["solar_limit_mw"]
    return out if len(here) else None


def speed_of(inputs: Inputs, job: Job, pool: str) -> float:
    """Speed of a job in a pool, by the pool's GPU kind."""
    return job.gpu_kinds.get(inputs.powers[pool].kind, 0.0)


def work_of(inputs: Inputs, table: pd.DataFrame, jobs: dict[str, Job]) -> dict[str, float]:
    """Reference GPU-hours that the entries do, by job."""
    out: dict[str, float] = {}
    for r in table.itertuples():
        name = str(r.job)
        if name in jobs:
            speed = speed_of(inputs, jobs[name], f"{r.site}/{r.hall}/{r.pool}")
            out[name] = out.get(name, 0.0) + float(r.gpus) * inputs.case.horizon.hours * speed  # type: ignore[arg-type]
    return out


def executed(inputs: Inputs, table: pd.DataFrame, jobs: dict[str, Job], done: dict[str, float]) -> pd.DataFrame:
    """The part of a schedule that a cluster would run on the day: of each job no more than its work."""
    first, after = inputs.case.horizon.bounds()
    day = table[(table["start"] >= first) & (table["start"] < after)]
    left = {name: job.gpu_hours - done.get(name, 0.0) for name, job in jobs.items()}
    kept = []
    for r in day.sort_values(["start", "job", "site", "hall", "pool"]).itertuples():
        name, pool = str(r.job), f"{r.site}/{r.hall}/{r.pool}"
        if name not in jobs or pool not in inputs.powers:
            continue
        per_gpu = inputs.case.horizon.hours * speed_of(inputs, jobs[name], pool)
        held = min(float(r.gpus), max(left[name], 0.0) / per_gpu) if per_gpu > 0 else 0.0  # type: ignore[arg-type]
        left[name] -= held * per_gpu
        if held > 0:
            kept.append((name, r.site, r.hall, r.pool, r.start, held))
    return pd.DataFrame(kept, columns=["job", "site", "hall", "pool", "start", "gpus"])


def run_now_table(inputs: Inputs, state: State, jobs: dict[str, Job]) -> pd.DataFrame:
    """What an operator who starts every job at once runs on the day, of the work that this policy has left."""
    begin, end = inputs.case.horizon.bounds()
    mine = []
    for name in sorted(jobs):
        done = state.work_done.get(name, 0.0)
        job = jobs[name].model_copy(update={"deadline": max(jobs[name].deadline, pd.Timestamp(end))})
        left = job.gpu_hours - done
        if left > DONE and job.release < pd.Timestamp(end):
            most = job.max_gpus * fastest(inputs.fleet, dict(inputs.powers), job) * hours_inside(job, begin, end)
            mine.append(clip(job, done, left, most))
    here = tuple(mine) or (no_work(inputs.fleet, dict(inputs.powers), pd.Timestamp(begin)),)
    day = replace(inputs, jobs=here, state=state)
    problem = assemble(day)
    return frame(run_now(problem, problem["work_left"].values, [j.home_site for j in here]))


def with_reports(
    store: Store, inputs: Inputs, table: pd.DataFrame, done: dict[str, float], jobs: dict[str, Job], known_at: pd.Timestamp
) -> dict[str, float]:  # fmt: skip
    """Work done after a day, by job [GPU-hours]: as last reported during it, and what the plan does of it afterwards.

    Parameters
    ----------
    table : what the plan does on the day
    done : work done after the day by the plan alone
    known_at : later reports are not known yet
    """
    first, after = (pd.Timestamp(b) for b in inputs.case.horizon.bounds())
    out = dict(done)
    for at, name, hours in _reports(store, jobs, min(after, known_at), first):
        later = table[(table["job"] == name) & (table["start"] >= at)]
        planned = work_of(inputs, later, {name: jobs[name]}).get(name, 0.0)
        out[name] = min(hours + planned, jobs[name].gpu_hours)
    return out


def opened(store: Store, opening: State, jobs: dict[str, Job], until: pd.Timestamp) -> State:
    """The state in which the books begin: with what had been reported of the jobs by then, which no plan has done."""
    done = dict(opening.work_done)
    for _, name, hours in _reports(store, jobs, until):
        done[name] = min(hours, jobs[name].gpu_hours)
    return opening.model_copy(update={"work_done": done})


def _reports(
    store: Store, jobs: dict[str, Job], until: pd.Timestamp, since: pd.Timestamp | None = None
) -> list[tuple[pd.Timestamp, str, float]]:
    """Reports of known jobs in [since, until), in order."""
    rows = store.rows(
        "SELECT at, job, gpu_hours FROM progress WHERE at >= ? AND at < ? ORDER BY at",
        since.isoformat() if since is not None else "", until.isoformat(),
    )  # fmt: skip
    return [(pd.Timestamp(r["at"]), r["job"], float(r["gpu_hours"])) for r in rows if r["job"] in jobs]
