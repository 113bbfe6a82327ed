"""What clusters reported of their jobs, in place of what the plan alone would have done."""

from __future__ import annotations

import pandas as pd

from energy.inputs.jobs import Job
from energy.inputs.state import State
from energy.operate.books import work_of
from energy.operate.store import Store
from energy.problem import Inputs


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
