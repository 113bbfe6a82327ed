"""Norwegian prices without a key."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pytest
from werkzeug import Response

from energy.schema import QUALITY
from energy.sources.client.answer import SourceError
from energy.sources.providers import hvakosterstrommen as hva
from tests.sources.truth import NOK_PER_EUR, price, quarter


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "ns")


def moments(ds) -> list[datetime]:
    return [t.astype("datetime64[s]").astype(datetime) for t in ds["time"].values]


def test_tomorrow_without_any_key(world):
    ds = hva.get_prices(world.keyless(), "NO4", day("2026-11-24T23:00"), day("2026-11-25T23:00"))
    assert ds.sizes["time"] == 24
    assert ds["price"].values.tolist() == pytest.approx([price("NO4", t) for t in moments(ds)])
    assert ds["price_nok"].values == pytest.approx(ds["price"].values * NOK_PER_EUR)
    assert {QUALITY[q] for q in ds["quality"].values} == {"secondary"}
    assert set(ds["source"].values) == {"hvakosterstrommen"}
    assert ds["price"].attrs["units"] == "EUR MWh-1"
    assert "Strømpriser levert av" in ds.attrs["attribution"]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [("2026-03-28T23:00", "2026-03-29T22:00", 23), ("2026-10-24T22:00", "2026-10-25T23:00", 25)],
)
@pytest.mark.parametrize("minutes", [60, 15])
def test_days_of_23_and_25_hours(world, start, end, hours, minutes):
    world.hvakosterstrommen.minutes = minutes
    ds = hva.get_prices(world.client(), "NO2", day(start), day(end))
    assert ds.sizes["time"] == hours * 60 // minutes
    assert (np.diff(ds["time"].values) == np.timedelta64(minutes, "m")).all()
    assert (ds["dt"].values == minutes / 60).all()
    truth = price if minutes == 60 else quarter
    assert ds["price"].values == pytest.approx([truth("NO2", t) for t in moments(ds)], abs=1e-4)


def test_tomorrow_before_the_auction_is_absent_not_wrong(world, time):
    time.now = datetime(2026, 11, 24, 9, 0)
    ds = hva.get_prices(world.client(), "NO4", day("2026-11-23T23:00"), day("2026-11-25T23:00"))
    assert ds.sizes["time"] == 24
    assert ds["time"].values[-1] == day("2026-11-24T22:00")
    assert world.hvakosterstrommen.count == 2
    hva.get_prices(world.client(), "NO4", day("2026-11-23T23:00"), day("2026-11-25T23:00"))
    assert world.hvakosterstrommen.count == 2, "nothing there is believed for some seconds"
    time.now = datetime(2026, 11, 24, 9, 1)
    hva.get_prices(world.client(), "NO4", day("2026-11-23T23:00"), day("2026-11-25T23:00"))
    assert world.hvakosterstrommen.count == 3, "a 404 is asked again, a day that is there is not"


def test_rows_without_the_documented_keys_are_refused(world):
    with pytest.raises(SourceError, match="not as documented: KeyError 'time_end'"):
        hva.parse_prices(b'[{"NOK_per_kWh": 1, "EUR_per_kWh": 0.1, "time_start": "2026-11-25T00:00:00+01:00"}]')
    row = {"NOK_per_kWh": 1, "EUR_per_kWh": 0.1, "time_start": "2026-11-25T00:00:00+01:00"}
    with pytest.raises(SourceError, match="lasts 24 h"):
        hva.parse_prices(json.dumps([row | {"time_end": "2026-11-26T00:00:00+01:00"}]).encode())


def test_the_sample_of_the_provider(world):
    row = {"NOK_per_kWh": 0.96771, "EUR_per_kWh": 0.09312999999999999, "EXR": 10.391,
           "time_start": "2022-10-27T01:00:00+02:00", "time_end": "2022-10-27T02:00:00+02:00"}  # fmt: skip
    ds = hva.parse_prices(json.dumps([row]).encode())
    assert ds["price"].values.tolist() == [93.13]
    assert ds["time"].values[0] == day("2022-10-26T23:00")


def test_one_broken_day_does_not_hide_behind_the_others(world):
    world.hvakosterstrommen.faults = [Response("<html>maintenance</html>", 200)]
    ds = hva.get_prices(world.client(), "NO4", day("2026-11-23T23:00"), day("2026-11-25T23:00"))
    assert (ds["time"].values[0], ds.sizes["time"]) == (day("2026-11-23T23:00"), 24)
    assert ds.attrs["note"] == "2026-11-25: HTTP 200 but not JSON: maintenance"
    world.hvakosterstrommen.always = Response("<html>maintenance</html>", 200)
    with pytest.raises(SourceError) as caught:
        hva.get_prices(world.client(), "NO2", day("2026-11-23T23:00"), day("2026-11-25T23:00"))
    assert caught.value.kind == "retry"
