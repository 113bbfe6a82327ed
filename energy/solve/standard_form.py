"""A Pyomo model as plain arrays, and solver vectors as the `Solution`: min c x + offset, row_low <= A x <= row_up.

Jobs that are alike in all but size are one job to the solver: the same optimum, from one column instead of thousands.
Reading back is generic, because Pyomo's names are the schema's names. Peaks of a Solution are lowered to what the
power drawn needs: where a minimum bill binds, a higher peak costs nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
import xarray as xr
from pyomo.common.gc_manager import PauseGC
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from energy.program import CONSTRAINTS, VARIABLES
from energy.schema import TINY_MW, Floats, Ints, validate, values_of
from energy.schema import arrays as arrays_module
from energy.solve.highs import Raw, SolverError

INF = float("inf")
#: Arrays of the Problem that grow with a job's size; jobs are alike when their share of GPUs is the same in each.
SIZES = ("work_left", "deferred_max")
#: Arrays of the Problem that are the same for jobs that are alike.
ALIKE = ("job_group", "open", "penalty", "expected", "terminal_price", "due_after")
#: Digits to which hours of work per GPU are compared; a hundred times coarser than their rounding.
DIGITS = 13


@dataclass(frozen=True)
class Merged:
    """A Problem whose jobs that are alike are one.

    Attributes
    ----------
    problem : with the sums of their work and GPUs
    of : position in it of each job of the whole Problem, (J,)
    share : the job's share of it, (J,)
    """

    problem: xr.Dataset
    of: Ints
    share: Floats

    def split(self, solution: xr.Dataset, whole: xr.Dataset) -> xr.Dataset:
        """The Solution of the whole Problem: each job has its share of GPUs and work, and the same prices."""
        out = solution.isel(job=self.of).assign_coords(job=whole["job"])
        share = xr.DataArray(self.share, dims="job")
        owned = [a.name for a in arrays_module.SOLUTION.values() if "job" in a.dims and a.role == "variable"]
        return out.assign({k: (out[k] * share).transpose(*out[k].dims).assign_attrs(out[k].attrs) for k in owned})


def merge_equal_jobs(problem: xr.Dataset) -> Merged:
    """One job for all of a group with the same window, hours of work per GPU, penalty and terms of waiting.

    Exact, since each constraint and cost of such jobs is the sum's in proportion to their GPUs.
    """
    p: dict[str, Any] = values_of(problem)
    gpus = p["max_gpus"]
    per_gpu = np.stack([np.divide(p[k], gpus, out=np.full(len(gpus), np.nan), where=gpus > 0) for k in SIZES])
    rounded = np.array([[float(f"{x:.{DIGITS - 1}e}") for x in row] for row in per_gpu]).reshape(per_gpu.shape)
    same = [p[k].reshape(len(gpus), -1) for k in ALIKE]
    # Jobs without GPUs have no hours per GPU and stay alone.
    alone = np.where(np.isfinite(rounded).all(axis=0), -1, np.arange(len(gpus)))
    keys = np.concatenate([*same, np.nan_to_num(rounded).T, alone[:, None]], axis=1)
    kinds: dict[bytes, int] = {}
    of = np.array([kinds.setdefault(row.tobytes(), len(kinds)) for row in np.ascontiguousarray(keys)], dtype=np.int64)
    if len(kinds) == len(gpus):
        return Merged(problem, of, np.ones(len(gpus)))
    first = np.unique(of, return_index=True)[1]
    sums = {k: np.bincount(of, weights=p[k]) for k in ("max_gpus", *SIZES)}
    merged = problem.isel(job=first)
    merged = merged.assign({k: merged[k].copy(data=v) for k, v in sums.items()})
    whole = sums["max_gpus"][of]
    return Merged(merged, of, np.divide(gpus, whole, out=np.ones(len(gpus)), where=whole > 0))


@dataclass(frozen=True)
class StandardForm:
    """The program as arrays, with the Pyomo objects of its columns and rows for reading back."""

    cost: Floats
    offset: float
    matrix: Any  # scipy.sparse CSC array, (rows, columns)
    row_low: Floats
    row_up: Floats
    low: Floats
    up: Floats
    columns: list[Any]
    rows: list[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns, nonzeros."""
        return (*self.matrix.shape, int(self.matrix.nnz))


def compile_model(m: pyo.ConcreteModel) -> StandardForm:
    """Compile with Pyomo's own linear compiler; passing arrays measured faster than its HiGHS interfaces."""
    with PauseGC():
        form = LinearStandardFormCompiler().write(m, mixed_form=True)
        kind = np.array([row.bound_type for row in form.rows])  # 0: equal, 1: at most, -1: at least
        bounds = [v.bounds for v in form.columns]
    return StandardForm(
        cost=np.asarray(form.c.todense()).ravel(),
        offset=float(np.asarray(form.c_offset).ravel()[0]),
        matrix=form.A,
        row_low=np.where(kind == 1, -INF, form.rhs),
        row_up=np.where(kind == -1, INF, form.rhs),
        low=np.array([-INF if low is None else low for low, _ in bounds]),
        up=np.array([INF if up is None else up for _, up in bounds]),
        columns=form.columns,
        rows=[row.constraint for row in form.rows],
    )


