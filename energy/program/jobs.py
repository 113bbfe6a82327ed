"""Jobs: their windows, their work, and the GPUs they hold.

The GPUs of a job are counted cumulatively: `cumulative_gpus[j,c,t]` are those in speed class c and in the faster ones, so
that one bound is the job's limit over all its classes. Values with more GPUs in a fast class than in it and the slower ones
together need no row to forbid them: jobs of a group can always share the group's GPUs so that each does the same work and
none holds more than it may (`energy.schedule.disaggregate`).
"""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.part import Bounds, Index, Part
from energy.program.sets import Sets


def held(p: Sets) -> list[Index]:
    """(j, c, t): speed classes of the job's group in the periods of its window."""
    return [(j, c, t) for j in p.J for c in p.classes[p.job_group[j]] for t in p.window[j]]


def placed(p: Sets) -> list[Index]:
    """(k, n, t): pools the group may use, in periods with an open job of the group."""
    return [(k, n, t) for k, t in sorted(p.jobs_in) for n in p.group_pools[k]]


def all_jobs(p: Sets) -> range:
    """All j."""
    return p.J  # type: ignore[no-any-return]


def class_periods(p: Sets) -> list[Index]:
    """(k, c, t) with an open job of the group."""
    return [(k, c, t) for k, t in sorted(p.jobs_in) for c in p.classes[k]]


def pool_periods(p: Sets) -> list[Index]:
    """(n, t) that some group may use."""
    return sorted(p.groups_at)


def open_window(m: Any, j: int, c: int, t: int) -> Bounds:
    """0 <= cumulative_gpus[j,c,t] <= max_gpus[j] · open[j,t]        GPUs of class c and faster ones; open: share of the period inside the window"""
    return 0.0, m.p.max_gpus[j] * m.p.open[j][t]


def not_negative(m: Any, k: int, n: int, t: int) -> Bounds:
    """0 <= group_gpus[k,n,t]        GPUs of pool n that group k holds"""
    return 0.0, None


def work_limit(m: Any, j: int) -> Bounds:
    """0 <= unserved[j] <= work_left[j]        reference GPU-hours left undone"""
    return 0.0, m.p.work_left[j]


def finish(m: Any, j: int) -> Any:
    """Σ_t dt_t Σ_c (speed[k(j),c] - speed[k(j),c+1]) cumulative_gpus[j,c,t] + deferred[j] + unserved[j] = work_left[j]        speed after the slowest class: 0; deferred: where the job may wait"""
    p, gpus = m.p, m.cumulative_gpus
    step = p.speed_step[p.job_group[j]]
    done = [p.dt[t] * step[c] * gpus[j, c, t] for c in step for t in p.window[j]]
    left = m.unserved[j] + m.deferred[j] if j in m.deferred else m.unserved[j]
    return quicksum(done) + left == p.work_left[j]


def link(m: Any, k: int, c: int, t: int) -> Any:
    """Σ_{j in k} cumulative_gpus[j,c,t] = Σ_{n in k, class(n) <= c} group_gpus[k,n,t]"""
    p, gpus, group_gpus = m.p, m.cumulative_gpus, m.group_gpus
    return quicksum([gpus[j, c, t] for j in p.jobs_in[k, t]]) == quicksum(
        [group_gpus[k, n, t] for n in p.class_pools[k][c]]
    )


def pool_capacity(m: Any, n: int, t: int) -> Any:
    """Σ_k group_gpus[k,n,t] <= available[n,t] - firm[n,t]"""
    p = m.p
    return quicksum([m.group_gpus[k, n, t] for k in p.groups_at[n, t]]) <= p.available[n][t] - p.firm[n][t]


def unserved(m: Any) -> Any:
    """Σ_j penalty[j] unserved[j]"""
    return quicksum([m.p.penalty[j] * m.unserved[j] for j in m.p.J])


PART = Part(
    "jobs",
    variables={
        "cumulative_gpus": (held, open_window),
        "group_gpus": (placed, not_negative),
        "unserved": (all_jobs, work_limit),
    },
    constraints={
        "finish": (all_jobs, finish),
        "link": (class_periods, link),
        "pool_capacity": (pool_periods, pool_capacity),
    },
    cost={"unserved": unserved},
)
