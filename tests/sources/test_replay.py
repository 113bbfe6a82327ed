"""What was fetched is replayed as it was known then: by day, by a part of the days, past the next fetch."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from ruamel.yaml import YAML

from energy import fetch as fetching
from energy.fetch import live_case
from energy.inputs.case import load_case
from energy.inputs.load import read_inputs
from energy.sources.client.answer import SourceError
from energy.sources.client.cache import NotOnFile
from tests.sources.test_fetch import NORWAY, TOMORROW
from tests.sources.times import at

pytestmark = pytest.mark.slow  # make test-sources

YESTERDAY, TODAY = date(2026, 11, 23), date(2026, 11, 24)
#: Half an hour after the fetches of these tests, which take no time by their clock.
THEN = datetime(2026, 11, 24, 15, 0)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Norway's first site alone: four series in place of nine."""
    yaml = YAML(typ="safe", pure=True)
    data = yaml.load(NORWAY.read_text())
    data["sites"] = {"narvik": data["sites"]["narvik"]}
    path = tmp_path_factory.mktemp("fleet") / "narvik.yaml"
    with path.open("w") as file:
        yaml.dump(data, file)
    return path


@pytest.fixture
def counts(world):
    return lambda: {name: c.count for name, c in world.contracts.items()}


def same(one, two) -> None:
    assert one.series.keys() == two.series.keys()
    for key, filled in one.series.items():
        assert two.series[key].ds.drop_attrs().equals(filled.ds.drop_attrs()), key
        assert two.series[key].missing == filled.missing, key
    assert two.rates == one.rates


@pytest.mark.parametrize("days", [(TODAY, TOMORROW), pytest.param((YESTERDAY, TODAY), marks=pytest.mark.slow)])
def test_a_fetch_that_reaches_into_the_past_is_the_same_hours_and_days_later(world, time, counts, fleet, days):
    """Measurements end where the fetch began: a replay asks under that clock, not under its own."""
    first = fetching.fetch(fleet, *days, world.client(), world.folder / "one")
    assert "frost" in str(first.series["weather", "narvik"])
    time.now += timedelta(days=2, hours=5)
    before = counts()
    for as_of in (THEN + timedelta(hours=7, minutes=13), THEN + timedelta(days=2)):
        then = world.client(as_of=as_of)
        same(first, fetching.fetch(fleet, *days, then, world.folder / "two"))
        then.close()
    assert counts() == before


@pytest.mark.slow
def test_without_credentials_too(world, fleet):
    first = fetching.fetch(fleet, TODAY, TOMORROW, world.client(), world.folder / "one")
    then = world.keyless(as_of=THEN)
    same(first, fetching.fetch(fleet, TODAY, TOMORROW, then, world.folder / "two"))


def test_a_day_of_a_longer_fetch(world, fleet):
    whole = fetching.fetch(fleet, TODAY, TOMORROW, world.client(), world.folder / "one")
    part = fetching.fetch(fleet, TOMORROW, TOMORROW, world.client(as_of=THEN), world.folder / "two")
    start = at("2026-11-24T23:00")
    for key, filled in part.series.items():
        expected = whole.series[key].ds
        if key[0] in ("price", "weather"):
            assert filled.ds["time"].values[0] == start
            expected = expected.sel(time=slice(start, None))
        assert filled.ds.drop_attrs().equals(expected.drop_attrs()), key
    assert part.missing() == []


def test_the_next_days_fetch_changes_nothing_of_the_night_before(world, time, fleet):
    """Before the auction tomorrow is carried over; after it, the auction's. Each moment has its own truth."""
    time.now = datetime(2026, 11, 24, 9, 0)
    with world.keyless() as client:
        morning = fetching.fetch(fleet, TOMORROW, TOMORROW, client, world.folder / "one")
    time.now = datetime(2026, 11, 24, 14, 30)
    with world.keyless() as client:
        evening = fetching.fetch(fleet, TOMORROW, TOMORROW, client, world.folder / "two")
    assert morning.series["price", "NO4"].by_quality() == {"persistence": 24.0}
    assert evening.series["price", "NO4"].by_quality() == {"secondary": 24.0}
    for as_of, expected in ((datetime(2026, 11, 24, 12, 0), morning), (datetime(2026, 11, 25, 12, 0), evening)):
        with world.client(as_of=as_of) as client:
            same(expected, fetching.fetch(fleet, TOMORROW, TOMORROW, client, world.folder / "three"))


def test_what_nobody_had_fetched_is_said(world, fleet):
    with pytest.raises(NotOnFile, match=r"no fetch of norway over .* had ended by 2026-11-24T15:00Z; none is on file"):
        fetching.fetch(fleet, TOMORROW, TOMORROW, world.client(as_of=THEN))
    fetching.fetch(fleet, TOMORROW, TOMORROW, world.client(), world.folder / "one")
    early = world.client(as_of=datetime(2026, 11, 24, 14, 29))
    with pytest.raises(NotOnFile, match=r"1 fetches of it are on file, the first of 2026-11-24T14:30Z"):
        fetching.fetch(fleet, TOMORROW, TOMORROW, early)
    with pytest.raises(NotOnFile):
        fetching.fetch(fleet, TODAY, TOMORROW, world.client(as_of=THEN))


def test_a_fetch_that_broke_off_is_no_session(world, fleet):
    def stop(text: str) -> None:
        if text.startswith("[3/"):
            raise SourceError("test", "fatal", "stop")

    with pytest.raises(SourceError, match="stop"):
        fetching.fetch(fleet, TOMORROW, TOMORROW, world.client(), world.folder / "one", stop)
    with pytest.raises(NotOnFile, match="none is on file"):
        fetching.fetch(fleet, TOMORROW, TOMORROW, world.client(as_of=THEN))


def test_a_case_as_known_then_lies_beside_the_live_one(world, time, fleet):
    jobs = world.folder / "jobs.csv"
    jobs.write_text("id,gpu_hours,max_gpus,release,deadline,gpu_kinds\nj1,100,64,+0h,+20h,gb300=1\n")
    live = live_case(fleet, world.client(), jobs, TOMORROW, TOMORROW, world.folder / "out")
    time.now += timedelta(days=30)
    then = live_case(fleet, world.client(as_of=THEN), jobs, TOMORROW, TOMORROW, world.folder / "out")
    assert then.parent.name == live.parent.name + "_as_of_20261124T1500"
    assert json.loads((then.parent / "fetch.json").read_text())["as_of"] == "2026-11-24 15:00:00"
    assert load_case(then) == load_case(live)
    one, two = read_inputs(live).series, read_inputs(then).series
    for name in ("prices", "weather"):
        for label, ds in getattr(one, name).items():
            assert ds.equals(getattr(two, name)[label]), (name, label)
