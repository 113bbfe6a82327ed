"""What would help: undone jobs and breached caps with their cures and prices, or the limits that cost most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from energy.report.tables import Cell, Table, prose, row, table, words
from energy.report.view import View
from energy.report.words import clipped, clock, counted, eur, hours, listed, number, short_day, unit

#: Rows shown; the run folder's summary.json has all.
TOP = 20
#: Other cures named beside the cheapest one.
MOST_OTHERS = 3
COLUMNS = (
    words("What"),
    words("Where"),
    words("When, UTC"),
    prose("Cheapest cure"),
    words("Saves up to"),
    prose("Other cures"),
)
#: Key of an input file -> what is changed, in words.
CHANGE = {"count": "more GPUs in", "deadline": "a later deadline of", "max_gpus": "more GPUs at once for",
          "grid_limit_mw": "a larger grid connection of", "limit": "a looser"}  # fmt: skip

Entry = Mapping[str, Any]


def entries(view: View) -> list[Entry]:
    """What the run found; nothing in run folders of versions that did not look."""
    return list(view.record.summary.get("what_would_help", []))


def urgent(view: View) -> bool:
    """Whether work is undone or a cap breached."""
    return any(x["kind"] != "tight" for x in entries(view))


def advice_words(view: View) -> str:
    """What the table shows."""
    found = entries(view)
    if not found:
        return "Nothing: all work is done, every cap is met, and no connection, pool or cap costs more than a euro."
    if not urgent(view):
        return (
            "All work is done and every cap is met. These limits cost most; the saving is a marginal one, of one more "
            "unit, and further units save no more than the first."
        )
    jobs, caps = (sum(x["kind"] == k for x in found) for k in ("undone", "breach"))
    what = [*([counted(jobs, "job")] if jobs else []), *([counted(caps, "PUE cap")] if caps else [])]
    verb = {(True, False): "cannot be finished", (False, True): "cannot be met"}.get((jobs > 0, caps > 0), "give way")
    shown = f" The {TOP} largest are shown." if len(found) > TOP else ""
    return (
        f"{listed(what)} {verb} within the limits, or not for less than the penalty. Each cure is sized to be enough "
        "alone for its row; its saving, penalty included, is by the program's duals the most it can be. "
        f"The cheapest cure is the one that saves most.{shown}"
    )


def advice_table(view: View) -> Table | None:
    """One row for each undone job, breached cap or dear limit."""
    found = entries(view)
    return table(COLUMNS, [_row(x) for x in found[:TOP]]) if found else None


def _row(x: Entry) -> tuple[Cell, ...]:
    cures = list(x["cures"]) if x["kind"] == "undone" else [x["cure"]]
    best = cures[0] if cures else None
    others = [f"{change(c)} ({eur(c['saves_eur'])})" for c in cures[1 : MOST_OTHERS + 1]]
    return row(
        _what(x), clipped(str(x["site"])), _when(x["hour"]), _cure(best) if best else "none of them alone",
        eur(best["saves_eur"]) if best else "–", listed(others) if others else "–",
    )  # fmt: skip


def _what(x: Entry) -> Cell:
    if x["kind"] == "undone":
        return Cell(
            clipped(f"Job {x['job']}"), f"{number(x['gpu_hours'], 1)} GPU-h undone, {eur(x['penalty_eur'])}", "bad"
        )
    if x["kind"] == "breach":
        over = unit(x["mwh"], "MWh", 3)
        return Cell(f"PUE cap {clipped(str(x['cap']))}", f"exceeded by {over}, {eur(x['penalty_eur'])}", "bad")
    return Cell(clipped(str(x["limit"])[:1].upper() + str(x["limit"])[1:]), "tight")


def _cure(cure: Entry) -> Cell:
    """The change, and below it the hours that need it and the key of the input file."""
    needed = f"{_when(cure['hours'][0])} to {_when(cure['hours'][1])}; " if cure["hours"] else ""
    return Cell(change(cure), f"{needed}key {cure['key']}")


def change(cure: Entry) -> str:
    """More GPUs in south/air/h200: +12."""
    return f"{CHANGE[cure['key']]} {clipped(str(cure['where']))}: {_amount(cure)}"


def _amount(cure: Entry) -> str:
    if cure["key"] == "deadline":
        return f"+{hours(cure['amount'])}"
    digits = 4 if cure["key"] == "limit" else 2 if cure["amount"] < 10 else 1
    figure = number(cure["amount"], digits, sign=True)
    return f"{figure}\u00a0{cure['unit']}" if cure["unit"] else figure


def _when(stamp: str) -> str:
    """2021-01-01T00:00Z as 1 Jan 00:00."""
    at = np.datetime64(stamp.removesuffix("Z"))
    return f"{short_day(at)} {clock(at)}"
