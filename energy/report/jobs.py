"""Which jobs wait or move, and why: their holdings in the plan and in run-now at the plan's marginal prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from energy.report.figures import PARTS, RunFigures
from energy.report.formatting import counted, eur, listed, number, places, share, unit
from energy.report.view import Column, Table, left, table
from energy.schema import Floats, Ints

#: Jobs shown.
TOP = 15
#: A job waits when its mean hour is later by more than this [h]: half the usual market time unit.
WAITS_H = 0.5
#: Shares of work below this are not named.
LEAST_SHARE = 0.05
#: Prices are given for so many GPU-hours, so that they have no leading zeros.
LOT = 1000.0
#: Differences below this [EUR per LOT] are rounding.
LEAST_EUR = 0.005
#: The parts as a sentence names them. How scarcity splits between limits and room depends on which of two duals
#: of a full hall the solver picks, so a sentence gives their sum.
PART_WORDS = {"energy": ("energy",), "demand charge": ("demand",), "limits and scarcity": ("limits", "capacity")}


@dataclass(frozen=True)
class Change:
    """The changes that the plan makes to one job, against run-now.

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


def changes(run: RunFigures) -> list[Change]:
    """Every submitted job with work in both schedules, largest saving at the plan's prices first."""
    plan, base = _Holdings(run, "plan"), _Holdings(run, "base")
    worked = np.flatnonzero((plan.work > 0) & (base.work > 0) & run.submitted).tolist()
    return sorted((_change(run, plan, base, j) for j in worked), key=lambda c: (-abs(c.total), c.name))


class _Holdings:
    """Sums of a schedule's entries by job: work, mean hour, cost by part, shares of sites and kinds."""

    def __init__(self, run: RunFigures, who: str) -> None:
        entries = run.entries(who)
        every = range(len(run.jobs))
        sums = entries.groupby("job")[["work", "middle", *PARTS]].sum().reindex(every, fill_value=0.0)
        self.work: Floats = sums["work"].to_numpy(dtype=float)
        self.parts: Floats = sums[list(PARTS)].to_numpy(dtype=float)
        self.mean: Floats = sums["middle"].to_numpy(dtype=float) / np.where(self.work > 0, self.work, 1.0)
        self.site = _shares(entries, entries["site"].to_numpy(), len(run.jobs), len(run.sites))
        kinds, kind_of = np.unique(run.kinds, return_inverse=True)
        self.kind = _shares(entries, kind_of[entries["pool"]], len(run.jobs), len(kinds))


def _shares(entries: pd.DataFrame, where: Ints, jobs: int, width: int) -> Floats:
    """Share of each job's work by the position that each entry is at, (J, width)."""
    out = np.zeros((jobs, width))
    np.add.at(out, (entries["job"].to_numpy(), where), entries["work"].to_numpy())
    total = out.sum(axis=1, keepdims=True)
    return np.asarray(out / np.where(total > 0, total, 1.0))


def _change(run: RunFigures, plan: _Holdings, base: _Holdings, j: int) -> Change:
    more, kind = plan.site[j] - base.site[j], plan.kind[j] - base.kind[j]
    kinds = sorted(set(run.kinds))
    lot = LOT / plan.work[j], LOT / base.work[j]
    return Change(
        run.jobs[j], float(plan.work[j]), float(plan.mean[j] - base.mean[j]), float(np.maximum(more, 0).sum()),
        _names(run.sites, -more), _names(run.sites, more), float(np.maximum(kind, 0).sum()),
        (kinds[int(kind.argmin())], kinds[int(kind.argmax())]),
        dict(zip(PARTS, (plan.parts[j] * lot[0]).tolist(), strict=True)),
        dict(zip(PARTS, (base.parts[j] * lot[1]).tolist(), strict=True)),
        dict(zip(PARTS, (base.parts[j] - plan.parts[j]).tolist(), strict=True)),
    )  # fmt: skip


def _names(sites: list[str], more: Floats) -> list[str]:
    """Sites with at least LEAST_SHARE, largest first."""
    return [sites[s] for s in np.argsort(-more, kind="stable") if more[s] >= LEAST_SHARE]


