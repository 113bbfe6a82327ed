"""Pyomo model to plain arrays: min c x + offset, row_low <= A x <= row_up, low <= x <= up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from energy.schema import Floats

INF = float("inf")


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
