"""Archetype `chiller_tower`: chilled water from towers through a plate exchanger, water-cooled chillers in series.

Air-cooled IT with room coolers; all heat, with the compressors', leaves through the towers.
"""

from __future__ import annotations

import numpy as np

from energy.plant import air, electrical, tower, tower_loop, water
from energy.plant.arrays import Floats
from energy.plant.parameters import ChillerTower
from energy.plant.results import Overhead
from energy.plant.weather import Weather


def _loop(plant: ChillerTower, weather: Weather) -> tower_loop.Loop:
    supply, design = plant.chilled_water_supply, electrical.design_heat(plant.electrical)
    return tower_loop.loop(plant, weather, supply, supply, plant.chilled_water_range, design)


def overhead(plant: ChillerTower, weather: Weather, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; weather arrays of shape (T, 1)."""
    losses = electrical.loss(plant.electrical, load)
    heat, design = load + losses, electrical.design_heat(plant.electrical)
    flow, state = heat / design, _loop(plant, weather)
    compressors = tower_loop.compressor_power(plant, state, heat)
    rejected = heat + compressors
    chilled = water.pump_power(
        plant.chilled_water_pump * design,
        flow,
        plant.chilled_water_pump_static_share,
        plant.chilled_water_pump_min_flow,
    )
    return Overhead(
        electrical=losses,
        fans=air.fan_power(plant.room_fan * design, flow, plant.room_fan_min_speed),
        pumps=np.asarray(chilled + tower_loop.condenser_pump_power(plant, state, rejected)),
        compressors=compressors,
        heat_rejection=tower.fan_power(plant, state.design_rejection, state.towers.capacity, rejected),
        water=tower_loop.make_up(plant, state, rejected),
        free_cooling=np.asarray(np.broadcast_to(1.0 - state.chiller_share, heat.shape)),
    )


def heat_limit(plant: ChillerTower, weather: Weather) -> Floats:
    """Heat [MW/MW] up to which the chilled water setpoint is held, shape (T, 1)."""
    return tower_loop.heat_limit(plant, _loop(plant, weather))


def kink_heats(plant: ChillerTower, weather: Weather) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design, state = electrical.design_heat(plant.electrical), _loop(plant, weather)
    return [
        plant.room_fan_min_speed * design,
        plant.chilled_water_pump_min_flow * design,
        *tower_loop.kink_heats(plant, state),
    ]
