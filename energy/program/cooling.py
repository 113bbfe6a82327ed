"""Halls: IT power, and the convex segments on which their cooling rises."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.part import Bounds, Index, Part
from energy.program.sets import Sets


def hall_periods(p: Sets) -> list[Index]:
    """All (h, t)."""
    return [(h, t) for h in p.H for t in p.T]


def real_segments(p: Sets) -> list[Index]:
    """(h, t, i) of segments with a width."""
    return [(h, t, i) for h in p.H for t in p.T for i, w in enumerate(p.width[h][t]) if w > 0]


def hall_limit(m: Any, h: int, t: int) -> Bounds:
    """0 <= it[h,t] <= hall_mw[h,t]        IT power; the limit is what the hall can feed and cool"""
    return 0.0, m.p.hall_mw[h][t]


def segment_width(m: Any, h: int, t: int, i: int) -> Bounds:
    """0 <= over[h,t,i] <= width[h,t,i]        IT power above it_min on segment i; the last segment has no end

    Its end is where the last GPU is busy, which `room` and `hall_mw` hold: were it a bound too, the worth of
    one more GPU would hide in the segments.
    """
    widths = m.p.width[h][t]
    return 0.0, widths[i] if any(w > 0 for w in widths[i + 1 :]) else None


def it_power(m: Any, h: int, t: int) -> Any:
    """it[h,t] = it_min[h,t] + Σ_{n in h} (busy_mw[n] - idle_mw[n]) Σ_k gpus[k,n,t]

    with it_min[h,t] = Σ_{n in h} (busy_mw firm + idle_mw (available - firm)) + firm_it_mw[h,t]:
    a GPU that is not busy is idle.
    """
    p, gpus = m.p, m.gpus
    extra = [(p.busy_mw[n] - p.idle_mw[n]) * gpus[k, n, t] for n in p.pools_in[h] for k in p.groups_at.get((n, t), ())]
    return m.it[h, t] - quicksum(extra) == p.it_min[h][t]


def segments(m: Any, h: int, t: int) -> Any:
    """it[h,t] - it_min[h,t] = Σ_i over[h,t,i]

    Slopes rise with i, so wherever power costs money the segments fill in their order.
    """
    p = m.p
    return m.it[h, t] - quicksum(over_of(m, h, t)) == p.it_min[h][t]


def over_of(m: Any, h: int, t: int) -> list[Any]:
    """The segment variables of a hall and period."""
    return [m.over[h, t, i] for i, w in enumerate(m.p.width[h][t]) if w > 0]


def overhead(m: Any, h: int, t: int) -> list[Any]:
    """Terms of Σ_i slope[h,t,i] over[h,t,i], the overhead above overhead_min."""
    p = m.p
    return [p.slope[h][t][i] * m.over[h, t, i] for i, w in enumerate(p.width[h][t]) if w > 0]


PART = Part(
    "cooling",
    variables={"it": (hall_periods, hall_limit), "over": (real_segments, segment_width)},
    constraints={"it_power": (hall_periods, it_power), "segments": (hall_periods, segments)},
)
