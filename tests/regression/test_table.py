"""Objectives and sizes stand where they stood."""

from pathlib import Path

import pytest

from benchmarks.real_cases import CASES
from tests.regression.table import REFERENCE, differences, entry, load, run

SERIES = Path(__file__).parents[3] / "shared" / "data"
FAST = ("reference", "reference-hot")


def check(name):
    old = load()[name]
    assert old["history"][-1]["reason"]
    result = run(name, SERIES)
    assert differences(old, entry(result)) == []
    assert result.certificate.passed
    assert result.certificate.relative_gap <= 1e-6
    assert result.reconciliation.agrees
    return result


@pytest.mark.parametrize("name", FAST)
def test_reference(name):
    result = check(name)
    assert result.outcome.status == "OK"
    assert result.summary["saving_eur"] > 0
    if name == "reference-hot":
        assert float(result.prices["value_cap"].max()) > 0, "no PUE cap binds"


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in REFERENCE if n not in FAST])
def test_other_reference_weeks(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_real_series(name):
    if not SERIES.is_dir():
        pytest.skip("development series are not here (../shared/data)")
    check(name)
