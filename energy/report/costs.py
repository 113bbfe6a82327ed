"""Costs by site and class, the causes of the saving, and the saving from one more unit of a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from energy.report.figures import RunFigures, ratio
from energy.report.formatting import capitalised, clipped, counted, eur, hours, listed, moment, number, places
from energy.report.pue import Cap
from energy.report.sites import difference
from energy.report.view import Bar, Cell, Column, Row, Table, left, table
from energy.schema import Floats, Ints
from energy.schema.invoice import line_kind

#: Classes of invoice lines, with their colour roles, in the order of the bars.
CLASSES = {"spot": "series1", "grid energy": "series5", "taxes and levies": "series2", "demand charges": "series4",
           "contracts and fixed": "series3"}  # fmt: skip
#: Width of the longest bar of a cause [% of the line].
CAUSE_WIDTH = 70
#: Parts of component names that stand for taxes and levies among the energy components.
TAX_WORDS = ("tax", "excise", "lev", "concession", "duty", "surcharge", "obligation", "climate")


@dataclass(frozen=True)
class Cause:
    """A part of the saving [EUR], with its name in a list and in a sentence."""

    name: str
    phrase: str
    saving_eur: float


def causes(run: RunFigures) -> list[Cause]:
    """The saving split exactly by cause, largest first: an account of the two bills, not an experiment.

    With E energy [MWh] and p mean energy price [EUR/MWh] by site, run-now b, plan x, fleet mean p̄:
    less energy (ΣE_b - ΣE_x) p̄_b; other places ΣE_x p̄_b - Σ E_x p_b; other hours Σ E_x (p_b - p_x); demand charges.
    """
    energy, base_energy = run.energy("plan"), run.energy("base")
    cost, base_cost = (run.cost(who, energy_only=True) for who in ("plan", "base"))
    price = ratio(cost, energy, 0.0)
    base_price = ratio(base_cost, base_energy, price)
    mean = float(base_cost.sum() / base_energy.sum()) if base_energy.sum() > 0 else 0.0
    charges = [lines.loc[lines["kind"] == "demand", "amount_eur"].sum() for lines in run.bills.values()]
    demand = float(charges[1] - charges[0])
    other = float((run.cost("base") - base_cost - run.cost("plan") + cost).sum()) - demand
    parts = (
        ("Less energy", "less energy is used", float(base_energy.sum() - energy.sum()) * mean),
        ("Other sites", "work moves to sites where energy costs less",
         float(energy.sum() * mean - energy @ base_price)),
        ("Other hours", "work waits for cheaper hours", float(energy @ (base_price - price))),
        ("Lower peaks", "demand charges are lower", demand),
        ("Contracts", "contracts, feed-in and minimum bills cost less", other),
    )  # fmt: skip
    # Sums of floats that only differ by rounding must not change order or sign between a run and its folder.
    found = [Cause(name, phrase, round(saving_eur, 9) + 0.0) for name, phrase, saving_eur in parts]
    return sorted(found, key=lambda c: -c.saving_eur)


def cause_bars(found: list[Cause]) -> list[Bar]:
    """One bar per cause, the largest CAUSE_WIDTH wide."""
    largest = max(abs(c.saving_eur) for c in found) or 1.0
    return [
        Bar(c.name, eur(c.saving_eur, sign=True), round(CAUSE_WIDTH * abs(c.saving_eur) / largest, 1), loss=c.saving_eur < 0)
        for c in found
    ]  # fmt: skip


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


def by_class(run: RunFigures, who: str) -> Floats:
    """Bill by site and class, (S, 5) [EUR]."""
    lines = run.bills[who]
    classes = [class_of(c, u) for c, u in zip(lines["component"], lines["kind"], strict=True)]
    sums = lines.assign(kind=classes).groupby(["site", "kind"])["amount_eur"].sum().unstack(fill_value=0)
    return np.asarray(sums.reindex(index=run.sites, columns=list(CLASSES), fill_value=0.0), dtype=float)


def cost_bars(run: RunFigures) -> list[tuple[Bar, Bar]]:
    """The plan's bill and run-now's per shown site, in % of the longest bar; negative parts have no width."""
    plan, base = by_class(run, "plan"), by_class(run, "base")
    longest = max(float(np.maximum(both[run.shown], 0).sum(axis=1).max()) for both in (plan, base)) or 1.0
    digits = places(float(base.sum(axis=1).max()))

    def bar(s: int, amounts: Floats) -> Bar:
        widths = [round(100 * max(float(x), 0.0) / longest, 2) for x in amounts[s]]
        total = number(float(amounts.sum(axis=1)[s]), digits)
        return Bar(run.sites[s], total, parts=list(zip(CLASSES.values(), widths, strict=True)))

    return [(bar(s, plan), bar(s, base)) for s in run.shown]


def class_table(run: RunFigures) -> Table | None:
    """Bill by site and class, run-now below."""
    plan, base = by_class(run, "plan"), by_class(run, "base")
    amounts = [Column(c.capitalize(), "EUR") for c in (*CLASSES, "Total", "Difference")]
    digits = places(float(base.sum(axis=1).max()))
    rows: list[Row] = [
        (name, *(Cell(number(a, digits), number(b, digits)) for a, b in zip([*x, x.sum()], [*y, y.sum()], strict=True)),
         difference(float(x.sum() - y.sum()), digits))
        for name, x, y in zip([*run.sites, "fleet"], [*plan, plan.sum(axis=0)], [*base, base.sum(axis=0)], strict=True)
    ]  # fmt: skip
    return table((left("Site"), *amounts), rows[:-1], rows[-1])


def invoice_table(run: RunFigures) -> Table | None:
    """Every component of every site, months together: plan, run-now, difference."""
    plan, base = (
        run.bills[who].groupby(["site", "component"], sort=False)["amount_eur"].sum() for who in ("plan", "base")
    )
    lines = list(dict.fromkeys([*plan.index, *base.index]))
    amounts = [Column(c, "EUR") for c in ("Plan", "Run-now", "Difference")]
    digits = places(float(base.max()))
    rows = []
    for site, component in lines:
        paid, before = (float(x.get((site, component), 0.0)) for x in (plan, base))
        cells = number(paid, digits), number(before, digits), difference(paid - before, digits)
        rows.append((site, component.replace("_", " "), *cells))
    return table((left("Site"), left("Component"), *amounts), rows)


#: Share of the line that bars may take [%]; the rest is for the figure behind them.
WIDTH = 75
#: The freedom that each step adds.
MEANING = {
    "run now": "every job at once, at home",
    "time shifting": "each site keeps its work and chooses hours, at a constant PUE, blind to peaks and caps",
    "site shifting": "work may move between sites",
    "cooling awareness": "cooling follows weather and load instead of a constant PUE",
    "peak awareness": "demand charges are seen",
    "full": "PUE caps, contracts and minimum bills are kept",
}


def foresight(run: RunFigures) -> list[Bar]:
    """One bar per restricted solve, from the cost before it to its own [% of the span of the bills]."""
    found = run.record.summary.get("attribution", {}).get("steps", [])
    costs = [s["cost_eur"] for s in found] or [0.0]
    low = min(costs) - 0.15 * (max(costs) - min(costs) or 1.0)
    span = max(costs) - low
    out = []
    for i, s in enumerate(found):
        near, far = sorted((costs[i - 1] if i else low, s["cost_eur"]))
        out.append(Bar(
            capitalised(s["name"]), eur(s["saving_eur"], sign=True) if i else eur(s["cost_eur"]),
            round(WIDTH * (far - near) / span, 2), round(WIDTH * (near - low) / span, 2),
            below=MEANING.get(s["name"], ""), loss=s["saving_eur"] < 0,
        ))  # fmt: skip
    return out


def rules_table(run: RunFigures) -> Table | None:
    """Rules of thumb on the same trace: bill, difference to run-now, work done."""
    due = float(run.record.summary["work_gpu_hours"]["plan"])
    columns = (left("Rule"), Column("Cost", "EUR"), Column("Saving", "EUR"), Column("Work done", "%"))
    return table(columns, [
        (capitalised(s["name"]), number(s["cost_eur"]), number(s["saving_eur"]), number(100 * s["work_gpu_hours"] / due, 1))
        for s in run.record.summary.get("attribution", {}).get("rules", [])
    ])  # fmt: skip


#: Rows shown.
TOP = 10
#: Values below this [EUR] are the solver's rounding.
LEAST_EUR = 0.005
#: A pool with less than this free is full [GPU].
WHOLE_GPU = 1e-3
#: A pool is full much of the time from this share of the periods on.
OFTEN = 0.25


def deadline_table(run: RunFigures) -> Table | None:
    """Jobs whose deadline costs most; None where no deadline costs anything."""
    value = run.prices["value_deadline"].values * run.submitted
    work, most = (run.problem[n].values for n in ("work_left", "max_gpus"))
    columns = (left("Job"), left("Deadline"), Column("Work", "GPU-h"), Column("Most GPUs"),
               Column("One hour later saves", "EUR/h"))  # fmt: skip
    return table(columns, [
        (run.jobs[j], deadline(run, j), number(float(work[j])), number(float(most[j])), number(float(value[j]), 2))
        for j in _largest(value)
    ])  # fmt: skip


def deadlines_text(run: RunFigures) -> str:
    """Number of deadlines that cost something, as a sentence."""
    value = run.prices["value_deadline"].values[run.submitted]
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


def deadline(run: RunFigures, j: int) -> str:
    """End of the job's window (UTC)."""
    share_open = run.problem["open"].values[j]
    if not (share_open > 0).any():
        return "not open in the horizon"
    last = int(np.flatnonzero(share_open > 0)[-1])
    return moment(run.at(float(run.edges[last] + share_open[last] * run.dt[last])))


