"""Parts of the program: one file each, tied to the rows of the table that name them."""

import importlib
import pkgutil

import pyomo.environ as pyo
import pytest

from energy import program
from energy.program import CONSTRAINTS, COST, PARTS, VARIABLES, Part, build
from energy.schema import SOLUTION, TABLES, arrays
from tests.golden.tiny import tiny

#: Files of program/ that are no part: what parts are, and the sets that they share.
NO_PART = {"part", "sets"}
BY_NAME = {part.name: part for part in PARTS}


def rows(name):
    return [row for table in TABLES.values() for row in table.values() if row.part == name]


def test_every_part_of_the_table_has_one_file_and_every_file_is_a_part():
    named = {row.part for table in TABLES.values() for row in table.values()} - {""}
    files = {m.name for m in pkgutil.iter_modules(program.__path__)} - NO_PART
    assert named == files == set(BY_NAME)
    assert len(BY_NAME) == len(PARTS)
    for name, part in BY_NAME.items():
        assert importlib.import_module(f"energy.program.{name}").PART is part


@pytest.mark.parametrize("name", BY_NAME)
def test_variables_and_duals_of_a_part_are_its_rows(name):
    mine = {row.name for row in rows(name) if row.name in SOLUTION}
    assert {n for n in mine if SOLUTION[n].role == "variable"} == set(BY_NAME[name].variables)
    assert {n for n in mine if n.startswith("dual_")} == {f"dual_{n}" for n in BY_NAME[name].constraints}
    assert all(n.removeprefix("bound_") in BY_NAME[name].variables for n in mine if n.startswith("bound_"))


def test_program_is_its_parts():
    for table, kind in ((VARIABLES, "variables"), (CONSTRAINTS, "constraints"), (COST, "cost")):
        names = [name for part in PARTS for name in getattr(part, kind)]
        assert sorted(names) == sorted(table), kind


def test_columns_and_rows_stand_in_the_order_of_the_table():
    assert list(VARIABLES) == [n for n, row in SOLUTION.items() if row.role == "variable"]
    assert [f"dual_{n}" for n in CONSTRAINTS] == [n for n in SOLUTION if n.startswith("dual_")]


def test_a_new_part_reaches_the_balance(monkeypatch):
    """A part that only gives power at a site is part of the row of that site, and in no other."""
    backup = Part("backup", supply=lambda m, s, t: [5.0] if s == 0 else [])
    plain = build(tiny())
    monkeypatch.setattr(program, "PARTS", (*PARTS, backup))
    given = {i: _balance_of_nothing(build(tiny()), i) - _balance_of_nothing(plain, i) for i in plain.balance}
    assert given == {(s, t): -5.0 if s == 0 else 0.0 for s, t in plain.balance}


def _balance_of_nothing(m, index):
    """Row of the balance less its side when every variable is 0."""
    for v in m.component_data_objects(pyo.Var):
        v.set_value(0.0, skip_validation=True)
    row = m.balance[index]
    return pyo.value(row.body) - pyo.value(row.upper)


def test_defaults_lie_in_their_range():
    for table in arrays.TABLES.values():
        for row in table.values():
            assert row.default is None or row.low <= row.default <= row.high, row.name
