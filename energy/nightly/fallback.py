"""From the best plan down to none: each step in a process of its own, within what is left of the night's budget.

A command in a process of its own, with a limit that always ends it, its children too.

Who makes the plan: a method of the solver, the greedy dispatcher, or an older schedule trimmed.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from energy.errors import CONFIGURATION, DATA, DEGRADED, IMPOSSIBLE, OK, ConfigError
from energy.nightly.config import OVERTIME
from energy.nightly.logs import logger
from energy.schedule.dispatch import earliest_deadline_first, trimmed
from energy.schedule.table import Maker, read_schedule
from energy.solve import Options

#: Exit code that stands for "killed at its limit".
KILLED = -9
#: Lines of the child's last words that a reason carries.
LAST_WORDS = 1
#: Lines that are kept of a child's log, and characters of each: a traceback, not a book.
TAIL_LINES, TAIL_WIDTH = 20, 500
#: prctl's number for the signal that a child gets when its parent dies; Linux has it.
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ended:
    """How a child ended: exit code (KILLED at its limit), seconds, its last line on stderr, and its last lines."""

    code: int
    seconds: float
    words: str
    tail: tuple[str, ...] = ()


def run(args: list[str], limit_s: float, log: Path, module: str = "energy") -> Ended:
    """Run `python -m MODULE ARGS` with one thread; the whole process group is killed at OVERTIME times its limit.

    Parameters
    ----------
    log : file that takes what the child prints
    """
    began = time.monotonic()
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *args], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one thread
        )  # fmt: skip
        try:
            code = child.wait(OVERTIME * limit_s)
        except subprocess.TimeoutExpired:
            code = KILLED
        finally:
            _kill(child)
    seconds = time.monotonic() - began
    lines = [x for x in log.read_text(encoding="utf-8", errors="replace").splitlines() if x.strip()]
    words = _last_words(lines) if code != KILLED else f"killed after {seconds:.0f} s, {OVERTIME:g} times its limit"
    return Ended(code, seconds, words, tuple(line[:TAIL_WIDTH] for line in lines[-TAIL_LINES:]))


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself, and left nobody behind
    finally:
        child.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the child goes when a killed parent cannot end it; elsewhere the solver's own limit does."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _last_words(lines: list[str]) -> str:
    return " ".join(lines[-LAST_WORDS:]).removeprefix("energy: ")


#: (rung, share of the time left that it may take, kill included): later rungs always keep some.
RUNGS = (("lp", 0.5), ("simplex", 0.5), ("greedy", 0.5), ("last_good", 0.8))
#: Seconds below which a process cannot even read its case.
LEAST_S = 5.0
Run = Callable[[list[str], float, Path], Ended]


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
    case: Path, work: Path, last_good: Path | None, solve_limit_s: float, ends_at: float, run: Run = run
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


#: Methods of the solver that make a certified plan.
METHODS = ("ipx", "simplex")


def planner(plan: str, time_limit_s: float) -> tuple[Options, Maker | None]:
    """Solver options, and what makes the Schedule where the solver does not.

    Raises
    ------
    ConfigError : `plan` is no method, not greedy and no schedule file.
    """
    if plan in METHODS:
        return Options(method=plan, time_limit_s=time_limit_s), None
    if plan == "greedy":
        return Options(), earliest_deadline_first
    if not Path(plan).is_file():
        raise ConfigError(
            f"--plan {plan}", "is no such file", f"{', '.join(METHODS)}, greedy, or a schedule.parquet or .csv"
        )
    return Options(), partial(trimmed, table=read_schedule(Path(plan)))
