"""Every bound, constraint and cost term says what its golden file says; no part is without one."""

import importlib
import inspect
from collections import Counter

import pytest
from ruamel.yaml import YAML

from energy import program
from energy.program import CONSTRAINTS, COST, VARIABLES
from tests.golden.parts import FOLDER, PARTS, differences, meaning, write
from tests.golden.rebase import TABLE, changes, rebase
from tests.golden.tiny import tiny

#: Functions of program/ that are no part themselves: terms that parts share, and so stand in their files.
SHARED = {"cooling.overhead", "cooling.segment_loads", "grid.supply", "tariff.demand_of"}


@pytest.mark.parametrize("part", PARTS)
def test_part_is_what_it_was(part, tmp_path):
    write(part, tmp_path / part)
    assert differences(meaning(part, FOLDER / part), meaning(part, tmp_path / part)) == []


@pytest.mark.parametrize("part", PARTS)
def test_file_is_not_empty(part):
    """The tiny Problem gives every part at least one row, column or term: an empty file would prove nothing."""
    assert meaning(part, FOLDER / part)


def test_numbers_are_told_apart():
    """Data of the tiny Problem repeat little, so that a term taken from the wrong array shows."""
    problem = tiny()
    names = ("price", "hall_mw", "grid_limit_mw", "penalty", "cap_penalty", "charge_rate", "contract_mw", "work_left")
    values = Counter(float(v) for name in names for v in set(problem[name].values.ravel()) if v)
    assert max(values.values()) == 1, values.most_common(3)


def test_a_changed_number_name_or_sign_shows(tmp_path):
    part = "constraint_balance.lp"
    text = (FOLDER / part).read_text(encoding="utf-8")
    for old, new in (("-1 solar_use(0_1)", "+1 solar_use(0_1)"), ("-1 grid_import(0_0)", "-1.001 grid_import(0_0)"),
                     ("c_e_balance(1_2)_", "c_e_balance(1_3)_"), ("\n= 0.0", "\n= 0.5")):  # fmt: skip
        assert old in text
        (tmp_path / part).write_text(text.replace(old, new, 1), encoding="utf-8")
        assert differences(meaning(part, FOLDER / part), meaning(part, tmp_path / part)) != []


def test_an_open_end_is_not_a_bound():
    """A relative tolerance of infinity would let every bound pass for none."""
    assert differences({"it(0)": (0.0, 0.5)}, {"it(0)": (0.0, float("inf"))}) != []
    assert differences({"it(0)": (0.0, float("inf"))}, {"it(0)": (0.0, float("inf"))}) == []


def test_rebase_demands_a_reason_and_notes_it(tmp_path):
    table = tmp_path / "table.yaml"
    table.write_text("case: {rows: 1}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="needs a reason"):
        rebase("  because ", tmp_path, table)
    (tmp_path / "cost_of_living.lp").write_text("\n", encoding="utf-8")
    written = rebase("first files of a copy", tmp_path, table)
    assert set(written) == {*PARTS, "cost_of_living.lp"}
    assert not (tmp_path / "cost_of_living.lp").exists()
    kept = YAML(typ="safe", pure=True).load(table.read_text(encoding="utf-8"))
    assert kept["case"] == {"rows": 1}
    assert kept["golden"][-1]["reason"] == "first files of a copy"
    assert changes(tmp_path, tmp_path) == {}


def test_every_golden_file_has_a_dated_reason():
    table = YAML(typ="safe", pure=True).load(TABLE.read_text(encoding="utf-8"))
    noted = {name for entry in table["golden"] if entry["reason"] and entry["date"] for name in entry["files"]}
    assert {p.name for p in FOLDER.glob("*.lp")} <= noted


def test_no_function_of_the_program_is_without_a_golden_file():
    """Every function of program/ is in its tables (so has a file) or is a term that files share."""
    known = {f for index, rule in [*VARIABLES.values(), *CONSTRAINTS.values()] for f in (index, rule)} | set(
        COST.values()
    )
    rooms = [importlib.import_module(f"energy.program.{part.name}") for part in program.PARTS]
    mine = {f"{room.__name__.split('.')[-1]}.{name}": f for room in rooms
            for name, f in inspect.getmembers(room, inspect.isfunction) if f.__module__ == room.__name__}  # fmt: skip
    assert {name for name, f in mine.items() if f not in known} == SHARED
    assert {p.name for p in FOLDER.glob("*.lp")} == set(PARTS)
