"""Which tests judge a mutant: those of its line, quickest file first, never one that fails or is timed."""

from dataclasses import dataclass
from types import SimpleNamespace

from benchmarks.covering import MOST_SECONDS, TIMED, Order, chosen

SLOW, QUICK, MIDDLE = "tests/laws/a.py::law", "tests/bills/b.py::bill", "tests/audit/c.py::one"
TABLE = {
    "lines": {"energy/x.py": {"y = 1": [SLOW, QUICK, MIDDLE, f"{TIMED[0]}[tower]", "tests/d.py::red"]}},
    "seconds": {SLOW: MOST_SECONDS, QUICK: 0.1, MIDDLE: 2.0, "tests/d.py::red": 0.1},
    "failed": ["tests/d.py::red"],
}


@dataclass(frozen=True)
class Item:
    """A test as pytest hands it to plugins."""

    nodeid: str


class Hook:
    """What is left out is told to pytest."""

    def __init__(self):
        self.dropped = []

    def pytest_deselected(self, items):
        self.dropped += items


def ordered(names, room, covering):
    items, hook = [Item(n) for n in names], Hook()
    Order(covering, room, TABLE).pytest_collection_modifyitems(SimpleNamespace(hook=hook), items)
    return [i.nodeid for i in items], [i.nodeid for i in hook.dropped]


def test_quickest_files_that_fit_the_time_are_chosen():
    assert chosen(TABLE, "energy/x.py", "y = 1") == {QUICK, MIDDLE}
    assert chosen(TABLE, "energy/x.py", "z = 2") == chosen(TABLE, "energy/none.py", "y = 1") == set()


def test_a_line_that_a_fixture_runs_is_judged_by_all_tests_of_the_file():
    shared = TABLE | {"lines": {"energy/x.py": {"y = 1": ["tests/e.py::"]}},
                      "seconds": TABLE["seconds"] | {"tests/e.py::first": 1.0, "tests/e.py::second": 0.0}}  # fmt: skip
    assert chosen(shared, "energy/x.py", "y = 1") == {"tests/e.py::first", "tests/e.py::second"}


def test_covering_tests_come_first_and_new_tests_of_the_room_after_them():
    names = [MIDDLE, "tests/audit/new.py::new", "tests/bills/b.py::other", QUICK, SLOW]
    kept, dropped = ordered(names, ("tests/audit", "tests/bills"), {QUICK, MIDDLE})
    assert kept[:2] == [QUICK, MIDDLE]
    assert set(kept[2:]) == {"tests/audit/new.py::new", "tests/bills/b.py::other"}  # the table knows neither
    assert dropped == [SLOW]


def test_a_line_that_no_test_runs_is_judged_by_the_whole_room():
    names = [MIDDLE, QUICK, SLOW, "tests/d.py::red", f"{TIMED[0]}[tower]"]
    kept, _ = ordered(names, ("tests/audit", "tests/bills", "tests/d.py", "tests/plant"), set())
    assert kept == [QUICK, MIDDLE]
