"""The account of one day: energy, cost and work of a schedule, and the state after it. Arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.invoice import bill, roll_forward
from energy.audit.replay import replay
from energy.inputs.jobs import Job
from energy.inputs.load import Inputs
from energy.inputs.series import Series
from energy.inputs.state import State
from energy.nightly.metering import Report, metered
from energy.nightly.queue import DONE, clip, fastest, hours_inside, no_work
from energy.problem import assemble
from energy.schedule.dispatch import run_now
from energy.schedule.setpoints import setpoints_from
from energy.schedule.table import NO_SETPOINTS, frame
from energy.schema import as_schedule

#: A schedule of no job at all.
EMPTY = pd.DataFrame(
    {"job": [], "site": [], "hall": [], "pool": [], "start": pd.Series([], dtype="datetime64[ns]"), "gpus": []}
)


@dataclass(frozen=True)
class DayAccount:
    """The account of a day.

    Attributes
    ----------
    eur : addition to the invoices
    work : reference GPU-hours done, by job
    state : after the day, work done included
    """

    eur: float
    energy_mwh: float
    work: dict[str, float]
    state: State


def cut_to_day(inputs: Inputs, day: date) -> Inputs:
    """Inputs with one day of their horizon, series cut to the periods that overlap it."""
    out, s = on_day(inputs, day), inputs.series
    first, after = out.case.horizon.bounds()

    def overlapping(ds: xr.Dataset) -> xr.Dataset:
        time = ds["time"].values
        step = time[1] - time[0] if len(time) > 1 else np.timedelta64(0)
        return ds.isel(time=(time > first - step) & (time < after))

    cut = [{name: overlapping(ds) for name, ds in kind.items()} for kind in (s.prices, s.weather, s.carbon)]
    return replace(out, series=Series(*cut))


def on_day(inputs: Inputs, day: date) -> Inputs:
    """Inputs with one day as their horizon, series as they are."""
    horizon = inputs.case.horizon.model_copy(update={"start": day, "end": day})
    return replace(inputs, case=inputs.case.model_copy(update={"horizon": horizon}))


def account_of(
    inputs: Inputs, state: State, table: pd.DataFrame, jobs: dict[str, Job], meter: pd.DataFrame | None = None,
    held: pd.DataFrame = NO_SETPOINTS,
) -> DayAccount:  # fmt: skip
    """Replay a day's schedule, price it and roll the state forward.

    Parameters
    ----------
    table : job, site, hall, pool, start, gpus of the day
    meter : site, utc, hours, import_mwh, it_mwh; may be empty
    held : device, start, setpoint_mw, of any days
    """
    known = replace(inputs, state=state)
    replayed = metered(replay(known, day_schedule(inputs, table, held)), meter)
    work = work_of(inputs, table, jobs)
    done = {**state.work_done, **{k: state.work_done.get(k, 0.0) + v for k, v in sorted(work.items())}}
    after = roll_forward(known, replayed).model_copy(update={"work_done": done})
    energy = float((replayed["import_mw"] * replayed["dt"]).sum())
    return DayAccount(bill(known, replayed).total(), energy, work, after)


def cost_of(inputs: Inputs, state: State, table: pd.DataFrame, held: pd.DataFrame = NO_SETPOINTS) -> float:
    """Addition of a day's schedule to the invoices [EUR]."""
    known = replace(inputs, state=state)
    return bill(known, replay(known, day_schedule(inputs, table, held))).total()


def ex_ante_cost(
    inputs: Inputs, day: date, schedule: pd.DataFrame, held: pd.DataFrame, state: State, jobs: dict[str, Job]
) -> float:
    """Cost of a plan on its own day by the inputs of its night [EUR].

    Parameters
    ----------
    inputs : the case of the night
    schedule, held : the plan over the whole horizon
    state : at the start of the day
    """
    mine = cut_to_day(inputs, day)
    return cost_of(mine, state, executed(mine, schedule, jobs, dict(state.work_done)), held)


def day_schedule(inputs: Inputs, table: pd.DataFrame, held: pd.DataFrame = NO_SETPOINTS) -> xr.Dataset:
    """The table and the setpoints of devices on the day's axes."""
    time, pools, sites = inputs.horizon.time, list(inputs.fleet.pools()), list(inputs.fleet.sites)
    jobs = sorted(set(table["job"])) or ["none"]
    axes = xr.Dataset({"dt": ("time", inputs.horizon.dt)}, {"time": time, "job": jobs, "pool": pools, "site": sites})
    at = np.searchsorted(time, table["start"].to_numpy().astype("datetime64[ns]"))
    pool = [pools.index(f"{r.site}/{r.hall}/{r.pool}") for r in table.itertuples()]
    job = [jobs.index(str(name)) for name in table["job"]]
    return as_schedule(
        axes, np.array(job, dtype=float), np.array(pool, dtype=float), at.astype(float), table["gpus"].to_numpy(),
        setpoints=setpoints_from(held, time),
    )  # fmt: skip


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
    """Schedule of the day of an operator who starts every job at once, of the work that this policy has left."""
    begin, end = inputs.case.horizon.bounds()
    mine, powers = [], dict(inputs.powers)
    for name in sorted(jobs):
        done = state.work_done.get(name, 0.0)
        job = jobs[name].model_copy(update={"deadline": max(jobs[name].deadline, pd.Timestamp(end))})
        left = job.gpu_hours - done
        if left > DONE and job.release < pd.Timestamp(end):
            most = job.max_gpus * fastest(inputs.fleet, powers, job) * hours_inside(job, begin, end)
            mine.append(clip(job, done, left, most))
    here = tuple(mine) or (no_work(inputs.fleet, powers, pd.Timestamp(begin)),)
    problem = assemble(replace(inputs, jobs=here, state=state), checked=False)  # a past day is what it was
    return frame(run_now(problem, problem["work_left"].values, [j.home_site for j in here]))


def with_reports(
    reports: Sequence[Report], inputs: Inputs, table: pd.DataFrame, done: dict[str, float], jobs: dict[str, Job]
) -> dict[str, float]:
    """Work done after a day, by job [GPU-hours]: as last reported during it, and what the plan does of it afterwards.

    Parameters
    ----------
    reports : of the day, in order
    table : the plan's schedule of the day
    done : work done after the day by the plan alone
    """
    out = dict(done)
    for at, name, hours in reports:
        if name in jobs:
            later = table[(table["job"] == name) & (table["start"] >= at)]
            planned = work_of(inputs, later, {name: jobs[name]}).get(name, 0.0)
            out[name] = min(hours + planned, jobs[name].gpu_hours)
    return out


def opening_state(state: State, reports: Sequence[Report], jobs: dict[str, Job]) -> State:
    """The state in which the first day begins: with what had been reported of the jobs by then, which no plan has done."""
    reported = {name: min(hours, jobs[name].gpu_hours) for _, name, hours in reports if name in jobs}
    return state.model_copy(update={"work_done": {**state.work_done, **reported}})
