"""The canary compares: what differs between two environments is said."""

from copy import deepcopy

import pytest

from benchmarks import canary

pytestmark = pytest.mark.slow  # make canary


@pytest.fixture(scope="module")
def measured():
    return canary.measure()


@pytest.mark.slow  # make canary does it in earnest
def test_an_environment_agrees_with_itself(measured):
    assert canary.differences(measured, deepcopy(measured)) == []
    assert set(measured["versions"]) == set(canary.NEWEST)


@pytest.mark.parametrize(("key", "value", "word"), [("eur", 0.0, "EUR newest"), ("shape", [1, 1, 1], "nonzeros"),
                                                    ("proven", False, "not proven")])  # fmt: skip
def test_a_difference_is_said(measured, key, value, word):
    other = deepcopy(measured)
    other["found"]["3"][key] = value
    (line,) = canary.differences(measured, other)
    assert line.startswith("problem 3: ")
    assert word in line
