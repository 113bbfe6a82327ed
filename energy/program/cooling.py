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
    """0 <= segment_load[h,t,i] <= width[h,t,i]        IT power above base_it on segment i; the last segment has no end

    Its end is where the last GPU is busy, which `pool_capacity` and `hall_mw` hold: were it a bound too, the worth of
    one more GPU would hide in the segments.
    """
    widths = m.p.width[h][t]
    return 0.0, widths[i] if any(w > 0 for w in widths[i + 1 :]) else None


def it_power(m: Any, h: int, t: int) -> Any:
    """it[h,t] = base_it[h,t] + Σ_{n in h} (busy_mw[n] - idle_mw[n]) Σ_k group_gpus[k,n,t]

    with base_it[h,t] = Σ_{n in h} (busy_mw firm + idle_mw (available - firm)) + firm_it_mw[h,t]:
    a GPU that is not busy is idle.
    """
    p, group_gpus = m.p, m.group_gpus
    extra = [
        (p.busy_mw[n] - p.idle_mw[n]) * group_gpus[k, n, t] for n in p.pools_in[h] for k in p.groups_at.get((n, t), ())
    ]
    return m.it[h, t] - quicksum(extra) == p.base_it[h][t]


def segments(m: Any, h: int, t: int) -> Any:
    """it[h,t] - base_it[h,t] = Σ_i segment_load[h,t,i]

    Slopes rise with i, so wherever power costs money the segments fill in their order.
    """
    p = m.p
    return m.it[h, t] - quicksum(segment_loads(m, h, t)) == p.base_it[h][t]


def segment_loads(m: Any, h: int, t: int) -> list[Any]:
    """The segment variables of a hall and period."""
    return [m.segment_load[h, t, i] for i, w in enumerate(m.p.width[h][t]) if w > 0]


def overhead(m: Any, h: int, t: int) -> list[Any]:
    """Terms of Σ_i slope[h,t,i] segment_load[h,t,i], the overhead above base_overhead."""
    p = m.p
    return [p.slope[h][t][i] * m.segment_load[h, t, i] for i, w in enumerate(p.width[h][t]) if w > 0]


PART = Part(
    "cooling",
    variables={"it": (hall_periods, hall_limit), "segment_load": (real_segments, segment_width)},
    constraints={"it_power": (hall_periods, it_power), "segments": (hall_periods, segments)},
)
