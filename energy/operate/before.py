"""The plan in force before a night: its schedule for the last rung, its figures for what has changed.

Neither is needed for a plan: where the folder is gone or damaged the night says so and goes on without.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from energy.operate.config import Place
from energy.operate.store import Store
from energy.report.record import NIGHT


@dataclass
class Before:
    """What is left of the plan in force.

    Attributes
    ----------
    schedule : its schedule.parquet; None where there is none
    plan : site, date and energy [MWh] of its `plan` rows
    notes : what is gone
    """

    schedule: Path | None = None
    plan: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def in_force_before(place: Place, store: Store, day: date) -> Before:
    """The plan in force before the night of a day; nothing before the first night.

    Raises
    ------
    StoreError : the database cannot be read.
    """
    row = store.row("SELECT night, folder FROM plans WHERE night < ? ORDER BY night DESC LIMIT 1", str(day))
    if row is None:
        return Before()
    folder, found = place.out / row["folder"], Before()
    if (folder / "schedule.parquet").is_file():
        found.schedule = folder / "schedule.parquet"
    else:
        found.notes.append(f"the schedule of night {row['night']} is gone: it cannot stand in for a plan")
    try:
        found.plan = _plan(folder)
    except (OSError, ValueError, KeyError, TypeError) as e:
        found.notes.append(f"{NIGHT} of night {row['night']} cannot be read ({type(e).__name__}): no changes are told")
    return found


def _plan(folder: Path) -> list[dict[str, Any]]:
    told = json.loads((folder / NIGHT).read_text(encoding="utf-8"))["plan"]
    return [{"site": str(r["site"]), "date": str(r["date"]), "mwh": float(r["mwh"])} for r in told]
