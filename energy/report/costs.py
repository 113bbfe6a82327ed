"""What is paid, by site and component, and an exact split of the saving into its causes.

Savings by cause from restricted solves, as a waterfall, with the rules of thumb beside it.

What one more of anything is worth: deadlines, GPUs, grid, PUE caps; from the `prices` table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np
import pandas as pd

from energy.report.pue import Cap
from energy.report.sites import difference
from energy.report.text import (
    Cell,
    Column,
    Table,
    clipped,
    counted,
    eur,
    hours,
    listed,
    moment,
    number,
    places,
    row,
    table,
    words,
)
from energy.report.view import View
from energy.schema import Floats, Ints
from energy.schema.invoice import line_kind

#: Classes of invoice lines, with their colour roles, in the order of the bars.
CLASSES = {"spot": "series1", "grid energy": "series5", "taxes and levies": "series2", "demand charges": "series4",
           "contracts and fixed": "series3"}  # fmt: skip
#: Parts of component names that stand for taxes and levies among the energy components.
TAX_WORDS = ("tax", "excise", "lev", "concession", "duty", "surcharge", "obligation", "climate")


@dataclass(frozen=True)
class Cause:
    """A part of the saving [EUR], with the words for it in a sentence and in a list."""

    name: str
    words: str
    saving_eur: float


def causes(view: View) -> list[Cause]:
    """The saving split exactly, largest first: an account of the two bills, not an experiment.

    With E energy [MWh] and p mean energy price [EUR/MWh] by site, run-now b, plan x, fleet mean p̄:
    less energy (ΣE_b - ΣE_x) p̄_b; other places ΣE_x p̄_b - Σ E_x p_b; other hours Σ E_x (p_b - p_x); demand charges.
    """
    energy, base_energy = view.energy("plan"), view.energy("base")
    cost, base_cost = (view.cost(who, energy_only=True) for who in ("plan", "base"))
    price = _ratio(cost, energy, np.zeros_like(cost))
    base_price = _ratio(base_cost, base_energy, price)
    mean = float(base_cost.sum() / base_energy.sum()) if base_energy.sum() > 0 else 0.0
    demand = view.of_kind("base", "demand") - view.of_kind("plan", "demand")
    other = float((view.cost("base") - base_cost - view.cost("plan") + cost).sum()) - demand
    parts = [
        Cause("Less energy", "less energy is used", float(base_energy.sum() - energy.sum()) * mean),
        Cause("Other sites", "work moves to sites where energy costs less",
              float(energy.sum() * mean - energy @ base_price)),
        Cause("Other hours", "work waits for cheaper hours", float(energy @ (base_price - price))),
        Cause("Lower peaks", "demand charges are lower", demand),
        Cause("Contracts", "contracts, feed-in and minimum bills cost less", other),
    ]  # fmt: skip
    # Sums of floats that only differ by rounding must not change order or sign between a run and its folder.
    tidy = [replace(c, saving_eur=round(c.saving_eur, 9) + 0.0) for c in parts]
    return sorted(tidy, key=lambda c: -c.saving_eur)


def _ratio(above: Floats, below: Floats, otherwise: Floats) -> Floats:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), otherwise)


def class_of(component: str, kind: str) -> str:
    """Class of an invoice line: by its kind, taxes by the name of the component."""
    found = line_kind(kind)
    match found:
        case "spot":
            return "spot"
        case "energy":
            return "taxes and levies" if any(w in component.lower() for w in TAX_WORDS) else "grid energy"
        case "demand":
            return "demand charges"
        case "fixed" | "minimum" | "contract" | "hedge" | "feed_in" | "heat":
            return "contracts and fixed"
        case _:
            assert_never(found)


def by_class(view: View, who: str) -> Floats:
    """Bill by site and class, (S, 5) [EUR]."""
    lines = view.bill(who)
    classes = [class_of(c, u) for c, u in zip(lines["component"], lines["kind"], strict=True)]
    sums = (
        lines["amount_eur"].groupby([lines["site"], pd.Series(classes, index=lines.index)]).sum().unstack(fill_value=0)
    )
    return np.asarray(sums.reindex(index=view.sites, columns=list(CLASSES), fill_value=0.0), dtype=float)


@dataclass(frozen=True)
class Bar:
    """A site's two bars: widths of the classes [% of the longest bar] and totals in words."""

    name: str
    plan: list[tuple[str, float]]
    base: list[tuple[str, float]]
    plan_eur: str
    base_eur: str


