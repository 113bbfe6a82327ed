"""Terminal value: work that may wait for after the horizon, at its price then, within what can still be done."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.part import Bounds, Part
from energy.program.sets import Sets


def waiting(p: Sets) -> list[int]:
    """j whose deadline lies after the horizon and that may leave work for then."""
    return [j for j in p.J if p.later_max[j] > 0]


def guards(p: Sets) -> list[int]:
    """Guard rows that some job may fill."""
    return [g for g in p.G if p.later_in[g]]


def later_limit(m: Any, j: int) -> Bounds:
    """0 <= later[j] <= later_max[j]        reference GPU-hours left for after the horizon: what the job can do then"""
    return 0.0, m.p.later_max[j]


def guard(m: Any, g: int) -> Any:
    """Σ_{j in g} later[j] / fastest[j] <= guard_room[g]        j in g: due_after[j] <= guard_until[g], group as stated

    What is left for after the horizon and is due by a moment has room until then, in GPU-hours: of all jobs together,
    and of each group in the pools that it may use. A job needs at least its work over its fastest speed.
    """
    p = m.p
    return quicksum([m.later[j] / p.fastest[j] for j in p.later_in[g]]) <= p.guard_room[g]


def terminal_value(m: Any) -> Any:
    """Σ_j later_price[j] later[j]        what the work is likely to cost after the horizon"""
    return quicksum([m.p.later_price[j] * m.later[j] for j in m.later])


PART = Part(
    "terminal_value",
    variables={"later": (waiting, later_limit)},
    constraints={"guard": (guards, guard)},
    cost={"terminal_value": terminal_value},
)
