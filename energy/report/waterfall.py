"""Savings by cause from restricted solves, as a waterfall, with the rules of thumb beside it."""

from __future__ import annotations

from typing import Any

from energy.report.tables import Column, Table, row, table, words
from energy.report.view import View
from energy.report.words import eur, number

#: Share of the line that bars may take [%]; the rest is for the figure behind them.
WIDTH = 75
#: What each step lifts, in the words of the page.
MEANING = {
    "run now": "every job at once, at home",
    "time shifting": "each site keeps its work and chooses hours, at a constant PUE, blind to peaks and caps",
    "site shifting": "work may move between sites",
    "cooling awareness": "cooling follows weather and load instead of a constant PUE",
    "peak awareness": "demand charges are seen",
    "full": "PUE caps, contracts and minimum bills are kept",
}


def steps(view: View) -> list[dict[str, Any]]:
    """One bar per step: left edge and width [% of run-now's bill span], saving or loss in words; [] without any."""
    found = view.record.summary.get("attribution", {}).get("steps", [])
    if not found:
        return []
    costs = [s["cost_eur"] for s in found]
    low = min(costs) - 0.15 * (max(costs) - min(costs) or 1.0)
    span = max(costs) - low
    out = []
    for i, s in enumerate(found):
        before = costs[max(i - 1, 0)]
        left, right = sorted((before if i else low, s["cost_eur"]))
        out.append({
            "name": _upper(s["name"]), "meaning": MEANING.get(s["name"], ""), "loss": s["saving_eur"] < 0,
            "left": round(WIDTH * (left - low) / span, 2), "width": round(WIDTH * (right - left) / span, 2),
            "text": eur(s["cost_eur"]) if i == 0 else eur(s["saving_eur"], sign=True),
        })  # fmt: skip
    return out


def rules_table(view: View) -> Table | None:
    """Rules of thumb on the same trace: bill, difference to run-now, work done."""
    found = view.record.summary.get("attribution", {}).get("rules", [])
    if not found:
        return None
    due = float(view.record.summary["work_gpu_hours"]["plan"])
    columns = (words("Rule"), Column("Cost", "EUR"), Column("Saving", "EUR"), Column("Work done", "%"))
    return table(columns, [
        row(_upper(s["name"]), number(s["cost_eur"]), number(s["saving_eur"]), number(100 * s["work_gpu_hours"] / due, 1))
        for s in found
    ])  # fmt: skip


def _upper(name: str) -> str:
    """The first letter in upper case, abbreviations left alone."""
    return name[:1].upper() + name[1:]
