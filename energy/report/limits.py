"""Legal and own limits on PUE, WUE and ERF: the year's balance, and what tightening or breaching one would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from energy.report.tables import Cell, Column, Table, row, table, words
from energy.report.view import View
from energy.report.words import eur, number

#: Unit of the room left, and digits of the figure, by metric.
ROOM = {"pue": ("MWh", 4), "wue": ("m³", 3), "erf": ("MWh", 3)}
STATUS = {"in_force": "in force", "draft": "draft", "reporting": "reporting only", "own": "own target"}
COLUMNS = (
    words("Site"), words("Limit"), words("Figure"), Column("Limit"), Column("Year so far"), Column("This plan"),
    Column("Together"), Column("Room left"), Column("Tighter by 0.01"), Column("Breach", "EUR/MWh"),
)  # fmt: skip


def limit_table(view: View) -> Table | None:
    """One row per limit and year; None where no site names one that is in force."""
    found = view.record.summary.get("limits", [])
    return table(COLUMNS, [_row(x) for x in found]) if found else None


def missed(view: View) -> list[str]:
    """Limits that the year misses with this plan."""
    return [
        f"{x['site']}: {x['metric'].upper()} of {x['year']} stands at {_figure(x, 'together')} with this plan, "
        f"limit {x['limit']:g} ({x['limit_name']}, {STATUS[x['status']]})."
        for x in view.record.summary.get("limits", [])
        if x["met"] is False
    ]


def sources(view: View) -> list[str]:
    """What each preset measures, where its numbers come from, and the fine it names, each once."""
    found = view.record.summary.get("limits", [])
    told = [
        f"{x['limit_name']}: {x['boundary']}. Source: {x['source']} (confidence {x['confidence']})."
        + (f" Fine: {x['fine']}." if x["fine"] else "")
        for x in found
    ]
    return list(dict.fromkeys(told))


def _row(x: Mapping[str, Any]) -> tuple[Cell, ...]:
    unit = ROOM[x["metric"]][0]
    bad = x["met"] is False
    limit = "reported" if x["limit"] is None else f"{'≥' if x['metric'] == 'erf' else '≤'} {x['limit']:g}"
    return row(
        x["site"], Cell(x["limit_name"], f"{x['year']}, {STATUS[x['status']]}"), x["metric"].upper(), limit,
        _figure(x, "so_far"), _figure(x, "plan"), Cell(_figure(x, "together"), "missed" if bad else "", "bad" if bad else ""),
        "–" if x["room"] is None else Cell(number(x["room"], 1), unit),
        "–" if x["tighter_eur"] is None else eur(x["tighter_eur"]),
        "–" if x["breach_eur_per_mwh"] is None else number(x["breach_eur_per_mwh"]),
    )  # fmt: skip


def _figure(x: Mapping[str, Any], key: str) -> str:
    return "–" if x[key] is None else number(x[key], ROOM[x["metric"]][1])
