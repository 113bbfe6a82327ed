"""Series that ended long ago: the night and the plan say so, whatever the kind; rates are not held on in silence."""

from __future__ import annotations

import numpy as np
import pytest

from energy.inputs.fx import Rate, read_fx
from energy.problem import notices
from energy.series.vintage import LONGEST_AGE_H, too_old
from tests.nightly.nightcase import DAY, NightCase

NOK = "  NOK: {file: rates.csv, column: eur, source: bank}\n"


def rates(folder, last, bad=0):
    """A rate a day up to `last`, the newest `bad` cells being no numbers."""
    days = [str(d) for d in np.arange(np.datetime64("2023-01-01"), np.datetime64(last) + 1)]
    cells = ["0.1"] * (len(days) - bad) + ["ERR"] * bad
    text = "".join(f"{d}T00:00:00Z,{c}\n" for d, c in zip(days, cells, strict=True))
    (folder / "rates.csv").write_text("utc,eur\n" + text, encoding="utf-8")


@pytest.fixture
def case(tmp_path):
    case = NightCase(tmp_path)
    text = (case.folder / "nightly.yaml").read_text(encoding="utf-8")
    text = text.replace("  NOK: {eur_per_unit: 0.1, source: round figure}\n", NOK)
    (case.folder / "nightly.yaml").write_text(text, encoding="utf-8")
    return case


@pytest.mark.parametrize(
    ("last", "bad", "words"),
    [
        pytest.param("2024-03-10", 0, "", marks=pytest.mark.slow), ("2023-07-01", 0, "ends at 2023-07-01T00:00Z"),
        ("2024-03-11", 200, "200 cells are no numbers, the first 'ERR'"),
    ],
)  # fmt: skip
def test_a_night_says_that_rates_are_old_or_no_numbers(case, last, bad, words):
    rates(case.folder, last, bad)
    night = case.night(DAY)
    found = [r for r in night.reasons if "exchange rate of NOK" in r]
    assert bool(found) == bool(words)
    assert night.status == ("DEGRADED" if words else "OK")
    if words:
        assert any(words in r for r in found)
        assert all("holds on" in r for r in found)


def test_a_plan_has_the_same_as_a_notice(tmp_path):
    from tests.cases import SmallCase

    case = SmallCase(tmp_path)
    rates(case.folder, "2023-07-01")
    case.edit("case.yaml", "fx.NOK", {"file": "rates.csv", "column": "eur", "source": "bank"})
    assert any("exchange rate of NOK" in n and "2023-07-01" in n for n in notices(case.inputs(), case.problem()))


def test_empty_cells_are_days_without_a_publication(tmp_path):
    (tmp_path / "rates.csv").write_text("utc,eur\n2024-03-08T00:00Z,0.1\n2024-03-09T00:00Z,\n2024-03-10T00:00Z,0.2\n")
    rate = Rate(file="rates.csv", column="eur", source="bank")
    assert read_fx({"NOK": rate}, tmp_path, np.datetime64("2024-03-11")).complaints == ()


@pytest.mark.parametrize("kind", sorted(LONGEST_AGE_H))
def test_each_kind_has_its_age(kind):
    last, most = np.datetime64("2024-03-01T00:00"), np.timedelta64(int(LONGEST_AGE_H[kind]), "h")
    assert too_old(kind, last, last + most) == ""
    assert "ends at 2024-03-01T00:00Z" in too_old(kind, last, last + most + np.timedelta64(1, "h"))
