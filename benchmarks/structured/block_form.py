"""The program as arrays with its job block apart, for fleets of thousands of jobs: no Pyomo object per job and period.

Columns of jobs' GPUs have two entries each, one in the job's `finish` row and one in its group's `link` row, so three vectors
say them. Everything else comes from the Pyomo program of a Problem with one job per group: whatever a part of the
program adds to halls, sites, tariffs and limits is there by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import xarray as xr

from energy.program import build
from energy.schema import Floats, Ints, values_of
from energy.schema import arrays as arrays_module
from energy.solve import compile_model

INF = float("inf")
#: Variables of jobs, and the rows in which each may stand; another row is one that this form does not know.
JOB_VARIABLES = {
    "cumulative_gpus": ("finish", "link"), "unserved": ("finish",), "deferred": ("finish", "post_horizon_capacity"),
}  # fmt: skip
#: Rows of jobs, which this form writes itself.
JOB_ROWS = ("finish", "post_horizon_capacity")


class UnknownStructure(ValueError):
    """The program has a row or variable of jobs that the block form does not know."""


@dataclass(frozen=True)
class BlockForm:
    """min cost x + offset with A x between row_low and row_up, low <= x <= up; columns of jobs' GPUs stand last.

    Attributes
    ----------
    sparse : columns that are not jobs' GPUs, as CSC array of all rows
    gpu_job, gpu_link, gpu_rate : of each column of jobs' GPUs: the job, the row of its link, and the reference GPU-hours of one
    finish : number of the `finish` row of each job
    columns, rows : name -> number of each member on the axes of the table, -1 where there is none
    column_period : period of each sparse column, -1 where it has none
    """

    cost: Floats
    offset: float
    sparse: Any
    row_low: Floats
    row_up: Floats
    low: Floats
    up: Floats
    gpu_job: Ints
    gpu_link: Ints
    gpu_rate: Floats
    finish: Ints
    columns: dict[str, Ints]
    rows: dict[str, Ints]
    column_period: Ints


def block_form(problem: xr.Dataset) -> BlockForm:
    """The program of a Problem.

    Raises
    ------
    UnknownStructure : a part of the program ties jobs in a way that this form does not know.
    """
    p = values_of(problem)
    site, columns, rows, kept = _site_part(problem)
    shape = {k: [problem.sizes[d] for d in arrays_module.SOLUTION[k].dims] for k in JOB_VARIABLES}
    begin, jobs = len(site.cost), problem.sizes["job"]
    waits = np.flatnonzero(p["deferred_max"] > 0)
    columns["unserved"] = begin + np.arange(jobs)
    columns["deferred"] = np.full(shape["deferred"], -1)
    columns["deferred"][waits] = begin + jobs + np.arange(len(waits))
    counts = (p["speed"][p["job_group"]] > 0)[:, :, None] & (p["open"] > 0)[:, None, :]
    job, speed_class, period = np.nonzero(counts)
    columns["cumulative_gpus"] = np.full(shape["cumulative_gpus"], -1)
    columns["cumulative_gpus"][counts] = begin + jobs + len(waits) + np.arange(len(job))
    first = len(site.row_low)
    rows["finish"] = first + np.arange(jobs)
    capacity, limit = _post_horizon(p)
    rows["post_horizon_capacity"] = np.full(len(limit), -1)
    rows["post_horizon_capacity"][capacity] = first + jobs + np.arange(len(capacity))
    due = _due(p)[capacity][:, waits]
    count = first + jobs + len(capacity)
    fastest = p["speed"].max(axis=1)[p["job_group"]]
    work = sp.coo_array((np.ones(jobs), (rows["finish"], np.arange(jobs))), shape=(count, jobs))
    g, w = np.nonzero(due)
    wait = sp.coo_array(
        (
            np.concatenate([np.ones(len(waits)), 1.0 / fastest[waits[w]]]),
            (np.concatenate([rows["finish"][waits], first + jobs + g]), np.concatenate([np.arange(len(waits)), w])),
        ),
        shape=(count, len(waits)),
    )
    site.matrix.resize((count, site.matrix.shape[1]))
    steps = _speed_steps(p["speed"])
    return BlockForm(
        cost=np.concatenate([site.cost, p["penalty"], p["terminal_price"][waits], np.zeros(len(job))]),
        offset=site.offset,
        sparse=sp.csc_array(sp.hstack([site.matrix, work, wait])),
        row_low=np.concatenate([site.row_low, p["work_left"], np.full(len(capacity), -INF)]),
        row_up=np.concatenate([site.row_up, p["work_left"], limit[capacity]]),
        low=np.concatenate([site.low, np.zeros(jobs + len(waits) + len(job))]),
        up=np.concatenate(
            [site.up, p["work_left"], p["deferred_max"][waits], p["max_gpus"][job] * p["open"][job, period]]
        ),
        gpu_job=job,
        gpu_link=rows["link"][p["job_group"][job], speed_class, period],
        gpu_rate=p["dt"][period] * steps[p["job_group"][job], speed_class],
        finish=rows["finish"],
        columns=columns,
        rows=rows,
        column_period=np.concatenate([kept, np.full(jobs + len(waits), -1)]),
    )


@dataclass(frozen=True)
class _Site:
    cost: Floats
    offset: float
    matrix: Any
    row_low: Floats
    row_up: Floats
    low: Floats
    up: Floats


def _site_part(problem: xr.Dataset) -> tuple[_Site, dict[str, Ints], dict[str, Ints], Ints]:
    """The program without its jobs; numbers of its columns and rows, and the period of each column."""
    model = build(_one_job_per_group(problem))
    form = compile_model(model)
    at = {id(v): i for i, v in enumerate(form.columns)}
    row_at = {id(c): i for i, c in enumerate(form.rows)}
    table, sizes = arrays_module.SOLUTION, dict(problem.sizes)
    names = [a.name for a in table.values() if a.role == "variable"]
    duals = [a.name.removeprefix("dual_") for a in table.values() if a.name.startswith("dual_")]
    columns = {k: _numbers(getattr(model, k), table[k].dims, sizes, at) for k in names if k not in JOB_VARIABLES}
    rows = {k: _numbers(getattr(model, k), table[f"dual_{k}"].dims, sizes, row_at) for k in duals if k not in JOB_ROWS}
    own = {
        k: np.array([at[id(v)] for v in getattr(model, k).values() if id(v) in at], dtype=int) for k in JOB_VARIABLES
    }
    known = {
        k: np.array([row_at[id(c)] for c in getattr(model, k).values() if id(c) in row_at], dtype=int)
        for k in (*JOB_ROWS, "link")
    }
    for name, its_rows in JOB_VARIABLES.items():
        touched = np.unique(form.matrix[:, own[name]].tocoo().coords[0])
        if not np.isin(touched, np.concatenate([known[k] for k in its_rows])).all():
            raise UnknownStructure(f"{name} is in a row other than {', '.join(its_rows)}")
    period = np.full(len(form.columns), -1)
    for name, number in columns.items():
        if "time" in table[name].dims:
            axis = table[name].dims.index("time")
            of = np.broadcast_to(
                np.arange(sizes["time"]).reshape([-1 if i == axis else 1 for i in range(number.ndim)]), number.shape
            )
            period[number[number >= 0]] = of[number >= 0]
    keep = np.setdiff1d(np.arange(len(form.columns)), np.concatenate(list(own.values())))
    keep_rows = np.setdiff1d(np.arange(len(form.rows)), np.concatenate([known[k] for k in JOB_ROWS]))
    where, where_row = np.full(len(form.columns), -1), np.full(len(form.rows), -1)
    where[keep], where_row[keep_rows] = np.arange(len(keep)), np.arange(len(keep_rows))
    columns = {k: np.where(v >= 0, where[v], -1) for k, v in columns.items()}
    rows = {k: np.where(v >= 0, where_row[v], -1) for k, v in rows.items()}
    matrix = sp.csr_array(form.matrix)[keep_rows].tocsc()[:, keep]
    site = _Site(
        form.cost[keep],
        form.offset,
        matrix,
        form.row_low[keep_rows],
        form.row_up[keep_rows],
        form.low[keep],
        form.up[keep],
    )
    return site, columns, rows, period[keep]


def _one_job_per_group(problem: xr.Dataset) -> xr.Dataset:
    """The Problem with one job for each group that has some, open whenever one of them is and waiting if one may."""
    p = values_of(problem)
    group, first = np.unique(p["job_group"], return_index=True)
    members = [p["job_group"] == k for k in group]
    most = {k: np.array([p[k][m].max(axis=0) for m in members]) for k in ("open", "deferred_max", "due_after")}
    out = problem.isel(job=first)
    return out.assign({k: out[k].copy(data=v.astype(out[k].dtype)) for k, v in most.items()})


def _numbers(component: Any, dims: tuple[str, ...], sizes: dict[Any, int], at: dict[int, int]) -> Ints:
    """Number of each member of a Pyomo component on its axes, -1 where there is none."""
    out = np.full([sizes[d] for d in dims], -1)
    for index, member in component.items():
        out[index] = at.get(id(member), -1)
    return out


def _due(p: dict[str, Any]) -> Any:
    """Whether a row of post-horizon capacity counts the job's deferred work, (G, J)."""
    mine = (p["post_horizon_group"][:, None] < 0) | (p["post_horizon_group"][:, None] == p["job_group"])
    return mine & (p["due_after"] <= p["post_horizon_until"][:, None]) & (p["deferred_max"] > 0)


def _post_horizon(p: dict[str, Any]) -> tuple[Ints, Floats]:
    """Rows of post-horizon capacity that some job may fill, and the capacity of all."""
    return np.flatnonzero(_due(p).any(axis=1)), p["post_horizon_capacity"]


def _speed_steps(speed: Floats) -> Floats:
    """Speed of each class less that of the next slower one that the group uses, (K, C)."""
    out = np.zeros_like(speed)
    for k, row in enumerate(speed):
        used = np.flatnonzero(row)
        out[k, used] = -np.diff(row[used], append=0.0)
    return out
