"""Frost, Open-Meteo, NASA POWER, PVGIS."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from werkzeug import Response

from energy.sources import catalogue, hydro
from energy.sources.client.answer import LicenceError, SourceError
from energy.sources.client.settings import LIVE_TTL_S, SETTLED_TTL_S
from energy.sources.providers import frost, met_norway, nasa_power, open_meteo, pvgis
from tests.sources.times import at, moments, qualities
from tests.sources.truth import dew_point, humidity, temp_air

PAST = (at("2026-11-20T00:00"), at("2026-11-22T00:00"))


def test_frost_takes_the_nearest_station_that_measures(world):
    ds = frost.get_weather(world.client(), 68.42, 17.56, *PAST)
    assert ds.sizes["time"] == 48
    assert ds["temp_air"].values.tolist() == [temp_air(t) for t in moments(ds)], "at 2 m, not at 10 m"
    assert ds["relative_humidity"].values.tolist() == [humidity(t) for t in moments(ds)], "values may be text"
    assert qualities(ds) == {"measured"}
    assert ds.attrs["station"] == "SN84700"
    assert [r.args["sources"] for r in world.frost.requests if "sources" in r.args] == ["SN00001", "SN84700"]


def test_frost_no_data_is_a_404_and_a_bad_id_a_401(world):
    ds = frost.get_observations(world.client(), "SN84700", at("2026-12-01"), at("2026-12-02"))
    assert ds.sizes["time"] == 0
    world.frost.client_id = "another"
    with pytest.raises(SourceError, match="Invalid client ID") as caught:
        frost.get_weather(world.client(), 68.42, 17.56, *PAST)
    assert caught.value.kind == "auth"
    with pytest.raises(SourceError, match="no client id in HYDROCOOL_FROST_CLIENT_ID"):
        frost.get_weather(world.client(credentials={}), 68.42, 17.56, *PAST)


def observation(**changes: object) -> bytes:
    base = {"elementId": "air_temperature", "value": 3.0, "unit": "degC", "level": {"value": 2}, "timeOffset": "PT0H",
            "timeResolution": "PT1H", "qualityCode": 0}  # fmt: skip
    wet = base | {"elementId": "relative_humidity", "value": 80, "unit": "percent"}
    row = {"sourceId": "SN1:0", "referenceTime": "2026-11-20T00:00:00.000Z", "observations": [base | changes, wet]}
    return json.dumps({"data": [row]}).encode()


def test_frost_series_and_doubts():
    assert frost.parse_observations(observation()).sizes["time"] == 1
    for other in ({"timeOffset": "PT6H"}, {"timeResolution": "PT10M"}, {"qualityCode": 7}, {"level": {"value": 25}}):
        assert frost.parse_observations(observation(**other)).sizes["time"] == 0
    with pytest.raises(SourceError, match="air_temperature is in 'K'"):
        frost.parse_observations(observation(unit="K"))


def test_open_meteo_moves_radiation_to_the_start_of_its_hour(world):
    [ds] = open_meteo.get_weather(world.client(), [(52.5, 13.4)], at("2026-11-23T22:00"), at("2026-11-26T00:00"))
    assert ds["temp_air"].values.tolist() == [temp_air(t) for t in moments(ds)]
    # The server's value at t is the mean of the hour before t; here it stands at that hour's start.
    assert ds["ghi"].values.tolist() == [float((t.hour + 1) % 24) for t in moments(ds)]
    assert set(ds["wind_speed"].values) == {3.0}, "m/s were asked for"
    assert set(ds["pressure"].values) == {100_100.0}
    assert qualities(ds) == {"forecast"}
    assert world.open_meteo.last.headers["X-Api-Key"].startswith("canary")
    assert "apikey" not in world.open_meteo.last.args


def test_open_meteo_history_and_several_places(world):
    places = [(52.5, 13.4), (68.42, 17.56)]
    found = open_meteo.get_weather(world.client(), places, at("2026-01-01"), at("2026-11-24"))
    for ds in found:
        assert ds.sizes["time"] == 327 * 24
        assert qualities(ds) == {"secondary", "forecast"}
    assert world.open_meteo_archive.count >= 1
    assert world.open_meteo.count == 1


def test_open_meteo_free_hosts_only_for_stated_private_use(world):
    keyless = {}
    with pytest.raises(LicenceError, match="non-commercial"):
        open_meteo.get_weather(world.client(credentials=keyless), [(52.5, 13.4)], *PAST)
    assert world.open_meteo.count == 0
    world.open_meteo.customer = False
    [ds] = open_meteo.get_weather(world.client(credentials=keyless, private_use=True), [(52.5, 13.4)], *PAST)
    assert ds.sizes["time"] == 48


def test_open_meteo_host_follows_the_key(world):
    settings = replace(world.settings(), urls={})
    assert settings.base_url(open_meteo.ARCHIVE) == "https://customer-archive-api.open-meteo.com/v1/"
    assert replace(settings, credentials={}).base_url(open_meteo.SOURCE) == "https://api.open-meteo.com/v1/"


@pytest.mark.slow
def test_open_meteo_weights_are_counted_as_the_server_counts(world, time):
    places = [(50 + n / 10, 10.0) for n in range(20)]
    client = world.client()
    for month in range(1, 5):
        open_meteo.get_weather(client, places, at(f"2026-0{month}-01"), at(f"2026-0{month}-25"))
    url = world.open_meteo_archive.last.url
    assert open_meteo.weight(url) == pytest.approx(20 * 0.8 * 25 / 14)
    assert world.open_meteo_archive.count == 4, "28.6 each: no 429"
    heavy = [(50 + n / 50, 10.0) for n in range(400)]
    with pytest.raises(SourceError, match="more than 600 per 60 s") as caught:
        open_meteo.get_weather(client, heavy, at("2026-01-01"), at("2026-03-01"))
    assert caught.value.kind == "fatal"


def test_open_meteo_quota_words_say_how_long(world, time):
    world.open_meteo.per_minute = 1.0
    client = world.client(tries=1)
    with pytest.raises(SourceError, match="Minutely") as caught:
        open_meteo.get_weather(client, [(1.0, 1.0), (2.0, 2.0)], *PAST)
    assert (caught.value.kind, caught.value.wait_s) == ("quota", 60.0)
    verdict = open_meteo.classify(429, b'{"error":true,"reason":"Daily API request limit exceeded."}')
    assert (verdict.kind, verdict.wait_s) == ("quota", 86_400.0)


MINUTE = '{"error":true,"reason":"Minutely API request limit exceeded. Please try again in one minute."}'
AT_ONCE = '{"error":true,"reason":"Too many concurrent requests"}'


@pytest.mark.parametrize(("said", "wait"), [(MINUTE, 60.0), (AT_ONCE, 2.0), ("", 60.0)])
def test_open_meteo_counters_that_are_cleared_soon_are_waited_for_once(world, time, said, wait):
    world.open_meteo.faults = [Response(said, 429, content_type="application/json")]
    [ds] = open_meteo.get_weather(world.client(), [(52.5, 13.4)], *PAST)
    assert ds.sizes["time"] == 48
    assert (world.open_meteo.count, time.slept) == (2, [wait]), "nor is it asked before the minute is over"
    world.open_meteo.always = Response(said, 429, content_type="application/json")
    with pytest.raises(SourceError) as caught:
        open_meteo.get_weather(world.client(), [(1.0, 1.0)], *PAST)
    assert (caught.value.kind, world.open_meteo.count) == ("quota", 4), "once, not for ever"


def test_open_meteo_counters_of_hours_and_days_are_not_waited_for(world, time):
    said = '{"error":true,"reason":"Hourly API request limit exceeded. Please try again in the next hour."}'
    world.open_meteo.always = Response(said, 429, content_type="application/json")
    client = world.client()
    for _ in range(3):
        with pytest.raises(SourceError) as caught:
            open_meteo.get_weather(client, [(52.5, 13.4)], *PAST)
        assert (caught.value.kind, caught.value.wait_s) == ("quota", 3600.0)
    assert (world.open_meteo.count, time.slept) == (1, [])


def test_open_meteo_breaking_off_in_a_200(world):
    world.open_meteo.always = Response('{"hourly": {"time": [1,2Unexpected error while streaming data: timeout')
    with pytest.raises(SourceError, match="not JSON") as caught:
        open_meteo.get_weather(world.client(), [(1.0, 1.0)], *PAST)
    assert caught.value.kind == "retry"
    world.open_meteo.always = None
    assert open_meteo.get_weather(world.client(), [(1.0, 1.0)], *PAST)[0].sizes["time"] == 48, "nor was it cached"


def test_open_meteo_other_units_and_times():
    hourly = {"time": [1793000700], "temperature_2m": [1.0], "relative_humidity_2m": [50]}
    body = {"utc_offset_seconds": 0, "hourly_units": {"wind_speed_10m": "km/h"}, "hourly": hourly}
    with pytest.raises(SourceError, match="wind_speed_10m is in 'km/h'"):
        open_meteo.parse_weather(json.dumps(body).encode())
    with pytest.raises(SourceError, match="not in UTC"):
        open_meteo.parse_weather(json.dumps(body | {"utc_offset_seconds": 7200}).encode())
    text = body | {"hourly_units": {}, "hourly": hourly | {"time": ["2026-11-18T02:00"]}}
    assert open_meteo.parse_weather(json.dumps(text).encode())[0]["time"].values[0] == at("2026-11-18T02:00")


def test_nasa_power_in_utc_without_what_is_not_known_yet(world):
    ds = nasa_power.get_weather(world.client(), 52.5, 13.4, at("2026-11-18"), at("2026-11-24T12:00"))
    assert ds["temp_air"].values.tolist() == [temp_air(t) for t in moments(ds)]
    assert ds["temp_dew"].values.tolist() == [dew_point(t) for t in moments(ds)]
    assert ds["time"].values[-1] == at("2026-11-20T14:00"), "-999 is no temperature"
    assert set(ds["pressure"].values) == {100_100.0}
    assert qualities(ds) == {"secondary"}
    assert world.nasa_power.last.args["time-standard"] == "utc"


def test_nasa_power_answers_younger_than_its_lag_are_not_settled(world, monkeypatch):
    """Ten days back the sunshine is still -999: kept for a month, it would stay so."""
    client, lifetimes = world.client(), []
    get = client.get
    monkeypatch.setattr(client, "get", lambda *a: lifetimes.append(a[3]) or get(*a))
    for start, end in (("2026-11-12", "2026-11-14"), ("2026-11-08", "2026-11-10")):
        nasa_power.get_weather(client, 52.5, 13.4, at(start), at(end))
    assert lifetimes == [LIVE_TTL_S, SETTLED_TTL_S]
    assert np.timedelta64(14, "D") == nasa_power.LAG


def test_questions_that_end_now_are_the_same_for_an_hour(world, time):
    """A night that is tried again must find its answers in the cache, in another minute too."""
    client, counts = world.client(), []
    for second in (50, 65):
        time.now = datetime(2026, 11, 24, 14, 1) + timedelta(seconds=second)
        filled = catalogue.weather(client, 68.42, 17.56, 30.0, at("2026-11-24"), at("2026-11-26"))
        hydro.signals(client, "NO4", at("2026-11-23"), at("2026-11-26"))
        counts.append((world.frost.count, world.entsoe.count))
    assert counts[0] == counts[1]
    assert filled.ds["source"].values[:15].tolist() == ["frost"] * 14 + ["met_norway"]
    assert any("referencetime" in r.args and r.args["referencetime"].endswith("14:00Z") for r in world.frost.requests)


@pytest.mark.slow
def test_nasa_power_of_two_years_in_pieces(world):
    long = nasa_power.get_weather(world.client(), 52.5, 13.4, at("2024-01-01"), at("2026-01-01"))
    assert (long.sizes["time"], world.nasa_power.count) == (731 * 24, 3)


def test_nasa_power_in_local_solar_time_is_refused(world):
    params = {"latitude": "1", "longitude": "1", "parameters": "T2M,RH2M", "start": "20261101", "end": "20261102"}
    body = world.client().get("nasa_power", "point", params).body
    with pytest.raises(SourceError, match="local solar time"):
        nasa_power.parse_weather(body)
    utc = world.client().get("nasa_power", "point", params | {"time-standard": "utc"}).body
    with pytest.raises(SourceError, match="T2M is in 'K'"):
        nasa_power.parse_weather(utc.replace(b'"units": "C"', b'"units": "K"'))


def test_pvgis_typical_year_through_pvlibs_reader(world):
    ds = pvgis.get_tmy(world.client(), 52.5, 13.4)
    assert ds.sizes["time"] == 8760
    assert (np.diff(ds["time"].values) == np.timedelta64(1, "h")).all()
    assert (ds["time"].values[0], ds["time"].values[-1]) == (at("2001-01-01T00:00"), at("2001-12-31T23:00"))
    assert qualities(ds) == {"scenario"}
    assert set(ds["pressure"].values) == {99_000.0}
    assert ds.attrs["months_selected"].startswith("1:2005 2:2006")
    assert ds.attrs["irradiance_time_offset_h"] == 0.1761
    assert world.pvgis.last.path == "/pvgis/tmy"


@pytest.mark.parametrize("name", ["met_norway", "pvgis"])
def test_a_404_is_nothing_there_not_a_fault(world, name):
    world.contracts[name].always = Response("<html>not found</html>", 404)
    ask = {
        "met_norway": lambda c: met_norway.get_weather(c, 68.4, 17.5, 30.0, at("2026-11-24"), at("2026-11-25")),
        "pvgis": lambda c: pvgis.get_tmy(c, 52.5, 13.4),
    }
    ds = ask[name](world.client())
    assert ds.sizes["time"] == 0
    assert {"temp_air", "relative_humidity", "quality", "source", "dt"} <= set(ds.data_vars)


def test_pvgis_faults(world):
    with pytest.raises(SourceError, match="Location over the sea") as caught:
        pvgis.get_tmy(world.client(), 80.0, 13.4)
    assert caught.value.kind == "fatal"
    world.pvgis.always = Response(status=529)
    with pytest.raises(SourceError) as caught:
        pvgis.get_tmy(world.client(), 52.0, 13.4)
    assert caught.value.kind == "retry"
