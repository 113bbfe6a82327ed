"""Each component against figures printed by its source."""

import numpy as np
import pytest

from energy.plant import equipment, heat_rejection, weather_from
from tests.plant.conftest import named

QUARTERS = np.array([0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(
    ("preset", "printed"), [("best", [96.5, 97.4, 97.6, 97.6]), ("typical", [93.7, 95.6, 96.0, 96.0])]
)
def test_ups_efficiency_over_load(preset, printed):
    ups = named("airside_economizer", preset).electrical.model_copy(
        update={"transformer_no_load": 0.0, "transformer_square": 0.0, "miscellaneous": 0.0}
    )
    efficiency = 100 * QUARTERS / (QUARTERS + equipment.loss(ups, QUARTERS))
    np.testing.assert_allclose(efficiency, printed, atol=0.06)


def test_load_at_heat_inverts_heat():
    presets = named("airside_economizer").electrical
    load = np.linspace(0.0, 1.4, 29)
    np.testing.assert_allclose(equipment.load_at_heat(presets, load + equipment.loss(presets, load)), load, atol=1e-12)
    lossless = presets.model_copy(update=dict.fromkeys(type(presets).model_fields, 0.0))
    assert equipment.load_at_heat(lossless, np.array([0.7])) == pytest.approx(0.7)
    assert np.isfinite(equipment.load_at_heat(presets, np.array([np.inf])))


def test_fan_and_pump_laws():
    speed = np.array([0.0, 0.1, 0.3, 0.6, 1.0])
    np.testing.assert_allclose(equipment.fan_power(2.0, speed, 0.0), 2.0 * np.array([0, 0.1**3, 0.3**3, 0.6**3, 1.0]))
    assert equipment.fan_power(1.0, np.array([0.05]), 0.3) == pytest.approx(0.027)
    assert equipment.pump_power(1.0, np.array([0.1, 1.0]), 0.3, 0.3) == pytest.approx([0.3 * 0.3 + 0.7 * 0.3**3, 1.0])


def test_york_approach_at_full_fan():
    wet = np.array([-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.55])
    np.testing.assert_allclose(
        heat_rejection.york_approach(wet, 5.56), [13.1, 11.2, 9.4, 7.8, 6.3, 5.1, 3.8], atol=0.06
    )


def test_tower_leaving_water_rises_with_wet_bulb_and_capacity_falls():
    plant = named("dlc_tower")
    wet = np.arange(-40.0, 45.0, 0.1)
    state = heat_rejection.state(plant, weather_from(wet, temp_wet_bulb=wet), 22.5)
    assert (np.diff(state.full_fan_leaving) > 0).all()
    assert (np.diff(state.leaving) >= 0).all()
    assert (np.diff(state.capacity) <= 1e-9).all()
    assert state.capacity.min() == pytest.approx(1.0)
    beyond = heat_rejection.state(plant, weather_from(wet, temp_wet_bulb=wet), 22.5, 30.5)
    assert beyond.leaving.max() == 30.5
    assert beyond.capacity.min() < 0.0


def test_dry_cooler_rating_moves_to_another_water_range_as_its_makers_selection_does():
    assert heat_rejection.required_itd(11.11, 5.56, 5.56) == pytest.approx(11.11, abs=0.01)
    # BAC selection of the sister model TDFS1238N-C60ET30B: 50 to 40 °C water, 36.2 °C air
    assert heat_rejection.required_itd(11.11, 5.56, 10.0) == pytest.approx(50.0 - 36.2, abs=0.3)
    ranges = [3.0, 4.0, 5.56, 7.0, 10.0, 15.0]
    assert np.all(np.diff([heat_rejection.required_itd(11.11, 5.56, r) for r in ranges]) > 0)


def test_closed_form_of_the_dry_cooler_is_conservative():
    plant = named("dlc_dry_cooler")
    speed = np.array([0.1, 0.3, 0.5, 0.7, 1.0])
    ntu_model = np.array([0.18, 0.46, 0.67, 0.83, 1.0])  # heat over rated heat, cross-flow, NTU 1.15
    needed = heat_rejection.fan_speed(plant, np.array([1.0]), ntu_model)
    assert (needed >= speed - 0.005).all()
    assert (needed - speed).max() < 0.1


def test_spill_point_is_the_cheapest_split():
    plant = named("dlc_dry_cooler")
    heat, share = 0.8, np.linspace(0.0, 1.0, 4001)
    for itd, cop in ((3.0, 9.0), (8.0, 6.0), (14.0, 4.0), (20.0, 8.0)):
        capacity = heat_rejection.capacity(plant, 1.0, 10.0, np.array([itd]))
        free = heat * share[heat * share <= capacity]
        power = heat_rejection.dry_cooler_fan_power(plant, 1.0, capacity, free) + (heat - free) / cop
        spill = min(float(heat_rejection.spill_heat(plant, 1.0, capacity, np.array([1.0 / cop]))[0]), heat)
        chosen = heat_rejection.dry_cooler_fan_power(plant, 1.0, capacity, np.array([spill])) + (heat - spill) / cop
        assert chosen[0] <= power.min() + 1e-9


def test_carnot_scaled_cop_meets_catalogue_chillers():
    water_cooled = named("chiller_tower")
    for supply, condenser, median in ((6.7, 20.0, 6.8), (8.9, 20.0, 7.2), (6.7, 30.0, 5.9), (8.9, 30.0, 6.2)):
        # catalogue condenser temperature is the entering one: leaving water is a range of 5.56 K above
        cop = equipment.full_load_cop(water_cooled, supply, np.array([condenser + 5.56]))
        assert cop[0] == pytest.approx(median, rel=0.25)
    air_cooled = named("adiabatic_dry_chiller")
    for ambient, median in ((25.0, 3.85), (30.0, 3.36), (35.0, 2.94), (40.0, 2.54)):
        assert equipment.full_load_cop(air_cooled, 7.0, np.array([ambient]))[0] == pytest.approx(median, rel=0.05)
    assert equipment.full_load_cop(water_cooled, 20.0, np.array([-10.0]))[0] <= 18.0


def test_staged_chillers_are_convex_and_the_envelope_of_any_number_of_units():
    plant = named("chiller_tower")
    part_load = np.linspace(0.0, 1.0, 2001)
    power = equipment.staged_power_ratio(plant, part_load)
    assert power[0] == pytest.approx(0.0)
    assert power[-1] == pytest.approx(1.0)
    assert np.diff(power, 2).min() > -1e-12
    assert np.diff(power).min() > 0
    assert equipment.best_part_load(plant) > 0.10
    a, b, c = plant.chiller_part_load_constant, plant.chiller_part_load_linear, plant.chiller_part_load_square
    for units in (1, 2, 3, 5, 8):
        on = np.arange(1, units + 1)[:, None]
        each = part_load * units / on
        fleet = np.where(each <= 1.0, on / units * (a + each * (b + c * each)), np.inf).min(axis=0)
        assert (power[1:] <= fleet[1:] + 1e-12).all()
        if units >= 5:
            assert (fleet / np.maximum(power, 1e-9))[part_load >= 0.2].max() < 1.05


def test_evaporation_and_make_up():
    litres = 1e3 * equipment.make_up(equipment.evaporation(np.array([1.0]), 1.0, np.array([25.0])), 12.8) / 1e3
    assert litres[0] == pytest.approx(1.60, abs=0.05)  # 1.63 L/kWh with losses in the heat, PHYSICS
    assert equipment.latent_heat(np.array([0.0]))[0] == pytest.approx(2500.5)
