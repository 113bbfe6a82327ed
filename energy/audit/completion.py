"""A given Schedule completed: the cheapest Solution of the array model for the GPUs that its jobs hold.

The variables of sites, halls, tariffs and devices follow from a small linear program, which knows no row by name: a row
that is new to the array model is obeyed by every Schedule, whatever made it. With the Solution a Schedule that no solver
made goes through the same certificate, reconciliation and report as a plan: rows and bounds are proven, only the gap is not.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import xarray as xr
from scipy.optimize import linprog

from energy.audit.array_model import ArrayModel, array_model
from energy.errors import ImpossibleWork
from energy.schedule.disaggregate import LEAST_GPUS
from energy.schedule.setpoints import limits, setpoints_of
from energy.schema import Bools, Floats, arrays, as_schedule, validate, values_of

#: Tolerances of the simplex method on rows and bounds, and on reduced costs: a thousandth of the certificate's, and the
#: least that HiGHS takes.
ON_ROWS, ON_REDUCED_COSTS = 1e-9, 1e-10
#: Rows and bounds of nothing but GPUs held may be off by this [GPU]: a tenth of the certificate's tolerance.
ON_HELD_ROWS = 1e-7
#: Cost added to a MW of every variable [EUR], twice to a MW drawn, and as a share of its own cost: of completions that cost
#: the same the one that draws, feeds in and hands over least, with the cheapest bands of a peak first. Ten thousand times
#: ON_REDUCED_COSTS, so that a hundredth of a slope still counts, and far below the last digit of a price.
TIE_EUR, TIE_SHARE = 1e-6, 1e-9
#: Values below this are rounding of the simplex method [MW, MWh, GPU, GPU-hours, EUR]; as its tolerance on rows.
ROUNDING = 1e-9


def complete(problem: xr.Dataset, schedule: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """The Schedule with the setpoints of its devices, and its Solution; `objective_eur` is their cost, duals are 0.

    Jobs keep the GPUs that they hold wherever a Solution exists. Where none does they hold as many of them as the rows
    allow, never more, and work that is not done is deferred, or unserved at its penalty.

    Raises
    ------
    ImpossibleWork : no Solution exists even without any job.
    """
    model = array_model(problem)
    flows = _flows(model, values_of(problem), schedule)
    for variable, limit in limits(problem, schedule).items():  # setpoints bound the power of devices
        number = model.columns[variable]
        there = number[number >= 0]
        model.up[there] = np.minimum(model.up[there], limit[number >= 0])
    held, least = schedule["entry_gpus"].values, 0.0
    x = _with_held(model, flows, held)
    if x is None:
        (x, held), least = _with_lowered(model, flows, held), LEAST_GPUS
    values = {name: np.zeros([problem.sizes[d] for d in row.dims]) for name, row in arrays.SOLUTION.items()}
    for name, number in model.columns.items():
        values[name][number >= 0] = x[number[number >= 0]]
    solution = validate.dataset(values, {str(k): v for k, v in problem.coords.items()}, arrays.SOLUTION)
    solution = solution.assign_attrs(objective_eur=float(model.cost @ x) + model.offset)
    kept = held >= least
    job, pool, time = (schedule[f"entry_{name}"].values[kept] for name in ("job", "pool", "time"))
    return as_schedule(problem, job, pool, time, held[kept], setpoints=setpoints_of(problem, solution)), solution


@dataclass(frozen=True)
class Flows:
    """Columns of the array model in which the entries of a Schedule count.

    Attributes
    ----------
    columns : columns that are GPUs of jobs and groups
    of_entries : (columns, entries): 1 in the columns in which a GPU of the entry counts: its group's in the pool, and the
        job's in the pool's speed class and the slower ones
    allowed : entries whose job may run in that pool and period at all
    """

    columns: Bools
    of_entries: Any
    allowed: Bools


def _flows(model: ArrayModel, p: dict[str, Any], schedule: xr.Dataset) -> Flows:
    job, pool, time = (schedule[f"entry_{name}"].values for name in ("job", "pool", "time"))
    group = p["job_group"][job]
    speed_class = p["pool_class"][group, pool]
    of_job, of_group = model.columns["cumulative_gpus"][job, :, time], model.columns["group_gpus"][group, pool, time]
    counts = (np.arange(of_job.shape[1]) >= speed_class[:, None]) & (of_job >= 0)
    allowed = (speed_class >= 0) & counts.any(axis=1) & (of_group >= 0)
    entry, classes = np.nonzero(counts & allowed[:, None])
    at = np.concatenate([of_job[entry, classes], of_group[allowed]]), np.concatenate([entry, np.flatnonzero(allowed)])
    of_entries = sp.csc_array((np.ones(len(at[0])), at), shape=(len(model.cost), len(job)))
    columns = np.full(len(model.cost), False)
    for name in ("cumulative_gpus", "group_gpus"):
        columns[model.columns[name][model.columns[name] >= 0]] = True
    return Flows(columns, of_entries, allowed)


def _with_held(model: ArrayModel, flows: Flows, held: Floats) -> Floats | None:
    """Values of all columns with the GPUs as they are held; None where that breaks a row or bound."""
    x = np.asarray(flows.of_entries @ held)
    mine, free = flows.columns, ~flows.columns
    if not (flows.allowed[~(held <= 0)].all() and (x <= model.up + ON_HELD_ROWS)[mine].all()):
        return None
    used = model.matrix @ x
    found = _cheapest(
        _with_ties(model)[free], model.matrix[:, free], model.row_low - used, model.row_up - used,
        model.low[free], model.up[free],
    )  # fmt: skip
    if found is None:
        return None
    x[free] = found
    return x


def _with_lowered(model: ArrayModel, flows: Flows, held: Floats) -> tuple[Floats, Floats]:
    """Values of all columns, and the GPUs of the entries, with at most the GPUs that are held.

    Raises
    ------
    ImpossibleWork : no values keep every row and bound.
    """
    free, pairs = ~flows.columns, flows.of_entries
    bounded = flows.columns & (pairs @ held > model.up)  # the others cannot be exceeded
    nothing = sp.csc_array((int(bounded.sum()), int(free.sum())))
    matrix = sp.vstack(
        [sp.hstack([model.matrix[:, free], model.matrix @ pairs]), sp.hstack([nothing, pairs.tocsr()[bounded]])]
    )
    found = _cheapest(
        np.concatenate([_with_ties(model)[free], model.cost @ pairs]),
        matrix,
        np.concatenate([model.row_low, np.full(bounded.sum(), -np.inf)]),
        np.concatenate([model.row_up, model.up[bounded]]),
        np.concatenate([model.low[free], np.zeros(len(held))]),
        np.concatenate([model.up[free], np.where(flows.allowed, held, 0.0)]),
    )
    if found is None:
        raise ImpossibleWork("schedule", "cannot be completed: limits are broken even with no job running")
    lowered = found[free.sum() :]
    x = np.asarray(pairs @ lowered)
    x[free] = found[: free.sum()]
    return x, lowered


def _with_ties(model: ArrayModel) -> Floats:
    """Cost of every column, with what decides among completions that cost the same."""
    cost = model.cost.copy()
    for name, number in model.columns.items():
        if arrays.SOLUTION[name].unit == "MW":
            there = number[number >= 0]
            cost[there] += (2 if name == "grid_import" else 1) * TIE_EUR + TIE_SHARE * np.abs(model.cost[there])
    return cost


def _cheapest(cost: Floats, matrix: Any, row_low: Floats, row_up: Floats, low: Floats, up: Floats) -> Floats | None:
    """Columns at least cost, by the dual simplex method: a vertex, the same every time; None where none is feasible."""
    matrix = sp.csr_array(matrix)
    matrix.eliminate_zeros()
    there = np.diff(matrix.indptr) > 0
    if not (np.maximum(row_low, -row_up)[~there] <= ON_HELD_ROWS).all():
        return None
    equal = there & (row_low == row_up)
    below, above = there & ~equal & np.isfinite(row_low), there & ~equal & np.isfinite(row_up)
    answer = linprog(  # type: ignore[call-overload]  # its types know neither sparse matrices nor arrays of bounds
        cost, sp.vstack([matrix[above], -matrix[below]]), np.concatenate([row_up[above], -row_low[below]]),
        matrix[equal], row_low[equal], np.stack([low, up], axis=1), method="highs-ds",
        options={"primal_feasibility_tolerance": ON_ROWS, "dual_feasibility_tolerance": ON_REDUCED_COSTS},
    )  # fmt: skip
    if answer.x is None:
        return None
    found = np.where(np.abs(answer.x) < ROUNDING, 0.0, answer.x)
    return np.asarray(np.clip(found, low, up))
