"""Archetype `dlc_tower`: direct liquid cooling from towers through a plate exchanger, with or without chillers.

Without chillers (`chiller_capacity` 0, the ESIF of NREL) the supply floats above its setpoint in humid heat, up to
`facility_supply_max`, and weather beyond that derates the hall. With chillers the setpoint is held. The air part
is served by room coolers on the same loop.
"""

from __future__ import annotations

import numpy as np

from energy.plant import equipment, heat_rejection
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import DlcTower
from energy.plant.weather import Weather


def state(plant: DlcTower, weather: Weather) -> heat_rejection.Loop:
    """What weather alone decides; weather arrays of shape (T, 1)."""
    design = equipment.design_heat(plant.electrical)
    supply, warmest = plant.facility_supply, plant.facility_supply_max
    return heat_rejection.loop(plant, weather, supply, warmest, plant.facility_range, design)


def overhead(plant: DlcTower, loop: heat_rejection.Loop, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = equipment.loss(plant.electrical, load)
    heat, design = load + losses, equipment.design_heat(plant.electrical)
    flow = heat / design
    compressors = heat_rejection.compressor_power(plant, loop, heat)
    rejected = heat + compressors
    facility = equipment.pump_power(
        plant.facility_pump * design, flow, plant.facility_pump_static_share, plant.facility_pump_min_flow
    )
    room = plant.room_fan * (1.0 - plant.liquid_share) * design
    return Overhead(
        electrical=losses,
        fans=equipment.fan_power(room, flow, plant.room_fan_min_speed),
        pumps=np.asarray(facility + heat_rejection.condenser_pump_power(plant, loop, rejected)),
        compressors=compressors,
        heat_rejection=heat_rejection.tower_fan_power(plant, loop.design_rejection, loop.towers.capacity, rejected),
        water=heat_rejection.make_up(plant, loop, rejected),
        free_cooling=np.asarray(np.broadcast_to(1.0 - loop.chiller_share, heat.shape)),
    )


def heat_limit(plant: DlcTower, loop: heat_rejection.Loop) -> Floats:
    """Heat [MW/MW] up to which the supply is held or floats no higher than allowed, shape (T, 1)."""
    return heat_rejection.heat_limit(plant, loop)


def kink_heats(plant: DlcTower, loop: heat_rejection.Loop) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design = equipment.design_heat(plant.electrical)
    return [
        plant.room_fan_min_speed * design,
        plant.facility_pump_min_flow * design,
        *heat_rejection.kink_heats(plant, loop),
    ]
