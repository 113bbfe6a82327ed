"""Later nights: which forbid a night, and which it supersedes because only a clock that was ahead has made them.

An auction sets the prices of tomorrow, of no later day. So a plan for a day later than tomorrow that knew none of its
prices was made by a clock that was ahead, and is superseded; where one knew them it is the clock of now that is behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from energy.errors import OlderNight
from energy.nightly.config import NightlyWorkspace, today
from energy.nightly.database import Store
from energy.nightly.outcome import NightContext
from energy.runs.record import read_night

#: How the names of prices begin among the series in night.json.
PRICE = "price "


def tomorrow(workspace: NightlyWorkspace) -> date:
    """The last day on the fleet's clock that a night can plan from."""
    return today(workspace.config) + timedelta(days=1)


@dataclass(frozen=True)
class Precedence:
    """Whether a night's plan becomes active, and the rows of later plans that it then supersedes."""

    active: bool
    superseded: tuple[dict[str, Any], ...] = ()

    def reasons(self) -> tuple[str, ...]:
        """One reason for each superseded plan."""
        return tuple(
            f"night {row['night']} was planned while the clock was ahead: its plan is withdrawn, {row['folder']} stays on file"
            for row in self.superseded
        )


def precedence_of(context: NightContext, reprocess: bool) -> Precedence:
    """What later nights leave to the night of a day.

    Parameters
    ----------
    reprocess : also where a later night's plan stands; nothing is superseded then

    Raises
    ------
    OlderNight : a later night is published already, and not by a clock that was ahead.
    """
    workspace, day = context.workspace, str(context.day)
    later = context.store.rows("SELECT * FROM plans WHERE night > ? ORDER BY night", day)
    ahead = [row for row in later if row["night"] > str(tomorrow(workspace))]
    if len(ahead) == len(later) and not any(_knew_its_prices(workspace, row) for row in ahead):
        return Precedence(True, tuple(later))
    if not reprocess:
        raise OlderNight(
            f"night {day}: night {later[-1]['night']} is published already, so nothing was (is the clock right?); "
            "--reprocess all makes it again, on file only"
        )
    return Precedence(False)


def is_older(workspace: NightlyWorkspace, store: Store, day: date) -> bool:
    """Whether a later night than `day` has been run already, by a clock that was not ahead."""
    later = "SELECT night FROM (SELECT night FROM runs UNION SELECT night FROM plans) WHERE night > ? AND night <= ? LIMIT 1"
    return store.row(later, str(day), str(tomorrow(workspace))) is not None


def _knew_its_prices(workspace: NightlyWorkspace, row: dict[str, Any]) -> bool:
    """Whether a plan knew a price of its own day; False where its folder is gone or damaged."""
    try:
        night = read_night(workspace.out / row["folder"])
        zones = {name.removeprefix(PRICE) for name in night["quality"] if name.startswith(PRICE)}
        return bool(zones - set(night["imputed_hours"]["price"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False
