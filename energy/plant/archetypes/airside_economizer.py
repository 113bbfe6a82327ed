"""Archetype `airside_economizer`: outdoor air, direct evaporative cooling, recirculation with DX trim.

Modes follow the weather alone:

- outdoor air at or below the setpoint and not too humid: mixed with return air, no water, no compressor;
- warmer: wet media cool it as far as wet bulb, effectiveness and the humidity limit of the supply air allow,
  and DX takes what is missing to the setpoint;
- more humid than the supply limit: the hall recirculates and DX carries all heat.

Not modelled: humidification in dry cold (the supply then lies below the ASHRAE recommended, within the
allowable envelope), filters that load up, smoke.
"""

from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from energy.plant import equipment, psychrometrics
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import (
    NO_LIQUID_HEAT,
    AirCooledChiller,
    Celsius,
    Cycles,
    Humidity,
    Kelvin,
    Oversizing,
    Plant,
    Positive,
    RoomFan,
)
from energy.plant.weather import Weather


class Intake(NamedTuple):
    """Outdoor air after the wet media, arrays of shape (T, 1)."""

    dx_share: Floats  # share of the heat left to DX
    moisture: Floats  # water taken up per dry air [kg/kg]
    cop: Floats  # full-load COP of DX


class AirsideEconomizer(Plant, RoomFan, AirCooledChiller):
    """Outdoor air with direct evaporative cooling; recirculation and DX when it is too hot or too humid."""

    archetype: Literal["airside_economizer"]
    supply_air: Celsius = Field(description="supply air setpoint")
    air_range: Kelvin = Field(description="return minus supply air")
    room_fan_oversizing: Oversizing = Field(description="air flow at full speed over design flow")
    evaporative_effectiveness: Positive = Field(description="wet-bulb depression removed by the wet media")
    max_supply_humidity: Humidity = Field(description="highest humidity ratio of the supply air")
    cycles_of_concentration: Cycles = Field(description="dissolved solids in the sump over those in the make-up")

    def state(self, weather: Weather) -> Intake:
        """Supply air, which weather alone decides; weather arrays of shape (T, 1)."""
        limit = 1e-3 * self.max_supply_humidity
        temp, ratio = weather.temp_air, weather.humidity_ratio
        content = psychrometrics.enthalpy(temp, ratio)
        specific_heat = psychrometrics.CP_AIR + psychrometrics.CP_VAPOUR * limit
        wettest = (content - psychrometrics.H_VAPOUR * limit) / specific_heat
        reached = equipment.evaporative_temp(temp, weather.temp_wet_bulb, self.evaporative_effectiveness)
        supply = np.minimum(np.maximum(np.maximum(reached, wettest), self.supply_air), temp)
        humid = ratio > limit
        missing = np.clip((supply - self.supply_air) / self.air_range, 0.0, 1.0)
        outdoors = ~humid & (missing < 1.0)
        moisture = np.where(outdoors, psychrometrics.moisture_taken_up(temp, ratio, supply), 0.0)
        cop = equipment.full_load_cop(self, self.supply_air, temp)
        return Intake(np.asarray(np.where(humid, 1.0, missing)), np.asarray(moisture), cop)

    def overhead(self, intake: Intake, load: Floats) -> Overhead:
        """See `energy.plant.overhead`; load of shape (T, B)."""
        losses = equipment.loss(self.electrical, load)
        heat, design = load + losses, equipment.design_heat(self.electrical)
        full = self.room_fan * self.room_fan_oversizing * design
        air_flow = 1e3 * heat / (psychrometrics.CP_AIR * self.air_range)  # [kg/s per MW]
        evaporated = equipment.M3_PER_H * air_flow * intake.moisture
        return Overhead(
            electrical=losses,
            fans=equipment.fan_power(full, heat / (self.room_fan_oversizing * design), self.room_fan_min_speed),
            pumps=np.zeros_like(heat),
            compressors=np.asarray(heat * (intake.dx_share / intake.cop)),
            heat_rejection=np.zeros_like(heat),
            water=equipment.make_up(evaporated, self.cycles_of_concentration),
            free_cooling=np.asarray(np.broadcast_to(1.0 - intake.dx_share, heat.shape)),
        )

    def heat_limit(self, intake: Intake) -> Floats:
        """Heat [MW/MW] up to which the supply air setpoint is held: DX carries the whole hall, so no limit."""
        return np.full_like(intake.cop, np.inf)

    def kink_heats(self, intake: Intake) -> list[Floats | float]:
        """Heats [MW/MW] at which the curve has a kink, the strongest first."""
        return [self.room_fan_min_speed * self.room_fan_oversizing * equipment.design_heat(self.electrical)]

    def liquid_heat(self) -> tuple[float, float]:
        """See `Plant.liquid_heat`: heat of chilled water or supply air is not offered."""
        return NO_LIQUID_HEAT
