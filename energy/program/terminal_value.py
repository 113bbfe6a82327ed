"""Terminal value: work that may wait for after the horizon, at its price then, within what can still be done."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.part import Bounds, Part
from energy.program.sets import Sets


def waiting(p: Sets) -> list[int]:
    """j whose deadline lies after the horizon and that may leave work for then."""
    return [j for j in p.J if p.deferred_max[j] > 0]


def post_horizon_rows(p: Sets) -> list[int]:
    """Rows g of post-horizon capacity that some job may fill."""
    return [g for g in p.G if p.deferred_in[g]]


def deferred_limit(m: Any, j: int) -> Bounds:
    """0 <= deferred[j] <= deferred_max[j]        reference GPU-hours left for after the horizon: what the job can do then"""
    return 0.0, m.p.deferred_max[j]


def post_horizon_capacity(m: Any, g: int) -> Any:
    """Σ_{j in g} deferred[j] / fastest[j] <= post_horizon_capacity[g]        j in g: due_after[j] <= post_horizon_until[g], group as stated

    Deferred work that is due by a moment fits into the GPU-hours until then: of all jobs together,
    and of each group in the pools that it may use. A job needs at least its work over its fastest speed.
    """
    p = m.p
    return quicksum([m.deferred[j] / p.fastest[j] for j in p.deferred_in[g]]) <= p.post_horizon_capacity[g]


def terminal_value(m: Any) -> Any:
    """Σ_j terminal_price[j] deferred[j]        what the work is likely to cost after the horizon"""
    return quicksum([m.p.terminal_price[j] * m.deferred[j] for j in m.deferred])


PART = Part(
    "terminal_value",
    variables={"deferred": (waiting, deferred_limit)},
    constraints={"post_horizon_capacity": (post_horizon_rows, post_horizon_capacity)},
    cost={"terminal_value": terminal_value},
)
