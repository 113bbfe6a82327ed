"""Mutation testing by sample: ``python -m benchmarks.mutation`` (make mutation).

mutmut makes the mutants; its own runner is not used, because it rewrites the package around trampolines and demands
one test command for all, while the figure wanted here is over a seeded sample, every file represented, each mutant
judged by the fast tests of its own room, and a time-out is not a kill. Every mutant is written into a copy of the
checkout and tested in a forked process (third-party packages are imported once; no solver runs in the parent).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
ROOMS = ("energy/program", "energy/audit", "energy/plant")
#: First match wins: which fast tests judge the mutants of a file, quickest to kill first.
SUITES = (
    ("energy/program/", ("tests/golden", "tests/closed_forms", "tests/program")),
    (
        "energy/audit/matrix.py",
        ("tests/closed_forms", "tests/audit/test_certificate.py", "tests/program", "tests/laws/test_rewriting.py"),
    ),
    ("energy/audit/certificate.py", ("tests/audit/test_certificate.py", "tests/closed_forms", "tests/lying_solver")),
    ("energy/audit/explain.py", ("tests/explain",)),
    ("energy/audit/", ("tests/audit/test_baseline.py", "tests/bills", "tests/audit", "tests/laws/test_duality.py")),
    (
        "energy/plant/",
        (
            "tests/plant/test_components.py",
            "tests/plant/test_physics.py",
            "tests/plant",
            "tests/bills/test_solar.py",
            "tests/problem",
        ),
    ),
)
#: Bars of the issue: share killed, size of the sample; and time per mutant [s] after which it counts as not killed.
LEAST_KILLED, LEAST_SAMPLE, TIME_LIMIT_S = 0.85, 400, 240.0
#: Imported once, before forking.
HEAVY = ("numpy", "pandas", "xarray", "scipy.optimize", "scipy.sparse", "pyomo.environ", "pydantic", "ruamel.yaml", "pvlib", "matplotlib")  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed file."""

    path: str
    line: int
    before: str
    after: str
    source: str


def sample(size: int, seed: int) -> list[Mutant]:
    """Two of every file that has any, the rest drawn from all that is left."""
    from mutmut.mutation.file_mutation import create_mutations

    rng = random.Random(seed)
    files = sorted(p.relative_to(CHECKOUT).as_posix() for room in ROOMS for p in (CHECKOUT / room).rglob("*.py"))
    modules, chosen, rest = {}, [], []
    for path in files:
        modules[path], mutations, *_ = create_mutations(path, (CHECKOUT / path).read_text(encoding="utf-8"))
        rng.shuffle(mutations)
        chosen += [(path, m) for m in mutations[:2]]
        rest += [(path, m) for m in mutations[2:]]
    rng.shuffle(rest)
    drawn = chosen + rest[: max(0, size - len(chosen))]
    rng.shuffle(drawn)  # a run that is stopped early is a fair sample too
    return [_written(path, modules[path], m) for path, m in drawn]


def _written(path: str, module: Any, mutation: Any) -> Mutant:
    """The file with one mutation in it."""
    old, new = module.code, module.deep_replace(mutation.original_node, mutation.mutated_node).code
    pairs = zip(old.splitlines(), new.splitlines(), strict=False)
    line = next((i for i, (a, b) in enumerate(pairs, 1) if a != b), 0)
    before, after = (module.code_for_node(n).strip() for n in (mutation.original_node, mutation.mutated_node))
    return Mutant(path, line, before, after, new)


def suite_of(path: str) -> list[str]:
    """Test paths for a file."""
    tests = next(tests for prefix, tests in SUITES if path.startswith(prefix))
    return [t for t in tests if (CHECKOUT / t).exists()]


def judge(mutant: Mutant, copy: Path, extra: tuple[str, ...] = ()) -> tuple[str, float]:
    """'killed' (failed tests, or none could be imported), 'survived', 'timeout' or a broken run, and seconds."""
    target = copy / mutant.path
    original = target.read_text(encoding="utf-8")
    target.write_text(mutant.source, encoding="utf-8")
    began = time.monotonic()
    try:
        code = _forked(copy, [*suite_of(mutant.path), *extra])
    finally:
        target.write_text(original, encoding="utf-8")
    verdict = {None: "timeout", 0: "survived", 1: "killed", 2: "killed"}.get(code, f"broken run {code}")
    return verdict, time.monotonic() - began


def _forked(copy: Path, tests: list[str]) -> int | None:
    """Exit code of pytest in a child; None when it ran out of time."""
    child = os.fork()
    if child == 0:
        os.setsid()
        _child(copy, tests)
    deadline = time.monotonic() + TIME_LIMIT_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _child(copy: Path, tests: list[str]) -> None:
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
        import pytest

        code = int(pytest.main(["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", *tests]))
    except BaseException:
        traceback.print_exc()
    finally:  # whatever happens, a child never returns into the parent's loop
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def copied(folder: Path) -> Path:
    """A copy of the tracked files."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, folder / name)
    return folder


def main() -> None:
    """Judge the sample, print what survives, write the figures; exit 1 below the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=LEAST_SAMPLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="1/1", help="k/n: only every n-th mutant, for running n side by side")
    parser.add_argument("--only", help="only files whose path contains this")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "data" / "runs" / "mutation.json")
    args = parser.parse_args()
    chosen = [m for m in sample(args.size, args.seed) if not args.only or args.only in m.path]
    k, n = (int(x) for x in args.part.split("/"))
    for name in HEAVY:
        importlib.import_module(name)
    found = []
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for room in ROOMS if not args.only else ():
            untouched = Mutant(f"{room}/__init__.py", 0, "", "", (CHECKOUT / room / "__init__.py").read_text("utf-8"))
            assert judge(untouched, copy)[0] == "survived", (copy / "last.log").read_text(encoding="utf-8")
        for i, mutant in enumerate(chosen[k - 1 :: n]):
            verdict, seconds = judge(mutant, copy)
            found.append({k: v for k, v in asdict(mutant).items() if k != "source"} | {"verdict": verdict})
            print(f"{i + 1} {verdict} {seconds:.1f} s {mutant.path}:{mutant.line}: {mutant.before[:90]!r} -> "
                  f"{mutant.after[:90]!r}", flush=True)  # fmt: skip
            args.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    killed = sum(f["verdict"] == "killed" for f in found)
    print(f"{killed} of {len(found)} mutants killed: {killed / max(len(found), 1):.1%} (bar {LEAST_KILLED:.0%})")
    sys.exit(killed < LEAST_KILLED * len(found))


if __name__ == "__main__":
    main()
