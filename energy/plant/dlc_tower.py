"""Archetype `dlc_tower`: direct liquid cooling from towers through a plate exchanger, with or without chillers.

Without chillers (`chiller_capacity` 0, the ESIF of NREL) the supply floats above its setpoint in humid heat, up to
`facility_supply_max`, and weather beyond that derates the hall. With chillers the setpoint is held. The air part
is served by room coolers on the same loop.
"""

from __future__ import annotations

import numpy as np

from energy.plant import air, electrical, tower, tower_loop, water
from energy.plant.arrays import Floats
from energy.plant.parameters import DlcTower
from energy.plant.results import Overhead
from energy.plant.weather import Weather


def state(plant: DlcTower, weather: Weather) -> tower_loop.Loop:
    """What weather alone decides; weather arrays of shape (T, 1)."""
    design = electrical.design_heat(plant.electrical)
    supply, warmest = plant.facility_supply, plant.facility_supply_max
    return tower_loop.loop(plant, weather, supply, warmest, plant.facility_range, design)


def overhead(plant: DlcTower, loop: tower_loop.Loop, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = electrical.loss(plant.electrical, load)
    heat, design = load + losses, electrical.design_heat(plant.electrical)
    flow = heat / design
    compressors = tower_loop.compressor_power(plant, loop, heat)
    rejected = heat + compressors
    facility = water.pump_power(
        plant.facility_pump * design, flow, plant.facility_pump_static_share, plant.facility_pump_min_flow
    )
    room = plant.room_fan * (1.0 - plant.liquid_share) * design
    return Overhead(
        electrical=losses,
        fans=air.fan_power(room, flow, plant.room_fan_min_speed),
        pumps=np.asarray(facility + tower_loop.condenser_pump_power(plant, loop, rejected)),
        compressors=compressors,
        heat_rejection=tower.fan_power(plant, loop.design_rejection, loop.towers.capacity, rejected),
        water=tower_loop.make_up(plant, loop, rejected),
        free_cooling=np.asarray(np.broadcast_to(1.0 - loop.chiller_share, heat.shape)),
    )


def heat_limit(plant: DlcTower, loop: tower_loop.Loop) -> Floats:
    """Heat [MW/MW] up to which the supply is held or floats no higher than allowed, shape (T, 1)."""
    return tower_loop.heat_limit(plant, loop)


def kink_heats(plant: DlcTower, loop: tower_loop.Loop) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design = electrical.design_heat(plant.electrical)
    return [
        plant.room_fan_min_speed * design,
        plant.facility_pump_min_flow * design,
        *tower_loop.kink_heats(plant, loop),
    ]
