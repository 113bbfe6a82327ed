"""What a night is run with, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from energy.errors import UNPUBLISHED
from energy.inputs.case import Nightly
from energy.nightly.config import NightlyWorkspace
from energy.nightly.database import Store

#: The two policies that have accounts of their own.
PLAN, RUN_NOW = "plan", "run_now"
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
    """How a night ended.

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
