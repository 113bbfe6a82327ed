"""Every component, the water, the load limit and the kinks of every archetype against plain arithmetic of one hour."""

import numpy as np
import pytest

from energy.plant import kinks, load_limit, overhead, weather_from
from tests.plant import by_hand
from tests.plant.conftest import PLANT_FILES, named

#: Cold, mild, between, media just enough, hot and dry, hot and humid, humid, beyond any design: dry bulb, humidity.
AIR = np.array([-25.0, 8.0, 17.0, 24.0, 32.0, 38.0, 33.0, 26.0, 48.0, 44.0, 59.0])
HUMIDITY = np.array([70.0, 60.0, 80.0, 50.0, 30.0, 12.0, 75.0, 90.0, 8.0, 60.0, 5.0])
WEATHER = weather_from(AIR, np.linspace(84e3, 103e3, len(AIR)), relative_humidity=HUMIDITY)
LOADS = np.array([0.0, 0.05, 0.25, 0.4, 0.7, 1.0, 1.3])
#: No two numbers alike, every one with an effect: files often give pumps, fans and loops the same.
DISTINCT = {
    "dlc_dry_cooler": {"liquid_trim_capacity": 0.2, "facility_pump_static_share": 0.4, "facility_pump_min_flow": 0.45,
                       "air_water_range": 7.0, "dry_cooler_min_speed": 0.35},
    "adiabatic_dry_chiller": {"chilled_water_pump_static_share": 0.5, "chilled_water_pump_min_flow": 0.42,
                              "cooler_pump": 0.02, "cooler_pump_min_flow": 0.22, "room_fan_min_speed": 0.35,
                              "dry_cooler_min_speed": 0.4},
    "airside_economizer": {"room_fan_oversizing": 1.3, "chiller_max_cop": 5.0, "max_supply_humidity": 12.0},
    "chiller_tower": {"chiller_capacity": 0.7, "condenser_pump_static_share": 0.45, "condenser_pump": 0.02,
                      "tower_min_speed": 0.4, "tower_range": 7.0},
    "dlc_tower": {"facility_pump_static_share": 0.45, "tower_min_speed": 0.35, "facility_supply_max": 27.0},
    "dlc_tower_chiller": {"chiller_capacity": 0.6, "liquid_share": 0.6, "tower_min_speed": 0.45},
}  # fmt: skip


@pytest.fixture(params=[(path.stem, own) for path in PLANT_FILES for own in (False, True)], ids=str, scope="module")
def plant(request):
    name, own = request.param
    return named(name, "typical", **(DISTINCT[name] if own else {}))


def hours():
    return [by_hand.Hour(*(float(x) for x in row)) for row in zip(*WEATHER, strict=True)]


def test_every_component_water_and_free_cooling(plant):
    """What `by_hand` says of each hour and load, to rounding."""
    answer = overhead(plant, WEATHER, np.broadcast_to(LOADS, (len(AIR), len(LOADS))))
    one = by_hand.BY_HAND[plant.archetype]
    expected = [[one(plant, w, float(u)) for u in LOADS] for w in hours()]
    for part in by_hand.PARTS:
        table = np.array([[cell[part] for cell in row] for row in expected])
        np.testing.assert_allclose(getattr(answer, part), table, rtol=1e-9, atol=1e-13, err_msg=part)
    power = sum(getattr(answer, part) for part in by_hand.PARTS[:5])
    np.testing.assert_allclose(answer.total, power, rtol=1e-12)


def heat_limits(p):
    """Heat at which the setpoint is lost, hour by hour."""
    for w in hours():
        if p.archetype == "dlc_dry_cooler":
            f = p.liquid_share
            slope = 1 / by_hand.cop(p, p.facility_supply, w.air)
            itd = p.facility_supply + p.facility_range - w.air
            c = by_hand.cooler(p, f * by_hand.hall(p, 0).design, p.facility_range, itd, slope)
            yield (c.capacity + p.liquid_trim_capacity) / f
        elif p.archetype in ("chiller_tower", "dlc_tower"):
            t = towers_of(p, w)
            most = p.tower_oversizing * t.sized * max(t.capacity, 0.0)
            yield most if not p.chiller_capacity else p.chiller_capacity / t.share if t.share else np.inf
        else:
            yield np.inf