def gpu_table(run: RunFigures) -> Table | None:
    """One more GPU through the whole horizon by pool, dearest first."""
    value, full = run.prices["value_gpu"].values, full_periods(run)
    total = value.sum(axis=1)
    columns = (left("Pool"), Column("All in use", "periods"), Column("One more GPU", "EUR"),
               Column("Dearest period", "EUR"))  # fmt: skip
    return table(columns, [
        (clipped(run.pools[n]), number(int(full[n])), number(float(total[n]), 2), number(float(value[n].max()), 2))
        for n in np.argsort(-total, kind="stable")[:TOP]
    ])  # fmt: skip


def full_periods(run: RunFigures) -> Ints:
    """Periods in which every GPU of the pool is in use, (N,)."""
    free = run.problem["available"].values - run.problem["firm"].values - run.used("plan")
    return np.asarray((free < WHOLE_GPU).sum(axis=1))


def gpus_text(run: RunFigures) -> str:
    """Saving of one more GPU in the best pool, and the pools that are full for long, whose figures are lower bounds."""
    best = float(run.prices["value_gpu"].values.sum(axis=1).max(initial=-np.inf))
    saves = f"saves {eur(best)} in the best pool" if best > LEAST_EUR else "saves nothing in any pool"
    text = f"By the program's duals one more GPU {saves} over {hours(float(run.edges[-1]))}"
    text += "; a negative figure is what it costs to keep it idle."
    full = full_periods(run)
    often = [clipped(run.pools[n]) for n in np.argsort(-full, kind="stable") if full[n] >= OFTEN * len(run.dt)]
    if not often:
        return text
    return (
        f"{text} {listed(often)} {'is' if len(often) == 1 else 'are'} full much of the time: "
        "the program's cooling ends where the last GPU of a hall is busy, and scarcity can count there and not here, "
        "so that the figure is a lower bound."
    )


def grid_table(run: RunFigures) -> Table | None:
    """One more MW of grid connection through the whole horizon by site; None where no limit binds."""
    value = run.prices["value_grid"].values
    total = value.sum(axis=1)
    bound = (value > LEAST_EUR).sum(axis=1)
    columns = (left("Site"), Column("One more MW", "EUR"), Column("Periods at the limit"),
               Column("Dearest period", "EUR"))  # fmt: skip
    return table(columns, [
        (run.sites[s], number(float(total[s]), 2), number(int(bound[s])), number(float(value[s].max()), 2))
        for s in _largest(total)
    ])  # fmt: skip


def caps_text(found: list[Cap]) -> str:
    """Caps that cost something, with the marginal value of a hundredth."""
    if not found:
        return "There is no PUE cap."
    costly = sorted((c for c in found if c.value_eur > LEAST_EUR), key=lambda c: -c.value_eur)
    if not costly:
        return "No PUE cap costs anything: the cheapest plan meets all of them."
    named = [f"{c.name} ({eur(c.value_eur)} per 0.01)" for c in costly]
    return f"{counted(len(costly), 'cap')} cost money: {listed(named, 8)}."
