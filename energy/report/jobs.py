"""Which jobs wait or move, and why: their holdings in the plan and in run-now at the plan's marginal prices.

What would help: undone jobs and breached caps with their cures and prices, or the limits that cost most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from energy.report.text import (
    Cell,
    Column,
    Table,
    clipped,
    clock,
    counted,
    eur,
    hours,
    listed,
    number,
    places,
    prose,
    row,
    share,
    short_day,
    table,
    unit,
    words,
)
from energy.report.view import PARTS, View
from energy.schema import Floats

#: Jobs shown.
TOP = 15
#: A job waits when its mean hour is later by more than this [h]: half the usual market time unit.
WAITS_H = 0.5
#: Shares of work below this are not worth a word.
WORD_SHARE = 0.05
#: Prices are given for so many GPU-hours, so that they have no leading zeros.
LOT = 1000.0
#: Differences below this [EUR per LOT] are rounding.
LEAST_EUR = 0.005
#: The parts as a sentence names them. How scarcity splits between limits and room depends on which of two duals
#: of a full hall the solver picks, so a sentence gives their sum.
PART_WORDS = {"energy": ("energy",), "demand charge": ("demand",), "limits and scarcity": ("limits", "room")}


@dataclass(frozen=True)
class Change:
    """What the plan changes for one job, against run-now.

    work [reference GPU-h]; later [h], mean over the work; moved: share of work that changes site; price, base_price
    [EUR per LOT reference GPU-h] by part; saved [EUR] by part.
    """

    name: str
    work: float
    later: float
    moved: float
    origins: list[str]
    targets: list[str]
    swapped: float
    kinds: tuple[str, str]
    price: dict[str, float]
    base_price: dict[str, float]
    saved: dict[str, float]

    @property
    def total(self) -> float:
        """Saving on the job at the plan's prices [EUR]."""
        return sum(self.saved.values())


def changes(view: View) -> list[Change]:
    """Every job there is with work in both schedules, largest saving at the plan's prices first."""
    plan, base = _Held(view, "plan"), _Held(view, "base")
    worked = np.flatnonzero((plan.work > 0) & (base.work > 0) & view.there).tolist()
    return sorted((_change(view, plan, base, j) for j in worked), key=lambda c: (-abs(c.total), c.name))


class _Held:
    """Sums of a schedule's entries by job: work, mean hour, cost by part, shares of sites and kinds."""

    def __init__(self, view: View, who: str) -> None:
        entries = view.entries(who)
        every = range(len(view.jobs))
        sums = entries.groupby("job")[["work", "middle", *PARTS]].sum().reindex(every, fill_value=0.0)
        self.work: Floats = sums["work"].to_numpy(dtype=float)
        self.parts: Floats = sums[list(PARTS)].to_numpy(dtype=float)
        self.mean: Floats = sums["middle"].to_numpy(dtype=float) / np.where(self.work > 0, self.work, 1.0)
        kinds = sorted(set(view.kinds))
        self.site = _shares(entries, entries["site"], len(view.jobs), len(view.sites))
        number_of = np.array([kinds.index(k) for k in view.kinds])
        self.kind = _shares(
            entries, pd.Series(number_of[entries["pool"]], index=entries.index), len(view.jobs), len(kinds)
        )


def _shares(entries: pd.DataFrame, column: pd.Series[int], jobs: int, width: int) -> Floats:
    """Share of each job's work by the values of a column, (J, width)."""
    out = np.zeros((jobs, width))
    np.add.at(out, (entries["job"].to_numpy(), column.to_numpy()), entries["work"].to_numpy())
    total = out.sum(axis=1, keepdims=True)
    return np.asarray(out / np.where(total > 0, total, 1.0))


def _change(view: View, plan: _Held, base: _Held, j: int) -> Change:
    more, kind = plan.site[j] - base.site[j], plan.kind[j] - base.kind[j]
    kinds = sorted(set(view.kinds))
    lot = LOT / plan.work[j], LOT / base.work[j]
    return Change(
        view.jobs[j], float(plan.work[j]), float(plan.mean[j] - base.mean[j]), float(np.maximum(more, 0).sum()),
        _names(view.sites, -more), _names(view.sites, more), float(np.maximum(kind, 0).sum()),
        (kinds[int(kind.argmin())], kinds[int(kind.argmax())]),
        dict(zip(PARTS, (plan.parts[j] * lot[0]).tolist(), strict=True)),
        dict(zip(PARTS, (base.parts[j] * lot[1]).tolist(), strict=True)),
        dict(zip(PARTS, (base.parts[j] - plan.parts[j]).tolist(), strict=True)),
    )  # fmt: skip


def _names(sites: list[str], more: Floats) -> list[str]:
    """Sites with a share worth a word, largest first."""
    return [sites[s] for s in np.argsort(-more, kind="stable") if more[s] >= WORD_SHARE]


def sentence(c: Change) -> str:
    """One readable sentence: when, where, on what, at what price and why."""
    before, after = sum(c.base_price.values()), sum(c.price.values())
    price = f"{number(LOT)} GPU-hours cost it {eur(after)} instead of {eur(before)}"
    return f"{_when(c)}{_where(c)}{_what(c)}; {price}: {_why(c)}."


def _when(c: Change) -> str:
    if abs(c.later) < WAITS_H:
        return "runs at the same time as run-now on average"
    return f"runs {unit(abs(c.later), 'h', 1)} {'later' if c.later > 0 else 'earlier'} on average"


