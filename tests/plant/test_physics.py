"""The physics bars, on every shipped plant: convex in load, monotone in weather, sane by component."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.plant import PlantError, kinks, load_limit, overhead, weather_from
from tests.plant.conftest import DRY, PLANT_FILES, load_plant, named, random_weather

LOADS = np.linspace(0.0, 1.0, 201)


def over(plant, weather, loads=LOADS):
    return overhead(plant, weather, np.broadcast_to(loads, (len(weather.temp_air), len(loads))))


def test_convex_in_load(plant):
    total = over(plant, random_weather(1500, 1)).total
    assert np.diff(total, 2, axis=1).min() >= -1e-9
    assert np.diff(total, axis=1).min() > 0


@settings(max_examples=40, deadline=None)
@given(
    path=st.sampled_from(PLANT_FILES),
    temp=st.floats(-30, 42),
    humidity=st.floats(5, 100),
    loads=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    share=st.floats(0, 1),
)
def test_chord_between_any_two_loads_lies_above(path, temp, humidity, loads, share):
    weather = weather_from([temp], relative_humidity=[humidity])
    low, high = loads
    total = overhead(load_plant(path), weather, np.array([[low, high, low + share * (high - low)]])).total[0]
    assert total[2] <= total[0] + share * (total[1] - total[0]) + 1e-12


def test_components_and_water_and_free_cooling_are_sane(plant):
    weather = random_weather(500, 2)
    answer = over(plant, weather)
    for part in ("electrical", "fans", "pumps", "compressors", "heat_rejection", "water"):
        values = getattr(answer, part)
        assert values.shape == (500, len(LOADS))
        assert np.isfinite(values).all()
        assert values.min() >= 0.0
    assert answer.free_cooling.min() >= 0.0
    assert answer.free_cooling.max() <= 1.0
    assert ((answer.compressors < 1e-12) == (answer.free_cooling > 1 - 1e-9)).mean() > 0.99
    assert answer.total[load_limit(plant, weather)[:, None] >= LOADS].max() < 0.5


def test_rises_with_dry_bulb_in_dry_plants_and_wet_bulb_in_wet_ones(plant_file):
    plant = load_plant(plant_file)
    loads = np.linspace(0.0, 1.0, 11)
    if plant.archetype in DRY:
        temp = np.linspace(-30, 42, 1441)
        colder = weather_from(temp, relative_humidity=np.full(temp.shape, 50.0))
        assert np.diff(over(plant, colder, loads).total, axis=0).min() >= -1e-9
        return
    for temp in np.arange(-30.0, 42.1, 4.0):
        humidity = np.linspace(5, 100, 400)
        weather = weather_from(np.full(400, temp), relative_humidity=humidity)
        order = np.argsort(weather.temp_wet_bulb)
        assert np.diff(over(plant, weather, loads).total[order], axis=0).min() >= -1e-9


def test_trim_cooling_has_no_limit_and_chiller_less_plants_derate():
    weather = random_weather(2000, 4)
    for name in ("airside_economizer", "adiabatic_dry_chiller", "chiller_tower", "dlc_tower_chiller"):
        assert (load_limit(named(name), weather) == 1.0).all()
    hot = weather_from([20.0, 35.0, 37.0, 40.0, 45.0, 49.0, 51.0], relative_humidity=[20.0] * 7)
    limit = load_limit(named("dlc_dry_cooler"), hot)
    assert limit[:3] == pytest.approx(1.0)
    assert 0.80 < limit[3] < 0.90
    assert (np.diff(limit[2:6]) < 0).all()
    assert limit[-1] == 0.0
    assert (load_limit(named("dlc_dry_cooler", liquid_trim_capacity=1.0), hot) == 1.0).all()
    humid = weather_from([20.0, 25.0, 29.0, 32.0, 36.0, 42.0], relative_humidity=[100.0] * 6)
    limit = load_limit(named("dlc_tower"), humid)
    assert limit[:2] == pytest.approx(1.0)
    assert limit[2] < 1.0
    assert limit[-1] == 0.0
    small = load_limit(named("chiller_tower", chiller_capacity=0.5), humid)
    assert (np.diff(small) <= 0.0).all()
    assert small[-1] == pytest.approx(0.5 - 0.03, abs=0.02)


def test_dry_cooler_at_its_limit_runs_at_full_speed():
    plant = named("dlc_dry_cooler")
    weather = weather_from([40.0], relative_humidity=[20.0])
    limit = load_limit(plant, weather)[0]
    answer = overhead(plant, weather, np.array([[limit]]))
    liquid = plant.dry_cooler_fan * plant.dry_cooler_oversizing * plant.liquid_share
    assert answer.heat_rejection[0, 0] == pytest.approx(liquid * 1.0578, rel=0.01)


def test_part_trimmed_liquid_loop_stays_convex():
    plant, weather = named("dlc_dry_cooler", liquid_trim_capacity=0.2), random_weather(1500, 6, 20.0, 42.0)
    assert np.diff(over(plant, weather).total, 2, axis=1).min() >= -1e-9
    assert (load_limit(plant, weather) >= load_limit(named("dlc_dry_cooler"), weather)).all()
    assert kinks(plant, weather).shape[1] == kinks(named("dlc_dry_cooler"), weather).shape[1] + 2


def test_free_cooling_follows_the_weather():
    cold = weather_from([-10.0], relative_humidity=[80.0])
    hot = weather_from([38.0], relative_humidity=[60.0])
    for path in PLANT_FILES:
        assert over(load_plant(path), cold).free_cooling.min() == 1.0
    assert over(named("airside_economizer"), hot).free_cooling.max() == 0.0
    assert over(named("chiller_tower"), hot).free_cooling.max() == 0.0
    assert over(named("dlc_tower"), hot).free_cooling.min() == 1.0


def test_air_modes_of_the_airside_economizer():
    plant = named("airside_economizer")
    # cool; warm and dry enough for the media; too humid; hot, media reach half way
    weather = weather_from([20.0, 35.0, 26.0, 42.0], relative_humidity=[50.0, 15.0, 90.0, 25.0])
    answer = over(plant, weather, np.array([0.85]))
    assert answer.free_cooling[:3, 0] == pytest.approx([1.0, 1.0, 0.0])
    assert 0.0 < answer.free_cooling[3, 0] < 1.0
    assert answer.water[0, 0] == 0.0
    assert answer.water[1, 0] > 0.5
    assert answer.water[2, 0] == 0.0


def test_a_curve_bends_only_at_its_kinks(plant_file):
    plant, weather = load_plant(plant_file), random_weather(200, 8, -20.0, 30.0)
    loads = np.linspace(0.15, 1.0, 1701)
    bend = np.diff(over(plant, weather, loads).total, 2, axis=1) / (loads[1] - loads[0])
    at, edges = kinks(plant, weather), loads[1:-1]
    reachable = edges < load_limit(plant, weather)[:, None]
    near = (np.abs(edges[None, :, None] - at[:, None, :]) < 1.5e-3).any(axis=2)
    assert np.where(near | ~reachable, 0.0, bend).max() < 1.5e-3  # a smooth curve bends by f''·h, at most 3·5e-4


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (np.array([0.5]), r"load has shape \(1,\); allowed: \(1, B\)"),
        (np.array([[0.5], [0.5]]), r"load has shape \(2, 1\)"),
        (np.array([[0.5, -0.1]]), r"load\[0, 1\] is -0.1 of design; allowed: 0 to 1.5"),
        (np.array([[np.nan]]), r"load\[0, 0\] is nan"),
    ],
)
def test_loads_that_cannot_be(load, message):
    with pytest.raises(PlantError, match=message):
        overhead(named("dlc_dry_cooler"), weather_from([10.0], relative_humidity=[50.0]), load)


def test_a_hall_without_losses_at_no_load():
    none = dict.fromkeys(type(named("dlc_dry_cooler").electrical).model_fields, 0.0)
    for path in PLANT_FILES:
        plant = named(path.stem, electrical=none)
        answer = overhead(plant, weather_from([30.0], relative_humidity=[50.0]), np.array([[0.0, 1.0]]))
        assert np.isfinite(answer.total).all()
        assert np.isfinite(answer.free_cooling).all()
