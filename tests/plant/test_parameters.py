"""The published page of parameters is what the models say; air out of range is named with value, unit and range."""

import numpy as np
import pytest

from benchmarks.plant_parameters import PAGE, page
from energy.plant import PlantError, weather_from


def test_the_page_of_parameters_is_in_step():
    assert PAGE.read_text(encoding="utf-8") == page()


AIR = {"temp_air": 10.0, "temp_dew": 5.0, "pressure": 101325.0}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({**AIR, "temp_air": 80.0}, r"temp_air\[1\] is 80 °C; allowed: -?\d+ to \d+ °C"),
        ({**AIR, "temp_dew": -120.0}, r"temp_dew\[1\] is -120 °C; allowed: -?\d+ to \d+ °C"),
        ({"temp_air": 10.0, "pressure": 101325.0, "temp_wet_bulb": 70.0}, r"temp_wet_bulb\[1\] is 70 °C; allowed: .* °C"),
        ({"temp_air": 10.0, "pressure": 101325.0, "relative_humidity": 140.0},
         r"relative_humidity\[1\] is 140 %; allowed: 0 to \d+ %"),
        ({**AIR, "pressure": 1013.0}, r"pressure\[1\] is 1013 Pa; allowed: \d+ to \d+ Pa"),
    ],
)  # fmt: skip
def test_impossible_air_is_named(columns, message):
    good = {"temp_wet_bulb": 8.0, "relative_humidity": 60.0, **AIR}
    both = {k: np.array([good[k], v]) for k, v in columns.items()}
    with pytest.raises(PlantError, match=message):
        weather_from(altitude_m=30.0, **both)
