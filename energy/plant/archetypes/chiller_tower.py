"""Archetype `chiller_tower`: chilled water from towers through a plate exchanger, water-cooled chillers in series.

Air-cooled IT with room coolers; all heat, with the compressors', leaves through the towers.
"""

from __future__ import annotations

import numpy as np

from energy.plant import equipment, heat_rejection
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import ChillerTower
from energy.plant.weather import Weather


def state(plant: ChillerTower, weather: Weather) -> heat_rejection.Loop:
    """What weather alone decides; weather arrays of shape (T, 1)."""
    supply, design = plant.chilled_water_supply, equipment.design_heat(plant.electrical)
    return heat_rejection.loop(plant, weather, supply, supply, plant.chilled_water_range, design)


def overhead(plant: ChillerTower, loop: heat_rejection.Loop, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = equipment.loss(plant.electrical, load)
    heat, design = load + losses, equipment.design_heat(plant.electrical)
    flow = heat / design
    compressors = heat_rejection.compressor_power(plant, loop, heat)
    rejected = heat + compressors
    chilled = equipment.pump_power(
        plant.chilled_water_pump * design,
        flow,
        plant.chilled_water_pump_static_share,
        plant.chilled_water_pump_min_flow,
    )
    return Overhead(
        electrical=losses,
        fans=equipment.fan_power(plant.room_fan * design, flow, plant.room_fan_min_speed),
        pumps=np.asarray(chilled + heat_rejection.condenser_pump_power(plant, loop, rejected)),
        compressors=compressors,
        heat_rejection=heat_rejection.tower_fan_power(plant, loop.design_rejection, loop.towers.capacity, rejected),
        water=heat_rejection.make_up(plant, loop, rejected),
        free_cooling=np.asarray(np.broadcast_to(1.0 - loop.chiller_share, heat.shape)),
    )


def heat_limit(plant: ChillerTower, loop: heat_rejection.Loop) -> Floats:
    """Heat [MW/MW] up to which the chilled water setpoint is held, shape (T, 1)."""
    return heat_rejection.heat_limit(plant, loop)


def kink_heats(plant: ChillerTower, loop: heat_rejection.Loop) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design = equipment.design_heat(plant.electrical)
    return [
        plant.room_fan_min_speed * design,
        plant.chilled_water_pump_min_flow * design,
        *heat_rejection.kink_heats(plant, loop),
    ]
