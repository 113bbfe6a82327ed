"""The last nights, from the database: one row per night, the last run of each."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table

from energy.operate.after import HISTORY, pasts
from energy.operate.config import Place
from energy.operate.digest import realised
from energy.operate.store import Store, last_runs, open_state
from energy.report.history import terminal

#: What a row of the history holds, in the order shown.
COLUMNS = (
    "night",
    "status",
    "rung",
    "cost_eur",
    "real_eur",
    "saving_eur",
    "fallback_hours",
    "undone_gpu_hours",
    "solve_seconds",
)
#: Characters of a bar in the terminal.
BAR = 24


def last_nights(place: Place, count: int) -> list[dict[str, Any]]:
    """The last nights, oldest first, each by its last published run, or its last run where none was published."""
    with open_state(place) as store:
        return rows(store, count)


def lights(place: Place, count: int) -> list[str]:
    """The last nights at a glance: lights, bars of savings, the nights that were not OK, and where the page is."""
    with open_state(place) as store:
        lines = terminal(pasts(store, count), count)
    page = place.out / HISTORY
    return [*lines, f"page: {page}"] if page.is_file() else lines


def rows(store: Store, count: int) -> list[dict[str, Any]]:
    """Rows of `last_nights`: `cost_eur` is the plan's bill; `saving_eur` and `real_eur` are what the night's own day
    realised and cost, once it is settled."""
    found = realised(store)
    return [
        {k: r[k] for k in ("night", "run_id", "status", "rung", "exit_code", "cost_eur", "fallback_hours",
                           "undone_gpu_hours", "solve_seconds", "wall_seconds", "gap", "folder")}
        | {"reasons": json.loads(r["reasons"]), "saving_eur": found.get(r["night"], (None, None))[0],
           "real_eur": found.get(r["night"], (None, None))[1]}
        for r in last_runs(store, count)
    ]  # fmt: skip


def table(found: list[dict[str, Any]]) -> Table:
    """The rows for a terminal, with a bar of each night's realised saving."""
    out = Table(title=f"Last {len(found)} nights")
    for name in ("night", "state", "by", "cost EUR", "saved EUR", "", "stand-in h", "undone GPU-h", "solve s"):
        out.add_column(name, justify="left" if name in ("night", "state", "by", "") else "right")
    most = max((abs(r["saving_eur"]) for r in found if r["saving_eur"] is not None), default=0.0)
    for r in found:
        out.add_row(r["night"], r["status"], r["rung"], _number(r["real_eur"]), _number(r["saving_eur"]),
                    _bar(r["saving_eur"], most), _number(r["fallback_hours"]), _number(r["undone_gpu_hours"]),
                    f"{r['solve_seconds']:.1f}")  # fmt: skip
    return out


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _bar(value: float | None, most: float) -> str:
    if value is None or most <= 0:
        return ""
    return ("+" if value >= 0 else "-") * max(1, round(BAR * abs(value) / most))