def towers_of(p, w):
    if p.archetype == "chiller_tower":
        return by_hand.towers(p, w, p.chilled_water_supply, p.chilled_water_supply, p.chilled_water_range)
    return by_hand.towers(p, w, p.facility_supply, p.facility_supply_max, p.facility_range)


def test_load_limit(plant):
    """The load whose heat the plant just carries, 0 to 1: found by halving u + loss(u) instead of a root formula."""
    found = []
    for heat in heat_limits(plant):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if by_hand.hall(plant, middle).heat <= heat else (low, middle)
        found.append(low)
    np.testing.assert_allclose(load_limit(plant, WEATHER), found, atol=1e-9)


def kink_heats(p, w):
    """Heats at which a pump leaves its least flow, a fan its slowest speed, a chiller starts or all of them are on."""
    design = by_hand.hall(p, 0).design
    room = p.room_fan_min_speed * design
    if p.archetype == "airside_economizer":
        return [room * p.room_fan_oversizing]
    if p.archetype == "adiabatic_dry_chiller":
        enters = w.air - p.pad_effectiveness * (w.air - w.wet) * (w.air > p.pad_start)
        itd = p.chilled_water_supply + p.chilled_water_range - p.heat_exchanger_approach - enters
        slope = 1 / by_hand.cop(p, p.chilled_water_supply, w.air)
        alone = by_hand.cooler(p, design, p.chilled_water_range, itd, slope).alone
        return [alone, room, p.chilled_water_pump_min_flow * design, p.cooler_pump_min_flow * design]
    if p.archetype == "dlc_dry_cooler":
        f, alone = p.liquid_share, []
        for share, supply, span in (
            (f, p.facility_supply, p.facility_range),
            (1 - f, p.air_water_supply, p.air_water_range),
        ):
            c = by_hand.cooler(p, share * design, span, supply + span - w.air, 1 / by_hand.cop(p, supply, w.air))
            alone.append(c.alone / share)
        own = [alone[0], alone[0] + p.liquid_trim_capacity / f] if p.liquid_trim_capacity else []
        return [p.cdu_pump_min_flow * design, p.facility_pump_min_flow * design, room, alone[1], *own]
    pump = p.chilled_water_pump_min_flow if p.archetype == "chiller_tower" else p.facility_pump_min_flow
    return [room, pump * design, *tower_kinks(p, towers_of(p, w))]


def tower_kinks(p, t):
    """Heat of the hall, where rejected heat is 1 + k of it, k the power of chillers at their best part load per heat."""
    best = (p.chiller_part_load_constant / p.chiller_part_load_square) ** 0.5
    per_heat = 1 + t.share / t.cop * (p.chiller_part_load_linear + 2 * p.chiller_part_load_square * best)
    slow = p.tower_oversizing * t.sized * max(t.capacity, 0.01) * p.tower_min_speed**p.tower_speed_exponent
    full = p.chiller_capacity / max(t.share, max(p.chiller_capacity, 1) / 1000)
    return [p.condenser_pump_min_flow * t.sized / per_heat, best * full, slow / per_heat]


def test_kinks(plant):
    """The heat at each announced kink is that of the law behind it, in the announced order, strongest first."""
    at = kinks(plant, WEATHER)
    heats = np.array([[by_hand.hall(plant, float(u)).heat for u in row] for row in at])
    expected = np.array([kink_heats(plant, w) for w in hours()])
    np.testing.assert_allclose(heats, np.clip(expected, 0.0, 1000.0), rtol=1e-9, atol=1e-12)
