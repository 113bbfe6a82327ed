"""Moist air against psychrolib's scalar answers and against itself."""

import time

import numpy as np
import psychrolib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.plant import PlantError, psychrometrics, weather_from
from tests.plant.conftest import random_weather

psychrolib.SetUnitSystem(psychrolib.SI)


@pytest.fixture(scope="module")
def sample():
    draw = np.random.default_rng(11)
    return draw.uniform(-30, 42, 3000), draw.uniform(5, 100, 3000), draw.uniform(70e3, 105e3, 3000)


def oracle(function, *columns):
    return np.array([function(*(float(x) for x in row)) for row in zip(*columns, strict=True)])


def test_wet_bulb_is_psychrolibs(sample):
    temp, humidity, pressure = sample
    wet = weather_from(temp, pressure, relative_humidity=humidity).temp_wet_bulb
    expected = oracle(psychrolib.GetTWetBulbFromRelHum, temp, humidity / 100, pressure)
    assert np.sqrt(np.mean((wet - expected) ** 2)) <= 0.001  # the bar is 0.02 K
    assert np.abs(wet - expected).max() <= 0.002  # twice psychrolib's own tolerance: no point on the other branch


def test_wet_bulb_follows_psychrolib_across_the_two_roots_near_freezing():
    temp, humidity = (x.ravel() for x in np.meshgrid(np.linspace(-1, 9, 41), np.linspace(5, 100, 39)))
    pressure = np.full(temp.shape, 101325.0)
    wet = weather_from(temp, pressure, relative_humidity=humidity).temp_wet_bulb
    assert np.abs(wet - oracle(psychrolib.GetTWetBulbFromRelHum, temp, humidity / 100, pressure)).max() <= 0.002


def test_other_properties_are_psychrolibs(sample):
    temp, humidity, pressure = sample
    ratio = psychrometrics.humidity_ratio_from_relative_humidity(temp, humidity, pressure)
    np.testing.assert_allclose(ratio, oracle(psychrolib.GetHumRatioFromRelHum, temp, humidity / 100, pressure))
    dew = psychrometrics.dew_point(ratio, pressure)
    np.testing.assert_allclose(dew, oracle(psychrolib.GetTDewPointFromHumRatio, temp, ratio, pressure), atol=2e-3)
    np.testing.assert_allclose(psychrometrics.saturation_pressure(temp), oracle(psychrolib.GetSatVapPres, temp))
    enthalpy = 1e-3 * oracle(psychrolib.GetMoistAirEnthalpy, temp, ratio)
    np.testing.assert_allclose(psychrometrics.enthalpy(temp, ratio), enthalpy, atol=1e-9)
    wet = np.minimum(temp, dew + 0.5 * (temp - dew))
    back = psychrometrics.humidity_ratio_from_wet_bulb(temp, wet, pressure)
    expected = oracle(psychrolib.GetHumRatioFromTWetBulb, temp, wet, pressure)
    np.testing.assert_allclose(np.maximum(back, psychrometrics.MIN_HUMIDITY_RATIO), expected)
    for altitude in (-100.0, 0.0, 1829.0, 3000.0):
        assert psychrometrics.pressure_at_altitude(altitude) == pytest.approx(
            psychrolib.GetStandardAtmPressure(altitude)
        )


@settings(max_examples=60, deadline=None)
@given(temp=st.floats(-30, 42), humidity=st.floats(5, 100), altitude=st.floats(-400, 4000))
def test_three_humidity_inputs_agree(temp, humidity, altitude):
    by_humidity = weather_from([temp], relative_humidity=[humidity], altitude_m=altitude)
    dew = psychrometrics.dew_point(by_humidity.humidity_ratio, by_humidity.pressure)
    by_dew = weather_from([temp], temp_dew=dew, altitude_m=altitude)
    by_wet = weather_from([temp], temp_wet_bulb=by_humidity.temp_wet_bulb, altitude_m=altitude)
    for other in (by_dew, by_wet):
        np.testing.assert_allclose(other.humidity_ratio, by_humidity.humidity_ratio, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(by_dew.temp_wet_bulb, by_humidity.temp_wet_bulb, atol=1e-4)


def test_wet_bulb_lies_between_dew_point_and_dry_bulb():
    air = random_weather(5000, 3)
    dew = psychrometrics.dew_point(air.humidity_ratio, air.pressure)
    assert (air.temp_wet_bulb <= air.temp_air + 1e-9).all()
    assert (air.temp_wet_bulb >= dew - 1e-6).all()


def test_twenty_years_of_wet_bulbs_in_half_a_second():
    draw = np.random.default_rng(5)
    temp, humidity = draw.uniform(-30, 42, 8760 * 20), draw.uniform(5, 100, 8760 * 20)
    start = time.process_time()
    weather_from(temp, relative_humidity=humidity)
    assert time.process_time() - start < 0.5


def test_saturated_dry_and_absent_moisture():
    air = weather_from([20.0, 20.0, -10.0, 0.0], relative_humidity=[100.0, 0.0, 100.0, 100.0])
    assert air.temp_wet_bulb[[0, 2, 3]] == pytest.approx([20.0, -10.0, 0.0], abs=1e-6)
    assert air.humidity_ratio[1] == psychrometrics.MIN_HUMIDITY_RATIO
    assert weather_from([], relative_humidity=[]).temp_wet_bulb.shape == (0,)


def test_no_air_has_this_moisture():
    with pytest.raises(PlantError, match="dew point did not converge"):
        psychrometrics.dew_point(np.array([np.nan]), np.array([1e5]))
    with pytest.raises(PlantError, match="did not converge"):
        psychrometrics.wet_bulb(np.array([20.0]), np.array([np.nan]), np.array([1e5]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "exactly one humidity input is needed, got none"),
        ({"temp_dew": [1.0], "relative_humidity": [50.0]}, "got temp_dew, relative_humidity"),
        ({"temp_air": [np.nan], "temp_dew": [1.0]}, r"temp_air\[0\] is nan °C; allowed: -80 to 60 °C"),
        ({"temp_dew": [12.0]}, r"temp_dew above temp_air\[0\] is 2 K"),
        ({"temp_wet_bulb": [12.0]}, r"temp_wet_bulb above temp_air\[0\] is 2 K"),
        ({"temp_wet_bulb": [-9.0]}, "humidity ratio of this dry and wet bulb"),
        ({"relative_humidity": [140.0]}, r"relative_humidity\[0\] is 140 %; allowed: 0 to 105 %"),
        ({"relative_humidity": [50.0], "pressure": [1013.25]}, r"pressure\[0\] is 1013.25 Pa"),
        ({"relative_humidity": [50.0, 40.0]}, r"relative_humidity has shape \(2,\); allowed: that of temp_air, \(1,\)"),
        ({"relative_humidity": [50.0], "temp_air": [[1.0]]}, "one-dimensional"),
        ({"relative_humidity": [50.0], "altitude_m": 12000.0}, "altitude_m is 12000 m"),
    ],
)
def test_weather_that_cannot_be(arguments, message):
    with pytest.raises(PlantError, match=message):
        weather_from(**({"temp_air": [10.0]} | arguments))


def test_rounding_above_saturation_is_saturation():
    air = weather_from([10.0], temp_dew=[10.3])
    assert air.temp_wet_bulb[0] == pytest.approx(10.0, abs=1e-6)
    assert weather_from([10.0], relative_humidity=[103.0]).humidity_ratio[0] == pytest.approx(air.humidity_ratio[0])
