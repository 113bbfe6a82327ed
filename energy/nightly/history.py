"""The last nights from the database, one row each: for the history page, the terminal and JSON."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table

from energy.nightly.config import NightlyWorkspace
from energy.nightly.database import Store, last_runs, open_state
from energy.nightly.outcome import PLAN
from energy.nightly.summary import saved_by_day
from energy.report.history import NIGHTS, Past, terminal

#: The page of the last nights, beside them.
HISTORY = "history.html"
#: Characters of a bar in the terminal.
BAR = 24


def pasts(store: Store, most: int = NIGHTS) -> list[Past]:
    """The last nights as history page and terminal show them, each by its last published run, else its last run.

    Each night has the saving and the cost of its own day: a day counts once, whichever night settled it.
    """
    found = realised(store)
    return [_past(row, *found.get(row["night"], (None, None))) for row in last_runs(store, most)]


def _past(row: dict[str, Any], saved: float | None, cost: float | None) -> Past:
    if row["night_json"]:
        return Past.of(json.loads(row["night_json"]), saved, cost, row["solve_seconds"], row["wall_seconds"])
    return Past(
        row["night"], row["status"], row["method"], row["run_id"] or "", saved, cost, None, row["solve_seconds"],
        row["wall_seconds"], 0.0, 0.0, tuple(json.loads(row["reasons"])),
    )  # fmt: skip


def realised(store: Store) -> dict[str, tuple[float, float]]:
    """Saving and cost of each settled day [EUR]: each day once, whichever night settled it."""
    days = store.rows("SELECT * FROM settled_days")
    saved = saved_by_day(days)
    return {d["day"]: (saved[d["day"]], d["realised_cost_eur"]) for d in days if d["policy"] == PLAN}


def last_nights(workspace: NightlyWorkspace, count: int) -> list[dict[str, Any]]:
    """The last nights, oldest first, each by its last published run, or its last run where none was published."""
    with open_state(workspace) as store:
        return rows(store, count)


def lights(workspace: NightlyWorkspace, count: int) -> list[str]:
    """The last nights at a glance: lights, bars of savings, the nights that were not OK, and where the page is."""
    with open_state(workspace) as store:
        lines = terminal(pasts(store, count), count)
    page = workspace.out / HISTORY
    return [*lines, f"page: {page}"] if page.is_file() else lines


def rows(store: Store, count: int) -> list[dict[str, Any]]:
    """Rows of `last_nights`: `cost_eur` is the plan's bill; `saving_eur` and `realised_cost_eur` are what the night's own day
    realised and cost, once it is settled."""
    found = realised(store)
    return [
        {k: r[k] for k in ("night", "run_id", "status", "method", "exit_code", "cost_eur", "imputed_hours",
                           "unserved_gpu_hours", "solve_seconds", "wall_seconds", "gap", "folder")}
        | {"reasons": json.loads(r["reasons"]), "saving_eur": found.get(r["night"], (None, None))[0],
           "realised_cost_eur": found.get(r["night"], (None, None))[1]}
        for r in last_runs(store, count)
    ]  # fmt: skip


def table(found: list[dict[str, Any]]) -> Table:
    """The rows for a terminal, with a bar of each night's realised saving."""
    out = Table(title=f"Last {len(found)} nights")
    for name in ("night", "state", "by", "cost EUR", "saved EUR", "", "imputed h", "unserved GPU-h", "solve s"):
        out.add_column(name, justify="left" if name in ("night", "state", "by", "") else "right")
    most = max((abs(r["saving_eur"]) for r in found if r["saving_eur"] is not None), default=0.0)
    for r in found:
        out.add_row(r["night"], r["status"], r["method"], _number(r["realised_cost_eur"]), _number(r["saving_eur"]),
                    _bar(r["saving_eur"], most), _number(r["imputed_hours"]), _number(r["unserved_gpu_hours"]),
                    f"{r['solve_seconds']:.1f}")  # fmt: skip
    return out


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _bar(value: float | None, most: float) -> str:
    if value is None or most <= 0:
        return ""
    return ("+" if value >= 0 else "-") * max(1, round(BAR * abs(value) / most))
