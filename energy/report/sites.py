"""One row per site: energy, cost, peak, PUE and how busy its GPUs are."""

from __future__ import annotations

from energy.report.gpus import busy
from energy.report.tables import Cell, Column, Table, row, table, words
from energy.report.view import View
from energy.report.words import number, places, share

COLUMNS = (
    words("Site"), Column("Energy", "MWh"), Column("Cost", "EUR"), Column("All-in price", "EUR/MWh"),
    Column("Run-now cost", "EUR"), Column("Difference", "EUR"), Column("Peak load", "MW"), Column("PUE"),
    Column("GPUs busy"),
)  # fmt: skip


def site_table(view: View) -> Table:
    """The plan by site, run-now's energy, price, peak, PUE and business below each figure."""
    return table(COLUMNS, [_row(view, s) for s in range(len(view.sites))], _total(view))


def _row(view: View, s: int) -> tuple[Cell, ...]:
    energy, base_energy = (float(view.energy(who)[s]) for who in ("plan", "base"))
    cost, base = (float(view.cost(who)[s]) for who in ("plan", "base"))
    peaks = [float(view.replay(who)["facility_mw"].values[s].max()) for who in ("plan", "base")]
    return _cells(view, view.sites[s], (energy, base_energy), (cost, base), peaks, s)


def _total(view: View) -> tuple[Cell, ...]:
    energy, base_energy = (float(view.energy(who).sum()) for who in ("plan", "base"))
    cost, base = (float(view.cost(who).sum()) for who in ("plan", "base"))
    return _cells(view, "fleet", (energy, base_energy), (cost, base), None, None)


def _cells(
    view: View,
    name: str,
    energy: tuple[float, float],
    cost: tuple[float, float],
    peaks: list[float] | None,
    s: int | None,
) -> tuple[Cell, ...]:
    e, c = places(float(view.energy("base").max())), places(float(view.cost("base").max()))
    busy_plan, busy_base = (busy(view, who, s) for who in ("plan", "base"))
    return row(
        name, Cell(number(energy[0], e), number(energy[1], e)), number(cost[0], c),
        Cell(_price(cost[0], energy[0]), _price(cost[1], energy[1])), number(cost[1], c),
        difference(cost[0] - cost[1], c),
        Cell(number(peaks[0], 2), number(peaks[1], 2)) if peaks else "",
        Cell(_pue(view, "pue", name), _pue(view, "pue_baseline", name)), Cell(share(busy_plan), share(busy_base)),
    )  # fmt: skip


def difference(value: float, digits: int = 0) -> Cell:
    """Plan minus run-now, marked by whether it is a gain or a loss."""
    text = number(value, digits, sign=True)
    return Cell(text, mark="good" if text.startswith("−") else "bad" if text.startswith("+") else "")


def _price(cost: float, energy: float) -> str:
    return number(cost / energy, 2) if energy > 0 else "–"


def _pue(view: View, which: str, name: str) -> str:
    value = view.record.summary[which].get(name)
    return number(value, 4) if value is not None else "–"
