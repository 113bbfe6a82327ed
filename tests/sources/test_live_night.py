"""`live: true` in a nightly file: series fetched every night, with the labels and stand-ins of nights from files."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from werkzeug import Response

from energy.errors import ConfigError, SeriesError
from energy.inputs.load import read_inputs
from energy.inputs.state import State
from energy.nightly.accounts import EMPTY
from energy.nightly.config import LATEST, load_nightly
from energy.nightly.database import open_store
from energy.nightly.inputs import CASE
from energy.nightly.live import fetched_place
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.problem import assemble
from energy.runs.record import RESERVOIRS, read_water
from tests.sources.test_fetch import NORWAY, TOMORROW
from tests.sources.truth import price

pytestmark = pytest.mark.slow  # make test-sources

NIGHTLY = """\
name: live
fleet: fleet.yaml
jobs: queue.csv
time_zone: Europe/Oslo
live: true
horizon: {days: 2}
"""
QUEUE = """\
id,gpu_hours,max_gpus,release,deadline,gpu_kinds,submitted
j1,900,128,2026-11-24T08:00Z,2026-11-27T08:00Z,gb300=2;h200=1,2026-11-24T08:00Z
"""
DOWN = Response("out of order", 503)


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    shutil.copyfile(NORWAY, folder / "fleet.yaml")
    (folder / "nightly.yaml").write_text(NIGHTLY, encoding="utf-8")
    (folder / "queue.csv").write_text(QUEUE, encoding="utf-8")
    return load_nightly(folder / "nightly.yaml")


def prepared(place, client, day=TOMORROW):
    with fetched_place(place, day, client) as here, open_store(here.database) as store:
        return prepare(NightContext(here, store, day))


def published(place, night):
    """Its inputs are those of the night in force, which ran nothing."""
    (place.out / night.run_id).mkdir()
    EMPTY.assign(hours=1.0).to_parquet(place.out / night.run_id / "schedule.parquet")
    (place.out / LATEST).symlink_to(night.run_id)
    with open_store(place.database) as store, store.transaction():
        store.put("plans", {"night": str(TOMORROW), "run_id": night.run_id, "folder": night.run_id, "snapshot": night.run_id,
                            "ex_ante_cost_eur": 1.0})  # fmt: skip


def test_a_live_night_keeps_what_it_fetched_with_its_labels(place, world):
    night = prepared(place, world.keyless())
    weeks = read_water(night.case.parent, RESERVOIRS)
    assert weeks is not None, "with the inputs, so that the night made again sees what it saw"
    assert "NO4_filling" in weeks
    assert night.series.reasons == []
    zone = night.series.tables["NO4"]
    day = zone[zone["quality"] == "secondary"].iloc[-24:]
    assert day.index[-1].isoformat() == "2026-11-25T22:00:00"
    assert day["value"].tolist() == pytest.approx([price("NO4", t) for t in day.index.to_pydatetime()])
    assert set(zone.loc["2026-11-25T23:00":, "quality"]) == {"forecast"}
    assert night.series.forecast_error, "of the six weeks that were fetched"
    inputs = read_inputs(night.case)
    assert inputs.case.fx["NOK"].source == "ecb 2026-11-24", "the day's rate, not that of six weeks ago"
    assert "hvakosterstrommen" in inputs.case.prices[0].source
    assert assemble(inputs).sizes["time"] == 48


def test_the_same_answers_make_the_same_night(place, world):
    client = world.keyless()
    assert prepared(place, client).run_id == prepared(place, client).run_id


def test_what_no_source_has_any_more_is_what_the_last_night_kept(place, world, time):
    first = prepared(place, world.keyless())
    published(place, first)
    shutil.rmtree(world.folder / "cache")
    for source in (world.hvakosterstrommen, world.energy_charts, world.met_norway, world.nasa_power, world.pvgis,
                   world.open_meteo, world.open_meteo_archive):  # fmt: skip
        source.always = DOWN
    time.now += timedelta(days=1)
    second = prepared(place, world.keyless(), TOMORROW + timedelta(days=1))
    told = " ".join(second.series.reasons)
    assert f"price of NO4: the source cannot be read; replaced by the snapshot of night {first.run_id}" in told
    assert "price of NO4: 24 h of the delivery day are not known" in told
    assert "weather of narvik: the source cannot be read" in told
    assert read_inputs(second.case).case.prices[0].currency == read_inputs(first.case).case.prices[0].currency
    assert isinstance(second.settlement.state, State)


def test_a_first_night_without_any_source_is_no_night(place, world):
    for source in world.contracts.values():
        source.always = DOWN
    with pytest.raises(SeriesError, match="no source has price"):
        prepared(place, world.keyless())
    assert not (place.snapshots / CASE).exists()


@pytest.mark.parametrize(
    "line", ["foresight: perfect", "weather: {narvik: {file: a.csv, quality: measured, source: own}}"]
)
def test_files_are_not_for_a_live_night(line, place):
    place.path.write_text(NIGHTLY + line + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="not for a live night"):
        load_nightly(place.path)


def test_without_live_both_series_are_needed(place):
    place.path.write_text(NIGHTLY.replace("live: true\n", ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="files for both, or live: true"):
        load_nightly(place.path)
