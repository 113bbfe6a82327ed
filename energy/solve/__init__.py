"""Solve: the only import of the solver; hand-over, method, scaling guard, status gate, dual prices."""

from energy.solve.dual_prices import dual_prices
from energy.solve.gate import Status, gate
from energy.solve.highs import Options, Raw, SolverError, solve
from energy.solve.ranges import Range, ranges
from energy.solve.readback import solution
from energy.solve.standard_form import StandardForm, compile_model

__all__ = [
    "Options",
    "Range",
    "Raw",
    "SolverError",
    "StandardForm",
    "Status",
    "compile_model",
    "dual_prices",
    "gate",
    "ranges",
    "solution",
    "solve",
]
