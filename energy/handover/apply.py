"""Apply a hand-over: the only place that changes a scheduler, and only because `--apply` was asked for."""

from __future__ import annotations

import shutil
import subprocess

#: Program that must be on the path, and the command that reads the hand-over.
COMMANDS = {
    "slurm": ("sacctmgr", ["sh", "-s", "--"]),
    "kueue": ("kubectl", ["kubectl", "apply", "--server-side", "--field-manager=hydrocool", "--filename=-"]),
}
#: Longest wait for sacctmgr or kubectl [s].
LONGEST_WAIT = 300.0
#: Most characters of a scheduler's answer in a message.
LONGEST_ANSWER = 500


class ApplyError(RuntimeError):
    """The scheduler did not take the hand-over; holds its own words."""


def apply(scheduler: str, text: str, *arguments: str) -> str:
    """Hand a text to a scheduler of COMMANDS and return what it said.

    Parameters
    ----------
    text : the limits script of Slurm; or the ClusterQueues of one period, whose conflicts with another manager are refused
    arguments : of the script: a moment (YYYYMMDDHHMM, UTC, or now)

    Raises ApplyError: the scheduler's program is missing, refuses, or does not answer within LONGEST_WAIT.
    """
    needs, command = COMMANDS[scheduler]
    if shutil.which(needs) is None:
        hint = "run this where it is, or write the file with --out and carry it there"
        raise ApplyError(f"{needs} is not on the path; {hint}")
    try:
        done = subprocess.run(
            [*command, *arguments], input=text, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False
        )
    except subprocess.TimeoutExpired:
        raise ApplyError(f"{needs} did not answer within {LONGEST_WAIT:g} s") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[:LONGEST_ANSWER]
        raise ApplyError(f"{needs} refused ({done.returncode}): {said}")
    return done.stdout
