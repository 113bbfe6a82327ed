"""Apply a hand-over: the only place that changes a scheduler, and only because `--apply` was asked for."""

from __future__ import annotations

import shutil
import subprocess

#: Longest wait for sacctmgr or kubectl [s].
LONGEST_WAIT = 300.0
#: Most characters of a scheduler's answer in a message.
LONGEST_ANSWER = 500


class ApplyError(RuntimeError):
    """The scheduler did not take the hand-over; holds its own words."""


def apply_slurm(script: str, moment: str) -> str:
    """Run the limits script for a moment (YYYYMMDDHHMM, UTC, or now) and return what it said.

    Raises
    ------
    ApplyError : sacctmgr is missing, or the script failed.
    """
    return _run("sacctmgr", ["sh", "-s", "--", moment], script)


def apply_kueue(manifest: str) -> str:
    """Server-side apply of the ClusterQueues of one period; conflicts with another manager are refused.

    Raises
    ------
    ApplyError : kubectl is missing, or the cluster refused.
    """
    return _run("kubectl", ["kubectl", "apply", "--server-side", "--field-manager=hydrocool", "--filename=-"], manifest)


def _run(needs: str, command: list[str], text: str) -> str:
    if shutil.which(needs) is None:
        raise ApplyError(
            f"{needs} is not on the path; run this where it is, or write the file with --out and carry it there"
        )
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=LONGEST_WAIT, check=False)
    except subprocess.TimeoutExpired:
        raise ApplyError(f"{needs} did not answer within {LONGEST_WAIT:g} s") from None
    if done.returncode:
        raise ApplyError(
            f"{needs} refused ({done.returncode}): {' '.join((done.stderr or done.stdout).split())[:LONGEST_ANSWER]}"
        )
    return done.stdout