#: Values this close below zero are the solver's feasibility tolerance, not a negative quantity.
NEGATIVE_NOISE = 1e-6


def solution(problem: xr.Dataset, m: pyo.ConcreteModel, form: StandardForm, raw: Raw) -> xr.Dataset:
    """Primal values, row duals and the reduced costs of bounds as one Dataset on the Problem's axes.

    Variables and rows that the program leaves out (closed windows, segments and bands without width, hours
    without sun) are 0. Peaks that a minimum bill makes free are those of the power drawn.

    Raises
    ------
    SolverError : a value outside the range that the schema gives it, such as a negative number of GPUs.
    """
    at = {id(v): i for i, v in enumerate(form.columns)}
    row_of = {id(c): i for i, c in enumerate(form.rows)}
    arrays: dict[str, Any] = {}
    values = np.where((raw.values < 0) & (raw.values > -NEGATIVE_NOISE), 0.0, raw.values)
    for name in VARIABLES:
        arrays[name] = _scatter(problem, name, getattr(m, name), at, values)
    for name in CONSTRAINTS:
        arrays[f"dual_{name}"] = _scatter(problem, f"dual_{name}", getattr(m, name), row_of, raw.row_duals)
    for name in ("it", "grid_import", "cumulative_gpus"):
        arrays[f"bound_{name}"] = _scatter(problem, f"bound_{name}", getattr(m, name), at, raw.column_duals)
    coords = {str(k): v for k, v in problem.coords.items()}
    try:
        found = validate.dataset(arrays, coords, arrays_module.SOLUTION)
    except validate.SchemaError as error:
        raise SolverError(f"the solver returned a value that no plan can have: {error}") from error
    return least_peaks(problem, found).assign_attrs(objective_eur=raw.objective)


def _scatter(problem: xr.Dataset, name: str, component: Any, position: dict[int, int], vector: Floats) -> Floats:
    """Entries of `vector` at the index of each member of a Pyomo component; 0 elsewhere."""
    out = np.zeros([problem.sizes[d] for d in arrays_module.SOLUTION[name].dims])
    found = [(index, position[id(data)]) for index, data in component.items() if id(data) in position]
    if found:
        index = np.array([i if isinstance(i, tuple) else (i,) for i, _ in found]).T
        out[tuple(index)] = vector[np.array([c for _, c in found])]
    return out


def least_peaks(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """The Solution with `peak` and `band` of charges that count towards a minimum bill taken from `grid_import`.

    Below the minimum a demand charge is paid already, so the solver may leave any peak and any order of the bands.
    Both are stated as the meter would show them, and the top-up replaces the amount that they counted for: the cost is the
    same. Nothing else is touched: a peak below the power drawn, bands that do not add up to their peak and a top-up
    that is too small stay as wrong as they were, for the certificate to see.
    """
    p: dict[str, Any] = values_of(problem)
    x: dict[str, Any] = {k: solution[k].values for k in ("grid_import", "peak", "band", "top_up")}
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    many = (p["charge_band_mw"] > 0).sum(axis=1) > 1
    whole = ~many | (np.abs(x["band"].sum(axis=1) - x["peak"]) < TINY_MW)
    drawn = (p["charge_weight"] * x["grid_import"][p["charge_site"]]).max(axis=1, initial=0.0)
    needed = np.maximum(drawn, p["charge_floor"])  # billed peak of the power drawn, (D,) [MW]
    peak = np.where(same.any(axis=0) & whole, np.minimum(x["peak"], needed), x["peak"])
    width = p["charge_band_mw"]  # the bands are filled in their order
    filled = np.clip(peak[:, None] - (np.cumsum(width, axis=1) - width), 0.0, width)
    band = np.where((same.any(axis=0) & whole & many)[:, None], filled, x["band"])
    lost = same @ (_money(p, x["peak"], x["band"], many) - _money(p, peak, band, many))
    energy = (p["minimum_rate"] * p["dt"] * x["grid_import"][p["minimum_site"]]).sum(axis=1)
    missing = p["minimum_eur"] - energy - same @ _money(p, peak, band, many)
    new = {"peak": peak, "band": band, "top_up": np.maximum(x["top_up"], np.minimum(missing, x["top_up"] + lost))}
    return solution.assign({k: (solution[k].dims, v, solution[k].attrs) for k, v in new.items()})


def _money(p: dict[str, Any], peak: Floats, band: Floats, many: Floats) -> Floats:
    """Demand charges as the program prices them, (D,) [EUR]: by band, or by peak where there is one band."""
    first = np.argmax(p["charge_band_mw"] > 0, axis=1)[:, None]
    single = np.take_along_axis(p["charge_rate"], first, axis=1)[:, 0] * peak
    return np.where(many, (band * p["charge_rate"]).sum(axis=1), single)
