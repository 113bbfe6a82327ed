"""The nightly edition's limits: balances of PUE caps and legal limits, peaks of the month so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from energy.report.night import Night, name
from energy.report.tables import Cell, Column, Table, row, table, words
from energy.report.words import limit, number, unit

#: Where a cap comes from, by its status in night.json.
CAP_STATUS = {"contract": "of the fleet file", "in_force": "legal, in force", "draft": "draft law", "own": "own target",
              "reporting": "reporting only"}  # fmt: skip


def pue_table(night: Night) -> Table | None:
    """Each cap and legal limit with what is used of it: MWh of overhead still free, or overdrawn."""
    rows = [
        row(name(p["site"]), Cell(name(p["cap"]), CAP_STATUS.get(p.get("status", ""), "")), limit(p["limit"]),
            _cap_period(p.get("period", "year")), _pue_so_far(p), _credit(p["credit_mwh"]))
        for p in night["pue"]
    ]  # fmt: skip
    heads = (words("Site"), words("Cap"), Column("Limit"), words("Held over"), Column("So far"), Column("Balance"))
    return table(heads, rows) if rows else None


def _cap_period(period: str) -> str:
    """A year, every single hour, or every window of so many hours."""
    return {"year": "the year", "hour": "every hour"}.get(period, f"any {name(period)}")


def _pue_so_far(cap: Mapping[str, Any]) -> str:
    value = cap.get("so_far", cap.get("year_to_date"))  # the key of earlier versions
    return "–" if value is None else number(value, 4)


def _credit(mwh_left: float | None) -> Cell:
    if mwh_left is None:
        return Cell("–")
    return Cell(unit(mwh_left, "MWh", 1, sign=True), *(("overdrawn", "bad") if mwh_left < 0 else ("free", "good")))


def peak_table(night: Night) -> Table | None:
    """Highest power of the month so far: what the demand charge is already due for."""
    rows = [row(name(p["site"]), name(p["month"]), number(p["mw"], 2)) for p in night["peaks"]]
    return table((words("Site"), words("Month"), Column("Peak so far", "MW")), rows) if rows else None
