"""Context of a night, its precedence among later nights, and its outcome.

An auction sets the prices of tomorrow, of no later day. So a plan for a day later than tomorrow that knew none of its
prices was made by a clock that was ahead, and is superseded. Where it knew one, the clock of now is behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from energy.errors import UNPUBLISHED, OlderNight
from energy.inputs.case import Nightly
from energy.nightly.config import NightlyWorkspace, today
from energy.nightly.database import Store
from energy.runs.record import read_night

#: The two policies that have accounts of their own.
PLAN, RUN_NOW = "plan", "run_now"
#: Beginning of the names of prices among the series in night.json.
PRICE = "price "
#: Called with each stage of a night as it begins.
OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class NightContext:
    """Files, database and day of one night: what its effects are applied to.

    Attributes
    ----------
    began : moment of the monotonic clock [s]
    """

    workspace: NightlyWorkspace
    store: Store
    day: date
    on_progress: OnProgress = lambda _: None
    began: float = field(default_factory=time.monotonic)

    @property
    def config(self) -> Nightly:
        """The content of the nightly file."""
        return self.workspace.config


@dataclass
class Night:
    """Outcome of a night.

    Attributes
    ----------
    method : fallback method that made the plan
    code : exit code
    folder : the published folder, of this run or of the same inputs before; None when nothing was published
    unchanged : the same inputs were published before, nothing was done
    night : the run summary, as night.json has it
    """

    day: date
    status: str
    method: str = "nothing"
    code: int = UNPUBLISHED
    run_id: str | None = None
    folder: Path | None = None
    reasons: list[str] = field(default_factory=list)
    unchanged: bool = False
    solve_seconds: float = 0.0
    night: dict[str, Any] | None = None


def tomorrow(workspace: NightlyWorkspace) -> date:
    """The last day on the fleet's clock that a night can plan from."""
    return today(workspace.config) + timedelta(days=1)


@dataclass(frozen=True)
class Precedence:
    """Precedence of a night: whether its plan becomes active, and the rows of later plans that it then supersedes."""

    active: bool
    superseded: tuple[dict[str, Any], ...] = ()

    def reasons(self) -> tuple[str, ...]:
        """One reason for each superseded plan."""
        return tuple(
            f"night {row['night']} was planned while the clock was ahead: its plan is withdrawn, {row['folder']} stays on file"
            for row in self.superseded
        )


def precedence_of(context: NightContext, reprocess: bool) -> Precedence:
    """Precedence of the night of a day among later nights.

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
