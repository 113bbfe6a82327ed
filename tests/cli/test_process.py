"""The command as a process: quick help, plain output, Ctrl-C, a full disk."""

import os
import resource
import signal
import statistics
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-c", "from energy.cli.app import main; main()"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
HEAVY = ("pandas", "pyomo", "xarray", "numpy", "scipy", "highspy", "pydantic", "pvlib")
#: Longest a test waits for a process [s].
PATIENCE = 60


def run(*args, **options):
    options = {"capture_output": True, "text": True, "timeout": PATIENCE, "env": ENVIRONMENT} | options
    return subprocess.run([*COMMAND, *map(str, args)], check=False, **options)


def start(*args, **env):
    return subprocess.Popen(
        [*COMMAND, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT | env
    )


STALLED = """\
import pathlib, sys, time
read = pathlib.Path.read_bytes

def stalled(self):
    if self.name == "prices.csv":
        print("stalled", file=sys.stderr, flush=True)
        time.sleep(600)
    return read(self)

pathlib.Path.read_bytes = stalled
"""


def test_help_answers_at_once():
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        done = run("--help")
        seconds.append(time.perf_counter() - began)
        assert done.returncode == 0
        assert all(command in done.stdout for command in ("optimize", "report", "check", "formulation"))
    assert statistics.median(seconds) < 1.0


def test_help_imports_nothing_heavy():
    code = f"import sys, energy.cli.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.slow
def test_plain_without_a_terminal_and_in_a_log_that_knows_only_ascii(case):
    environment = ENVIRONMENT | {"PYTHONIOENCODING": "ascii", "TERM": "xterm-256color"}
    done = run("optimize", case.path, "--out", case.folder / "runs", env=environment)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 110
    assert done.stdout.startswith("OK: 2024-03-05T00:00Z ? 2024-03-06T23:00Z: saves ")


# Ctrl-C


def interrupted(process, runs, before=()):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert (
        err.splitlines()[-1] == "energy: interrupted; nothing half-written is left, older run folders are as they were"
    )
    assert "Traceback" not in err
    assert out == ""
    assert [p.name for p in runs.iterdir()] == list(before)


def test_ctrl_c_in_the_middle_of_the_solve(tmp_path):
    """The reference case solves for seconds; its stages come line by line."""
    older = tmp_path / "runs" / "older"
    older.mkdir(parents=True)
    (older / "summary.json").write_text("{}")
    process = start("optimize", "--out", tmp_path / "runs")
    while "hand over" not in (line := process.stderr.readline()):
        assert line, "ended before the solve"
    time.sleep(0.5)
    assert process.poll() is None, "the solve was over too soon to be interrupted"
    interrupted(process, tmp_path / "runs", ["older"])
    assert (older / "summary.json").read_text() == "{}"


def test_ctrl_c_while_files_are_read(case):
    """A stalled mount, acted by a start-up file of Python that makes one read wait; it says so when it begins."""
    (case.folder / "sitecustomize.py").write_text(STALLED, encoding="utf-8")
    path = f"{case.folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    process = start("optimize", case.path, "--out", case.folder / "runs", PYTHONPATH=path)
    while "stalled" not in (line := process.stderr.readline()):
        assert line, "ended before the file was read"
    interrupted(process, case.folder / "runs")


def test_ctrl_c_while_libraries_are_imported(case):
    """Python tells on stderr what it has imported; numpy is the first of the slow ones."""
    (case.folder / "runs").mkdir()
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "check", case.path]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    while not (line := process.stderr.readline()).endswith(" numpy\n"):
        assert line, "ended before the imports"
    interrupted(process, case.folder / "runs")


# A full disk


def no_large_files():
    """The kernel then refuses to let files grow, as it does when a disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.slow
def test_disk_that_fills_up_while_the_run_folder_is_written(case):
    """HDF5 left to itself ends the process with a crash then."""

    older = case.folder / "runs" / "older"
    older.mkdir(parents=True)
    done = run("optimize", case.path, "--json", "--out", case.folder / "runs", preexec_fn=no_large_files)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "runs/small_2024-03-05_2024-03-06_" in done.stderr
    assert "cannot be written (File too large); older ones are untouched" in done.stderr
    assert list((case.folder / "runs").iterdir()) == [older]
