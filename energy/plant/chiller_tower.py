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


def state(plant: ChillerTower, weather: Weather) -> tower_loop.Loop:
    """What weather alone decides; weather arrays of shape (T, 1)."""
    supply, design = plant.chilled_water_supply, electrical.design_heat(plant.electrical)
    return tower_loop.loop(plant, weather, supply, supply, plant.chilled_water_range, design)


def overhead(plant: ChillerTower, loop: tower_loop.Loop, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = electrical.loss(plant.electrical, load)
    heat, design = load + losses, electrical.design_heat(plant.electrical)
    flow = heat / design
    compressors = tower_loop.compressor_power(plant, loop, heat)
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
        pumps=np.asarray(chilled + tower_loop.condenser_pump_power(plant, loop, rejected)),
        compressors=compressors,
        heat_rejection=tower.fan_power(plant, loop.design_rejection, loop.towers.capacity, rejected),
        water=tower_loop.make_up(plant, loop, rejected),
        free_cooling=np.asarray(np.broadcast_to(1.0 - loop.chiller_share, heat.shape)),
    )


def heat_limit(plant: ChillerTower, loop: tower_loop.Loop) -> Floats:
    """Heat [MW/MW] up to which the chilled water setpoint is held, shape (T, 1)."""
    return tower_loop.heat_limit(plant, loop)


def kink_heats(plant: ChillerTower, loop: tower_loop.Loop) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design = electrical.design_heat(plant.electrical)
    return [
        plant.room_fan_min_speed * design,
        plant.chilled_water_pump_min_flow * design,
        *tower_loop.kink_heats(plant, loop),
    ]