def bars(view: View) -> list[Bar]:
    """One pair of bars per shown site; negative parts have no width."""
    plan, base = by_class(view, "plan"), by_class(view, "base")
    longest = max(float(np.maximum(both[view.shown], 0).sum(axis=1).max()) for both in (plan, base)) or 1.0
    digits = places(float(base.sum(axis=1).max()))
    totals = [[number(float(x), digits) for x in both.sum(axis=1)] for both in (plan, base)]
    return [
        Bar(view.sites[s], _widths(plan[s], longest), _widths(base[s], longest), totals[0][s], totals[1][s])
        for s in view.shown
    ]


def _widths(parts: Floats, longest: float) -> list[tuple[str, float]]:
    return [
        (role, round(100 * max(float(x), 0.0) / longest, 2)) for role, x in zip(CLASSES.values(), parts, strict=True)
    ]


def class_table(view: View) -> Table:
    """Bill by site and class, run-now below."""
    plan, base = by_class(view, "plan"), by_class(view, "base")
    columns = (
        words("Site"),
        *(Column(c.capitalize(), "EUR") for c in CLASSES),
        Column("Total", "EUR"),
        Column("Difference", "EUR"),
    )
    digits = places(float(base.sum(axis=1).max()))
    rows = [_class_row(name, plan[s], base[s], digits) for s, name in enumerate(view.sites)]
    return table(columns, rows, _class_row("fleet", plan.sum(axis=0), base.sum(axis=0), digits))


def _class_row(name: str, plan: Floats, base: Floats, digits: int) -> tuple[Cell, ...]:
    pairs = zip([*plan, plan.sum()], [*base, base.sum()], strict=True)
    return row(name, *(Cell(number(a, digits), number(b, digits)) for a, b in pairs),
               difference(float(plan.sum() - base.sum()), digits))  # fmt: skip


def invoice_table(view: View) -> Table:
    """Every component of every site, months together: plan, run-now, difference."""
    plan, base = (
        view.bill(who).groupby(["site", "component"], sort=False)["amount_eur"].sum() for who in ("plan", "base")
    )
    lines = list(dict.fromkeys([*plan.index, *base.index]))
    columns = (
        words("Site"),
        words("Component"),
        Column("Plan", "EUR"),
        Column("Run-now", "EUR"),
        Column("Difference", "EUR"),
    )
    digits = places(float(base.max()))
    rows = []
    for site, component in lines:
        paid, before = (float(x.get((site, component), 0.0)) for x in (plan, base))
        cells = number(paid, digits), number(before, digits), difference(paid - before, digits)
        rows.append(row(site, component.replace("_", " "), *cells))
    return table(columns, rows)


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


#: Rows shown.
TOP = 10
#: Values below this [EUR] are the solver's rounding.
LEAST_EUR = 0.005
#: A pool with less than this free is full [GPU].
WHOLE_GPU = 1e-3
#: A pool is full much of the time from this share of the periods on.
OFTEN = 0.25
DEADLINES = (
    words("Job"), words("Deadline"), Column("Work", "GPU-h"), Column("Most GPUs"),
    Column("One hour later saves", "EUR/h"),
)  # fmt: skip
GPUS = (words("Pool"), Column("All in use", "periods"), Column("One more GPU", "EUR"), Column("Dearest period", "EUR"))
GRID = (words("Site"), Column("One more MW", "EUR"), Column("Periods at the limit"), Column("Dearest period", "EUR"))


def deadline_table(view: View) -> Table | None:
    """The jobs whose deadline costs most; None where no deadline costs anything."""
    value = view.prices["value_deadline"].values * view.there
    work, most = (view.problem[n].values for n in ("work_left", "max_gpus"))
    rows = [
        row(
            view.jobs[j], _deadline(view, j), number(float(work[j])), number(float(most[j])), number(float(value[j]), 2)
        )
        for j in _largest(value)
    ]
    return table(DEADLINES, rows) if rows else None


