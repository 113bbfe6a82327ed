"""From the best plan down to none: each step in a process of its own, within what is left of the night's budget."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from energy.codes import CONFIGURATION, DATA, DEGRADED, IMPOSSIBLE, OK
from energy.operate import child
from energy.operate.config import OVERTIME
from energy.operate.logs import logger

#: (rung, share of the time left that it may take, kill included): later rungs always keep some.
RUNGS = (("lp", 0.5), ("simplex", 0.5), ("greedy", 0.5), ("last_good", 0.8))
#: Seconds below which a process cannot even read its case.
LEAST_S = 5.0

Run = Callable[[list[str], float, Path], child.Ended]


@dataclass
class Climb:
    """What the ladder came to.

    Attributes
    ----------
    rung : the step that holds, or nothing
    folder : its run folder; None with nothing
    reasons : why each better step did not hold
    solve_seconds : time in the solver on the step that holds
    """

    rung: str = "nothing"
    folder: Path | None = None
    reasons: list[str] = field(default_factory=list)
    code: int = OK
    solve_seconds: float = 0.0


def climb(
    case: Path, work: Path, last_good: Path | None, solve_limit_s: float, ends_at: float, run: Run = child.run
) -> Climb:
    """Try each rung in order until one leaves a publishable run folder.

    Parameters
    ----------
    work : folder for what the rungs write
    last_good : schedule.parquet in force, or None
    ends_at : moment of the monotonic clock when the budget is used up
    """
    found = Climb()
    for rung, share in RUNGS:
        plan = {"lp": "ipx", "last_good": str(last_good)}.get(rung, rung)
        if rung == "last_good" and last_good is None:
            found.reasons.append("last_good: there is none yet")
        elif rung == "simplex" and found.code in (CONFIGURATION, DATA, IMPOSSIBLE):
            continue  # another method reads the same files
        else:
            limit = min(solve_limit_s, share * (ends_at - time.monotonic()) / OVERTIME)
            if _tried(found, rung, plan, case, work, limit, run):
                return found
    return found


def _tried(found: Climb, rung: str, plan: str, case: Path, work: Path, limit: float, run: Run) -> bool:
    """Whether the rung holds; its folder or its reason is noted."""
    if limit < LEAST_S:
        found.reasons.append(f"{rung}: no time left")
        return False
    out = work / rung
    shutil.rmtree(out, ignore_errors=True)
    args = [
        "optimize",
        str(case),
        "--plan",
        plan,
        "--time-limit",
        f"{max(limit, 1.0):.0f}",
        "--out",
        str(out),
        "--no-page",
    ]
    ended = run(args, limit, work / f"{rung}.log")
    folders = [p for p in out.glob("*/manifest.json") if not p.parent.name.startswith(".")] if out.is_dir() else []
    if ended.code in (OK, DEGRADED) and len(folders) == 1:
        found.rung, found.folder, found.code = rung, folders[0].parent, ended.code
        found.solve_seconds = float(json.loads(folders[0].read_text(encoding="utf-8"))["solver"]["seconds"])
        return True
    found.code = ended.code
    # The rung's own log lies in the work folder, which is swept.
    logger().error("rung failed", extra={"rung": rung, "exit_code": ended.code, "seconds": round(ended.seconds, 1),
                                         "last_lines": ended.tail})  # fmt: skip
    found.reasons.append(f"{rung}: {ended.words or f'ended with exit code {ended.code}'}")
    return False
