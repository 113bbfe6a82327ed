"""Attacks by family, counted: ``python -m benchmarks.attack [--only FAMILY ...]``  (make attack).

A family is a set of test files, slow tests included. A test says with ``record_property("attacks", n)`` how many attacks it made;
one that says nothing is one attack. An attack that got through (a bad plan or night without a label, a traceback, a night
beyond its budget) is a failing test. The table goes into docs/testing.md; a run of some families leaves the others' rows.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "testing.md"
BEGIN, END = "<!-- attacks -->\n", "<!-- end attacks -->"
HEAD = "| family | what | attacks | tests | got through | skipped |\n|---|---|---|---|---|---|\n"
#: Name -> what it attacks with, and the test files.
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "lies": (
        "wrong schedules, answers and programs in place of the solver's, random ones among them",
        ("tests/laws/test_lies.py", "tests/lying_solver"),
    ),
    "files": (
        "damaged bytes, bombs, pipes, hostile YAML and queues", ("tests/inputs/test_damaged.py", "tests/inputs/test_anything.py"),
    ),
    "rows": ("rows of the queue with impossible or random cells", ("tests/nightly/test_rows_aside.py",)),
    "nights": (
        "jobs that vanish, rates that end, plans that are refused, links and folders in the way",
        ("tests/nightly/test_missing.py", "tests/nightly/test_aged.py", "tests/nightly/test_refused_plans.py"),
    ),
    "database": ("random bytes, dropped tables, junk rows", ("tests/nightly/test_store.py",)),
    "servers": (
        "faults, dripped answers, endless headers, times that no clock holds",
        ("tests/sources/test_faults.py", "tests/sources/test_deadline.py"),
    ),
    "kills": ("kill -9 and full disks at every step and at random moments", ("tests/nightly/test_publish.py",)),
    "clock": ("clocks that are ahead, behind or nonsense", ("tests/nightly/test_later.py", "tests/nightly/test_child.py")),
}  # fmt: skip


@dataclass(frozen=True)
class Count:
    """What a family did: attacks, tests, failures, skipped tests."""

    attacks: int
    tests: int
    failed: int
    skipped: int


def counted(report: Path) -> Count:
    """Sum over a JUnit report of pytest."""
    attacks = tests = failed = skipped = 0
    for case in ElementTree.parse(report).iter("testcase"):
        tests += 1
        failed += case.find("failure") is not None or case.find("error") is not None
        if case.find("skipped") is not None:
            skipped += 1
            continue
        said = [int(p.get("value", "0")) for p in case.iter("property") if p.get("name") == "attacks"]
        attacks += sum(said) if said else 1
    return Count(attacks, tests, failed, skipped)


def run(files: Sequence[str]) -> Count:
    """Run a family's tests, slow ones too.

    Raises
    ------
    SystemExit : pytest could not run them at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short", f"--junitxml={report}", *files],
            cwd=ROOT,
            check=False,
        )
        if done.returncode not in (0, 1):
            sys.exit(f"pytest ended with {done.returncode} over {', '.join(files)}")
        return counted(report)


def rows_of(page: str) -> dict[str, str]:
    """Rows of the table in the page, by family."""
    table = page[page.index(BEGIN) + len(BEGIN) : page.index(END)]
    found = (re.match(r"\| ([a-z]+) \|", line) for line in table.splitlines())
    return {m[1]: m.string for m in found if m and m[1] in FAMILIES}


def main() -> None:
    """Run families, print and keep their counts; ends with 1 where an attack got through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    page, through = PAGE.read_text(encoding="utf-8"), 0
    rows = rows_of(page)
    for name in parser.parse_args().only:
        what, files = FAMILIES[name]
        began = time.monotonic()
        c = run(files)
        through += c.failed
        rows[name] = f"| {name} | {what} | {c.attacks:,} | {c.tests} | {c.failed} | {c.skipped} |"
        print(
            f"{name}: {c.attacks:,} attacks in {c.tests} tests, {c.failed} got through, {time.monotonic() - began:.0f} s"
        )
    table = HEAD + "".join(f"{rows[name]}\n" for name in FAMILIES if name in rows)
    PAGE.write_text(page[: page.index(BEGIN) + len(BEGIN)] + table + page[page.index(END) :], encoding="utf-8")
    sys.exit(bool(through))


if __name__ == "__main__":
    main()
