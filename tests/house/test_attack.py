"""`make attack` runs files that exist, and counts what tests say of themselves."""

from pathlib import Path

import pytest

from benchmarks.attack import BEGIN, END, FAMILIES, PAGE, Count, counted, rows_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", FAMILIES)
def test_files_of_a_family_exist(name):
    assert [f for f in FAMILIES[name][1] if not (ROOT / f).exists()] == []


def test_attacks_are_those_that_tests_state_and_one_for_each_other_test(tmp_path):
    report = tmp_path / "r.xml"
    report.write_text(
        "<testsuites><testsuite>"
        '<testcase name="a"><properties><property name="attacks" value="40"/></properties></testcase>'
        '<testcase name="b"><failure/></testcase><testcase name="c"><skipped/></testcase>'
        "</testsuite></testsuites>", encoding="utf-8")  # fmt: skip
    assert counted(report) == Count(attacks=41, tests=3, failed=1, skipped=1)


def test_the_page_has_a_place_for_the_table():
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert set(rows_of(page)) <= set(FAMILIES)
