"""MET Norway's protocol, word for word, and its forecast."""

from __future__ import annotations

import time as real_time
from datetime import timedelta

import numpy as np
import pytest

from energy.schema import QUALITY
from energy.sources.client.answer import SourceError
from energy.sources.providers import met_norway
from tests.sources.truth import dew_point, humidity, temp_air

START, END = np.datetime64("2026-11-24T23:00", "ns"), np.datetime64("2026-11-25T23:00", "ns")
NARVIK = (68.42, 17.56, 30.0)


def test_tomorrow_without_any_key(world):
    ds = met_norway.get_weather(world.keyless(), *NARVIK, START, END)
    assert ds.sizes["time"] == 24
    moments = [t.astype("datetime64[s]").item() for t in ds["time"].values]
    assert ds["temp_air"].values.tolist() == [temp_air(t) for t in moments]
    assert ds["relative_humidity"].values.tolist() == [humidity(t) for t in moments]
    assert ds["temp_dew"].values.tolist() == [dew_point(t) for t in moments]
    assert {QUALITY[q] for q in ds["quality"].values} == {"forecast"}
    assert ds.attrs["licence"] == "CC BY 4.0"
    assert "MET Norway" in ds.attrs["attribution"]
    assert ds.attrs["updated_at"] == "2026-11-24T14:30:00Z"


def test_pressure_is_reduced_to_the_ground(world):
    ds = met_norway.get_weather(world.client(), 60.0, 10.0, 1000.0, START, END)
    # 101 000 Pa at sea level, 1000 m up, near 5 °C: the standard atmosphere gives about 89 300 Pa.
    assert ds["pressure"].values == pytest.approx(89_300, rel=0.01)
    flat = met_norway.get_weather(world.client(), 60.0, 10.0, 0.0, START, END)
    assert flat["pressure"].values == pytest.approx(101_000)


def test_steps_are_irregular_and_say_so(world):
    ds = met_norway.get_weather(world.client(), *NARVIK, START, START + np.timedelta64(9, "D"))
    assert set(ds["dt"].values) == {1.0, 6.0}
    gaps = np.diff(ds["time"].values) / np.timedelta64(1, "h")
    assert gaps.tolist() == ds["dt"].values[:-1].tolist()


@pytest.mark.parametrize(
    ("degrees", "text"),
    [(59.91273, "59.9127"), (10.0, "10"), (-0.00001, "0"), (17.5600, "17.56"), (-8.61, "-8.61"), (100.0, "100")],
)
def test_four_decimals_at_most(degrees, text):
    assert met_norway.decimals(degrees) == text


def test_five_decimals_and_no_contact_are_refused_by_the_server(world):
    with pytest.raises(SourceError, match="too many decimals") as caught:
        world.client().get("met_norway", "complete", {"lat": "59.91273", "lon": "10.7"})
    assert caught.value.kind == "fatal"
    world.met_norway.always = lambda r: None if "(" in r.headers["User-Agent"] else pytest.fail("no contact")
    met_norway.get_weather(world.client(contact=""), *NARVIK, START, END)  # says what it is even without a contact


def test_nothing_is_asked_before_expires_then_with_the_exact_last_modified(world):
    world.met_norway.life = timedelta(seconds=3)
    client = world.client()
    first = met_norway.get_weather(client, *NARVIK, START, END)
    again = met_norway.get_weather(client, *NARVIK, START, END)
    assert world.met_norway.count == 1
    real_time.sleep(4.1)  # Expires has whole seconds
    third = met_norway.get_weather(client, *NARVIK, START, END)
    assert world.met_norway.count == 2
    sent = world.met_norway.last.headers["If-Modified-Since"]
    assert sent == "Tue, 24 Nov 2026 14:30:00 GMT"
    for ds in (again, third):
        assert ds.drop_attrs().identical(first.drop_attrs())
        assert ds.attrs["stale"] == 0
    met_norway.get_weather(client, *NARVIK, START, END)
    assert world.met_norway.count == 2, "the 304 renewed Expires"


def test_a_new_forecast_replaces_the_old_one(world, time):
    world.met_norway.life = timedelta(seconds=-5)
    client = world.client()
    met_norway.get_weather(client, *NARVIK, START, END)
    world.met_norway.issued = time.now + timedelta(hours=1)
    ds = met_norway.get_weather(client, *NARVIK, START, END)
    assert world.met_norway.last.headers["If-Modified-Since"] == "Tue, 24 Nov 2026 14:30:00 GMT"
    assert ds.attrs["updated_at"] == "2026-11-24T15:30:00Z"


def test_a_deprecated_product_still_gives_data_and_says_so(world):
    world.met_norway.status = 203
    ds = met_norway.get_weather(world.client(), *NARVIK, START, END)
    assert ds.sizes["time"] == 24
    assert "deprecated" in ds.attrs["note"]


def test_outside_the_area_and_in_other_units(world, monkeypatch):
    with pytest.raises(SourceError, match="outside the area") as caught:
        met_norway.get_weather(world.client(), 89.0, 10.0, 0.0, START, END)
    assert caught.value.kind == "fatal"
    units = world.met_norway.units() | {"air_temperature": "fahrenheit"}
    monkeypatch.setattr(world.met_norway, "units", lambda: units)
    with pytest.raises(SourceError, match="air_temperature is in 'fahrenheit'"):
        met_norway.get_weather(world.client(), *NARVIK, START, END)
