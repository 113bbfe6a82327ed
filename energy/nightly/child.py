"""A night in a process of its own that ends with its budget: whatever hangs, a file, a mount, a server, is killed with it."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO

from energy.errors import UNPUBLISHED, NightError
from energy.nightly.config import NightlyWorkspace, lock, now
from energy.nightly.database import open_state
from energy.nightly.fallback import die_with_parent, kill
from energy.nightly.logs import logging_to
from energy.nightly.notify import follow_up
from energy.nightly.outcome import Night

#: Whether `energy nightly` runs a night in a child; tests that look into one switch it off.
SEPARATE = True
#: Name of the command that runs one night and pickles what came of it.
COMMAND = "night-step"
#: How long the last lines of a killed child are waited for [s].
LAST_WORDS_S = 2.0


def run_in_child(
    workspace: NightlyWorkspace, day: date, reprocess: bool, from_snapshot: bool, quiet: bool,
    tell: Callable[[str], None],
) -> Night:  # fmt: skip
    """The night of a day, run by `energy night-step`; FAILED and on record where its budget ends before it does.

    Parameters
    ----------
    tell : takes each line that the child prints

    Raises
    ------
    NightError : another run is at work, or an older night than one that is published.
    """
    began, started = time.monotonic(), now().isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory(prefix="hydrocool-night-") as folder:
        made, given = Path(folder) / "night", Path(folder) / "given"
        given.write_bytes(pickle.dumps((workspace.path, day, reprocess, from_snapshot, quiet)))
        child = subprocess.Popen(
            [sys.executable, "-m", "energy", COMMAND, str(given), str(made)], stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True, env=dict(os.environ),
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - one thread
        )  # fmt: skip
        assert child.stderr is not None
        lines: list[str] = []
        reader = threading.Thread(target=_echo, args=(child.stderr, lines, tell), daemon=True)
        reader.start()
        try:
            code: int | None = child.wait(60 * workspace.config.budget_minutes)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            kill(child)
            reader.join(LAST_WORDS_S)
        found = pickle.loads(made.read_bytes()) if made.is_file() else None
    if isinstance(found, Exception):
        raise found
    if isinstance(found, Night):
        return found
    return _failed(workspace, day, quiet, started, time.monotonic() - began, _why(workspace, code, lines))


def _echo(stream: IO[str], lines: list[str], tell: Callable[[str], None]) -> None:
    for line in stream:
        lines.append(line.rstrip("\n"))
        tell(lines[-1])


def _why(workspace: NightlyWorkspace, code: int | None, lines: list[str]) -> str:
    stage = f" while at: {lines[-1]}" if lines else ""
    if code is None:
        return f"killed at the end of its budget of {workspace.config.budget_minutes:g} min{stage}"
    cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"its process ended with {cause}{stage}"


def _failed(workspace: NightlyWorkspace, day: date, quiet: bool, started: str, seconds: float, why: str) -> Night:
    """Put a night on record that could not do so itself; metrics and message follow."""
    from energy.nightly.run import record_run

    night = Night(day, "FAILED", code=UNPUBLISHED, reasons=[why])
    with lock(workspace.out), logging_to(workspace.log, f"{workspace.config.name}_{day}") as log:
        log.error("night failed", extra={"problem": why})
        try:
            with open_state(workspace) as store:
                record_run(store, night, started, seconds)
                follow_up(workspace, store, night, quiet)
        except NightError:
            raise
        except Exception as e:  # the database may be what hangs or is damaged: the message goes out all the same
            night.reasons.append(f"not on record: {e}")
            follow_up(workspace, None, night, quiet)
    return night


def serve(given: Path, made: Path, run: Callable[[Path, date, bool, bool, bool], Night]) -> None:
    """Run a night that was asked for and pickle it, or the error that ended it: the child of `run_in_child`."""
    asked = pickle.loads(given.read_bytes())
    try:
        found: Night | Exception = run(*asked)
    except Exception as e:
        found = e
    made.write_bytes(pickle.dumps(found))