def deadline_words(view: View) -> str:
    """How many deadlines cost something."""
    value = view.prices["value_deadline"].values[view.there]
    costly = int((value > LEAST_EUR).sum())
    if not costly:
        return "No deadline inside the horizon costs anything: every job that waits has all the time it wants."
    return (
        f"{number(costly)} of {counted(len(value), 'job')} would run cheaper with a later deadline. "
        "The figure is the saving from the first extra hour; deadlines beyond the horizon count as free."
    )


def _largest(value: Floats) -> list[int]:
    """Positions of the largest values above rounding, largest first."""
    return [int(i) for i in np.argsort(-value, kind="stable")[:TOP] if value[i] > LEAST_EUR]


def _deadline(view: View, j: int) -> str:
    """End of the job's window (UTC)."""
    share_open = view.problem["open"].values[j]
    if not (share_open > 0).any():
        return "not open in the horizon"
    last = int(np.flatnonzero(share_open > 0)[-1])
    return moment(view.at(float(view.edges[last] + share_open[last] * view.dt[last])))


def gpu_table(view: View) -> Table:
    """One more GPU through the whole horizon by pool, dearest first."""
    value = view.prices["value_gpu"].values
    total = value.sum(axis=1)
    full = full_periods(view)
    rows = [
        row(clipped(view.pools[n]), number(int(full[n])), number(float(total[n]), 2), number(float(value[n].max()), 2))
        for n in np.argsort(-total, kind="stable")[:TOP]
    ]
    return table(GPUS, rows)


def full_periods(view: View) -> Ints:
    """Periods in which every GPU of the pool is in use, (N,)."""
    free = view.problem["available"].values - view.problem["firm"].values - view.used("plan")
    return np.asarray((free < WHOLE_GPU).sum(axis=1))


def gpu_words(view: View) -> str:
    """Whether one more GPU saves anything."""
    best = float(view.prices["value_gpu"].values.sum(axis=1).max(initial=-np.inf))
    saves = f"saves {eur(best)} in the best pool" if best > LEAST_EUR else "saves nothing in any pool"
    text = f"By the program's duals one more GPU {saves} over {hours(float(view.edges[-1]))}"
    return f"{text}; a negative figure is what it costs to keep it idle. {_lower_bound(view)}".strip()


def _lower_bound(view: View) -> str:
    """What the figure leaves out where a pool is full for long."""
    full = full_periods(view)
    often = [n for n in np.argsort(-full, kind="stable") if full[n] >= OFTEN * len(view.dt)]
    if not often:
        return ""
    names = listed([clipped(view.pools[n]) for n in often])
    return (
        f"{names} {'is' if len(often) == 1 else 'are'} full much of the time: "
        "the program's cooling ends where the last GPU of a hall is busy, and scarcity can count there and not here, "
        "so that the figure is a lower bound."
    )


def grid_table(view: View) -> Table | None:
    """One more MW of grid connection through the whole horizon by site; None where no limit binds."""
    value = view.prices["value_grid"].values
    total = value.sum(axis=1)
    rows = [
        row(
            view.sites[s],
            number(float(total[s]), 2),
            number(int((value[s] > LEAST_EUR).sum())),
            number(float(value[s].max()), 2),
        )
        for s in _largest(total)
    ]
    return table(GRID, rows) if rows else None


def cap_words(found: list[Cap]) -> str:
    """Which caps cost something, and how much a hundredth is worth."""
    if not found:
        return "There is no PUE cap."
    costly = sorted((c for c in found if c.worth_eur > LEAST_EUR), key=lambda c: -c.worth_eur)
    if not costly:
        return "No PUE cap costs anything: the cheapest plan meets all of them."
    told = [f"{c.name} ({eur(c.worth_eur)} per 0.01)" for c in costly]
    return f"{counted(len(costly), 'cap')} cost money: {listed(told, 8)}."
