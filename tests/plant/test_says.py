"""What the plants' wing offers by name, and what it says of air and loads that it refuses."""

import numpy as np
import pytest

import energy.plant as wing
from energy.plant import PlantError, chords, weather_from
from energy.plant.photovoltaics import Array, solar_power
from energy.plant.psychrometrics import pressure_at_altitude, wet_bulb
from tests.plant.conftest import named


def test_every_public_name_is_there():
    """`from energy.plant import *` gives what the page of the package lists, each under its own name."""
    names = {"Chords", "Overhead", "Plant", "PlantError", "Weather", "chord_error", "chords", "chords_within", "kinks",
             "load_limit", "overhead", "weather_from"}  # fmt: skip
    assert set(wing.__all__) == names | {"ARCHETYPES"}
    assert {n: getattr(wing, n).__name__ for n in names} == {n: n for n in names}


def test_heat_of_liquid_loops():
    """Share and return of the loop; the heat of air is colder than any buyer wants."""
    assert named("dlc_dry_cooler").liquid_heat() == (0.85, 50.0)
    assert named("dlc_tower").liquid_heat() == (0.9, 34.0)
    for name in ("airside_economizer", "adiabatic_dry_chiller", "chiller_tower"):
        assert named(name).liquid_heat() == (0.0, -273.15)  # absolute zero


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"temp_air": [10, -81]}, "temp_air[1] is -81 °C; allowed: -80 to 60 °C"),
        ({"temp_air": [10, 60.5]}, "temp_air[1] is 60.5 °C; allowed: -80 to 60 °C"),
        ({"pressure": [29e3, 9e4]}, "pressure[0] is 29000 Pa; allowed: 30000 to 110000 Pa"),
        ({"pressure": [1e5, 111e3]}, "pressure[1] is 111000 Pa; allowed: 30000 to 110000 Pa"),
        ({"pressure": [1e5] * 3}, "pressure has shape (3,); allowed: that of temp_air, (2,), one-dimensional"),
        ({"temp_dew": [0.0]}, "temp_dew has shape (1,); allowed: that of temp_air, (2,), one-dimensional"),
        ({"temp_dew": [0, -101]}, "temp_dew[1] is -101 °C; allowed: -100 to 60 °C"),
        ({"temp_dew": [0, 10.6]}, "temp_dew above temp_air[1] is 0.6 K; allowed: -inf to 0.5 K"),
        ({"temp_dew": None, "relative_humidity": [50, 106]}, "relative_humidity[1] is 106 %; allowed: 0 to 105 %"),
        ({"temp_dew": None, "relative_humidity": [-1, 50]}, "relative_humidity[0] is -1 %; allowed: 0 to 105 %"),
        ({"temp_dew": None, "temp_wet_bulb": [8, 61]}, "temp_wet_bulb[1] is 61 °C; allowed: -80 to 60 °C"),
        ({"temp_dew": None, "temp_wet_bulb": [8, 10.6]}, "temp_wet_bulb above temp_air[1] is 0.6 K; allowed: -inf to 0.5 K"),
        ({"temp_air": [10, 40], "temp_dew": None, "temp_wet_bulb": [8, 5]},
         "humidity ratio of this dry and wet bulb[1] is -0.00851941 kg/kg; allowed: 0 to 1 kg/kg"),
        ({"relative_humidity": [50, 50]},
         "exactly one humidity input is needed, got temp_dew, relative_humidity; allowed: temp_dew, relative_humidity or "
         "temp_wet_bulb"),
        ({"temp_dew": None}, "exactly one humidity input is needed, got none; allowed: temp_dew, relative_humidity or "
                             "temp_wet_bulb"),
    ],
)  # fmt: skip
def test_air_that_cannot_be_is_named_with_value_and_range(given, words):
    with pytest.raises(PlantError) as error:
        weather_from(**({"temp_air": [10, 10], "temp_dew": [5, 5]} | given))
    assert str(error.value) == words


def test_humid_stations_are_read_as_saturated():
    """Half a kelvin or 105 % too much is rounding: the air is saturated; without pressure that of the height."""
    given = [{"temp_dew": [10.5]}, {"relative_humidity": [105.0]}, {"temp_wet_bulb": [10.5]}]
    for weather in (weather_from([10.0], altitude_m=500.0, **g) for g in given):
        assert weather.temp_wet_bulb == pytest.approx(10.0, abs=1e-6)
        assert weather.pressure == pytest.approx(pressure_at_altitude(500.0))
        assert wet_bulb(weather.temp_air, weather.humidity_ratio, weather.pressure) == pytest.approx(10.0, abs=1e-6)


def test_ranges_of_load_are_named():
    weather = weather_from([10.0], temp_dew=[5.0])
    for low, high, words in (
        (-0.1, 0.4, "low[0] is -0.1 of design; allowed: 0 to 1.5 of design"),
        (0.1, 1.6, "high[0] is 1.6 of design; allowed: 0 to 1.5 of design"),
        (0.8, 0.4, "high - low[0] is -0.4 of design; allowed: 0 to 1.5 of design"),
    ):
        with pytest.raises(PlantError) as error:
            chords(named("dlc_tower"), weather, np.array([low]), np.array([high]), 3)
        assert str(error.value) == words


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")
def test_the_sun_of_a_place():
    """Clear sky at the equinox: noon at 15° east is an hour before that of Greenwich, the south has sun from the north,
    and at 60° it stands lower."""
    time = np.datetime64("2019-03-20", "ns") + np.arange(24) * np.timedelta64(1, "h")

    def power(latitude, longitude, azimuth=180.0):
        array = Array(latitude, longitude, 100.0, 10.0, 12.0, 30.0, azimuth, 14.0, -0.004)
        return solar_power(array, time, 1.0, np.full(24, 15.0))

    here = power(45.0, 7.5)
    assert int(power(45.0, 22.5).argmax()) == int(here.argmax()) - 1
    assert power(-45.0, 7.5, 0.0).sum() == pytest.approx(here.sum(), rel=0.03)
    assert power(-45.0, 7.5).sum() < 0.7 * here.sum()
    assert power(60.0, 7.5).sum() < 0.95 * here.sum()