def sentence(c: Change) -> str:
    """One readable sentence: when, where, on what, at what price and why."""
    when = "runs at the same time as run-now on average"
    if abs(c.later) >= WAITS_H:
        when = f"runs {unit(abs(c.later), 'h', 1)} {'later' if c.later > 0 else 'earlier'} on average"
    where = "its work at the same sites"
    if c.moved >= LEAST_SHARE and c.origins and c.targets:
        where = f"{share(c.moved, 0)} of its work moved from {listed(c.origins, 3)} to {listed(c.targets, 3)}"
    swap = f", {share(c.swapped, 0)} of it on {c.kinds[1]} instead of {c.kinds[0]}" if c.swapped >= LEAST_SHARE else ""
    before, after = sum(c.base_price.values()), sum(c.price.values())
    price = f"{number(LOT)} GPU-hours cost it {eur(after)} instead of {eur(before)}"
    parts = {name: sum(c.price[p] - c.base_price[p] for p in of) for name, of in PART_WORDS.items()}
    least = max(LEAST_SHARE * max(map(abs, parts.values())), LEAST_EUR)
    largest_first = sorted(parts.items(), key=lambda p: -abs(p[1]))
    why = ", ".join(f"{name} {number(x, 2, sign=True)}" for name, x in largest_first if abs(x) >= least)
    return f"{when}, {where}{swap}; {price}: {why or 'no difference'}."


COLUMNS = (
    left("Job"), Column("Work", "GPU-h"), Column("Later", "h"), Column("Moved"), left("From"), left("To"),
    Column("Price, plan", "EUR/1000 GPU-h"), Column("Price, run-now", "EUR/1000 GPU-h"), Column("Saved", "EUR"),
    Column("Energy", "EUR"), Column("Demand", "EUR"), Column("Limits", "EUR"), Column("Room", "EUR"),
)  # fmt: skip


def job_table(found: list[Change]) -> Table | None:
    """The jobs that change most, with the saving at the plan's prices by part; all jobs in the last row."""
    digits = places(max((abs(c.total) for c in found), default=0.0))
    total = (
        f"all {number(len(found))}", number(sum(c.work for c in found)), number(mean(found, "later"), 1, sign=True),
        share(mean(found, "moved"), 0), "", "", "", "", *_saved(found, digits),
    )  # fmt: skip
    return table(COLUMNS, [
        (
            c.name, number(c.work), number(c.later, 1, sign=True), share(c.moved, 0), _first(c.origins), _first(c.targets),
            *(number(sum(p.values()), 1) for p in (c.price, c.base_price)), *_saved([c], digits),
        )
        for c in found[:TOP]
    ], total)  # fmt: skip


def _first(sites: list[str]) -> str | None:
    """The first site and the number of the others; None without any."""
    return f"{sites[0]} +{len(sites) - 1}" if len(sites) > 1 else sites[0] if sites else None


def _saved(found: list[Change], digits: int) -> list[str]:
    parts = [sum(c.saved[p] for c in found) for p in PARTS]
    return [number(sum(parts), digits), *(number(x, digits) for x in parts)]


def mean(found: list[Change], key: Literal["later", "moved"]) -> float:
    """Mean over all work: how much later than in run-now it runs [h], or the share that changes site."""
    work = sum(c.work for c in found)
    return sum(c.work * float(getattr(c, key)) for c in found) / work if work else 0.0


def overview(found: list[Change]) -> str:
    """Two sentences on all jobs: how many wait, and how many move."""
    later, earlier = (sum(1 for c in found if sign * c.later > WAITS_H) for sign in (1, -1))
    moved = sum(1 for c in found if c.moved >= LEAST_SHARE)
    wait = mean(found, "later")
    return (
        f"Of {counted(len(found), 'job')}, {number(later)} run later than in run-now by more than half an hour, "
        f"{number(earlier)} earlier; the mean GPU-hour of work runs {unit(abs(wait), 'h', 1)} "
        f"{'later' if wait >= 0 else 'earlier'}. "
        f"{number(moved)} change site with at least {share(LEAST_SHARE, 0)} of their work, "
        f"together {share(mean(found, 'moved'), 0)} of all work."
    )
