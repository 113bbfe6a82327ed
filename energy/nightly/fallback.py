"""The fallback sequence of a night: each method in a process of its own that always ends within the night's budget."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from energy.errors import CONFIGURATION, DATA, IMPOSSIBLE, OK
from energy.nightly.config import OVERTIME
from energy.nightly.inputs import Prepared
from energy.nightly.logs import logger
from energy.nightly.plan import METHODS, NightPlan, plan_night

#: What HiGHS says of a solve that its own limit ended.
TIME_LIMIT = "Time limit"
#: Exit code of a child that was killed at its limit.
KILLED = -9
#: Lines that are kept of a child's log, and characters of each: a traceback, not a book.
TAIL_LINES, TAIL_WIDTH = 20, 500
#: prctl's number for the signal that a child gets when its parent dies; Linux has it.
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Ended:
    """End of a child: exit code (KILLED at its limit), seconds, its last line on stderr, and its last lines."""

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
            start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, preexec_fn=die_with_parent(),  # noqa: PLW1509 - one thread
        )  # fmt: skip
        try:
            code = child.wait(OVERTIME * limit_s)
        except subprocess.TimeoutExpired:
            code = KILLED
        finally:
            kill(child)
    seconds = time.monotonic() - began
    lines = [x for x in log.read_text(encoding="utf-8", errors="replace").splitlines() if x.strip()]
    last = lines[-1].removeprefix("energy: ") if lines else ""
    words = last if code != KILLED else f"killed after {seconds:.0f} s, {OVERTIME:g} times its limit"
    return Ended(code, seconds, words, tuple(line[:TAIL_WIDTH] for line in lines[-TAIL_LINES:]))


def kill(child: subprocess.Popen[Any]) -> None:
    """Kill a child's whole process group and wait for it; one that has ended is left alone."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself, and left nobody behind
    finally:
        child.wait()


def die_with_parent() -> Callable[[], None] | None:
    """On Linux, a hook that ends the child with a killed parent; elsewhere the solver's own limit ends it."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


#: Share of the time left that each method may take, kill included: later ones always keep some.
SHARES = {"lp": 0.5, "simplex": 0.5, "greedy": 0.5, "last_good": 0.8}
#: Seconds below which a process cannot even read its case.
LEAST_S = 5.0
#: Seconds that are kept for the greedy method while better ones are at work: to read, and per job. Measured: 20,000 jobs and 168
#: periods took 10.5 s on a quiet machine and 35 s on a loaded one, with reading, completion and bill.
GREEDY_S, GREEDY_S_PER_JOB = 5.0, 2e-3


@dataclass
class Found:
    """Result of the fallback sequence.

    Attributes
    ----------
    plan : of the first method that made one; None with nothing
    reasons : why each better method made none
    """

    plan: NightPlan | None = None
    reasons: list[str] = field(default_factory=list)


#: Plans a night with a method, given why each better one made no plan, within a limit [s]; the folder takes its files.
Attempt = Callable[[Prepared, str, list[str], float, Path], NightPlan | Ended]


def plan_in_child(night: Prepared, method: str, failed: list[str], limit_s: float, work: Path) -> NightPlan | Ended:
    """Plan a night in a process of its own."""
    given, made = work / f"{method}.night", work / f"{method}.plan"
    night = replace(night, series=replace(night.series, tables={}))  # the kept case has them
    given.write_bytes(pickle.dumps((night, method, failed, float(max(round(limit_s), 1)))))
    ended = run(["plan-night", str(given), str(made)], limit_s, work / f"{method}.log")
    plan: NightPlan | Ended = pickle.loads(made.read_bytes()) if ended.code == OK else ended
    return plan


def plan_in_process(night: Prepared, method: str, failed: list[str], limit_s: float, work: Path) -> NightPlan:
    """Plan a night in this process, where nothing needs to be killed; starting Python takes half the time of a child."""
    return plan_night(night.snapshot(with_schedule=method == "last_good"), method, failed, limit_s)


def serve(given: Path, made: Path) -> None:
    """Read a pickled night, plan it and pickle the plan: the child process of `plan_in_child`.

    Raises
    ------
    InputError, SchemaError, PlantError, SolverError, CertificateError : the method makes no plan.
    """
    night, method, failed, limit_s = pickle.loads(given.read_bytes())
    made.write_bytes(pickle.dumps(plan_in_process(night, method, failed, limit_s, given.parent)))


def run_fallbacks(
    night: Prepared, work: Path, solve_limit_s: float, ends_at: float, attempt: Attempt = plan_in_child
) -> Found:
    """Try each method in order until one makes a plan that can be published.

    Parameters
    ----------
    work : folder for what the attempts write
    ends_at : moment of the monotonic clock when the budget is used up
    """
    found, code, timed_out = Found(), OK, False
    for method in METHODS:
        left = ends_at - time.monotonic()
        if method in ("lp", "simplex"):
            left -= min(GREEDY_S + GREEDY_S_PER_JOB * len(night.left), 0.5 * left)
        limit = min(solve_limit_s, SHARES[method] * left / OVERTIME)
        if method == "last_good" and night.previous.schedule is None:
            found.reasons.append("last_good: no earlier published schedule")
        elif method == "simplex" and code in (CONFIGURATION, DATA, IMPOSSIBLE):
            continue  # another method reads the same files
        elif method == "simplex" and (code == KILLED or timed_out):
            found.reasons.append("simplex: not tried, since lp ran out of time")
        elif limit < LEAST_S:
            found.reasons.append(f"{method}: no time left")
        else:
            plan = attempt(night, method, list(found.reasons), limit, work)
            if isinstance(plan, NightPlan):
                found.plan = plan
                return found
            code, timed_out = plan.code, TIME_LIMIT in plan.words
            # The method's own log lies in the work folder, which is swept.
            logger().error("fallback method failed", extra={"method": method, "exit_code": code, "seconds": round(plan.seconds, 1),
                                                 "last_lines": plan.tail})  # fmt: skip
            found.reasons.append(f"{method}: {plan.words or f'ended with exit code {code}'}")
    return found
