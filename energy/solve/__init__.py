"""Solve: the only import of the solver; hand-over, method, scaling guard, status gate, dual prices."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from energy.solve.highs import Options, Range, Raw, SolverError, gate, ranges, solve
from energy.solve.shadow_prices import dual_prices

if TYPE_CHECKING:
    from energy.solve.standard_form import StandardForm, compile_model, merge_equal_jobs, solution

__all__ = [
    "Options", "Range", "Raw", "SolverError", "StandardForm",
    "compile_model", "dual_prices", "gate", "merge_equal_jobs", "ranges", "solution", "solve",
]  # fmt: skip

#: What needs Pyomo, which takes more than a second to import, and the module that has it: imported once it is asked for.
_LATER = dict.fromkeys(("StandardForm", "compile_model", "merge_equal_jobs", "solution"), "standard_form")


def __getattr__(name: str) -> Any:
    """One of the names that need Pyomo."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
