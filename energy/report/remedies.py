"""Binding limits: undone jobs and breached caps with their remedies and prices, or the limits that cost most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from energy.report.figures import RunFigures
from energy.report.formatting import capitalised, clipped, clock, counted, eur, hours, listed, number, short_day, unit
from energy.report.tables import Cell, Column, Table, left, prose, row, table

#: Rows shown; the run folder's summary.json has all.
MOST_ROWS = 20
#: Other remedies named beside the cheapest one.
MOST_OTHERS = 3
COLUMNS: tuple[Column, ...] = (
    left("What"), left("Where"), left("When, UTC"), prose("Cheapest remedy"), left("Saves up to"), prose("Other remedies"),
)  # fmt: skip
#: Key of an input file -> what is changed.
CHANGE = {"count": "more GPUs in", "deadline": "a later deadline of", "max_gpus": "more GPUs at once for",
          "grid_limit_mw": "a larger grid connection of", "limit": "a looser"}  # fmt: skip
Entry = Mapping[str, Any]


def entries(run: RunFigures) -> list[Entry]:
    """What the run found; nothing in run folders of versions that did not look."""
    return list(run.record.summary.get("binding_limits", []))


def urgent(run: RunFigures) -> bool:
    """Whether work is undone or a cap breached."""
    return any(x["kind"] != "tight" for x in entries(run))


def remedies_text(run: RunFigures) -> str:
    """What the table shows."""
    found = entries(run)
    if not found:
        return "None: all work is done, every cap is met, and no connection, pool or cap costs more than a euro."
    if not urgent(run):
        return (
            "All work is done and every cap is met. These limits cost most; the saving is a marginal one, of one more "
            "unit, and further units save no more than the first."
        )
    jobs, caps = (sum(x["kind"] == k for x in found) for k in ("unserved", "breach"))
    what = [*([counted(jobs, "job")] if jobs else []), *([counted(caps, "PUE cap")] if caps else [])]
    verb = {(True, False): "cannot be finished", (False, True): "cannot be met"}.get((jobs > 0, caps > 0), "give way")
    shown = f" The {MOST_ROWS} largest are shown." if len(found) > MOST_ROWS else ""
    return (
        f"{listed(what)} {verb} within the limits, or not for less than the penalty. Each remedy is sized to be enough "
        "alone for its row; its saving, penalty included, is by the program's duals the most it can be. "
        f"The cheapest remedy is the one that saves most.{shown}"
    )


def remedies_table(run: RunFigures) -> Table | None:
    """One row for each undone job, breached cap or dear limit."""
    found = entries(run)
    return table(COLUMNS, [_row(x) for x in found[:MOST_ROWS]]) if found else None


def _row(x: Entry) -> tuple[Cell, ...]:
    remedies = list(x["remedies"]) if x["kind"] == "unserved" else [x["remedy"]]
    where, when = clipped(str(x["site"])), _stamp(x["hour"])
    if not remedies:
        return row(_subject(x), where, when, "none of them alone", "–", "–")
    best = remedies[0]
    needed = f"{_stamp(best['hours'][0])} to {_stamp(best['hours'][1])}; " if best["hours"] else ""
    others = [f"{change(r)} ({eur(r['saving_eur'])})" for r in remedies[1 : MOST_OTHERS + 1]]
    cheapest = Cell(change(best), f"{needed}key {best['key']}")
    return row(_subject(x), where, when, cheapest, eur(best["saving_eur"]), listed(others) if others else "–")


def _subject(x: Entry) -> Cell:
    if x["kind"] == "unserved":
        short = f"{number(x['gpu_hours'], 1)} GPU-h undone, {eur(x['penalty_eur'])}"
        return Cell(clipped(f"Job {x['job']}"), short, "bad")
    if x["kind"] == "breach":
        over = f"exceeded by {unit(x['mwh'], 'MWh', 3)}, {eur(x['penalty_eur'])}"
        return Cell(f"PUE cap {clipped(str(x['cap']))}", over, "bad")
    return Cell(clipped(capitalised(str(x["limit"]))), "tight")


def change(remedy: Entry) -> str:
    """More GPUs in south/air/h200: +12."""
    return f"{CHANGE[remedy['key']]} {clipped(str(remedy['where']))}: {_amount(remedy)}"


def _amount(remedy: Entry) -> str:
    amount = remedy["amount"]
    if remedy["key"] == "deadline":
        return f"+{hours(amount)}"
    digits = 4 if remedy["key"] == "limit" else 2 if amount < 10 else 1
    return unit(amount, remedy["unit"], digits, sign=True) if remedy["unit"] else number(amount, digits, sign=True)


def _stamp(stamp: str) -> str:
    """2021-01-01T00:00Z as 1 Jan 00:00."""
    at = np.datetime64(stamp.removesuffix("Z"))
    return f"{short_day(at)} {clock(at)}"
