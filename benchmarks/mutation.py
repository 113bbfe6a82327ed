"""Mutation testing by sample: ``python -m benchmarks.mutation`` (make mutation).

mutmut makes the mutants; its own runner is not used, because it rewrites the package around trampolines and demands
one test command for all, while the figure wanted here is over a seeded sample, every file represented, and a time-out
is not a kill. Every mutant is written into a copy of the checkout and tested in a forked process (third-party packages
are imported once; no solver runs in the parent) by the fast tests that run its line, quickest file first, until one
fails; a line that runs at import only is judged by all fast tests of its room.

Verdicts are kept in ``data/runs/mutation.json``: a second run judges only what has none yet, and with ``--again`` also
what was not killed, against the tests as they are now.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.covering import Order, chosen, quickest
from benchmarks.mutants import ALL_ROOMS, CHECKOUT, ROOMS, Mutant, sample

#: First match wins: the fast tests of a room, for lines that no single test runs and for tests newer than the table.
SUITES = (
    ("energy/program/", ("tests/golden", "tests/closed_forms", "tests/program")),
    (
        "energy/audit/array_model.py",
        ("tests/closed_forms", "tests/audit/test_certificate.py", "tests/audit/test_array_model.py", "tests/program"),
    ),
    (
        "energy/audit/certificate.py",
        (
            "tests/audit/test_certificate.py",
            "tests/audit/test_array_model.py",
            "tests/closed_forms",
            "tests/lying_solver",
        ),
    ),
    ("energy/audit/diagnosis.py", ("tests/explain",)),
    ("energy/audit/", ("tests/audit", "tests/bills")),
    ("energy/plant/parameters.py", ("tests/plant/test_parameters.py", "tests/plant/test_plant_files.py")),
    ("energy/plant/", ("tests/plant", "tests/bills/test_solar.py")),
    ("energy/problem/", ("tests/problem", "tests/closed_forms", "tests/bills")),
    ("energy/schedule/", ("tests/schedule", "tests/audit")),
    ("energy/inputs/", ("tests/inputs", "tests/bills")),
    ("energy/series/", ("tests/series", "tests/inputs")),
    ("energy/solve/", ("tests/solve", "tests/lying_solver")),
    ("energy/runs/", ("tests/determinism", "tests/nightly/test_publish.py")),
    ("energy/handover/", ("tests/handover",)),
    ("energy/nightly/", ("tests/nightly",)),
)
#: Bars of the issue: share killed, size of the sample.
LEAST_KILLED, LEAST_SAMPLE = 0.85, 400
#: Processor time per mutant [s] after which it counts as not killed, and time by the clock, many times that: a busy
#: machine must not make time-outs.
CPU_LIMIT_S, TIME_LIMIT_S = 120, 3600.0
#: Imported once, before forking.
HEAVY = ("numpy", "pandas", "xarray", "scipy.optimize", "scipy.sparse", "pyomo.environ", "pydantic", "ruamel.yaml", "pvlib")  # fmt: skip
#: Exit codes: of pytest, 1 a test failed, 2 a test and 4 the conftest cannot be imported; of the system, out of
#: processor time.
NO_TESTS = 5  # pytest's own: everything was judged before
VERDICTS = {None: "timeout", -signal.SIGXCPU: "timeout", 0: "survived", 1: "killed", 2: "killed", 4: "killed"}


@dataclass
class Bench:
    """A copy of the checkout, and the mutant that is tested in it."""

    copy: Path
    mutant: Mutant | None = None
    child: int = 0
    began: float = 0.0

    def begin(self, mutant: Mutant, tests: set[str], table: dict[str, Any]) -> None:
        """Write the mutant and test it in a child."""
        self.mutant, self.began = mutant, time.monotonic()
        (self.copy / mutant.path).write_text(mutant.source, encoding="utf-8")
        self.child = os.fork()
        if self.child == 0:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 10))
            _child(self.copy, mutant.path, tests, table)

    def ended(self) -> tuple[Mutant, str, float] | None:
        """Mutant, verdict and seconds when the child has ended or is out of time; None while it runs."""
        assert self.mutant is not None
        done, status = os.waitpid(self.child, os.WNOHANG)
        seconds = time.monotonic() - self.began
        if not done and seconds < TIME_LIMIT_S:
            return None
        if not done:
            os.killpg(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        shutil.copy2(CHECKOUT / self.mutant.path, self.copy / self.mutant.path)
        code = os.waitstatus_to_exitcode(status) if done else None
        mutant, self.mutant = self.mutant, None
        return mutant, VERDICTS.get(code, f"broken run {code}"), seconds


def suite_of(path: str) -> tuple[str, ...]:
    """Test paths of a file's room."""
    return next(tests for prefix, tests in SUITES if path.startswith(prefix))


