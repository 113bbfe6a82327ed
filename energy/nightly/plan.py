"""Plan a night: a pure function of everything that the night knows. No clock, no file, no process, no database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from energy.nightly.accounts import ex_ante_cost
from energy.nightly.inputs import Snapshot
from energy.nightly.summary import night_summary
from energy.optimize import Run, optimize_inputs, planner
from energy.runs.record import setpoint_table
from energy.schedule.dispatch import trimmed
from energy.schedule.table import Maker, frame, handed_over
from energy.solve import Options, SolverError

#: Fallback methods of a night from the best plan down, and what makes the plan of each: a method of the solver, the
#: greedy dispatcher, or the previous plan's schedule, trimmed.
METHODS = ("lp", "simplex", "greedy", "last_good")


@dataclass(frozen=True)
class NightPlan:
    """A planned night as publication needs it.

    Attributes
    ----------
    run_id : name of the night's folder
    method : fallback method that made the plan
    run : problem, solution, schedule, replay, bill, certificate, outcome
    ex_ante_cost_eur : what the plan costs on the delivery day by what the night knows
    summary : the run summary, the content of night.json
    """

    run_id: str
    method: str
    run: Run
    ex_ante_cost_eur: float
    summary: dict[str, Any]


def plan_night(
    snapshot: Snapshot, method: str = "lp", failed: Sequence[str] = (), time_limit_s: float = 1200.0
) -> NightPlan:
    """Solve, prove, price and sum up the night with one method.

    Parameters
    ----------
    failed : why each better method made no plan
    time_limit_s : most seconds that the solver may take

    Raises
    ------
    InputError : the work cannot be done (ImpossibleWork).
    SolverError : the solver's answer cannot be trusted, or no plan can be published.
    CertificateError : the Schedule or its bill is not what the inputs say.
    """
    if method == "last_good" and snapshot.schedule is not None:
        options = Options()
        maker: Maker | None = partial(trimmed, table=snapshot.schedule)
    elif method == "last_good" or method not in METHODS:
        raise ValueError(f"{method} cannot plan this night; the methods are {', '.join(METHODS)}")
    else:
        options, maker = planner("ipx" if method == "lp" else method, time_limit_s)
    run = optimize_inputs(snapshot.inputs, options, maker)
    if run.outcome.status == "FAILED":
        raise SolverError(f"no plan: {'; '.join(run.outcome.reasons)}")
    return sum_up(snapshot, run, method, failed)


def sum_up(snapshot: Snapshot, run: Run, method: str, failed: Sequence[str] = ()) -> NightPlan:
    """The plan of a night from its solved run."""
    night = snapshot.night
    schedule = frame(handed_over(run.problem, run.plan.schedule))
    cost = ex_ante_cost(
        snapshot.inputs,
        night.day,
        schedule,
        setpoint_table(run.plan.schedule),
        night.settlement.state,
        night.queue.jobs,
    )
    summary = night_summary(snapshot, run, schedule, method, failed)
    # Plain JSON values: it is published, stored and printed.
    return NightPlan(night.run_id, method, run, cost, json.loads(json.dumps(summary, default=np.generic.item)))
