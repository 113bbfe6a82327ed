"""Archetype `airside_economizer`: outdoor air, direct evaporative cooling, recirculation with DX trim.

Modes follow the weather alone:

- outdoor air at or below the setpoint and not too humid: mixed with return air, no water, no compressor;
- warmer: wet media cool it as far as wet bulb, effectiveness and the humidity limit of the supply air allow,
  and DX takes what is missing to the setpoint;
- more humid than the supply limit: the hall recirculates and DX carries all heat.

Not modelled: humidification in dry cold (the supply then lies below the ASHRAE recommended, within the
allowable envelope), filters that load up, smoke.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from energy.plant import equipment, psychrometrics
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import AirsideEconomizer
from energy.plant.weather import Weather


class Intake(NamedTuple):
    """Outdoor air after the wet media, arrays of shape (T, 1)."""

    dx_share: Floats  # share of the heat left to DX
    moisture: Floats  # water taken up per dry air [kg/kg]
    cop: Floats  # full-load COP of DX


def state(plant: AirsideEconomizer, weather: Weather) -> Intake:
    """What weather alone decides; weather arrays of shape (T, 1)."""
    limit = 1e-3 * plant.max_supply_humidity
    temp, ratio = weather.temp_air, weather.humidity_ratio
    content = psychrometrics.enthalpy(temp, ratio)
    wettest = (content - psychrometrics.H_VAPOUR * limit) / (psychrometrics.CP_AIR + psychrometrics.CP_VAPOUR * limit)
    reached = equipment.evaporative_temp(temp, weather.temp_wet_bulb, plant.evaporative_effectiveness)
    supply = np.minimum(np.maximum(np.maximum(reached, wettest), plant.supply_air), temp)
    humid = ratio > limit
    missing = np.clip((supply - plant.supply_air) / plant.air_range, 0.0, 1.0)
    outdoors = ~humid & (missing < 1.0)
    moisture = np.where(outdoors, psychrometrics.moisture_taken_up(temp, ratio, supply), 0.0)
    cop = equipment.full_load_cop(plant, plant.supply_air, temp)
    return Intake(np.asarray(np.where(humid, 1.0, missing)), np.asarray(moisture), cop)


def overhead(plant: AirsideEconomizer, intake: Intake, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = equipment.loss(plant.electrical, load)
    heat, design = load + losses, equipment.design_heat(plant.electrical)
    full = plant.room_fan * plant.room_fan_oversizing * design
    air_flow = 1e3 * heat / (psychrometrics.CP_AIR * plant.air_range)  # [kg/s per MW]
    evaporated = equipment.M3_PER_H * air_flow * intake.moisture
    return Overhead(
        electrical=losses,
        fans=equipment.fan_power(full, heat / (plant.room_fan_oversizing * design), plant.room_fan_min_speed),
        pumps=np.zeros_like(heat),
        compressors=np.asarray(heat * (intake.dx_share / intake.cop)),
        heat_rejection=np.zeros_like(heat),
        water=equipment.make_up(evaporated, plant.cycles_of_concentration),
        free_cooling=np.asarray(np.broadcast_to(1.0 - intake.dx_share, heat.shape)),
    )


def heat_limit(plant: AirsideEconomizer, intake: Intake) -> Floats:
    """Heat [MW/MW] up to which the supply air setpoint is held: DX carries the whole hall, so no limit."""
    return np.full_like(intake.cop, np.inf)


def kink_heats(plant: AirsideEconomizer, intake: Intake) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    return [plant.room_fan_min_speed * plant.room_fan_oversizing * equipment.design_heat(plant.electrical)]
