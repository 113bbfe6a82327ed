"""Remedies: undone jobs and breached caps with the changes that would help and their prices, or the dearest limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from energy.report.figures import RunFigures
from energy.report.formatting import capitalised, clock, counted, eur, hours, listed, name, number, short_day, unit
from energy.report.view import Cell, Row, Table, left, prose, table

#: Rows shown; the run folder's summary.json has all.
MOST_ROWS = 20
#: Other remedies named beside the cheapest one.
MOST_OTHERS = 3
COLUMNS = (left("What"), left("Where"), left("When, UTC"), prose("Cheapest remedy"), left("Saves up to"),
           prose("Other remedies"))  # fmt: skip
#: Key of an input file -> what is changed.
CHANGE = {"count": "more GPUs in", "deadline": "a later deadline of", "max_gpus": "more GPUs at once for",
          "grid_limit_mw": "a larger grid connection of", "limit": "a looser"}  # fmt: skip
Entry = Mapping[str, Any]


def entries(run: RunFigures) -> list[Entry]:
    """Binding limits with their remedies; none in run folders of versions that did not look for them."""
    return list(run.record.summary.get("binding_limits", []))


def urgent(run: RunFigures) -> bool:
    """True where work is undone or a cap breached."""
    return any(x["kind"] != "tight" for x in entries(run))


def remedies_text(run: RunFigures) -> str:
    """Sentences above the table: the number of jobs and caps in it, and how to read its figures."""
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
    return table(COLUMNS, [_row(x) for x in entries(run)[:MOST_ROWS]])


def _row(x: Entry) -> Row:
    remedies = list(x["remedies"]) if x["kind"] == "unserved" else [x["remedy"]]
    where, when = name(x["site"]), _stamp(x["hour"])
    if not remedies:
        return _subject(x), where, when, "none of them alone", None, None
    best = remedies[0]
    needed = f"{_stamp(best['hours'][0])} to {_stamp(best['hours'][1])}; " if best["hours"] else ""
    others = [f"{change(r)} ({eur(r['saving_eur'])})" for r in remedies[1 : MOST_OTHERS + 1]]
    cheapest = Cell(change(best), f"{needed}key {best['key']}")
    return _subject(x), where, when, cheapest, eur(best["saving_eur"]), listed(others) if others else None


def _subject(x: Entry) -> Cell:
    if x["kind"] == "unserved":
        short = f"{number(x['gpu_hours'], 1)} GPU-h undone, {eur(x['penalty_eur'])}"
        return Cell(name(f"Job {x['job']}"), short, "bad")
    if x["kind"] == "breach":
        over = f"exceeded by {unit(x['mwh'], 'MWh', 3)}, {eur(x['penalty_eur'])}"
        return Cell(f"PUE cap {name(x['cap'])}", over, "bad")
    return Cell(name(capitalised(str(x["limit"]))), "tight")


def change(remedy: Entry) -> str:
    """A remedy as "more GPUs in south/air/h200: +12"."""
    key, amount = remedy["key"], remedy["amount"]
    digits = 4 if key == "limit" else 2 if amount < 10 else 1
    by = unit(amount, remedy["unit"], digits, sign=True) if remedy["unit"] else number(amount, digits, sign=True)
    return f"{CHANGE[key]} {name(remedy['where'])}: {f'+{hours(amount)}' if key == 'deadline' else by}"


def _stamp(stamp: str) -> str:
    """An ISO stamp as 1 Jan 00:00."""
    return f"{short_day(stamp)} {clock(stamp)}"
