"""Nights of later days: which forbid a night, and which only a clock that was ahead has left.

An auction sets the prices of tomorrow, of no later day. So a plan for a day later than tomorrow that knew none of its
prices was made by a clock that was ahead, and is withdrawn; where one knew them it is the clock of now that is behind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from energy.errors import OlderNight
from energy.nightly.config import Place, today
from energy.nightly.database import Store
from energy.runs.record import NIGHT

#: Before a price in the names of series in night.json.
PRICE = "price "


def tomorrow(place: Place) -> date:
    """The last day on the fleet's clock that a night can plan from."""
    return today(place.config) + timedelta(days=1)


@dataclass(frozen=True)
class Turn:
    """Whether a night's plan comes into force, and the rows of later plans that it then withdraws."""

    in_force: bool
    withdrawn: tuple[dict[str, Any], ...] = ()


def turn(place: Place, store: Store, day: date, again: bool) -> Turn:
    """What later nights leave to the night of a day.

    Parameters
    ----------
    again : also where a later night's plan stands; nothing is withdrawn then

    Raises
    ------
    OlderNight : a later night is published already, and not by a clock that was ahead.
    """
    later = store.rows("SELECT * FROM plans WHERE night > ? ORDER BY night", str(day))
    ahead = [row for row in later if row["night"] > str(tomorrow(place))]
    if len(ahead) == len(later) and not any(_knew_its_prices(place, row) for row in ahead):
        return Turn(True, tuple(later))
    if not again:
        raise OlderNight(
            f"night {day}: night {later[-1]['night']} is published already, so nothing was (is the clock right?); "
            "--reprocess all makes it again, on file only"
        )
    return Turn(False)


def withdrawal(row: dict[str, Any]) -> str:
    """The reason that a night tells."""
    return f"night {row['night']} was planned while the clock was ahead: its plan is withdrawn, {row['folder']} stays on file"


def is_older(place: Place, store: Store, day: date) -> bool:
    """Whether a later night has been run already, by a clock that was not ahead."""
    later = "SELECT night FROM (SELECT night FROM runs UNION SELECT night FROM plans) WHERE night > ? AND night <= ? LIMIT 1"
    return store.row(later, str(day), str(tomorrow(place))) is not None


def _knew_its_prices(place: Place, row: dict[str, Any]) -> bool:
    """Whether a plan knew a price of its own day; a folder that is gone or damaged tells of none."""
    try:
        night = json.loads((place.out / row["folder"] / NIGHT).read_text(encoding="utf-8"))
        zones = {name.removeprefix(PRICE) for name in night["quality"] if name.startswith(PRICE)}
        return bool(zones - set(night["fallback_hours"]["price"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False
