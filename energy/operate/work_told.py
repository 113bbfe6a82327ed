"""The jobs of a night in night.json: how many are done, which are late, at risk or set aside, and what that makes of the night."""

from __future__ import annotations

from typing import Any

from energy.operate.prepare import Prepared
from energy.report.record import Record

#: Jobs that a reason names; the others are counted, the report has them all.
MOST_NAMED = 3


def jobs_of(prepared: Prepared, record: Record) -> dict[str, Any]:
    """Counts, the jobs that are late or at risk, and why others are set aside."""
    started = {k for k, v in prepared.settled.state.work_done.items() if v > 0}
    left = set(prepared.left)
    late = [
        {"id": k, "deadline": _deadline(prepared, k), "gpu_hours_left": v} for k, v in sorted(prepared.late.items())
    ]
    return {"done": len(set(prepared.queue.jobs) - left), "running": len(left & started), "left": len(left),
            "late": late, "at_risk": _at_risk(prepared, record), "refused": list(prepared.queue.refused)}  # fmt: skip


def _at_risk(prepared: Prepared, record: Record) -> list[dict[str, Any]]:
    """Jobs that the plan does not finish, each with its cheapest cure and what the work then costs at least [EUR].

    The cost is power and cooling by the program's duals, the penalty less what the cure saves of it; what GPUs or
    connections cost is not known. Both are None where no single change saves the job.
    """
    undone = [x for x in record.summary.get("what_would_help", []) if x["kind"] == "undone"]
    mine = [x for x in undone if x["job"] in prepared.queue.jobs and x["job"] not in prepared.late]
    return [_risk(prepared, x) for x in mine]


def _risk(prepared: Prepared, undone: dict[str, Any]) -> dict[str, Any]:
    cure = next(iter(undone["cures"]), None)  # cheapest first
    cost = cure and max(undone["penalty_eur"] - cure["saves_eur"], 0.0)
    told = cure and {k: cure[k] for k in ("key", "where", "amount", "unit", "hours")}
    return {"id": undone["job"], "deadline": _deadline(prepared, undone["job"]), "gpu_hours_short": undone["gpu_hours"],
            "cure": told, "cost_eur": cost}  # fmt: skip


def _deadline(prepared: Prepared, name: str) -> str:
    return f"{prepared.queue.jobs[name].deadline.isoformat()}Z"


def work_reasons(prepared: Prepared) -> list[str]:
    """Work that was submitted and will not be done in time, or not at all: it makes the night DEGRADED."""
    return [*late_reason(prepared.late), *refused_reason(prepared.queue.refused)]


def late_reason(late: dict[str, float]) -> list[str]:
    """One reason for all late jobs, most work first; none without any.

    Parameters
    ----------
    late : GPU-hours left by job
    """
    if not late:
        return []
    most = sorted(late, key=lambda k: (-late[k], k))
    named = [f"{k} ({late[k]:.1f} GPU-hours left)" for k in most[:MOST_NAMED]]
    rest = most[MOST_NAMED:]
    more = [f"{len(rest)} more ({sum(late[k] for k in rest):.1f} GPU-hours left)"] if rest else []
    whose = "1 job cannot meet its deadline" if len(late) == 1 else f"{len(late)} jobs cannot meet their deadlines"
    return [f"{whose} any more: {', '.join([*named, *more])}"]


def refused_reason(refused: list[str]) -> list[str]:
    """One reason for all jobs that are set aside: submitted work that nobody plans. None without any."""
    if not refused:
        return []
    rest = len(refused) - MOST_NAMED
    more = [f"{rest} more"] if rest > 0 else []
    what = "1 job is" if len(refused) == 1 else f"{len(refused)} jobs are"
    return [f"{what} set aside and not planned: {'; '.join([*refused[:MOST_NAMED], *more])}"]
