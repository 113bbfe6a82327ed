"""A command in a process of its own, with a limit that always ends it, its children too."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from energy.operate.config import OVERTIME

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
