"""Figures the physics notes print, reproduced within stated tolerances."""

import numpy as np
import pytest

from energy.plant import overhead, weather_from
from tests.plant.conftest import named

LOADS = np.array([[0.1, 0.2, 0.3, 0.5, 0.85, 1.0]])


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("dlc_dry_cooler", [1.162, 1.088, 1.065, 1.052, 1.057, 1.063]),
        ("chiller_tower", [1.170, 1.092, 1.068, 1.059, 1.079, 1.094]),
    ],
)
def test_pue_over_load_at_ten_degrees(name, printed):
    """Best electrics, saturated air (the notes do not print the humidity): within 0.004."""
    weather = weather_from([10.0], relative_humidity=[100.0])
    pue = (1.0 + overhead(named(name, "best"), weather, LOADS).total / LOADS)[0]
    np.testing.assert_allclose(pue, printed, atol=0.004)


def test_pue_is_u_shaped(plant):
    """Fixed losses at low load, cubes at high load: the best load lies between."""
    load = np.linspace(0.05, 1.0, 96)[None, :]
    for temp in (-10.0, 10.0):
        weather = weather_from([temp], relative_humidity=[60.0])
        pue = (1.0 + overhead(plant, weather, load).total / load)[0]
        best = load[0, pue.argmin()]
        assert 0.25 <= best <= 0.85
        assert (np.diff(pue[load[0] <= best]) <= 1e-12).all()
        assert pue[0] - pue.min() > 0.05
        assert pue[-1] - pue.min() > 0.002


#: Skien 2019, hours by dry bulb: mean dry bulb [°C], mean dew point [°C], hours (MET Norway, CC BY 3.0 NO).
SKIEN_2019 = np.array(
    [
        (-11.9, -13.9, 51), (-6.6, -8.0, 288), (-2.1, -4.4, 1326), (1.6, -0.9, 1229), (4.4, 0.8, 1120), (7.5, 3.1, 942),
        (10.6, 5.7, 861), (13.1, 8.5, 715), (15.1, 10.2, 641), (17.0, 11.7, 579), (19.0, 11.6, 426), (20.9, 11.7, 269),
        (23.0, 13.1, 155), (24.9, 14.5, 91), (27.1, 16.3, 49), (29.4, 17.8, 18),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "best", "typical", "within"),
    [
        ("dlc_dry_cooler", 1.059, 1.084, 0.007),
        ("airside_economizer", 1.056, 1.078, 0.002),
        ("chiller_tower", 1.086, 1.110, 0.007),
        ("dlc_tower", 1.047, 1.085, 0.003),
    ],
)
def test_year_in_skien(name, best, typical, within):
    """Annual PUE at u = 0.85 printed for Oslo, which is Skien 2019.

    Lower than printed where pumps and coils are sized for design heat here and were not in the notes' prototype;
    `adiabatic_dry_chiller` (1.068/1.092) is left out, its parameters were corrected upwards on purpose.
    """
    temp, dew, hours = SKIEN_2019.T
    load = np.full((len(temp), 1), 0.85)
    for preset, printed in (("best", best), ("typical", typical)):
        total = overhead(named(name, preset), weather_from(temp, temp_dew=dew), load).total[:, 0]
        assert 1.0 + np.average(total, weights=hours) / 0.85 == pytest.approx(printed, abs=within)


@pytest.mark.parametrize(("load", "printed"), [(0.5, 1.019), (0.85, 1.030), (1.0, 1.036)])
def test_esif_at_its_meter_boundary(load, printed):
    """NREL ESIF: no UPS, no transformer, Golden's mean weather; measured mean 1.034."""
    losses = dict.fromkeys(type(named("dlc_tower").electrical).model_fields, 0.0) | {"miscellaneous": 0.0025}
    plant = named("dlc_tower", electrical=losses)
    weather = weather_from([10.0], temp_dew=[-1.0], altitude_m=1829.0)
    answer = overhead(plant, weather, np.array([[load]]))
    pue = 1.0 + answer.total[0, 0] / load
    assert pue == pytest.approx(printed, abs=0.003)
    assert answer.water[0, 0] / load == pytest.approx(1.42, abs=0.05)  # measured, towers only [L/kWh]


def test_tower_water():
    """WUE of the chiller plant: 1.58-1.62 L/kWh in northern Europe."""
    weather = weather_from([10.0], relative_humidity=[78.0])
    answer = overhead(named("chiller_tower", "best"), weather, np.array([[0.85]]))
    assert answer.water[0, 0] / 0.85 == pytest.approx(1.60, abs=0.03)
