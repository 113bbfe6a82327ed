"""Which fast tests run a line, and how long each takes: ``python -m benchmarks.covering OUT [TESTS]``, used by `mutation`.

Tests are kept by the text of the line, not by its number: so the table outlives edits elsewhere in the file.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

#: Most time of covering tests for one mutant [s], quickest files first. As the table has it: under coverage, which doubles
#: it, and on a machine that may be busy. With 40 s mutants survived because the file that knows them had no turn.
MOST_SECONDS = 120.0
#: Tests of speed: on a busy machine they fail without a mutant.
TIMED = (
    "tests/plant/test_chords.py::test_twenty_sites_for_a_year_in_a_second",
    "tests/plant/test_psychrometrics.py::test_twenty_years_of_wet_bulbs_in_half_a_second",
)
#: Tests that start processes of their own, of which no line is seen, or look at the repository.
APART = ("--ignore=tests/cli", "--ignore=tests/house")


class Timer:
    """pytest plugin: seconds of each test, set-up included, and which failed without a mutant."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add one phase."""
        self.seconds[report.nodeid] += report.duration
        self.failed |= {report.nodeid} if report.failed else set()


class Order:
    """pytest plugin: tests in the order in which they judge a mutant, file by file, quickest file first.

    Covering tests and, of the room, tests that the table does not know yet; all of the room where none covers.
    """

    def __init__(
        self, covering: set[str], room: tuple[str, ...], table: dict[str, Any], known: Set[str] = frozenset()
    ) -> None:
        self.covering, self.room, self.known = covering, room, covering or known
        self.seconds, self.failed = table["seconds"], set(table["failed"])

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        """Sort, and leave out what judges nothing."""
        wanted = [i for i in items if i.nodeid in self.covering or self._of_the_room(i.nodeid)]
        kept = set(wanted)
        config.hook.pytest_deselected(items=[i for i in items if i not in kept])
        total: dict[tuple[bool, str], float] = defaultdict(float)
        for item in wanted:
            total[self._part(item)] += self.seconds.get(item.nodeid, 0.0)
        items[:] = sorted(wanted, key=lambda i: (self._part(i)[0], total[self._part(i)], self._part(i)[1],
                                                 self.seconds.get(i.nodeid, 0.0)))  # fmt: skip

    def _of_the_room(self, test: str) -> bool:
        new = not (self.known and test in self.seconds)
        return (
            bool(self.room)
            and test.startswith(self.room)
            and new
            and test not in self.failed
            and not test.startswith(TIMED)
        )

    def _part(self, item: Any) -> tuple[bool, str]:
        return item.nodeid not in self.covering, item.nodeid.split("::")[0]


def chosen(table: dict[str, Any], path: str, text: str) -> set[str]:
    """Tests that run a line with this text: whole files, quickest first, while they fit into the time."""
    files = defaultdict(list)
    for test in _spelled_out(table, table["lines"].get(path, {}).get(text, ())):
        if test not in table["failed"] and not test.startswith(TIMED):
            files[test.split("::")[0]].append(test)
    seconds = {f: sum(table["seconds"].get(t, 0.0) for t in tests) for f, tests in files.items()}
    out, spent = set(), 0.0
    for file in sorted(files, key=lambda f: seconds[f]):
        spent += seconds[file]
        if spent > MOST_SECONDS:
            break
        out |= set(files[file])
    return out


def _spelled_out(table: dict[str, Any], tests: Iterable[str]) -> set[str]:
    """Tests, with all tests of a file in the place of the file."""
    given = set(tests)
    files = {t for t in given if t.endswith("::")}
    return given - files | {t for t in table["seconds"] if f"{t.split('::')[0]}::" in files}


def quickest(table: dict[str, Any], tests: set[str]) -> set[str]:
    """Those of the tests that stand in the quickest file."""
    total: dict[str, float] = defaultdict(float)
    for test in tests:
        total[test.split("::")[0]] += table["seconds"].get(test, 0.0)
    first = min(total, key=lambda f: (total[f], f), default="")
    return {t for t in tests if t.split("::")[0] == first}


def read(data_file: Path, checkout: Path, seconds: dict[str, float]) -> dict[str, Any]:
    """The table from coverage's data."""
    from coverage import CoverageData

    data = CoverageData(str(data_file))
    data.read()
    lines = {}
    for name in data.measured_files():
        path, mine = Path(name), defaultdict(set)
        text = path.read_text(encoding="utf-8").splitlines()
        for number, contexts in data.contexts_by_lineno(name).items():
            if number <= len(text):  # an empty file has a line that is none
                mine[text[number - 1].strip()] |= {_judge(c) for c in contexts if c}
        lines[path.relative_to(checkout).as_posix()] = {k: sorted(v) for k, v in mine.items() if v}
    return {"seconds": seconds, "lines": lines}


def _judge(context: str) -> str:
    """The test; for a line that a fixture runs, its file, because other tests of it may share what the fixture made."""
    test, phase = context.rsplit("|", 1)
    return test if phase == "run" else f"{test.split('::')[0]}::"


def main() -> None:
    """Run the fast tests of the checkout here once and write the table."""
    import pytest

    timer, here = Timer(), Path.cwd()
    options = [
        "-q",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        "--cov=energy",
        "--cov-context=test",
        "--cov-report=",
        *APART,
        *sys.argv[2:],
    ]
    code = pytest.main(options, plugins=[timer])
    if code not in (0, 1):
        sys.exit(f"pytest ended with {code}")
    table = read(here / ".coverage", here, timer.seconds) | {"failed": sorted(timer.failed)}
    print(f"tests that fail without a mutant and judge none: {table['failed']}")
    Path(sys.argv[1]).write_text(json.dumps(table), encoding="utf-8")


if __name__ == "__main__":
    main()
