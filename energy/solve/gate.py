"""The status gate: which solver answers may become a plan at all."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from energy.solve.highs import Raw, SolverError


class Status(StrEnum):
    """OK: all of the work, all limits, proven. DEGRADED: publishable with its reason. FAILED: no plan."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    FAILED = "FAILED"


#: The stated objective and c·x must agree to this relative difference; both are sums of the same numbers.
OBJECTIVE_AGREES = 1e-9


def gate(raw: Raw, cost: np.ndarray, offset: float) -> None:
    """Let an optimal, finite, self-consistent answer through.

    A NaN price, a timed-out solve and a mis-scaled model all come back looking fine: status alone is not trusted.

    Raises
    ------
    SolverError : status other than optimal, a value that is not finite, or an objective that is not c·x.
    """
    if raw.status != "Optimal":
        raise SolverError(f"solver status {raw.status!r} after {raw.seconds:.1f} s: no plan")
    for name, vector in (("value", raw.values), ("row dual", raw.row_duals), ("reduced cost", raw.column_duals)):
        if not np.isfinite(vector).all():
            raise SolverError(f"the solver returned a {name} that is not finite")
    own = float(cost @ raw.values) + offset
    scale = float(np.abs(cost) @ np.abs(raw.values)) + abs(offset)
    if not abs(own - raw.objective) <= OBJECTIVE_AGREES * max(scale, 1.0):  # a NaN objective agrees with nothing
        raise SolverError(f"the solver states {raw.objective:.6f} EUR, its own plan costs {own:.6f} EUR")
