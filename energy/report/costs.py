"""What is paid, by site and component, and an exact split of the saving into its causes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from energy.report.sites import difference
from energy.report.tables import Cell, Column, Table, row, table, words
from energy.report.view import View
from energy.report.words import number, places
from energy.schema import Floats

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
    if kind == "energy":
        return "taxes and levies" if any(w in component.lower() for w in TAX_WORDS) else "grid energy"
    return {"spot": "spot", "demand": "demand charges"}.get(kind, "contracts and fixed")


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
