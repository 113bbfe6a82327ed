"""From solver vectors to the `Solution`: generic, because Pyomo's names are the schema's names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import xarray as xr

from energy import schema
from energy.program import CONSTRAINTS, VARIABLES
from energy.schema import Floats
from energy.solve.highs import Raw, SolverError
from energy.solve.standard_form import StandardForm
from energy.solve.tidy import least_peaks

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
    for name in VARIABLES:
        arrays[name] = _scatter(problem, name, getattr(m, name), at, np.where(
            (raw.values < 0) & (raw.values > -NEGATIVE_NOISE), 0.0, raw.values))  # fmt: skip
    for name in CONSTRAINTS:
        arrays[f"dual_{name}"] = _scatter(problem, f"dual_{name}", getattr(m, name), row_of, raw.row_duals)
    for name in ("it", "grid_import", "run"):
        arrays[f"bound_{name}"] = _scatter(problem, f"bound_{name}", getattr(m, name), at, raw.column_duals)
    coords = {str(k): v for k, v in problem.coords.items()}
    try:
        found = schema.dataset(arrays, coords, schema.SOLUTION)
    except schema.SchemaError as error:
        raise SolverError(f"the solver returned a value that no plan can have: {error}") from error
    return least_peaks(problem, found).assign_attrs(objective_eur=raw.objective)


def _scatter(problem: xr.Dataset, name: str, component: Any, position: dict[int, int], vector: Floats) -> Floats:
    """Entries of `vector` at the index of each member of a Pyomo component; 0 elsewhere."""
    out = np.zeros([problem.sizes[d] for d in schema.SOLUTION[name].dims])
    found = [(index, position[id(data)]) for index, data in component.items() if id(data) in position]
    if found:
        index = np.array([i if isinstance(i, tuple) else (i,) for i, _ in found]).T
        out[tuple(index)] = vector[np.array([c for _, c in found])]
    return out