def _where(c: Change) -> str:
    if c.moved < WORD_SHARE or not c.origins or not c.targets:
        return ", its work at the same sites"
    return f", {share(c.moved, 0)} of its work moved from {listed(c.origins, 3)} to {listed(c.targets, 3)}"


def _what(c: Change) -> str:
    return f", {share(c.swapped, 0)} of it on {c.kinds[1]} instead of {c.kinds[0]}" if c.swapped >= WORD_SHARE else ""


def _why(c: Change) -> str:
    """The parts of the price difference that matter, largest first."""
    parts = {name: sum(c.price[p] - c.base_price[p] for p in of) for name, of in PART_WORDS.items()}
    least = max(WORD_SHARE * max(map(abs, parts.values())), LEAST_EUR)
    told = [
        f"{name} {number(x, 2, sign=True)}"
        for name, x in sorted(parts.items(), key=lambda p: -abs(p[1]))
        if abs(x) >= least
    ]
    return ", ".join(told) or "no difference"


COLUMNS = (
    words("Job"), Column("Work", "GPU-h"), Column("Later", "h"), Column("Moved"), words("From"), words("To"),
    Column("Price, plan", "EUR/1000 GPU-h"), Column("Price, run-now", "EUR/1000 GPU-h"), Column("Saved", "EUR"),
    Column("Energy", "EUR"), Column("Demand", "EUR"), Column("Limits", "EUR"), Column("Room", "EUR"),
)  # fmt: skip


def job_table(found: list[Change]) -> Table:
    """The jobs that change most, with the saving at the plan's prices by part; all jobs in the last row."""
    digits = places(max((abs(c.total) for c in found), default=0.0))
    total = row(
        f"all {number(len(found))}", number(sum(c.work for c in found)), number(_mean_later(found), 1, sign=True),
        share(moved_share(found), 0), "", "", "", "", *_saved(found, digits),
    )  # fmt: skip
    return table(COLUMNS, [_row(c, digits) for c in found[:TOP]], total)


def _row(c: Change, digits: int) -> tuple[Cell, ...]:
    prices = [number(sum(p.values()), 1) for p in (c.price, c.base_price)]
    return row(c.name, number(c.work), number(c.later, 1, sign=True), share(c.moved, 0), _first(c.origins),
               _first(c.targets), *prices, *_saved([c], digits))  # fmt: skip


def _first(sites: list[str]) -> str:
    """The first site and how many more."""
    return f"{sites[0]}{f' +{len(sites) - 1}' if len(sites) > 1 else ''}" if sites else "–"


def _saved(found: list[Change], digits: int) -> list[str]:
    parts = [sum(c.saved[p] for c in found) for p in PARTS]
    return [number(sum(parts), digits), *(number(x, digits) for x in parts)]


def _mean_later(found: list[Change]) -> float:
    work = sum(c.work for c in found)
    return sum(c.work * c.later for c in found) / work if work else 0.0


def moved_share(found: list[Change]) -> float:
    """Share of all work that runs at another site than in run-now."""
    work = sum(c.work for c in found)
    return sum(c.work * c.moved for c in found) / work if work else 0.0


def overview(found: list[Change]) -> str:
    """All jobs in two sentences."""
    later, earlier = (sum(1 for c in found if sign * c.later > WAITS_H) for sign in (1, -1))
    moved = sum(1 for c in found if c.moved >= WORD_SHARE)
    mean = _mean_later(found)
    return (
        f"Of {counted(len(found), 'job')}, {number(later)} run later than in run-now by more than half an hour, "
        f"{number(earlier)} earlier; the mean GPU-hour of work runs {unit(abs(mean), 'h', 1)} "
        f"{'later' if mean >= 0 else 'earlier'}. "
        f"{number(moved)} change site with at least {share(WORD_SHARE, 0)} of their work, "
        f"together {share(moved_share(found), 0)} of all work."
    )


#: Rows shown; the run folder's summary.json has all.
TOP_REMEDIES = 20
#: Other cures named beside the cheapest one.
MOST_OTHERS = 3
REMEDY_COLUMNS = (
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
    shown = f" The {TOP_REMEDIES} largest are shown." if len(found) > TOP_REMEDIES else ""
    return (
        f"{listed(what)} {verb} within the limits, or not for less than the penalty. Each cure is sized to be enough "
        "alone for its row; its saving, penalty included, is by the program's duals the most it can be. "
        f"The cheapest cure is the one that saves most.{shown}"
    )


def advice_table(view: View) -> Table | None:
    """One row for each undone job, breached cap or dear limit."""
    found = entries(view)
    return table(REMEDY_COLUMNS, [_remedy_row(x) for x in found[:TOP_REMEDIES]]) if found else None


def _remedy_row(x: Entry) -> tuple[Cell, ...]:
    cures = list(x["cures"]) if x["kind"] == "undone" else [x["cure"]]
    best = cures[0] if cures else None
    others = [f"{change(c)} ({eur(c['saves_eur'])})" for c in cures[1 : MOST_OTHERS + 1]]
    return row(
        _remedy_subject(x), clipped(str(x["site"])), _stamp(x["hour"]), _cure(best) if best else "none of them alone",
        eur(best["saves_eur"]) if best else "–", listed(others) if others else "–",
    )  # fmt: skip


def _remedy_subject(x: Entry) -> Cell:
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
    needed = f"{_stamp(cure['hours'][0])} to {_stamp(cure['hours'][1])}; " if cure["hours"] else ""
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


def _stamp(stamp: str) -> str:
    """2021-01-01T00:00Z as 1 Jan 00:00."""
    at = np.datetime64(stamp.removesuffix("Z"))
    return f"{short_day(at)} {clock(at)}"