def _child(copy: Path, path: str, tests: set[str], table: dict[str, Any]) -> None:
    """Run pytest here and leave; what it prints is in last.log."""
    os.chdir(copy)
    sys.path[:] = [str(copy), *(p for p in sys.path if Path(p or ".").resolve() != CHECKOUT)]
    for name in [n for n in sys.modules if n.split(".")[0] in {"energy", "benchmarks", "tests"} and n != "__main__"]:
        del sys.modules[name]
    sys.dont_write_bytecode = True
    printed = os.open(copy / "last.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    code = 3  # pytest's own: an internal error
    try:
        code = _judged_here(path, tests, table)
    except BaseException:
        traceback.print_exc()
    finally:  # whatever happens, a child never returns into the parent's loop
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _judged_here(path: str, tests: set[str], table: dict[str, Any]) -> int:
    """Exit code of pytest: on the quickest file alone, which kills most mutants, then on tests newer than the table
    (all of the room where none is known), then on all others that know the line."""
    import pytest

    room, first = suite_of(path), quickest(table, tests)
    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:pytest_cov"]
    stages = [([t.split("::")[0] for t in sorted(first)[:1]], Order(first, (), table)),
              (list(room), Order(set(), room, table, tests)),
              (sorted({t.split("::")[0] for t in tests - first}), Order(tests - first, (), table))]  # fmt: skip
    for paths, order in stages:
        code = int(pytest.main([*options, *paths], plugins=[order])) if paths else NO_TESTS
        if code not in (0, NO_TESTS):
            return code
    return 0


def judged(
    mutants: Sequence[Mutant], benches: list[Bench], table: dict[str, Any]
) -> Iterator[tuple[Mutant, str, float]]:
    """Mutants with verdict and seconds, in the order in which they end."""
    waiting = list(mutants)[::-1]
    while waiting or any(b.mutant for b in benches):
        for bench in benches:
            found = bench.ended() if bench.mutant else None
            if found:
                yield found
            if waiting and not bench.mutant:
                mutant = waiting.pop()
                bench.begin(mutant, chosen(table, mutant.path, mutant.text), table)
        time.sleep(0.05)


def copied(folder: Path) -> Path:
    """A copy of the tracked files, compiled once: children read bytecode and write none."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, folder / name)
    subprocess.run([sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider"], cwd=folder,
                   env=os.environ | {"PYTHONPATH": str(folder)}, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    return folder


def check_untouched(mutants: Sequence[Mutant], bench: Bench, table: dict[str, Any]) -> None:
    """Tests newer than the table pass without a mutant, or all would count as killed; the others passed when it was made."""
    for path in {suite_of(m.path): m.path for m in mutants}.values():
        known = {t for tests in table["lines"].get(path, {}).values() for t in tests}
        one = set(sorted(known, key=lambda t: table["seconds"].get(t, 0.0))[:1])
        bench.begin(Mutant(path, 0, "", "", "", (CHECKOUT / path).read_text(encoding="utf-8")), one, table)
        while not (found := bench.ended()):
            time.sleep(0.05)
        if found[1] != "survived":
            said = (bench.copy / "last.log").read_text(encoding="utf-8")[-3000:]
            sys.exit(f"tests of {path} without a mutant: {found[1]}; nothing can be judged\n{said}")


def covering(out: Path, copy: Path) -> dict[str, Any]:
    """The table of tests by line, measured once and kept beside the verdicts."""
    kept = out.with_name("covering.json")
    if not kept.exists():
        subprocess.run([sys.executable, "-m", "benchmarks.covering", str(kept.absolute())], cwd=copy, check=True,
                       env=os.environ | {"PYTHONPATH": str(copy)})  # fmt: skip
    table: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return table


def report(found: dict[str, Any], mutants: Sequence[Mutant], rooms: Sequence[str]) -> bool:
    """Print killed of judged by room; whether the bar is met."""
    verdicts = [(m.path, found[m.digest]["verdict"]) for m in mutants if m.digest in found]
    for room in (*rooms, "energy/"):
        counts = Counter(v for path, v in verdicts if path.startswith(room))
        killed, all_ = counts["killed"], max(counts.total(), 1)
        print(f"{room}: {killed} of {counts.total()} killed, {killed / all_:.1%} {dict(counts)}")
    return len(verdicts) == len(mutants) and killed >= LEAST_KILLED * len(verdicts)


def main() -> None:
    """Judge the sample, print what survives, write the verdicts; exit 1 below the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=LEAST_SAMPLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--rooms", nargs="+", choices=ALL_ROOMS, default=ROOMS, help="folders that mutants are drawn from"
    )
    parser.add_argument("--only", default="", help="only files whose path contains this")
    parser.add_argument("--again", action="store_true", help="judge what was not killed once more")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "data" / "runs" / "mutation.json")
    args = parser.parse_args()
    mutants = [m for m in sample(args.size, args.seed, args.rooms) if args.only in m.path]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {}
    left = [m for m in mutants if m.digest not in found or (args.again and found[m.digest]["verdict"] != "killed")]
    for name in HEAVY:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        benches = [Bench(copied(Path(folder) / "0"))]
        benches += [Bench(shutil.copytree(benches[0].copy, Path(folder) / str(i))) for i in range(1, args.workers)]
        table = covering(args.out, benches[0].copy)
        check_untouched(left, benches[0], table)
        for i, (mutant, verdict, seconds) in enumerate(judged(left, benches, table), 1):
            found[mutant.digest] = {k: v for k, v in asdict(mutant).items() if k != "source"} | {"verdict": verdict}
            print(f"{i}/{len(left)} {verdict} {seconds:.1f} s {mutant.path}:{mutant.line}: {mutant.before[:90]!r} -> "
                  f"{mutant.after[:90]!r}", flush=True)  # fmt: skip
            args.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.exit(not report(found, mutants, args.rooms))


if __name__ == "__main__":
    main()
