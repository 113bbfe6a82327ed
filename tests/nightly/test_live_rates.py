"""What a live night takes over from the last one: carbon as a note, exchange rates while they hold."""

from __future__ import annotations

import shutil
from datetime import date
from types import SimpleNamespace

import pytest

from energy.errors import ConfigError
from energy.inputs.fx import Rate
from energy.nightly import live as live_night
from energy.nightly.database import open_store
from energy.nightly.live import carried
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.nightly.snapshot import read_series_snapshot
from tests.cases import GONE
from tests.nightly.nightcase import DAY

DAY_OF_NIGHT = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("source", "taken", "notes", "reasons"),
    [("ecb 2026-11-25", True, 1, 0), ("ecb 2026-11-18", True, 1, 0), ("ecb 2026-11-17", True, 0, 1),
     ("by hand", True, 0, 1), ("ecb 2026-11-26", False, 0, 0)],
)  # fmt: skip
def test_a_rate_is_carried_on_with_a_note_for_a_week_and_then_with_a_reason(source, taken, notes, reasons):
    before = {"NOK": Rate(eur_per_unit=0.1, source=source), "SEK": Rate(eur_per_unit=0.09, source=source)}
    found = carried(before, ["NOK", "DKK"], DAY_OF_NIGHT)
    assert (list(found[0]), len(found[1]), len(found[2])) == (["NOK"] if taken else [], notes, reasons)
    assert [
        w for w in (*found[1], *found[2]) if f"NOK: no bank gave one; replaced by '{source}' of the last night" not in w
    ] == []


@pytest.fixture
def live(nights):
    """A live file after a night from files that is in force, with carbon and a bank's rate a fortnight old."""
    carbon = {"file": "carbon.csv", "column": "grid", "unit": "t_per_mwh", "quality": "measured", "source": "made up"}
    nights.put("carbon.csv", [{"utc": r["utc"], "grid": "0.02"} for r in nights.rows("prices.csv")])
    nights.edit("nightly.yaml", "carbon", {"NO4": carbon})
    nights.edit("nightly.yaml", "fx.NOK", {"eur_per_unit": 0.1, "source": "ecb 2024-02-27"})
    with open_store(nights.place.database) as store:
        night = prepare(NightContext(nights.place, store, DAY))
    (nights.out / night.run_id).mkdir()
    (nights.out / "latest").symlink_to(night.run_id)
    for key in ("prices", "weather", "carbon", "fx"):
        nights.edit("nightly.yaml", key, GONE)
    nights.edit("nightly.yaml", "live", True)
    return nights, night


def no_hour(folder):
    """A fetch that brought nothing at all, so that everything is the last night's."""
    return SimpleNamespace(folder=folder, series={}, rates={}, require=lambda: pytest.fail("something is lacking"))


def test_what_no_source_has_is_the_last_nights_and_told(live, tmp_path):
    nights, night = live
    here = live_night._with_series(nights.place, no_hour(tmp_path), DAY)
    assert here.config.fx["NOK"].source == "ecb 2024-02-27"
    found = read_series_snapshot(here, DAY, 2, night.case.parent)
    assert [r for r in found.reasons if "NOK" in r and "more than 7 days old" in r]
    assert [n for n in found.notes if n.startswith("carbon of NO4: the source cannot be read")]
    assert not [r for r in found.reasons if "carbon" in r]
    assert found.tables["carbon NO4"]["value"].iloc[0] == pytest.approx(0.02)


def test_a_last_night_that_cannot_be_read_is_none(live, tmp_path):
    nights, night = live
    night.case.write_text("name: [")
    got = no_hour(tmp_path)
    got.require = lambda: (_ for _ in ()).throw(ConfigError("prices", "no source has them"))
    with pytest.raises(ConfigError, match="no source has them"):
        live_night._with_series(nights.place, got, DAY)
    shutil.rmtree(nights.out / "inputs")
    assert live_night._previous_case(night.case.parent) is None
