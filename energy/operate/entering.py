"""What a night writes into the database: settled days and its plan in one transaction, then its row among the runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from energy.operate.config import now
from energy.operate.prepare import Prepared
from energy.operate.publish import step
from energy.operate.settle import promise
from energy.operate.store import Store

if TYPE_CHECKING:
    from energy.operate.nightly import Night


def plan_row(prepared: Prepared, folder: Path) -> dict[str, Any]:
    """The row of a plan: what it promises for its own day [EUR]."""
    jobs = prepared.queue.jobs
    eur = promise(prepared.case, prepared.day, folder / "schedule.parquet", prepared.settled.state, jobs)
    return {"night": str(prepared.day), "run_id": prepared.run_id, "folder": folder.name, "kept": prepared.kept,
            "promised_eur": eur}  # fmt: skip


def enter(
    store: Store, prepared: Prepared, plan: dict[str, Any] | None, withdrawn: Sequence[dict[str, Any]] = ()
) -> None:
    """Settled days and the plan in one transaction; a plan is in force unless a later night's is.

    Parameters
    ----------
    withdrawn : later plans that this one takes out of force

    Raises
    ------
    StoreError : the database cannot be written; nothing is then.
    """
    with store.transaction():
        for row in prepared.settled.days:
            store.put("days", row)
        for row in prepared.settled.work:
            store.put("work", row)
        if plan is not None:
            _into_force(store, plan, withdrawn)
        step("entering")


def _into_force(store: Store, plan: dict[str, Any], withdrawn: Sequence[dict[str, Any]]) -> None:
    for row in withdrawn:
        store.remove("plans", row["night"])
    if store.row("SELECT night FROM plans WHERE night > ?", plan["night"]) is None:
        store.put("plans", plan, replace=True)


def record_run(store: Store, night: Night, started: str, seconds: float) -> None:
    """What a run leaves for metrics and history; of a night that is no plan too.

    Parameters
    ----------
    started : when (UTC, ISO 8601)
    seconds : it took [s]

    Raises
    ------
    StoreError : the database cannot be written.
    """
    n = night.night or {}
    fallback = n.get("fallback_hours", {"price": {}, "weather": {}})
    hours = float(np.sum([h for kind in fallback.values() for h in kind.values()]))
    with store.transaction():
        store.put("runs", {
            "night": str(night.day), "run_id": night.run_id, "status": night.status, "rung": night.rung,
            "exit_code": night.code, "reasons": json.dumps(night.reasons), "started": started,
            "finished": now().isoformat(timespec="seconds"), "solve_seconds": night.solve_seconds,
            "wall_seconds": seconds, "folder": night.folder.name if night.folder else None,
            "published": int(night.folder is not None), "gap": n.get("gap"), "cost_eur": n.get("cost_eur"),
            "saving_eur": n.get("saving_eur", {}).get("last_night"), "fallback_hours": hours,
            "undone_gpu_hours": n.get("undone_gpu_hours"), "night_json": json.dumps(n) if n else None,
        })  # fmt: skip
