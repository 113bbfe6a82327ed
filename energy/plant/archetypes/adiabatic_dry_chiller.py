"""Archetype `adiabatic_dry_chiller`: chilled water from dry coolers with wetted pads, air-cooled chillers trim.

Air-cooled IT, room coolers on a chilled water loop, a plate exchanger to the glycol of the dry coolers. Above
`pad_start` the pads in front of the coolers are wet and pre-cool their air; the chillers' own condensers take
dry outdoor air. Weather alone decides on the pads and on the heat at which the chillers start.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from energy.plant import equipment, heat_rejection, psychrometrics
from energy.plant.arrays import Floats, Overhead, free_share
from energy.plant.parameters import (
    NO_LIQUID_HEAT,
    AirCooledChiller,
    Celsius,
    Cycles,
    DryCooler,
    Kelvin,
    Plant,
    Power,
    RoomFan,
    Share,
    Unit,
)
from energy.plant.weather import Weather


class Coolers(NamedTuple):
    """Dry coolers and trim chillers in given weather, arrays of shape (T, 1)."""

    fan_capacity: Floats
    spill: Floats
    chiller_slope: Floats
    moisture: Floats  # water taken up per dry air at the pads [kg/kg]


class AdiabaticDryChiller(Plant, RoomFan, DryCooler, AirCooledChiller):
    """Chilled water to room coolers from dry coolers with wetted pads in front of air-cooled chillers."""

    archetype: Literal["adiabatic_dry_chiller"]
    chilled_water_supply: Celsius = Field(description="chilled water supply setpoint")
    chilled_water_range: Kelvin = Field(description="chilled water return minus supply")
    chilled_water_pump: Power = Field(description="chilled water pump power per heat of the hall, at design")
    chilled_water_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    chilled_water_pump_min_flow: Share = Field(description="least flow, of design flow")
    cooler_pump: Power = Field(description="glycol pump power of the cooler loop per heat of the hall, at design")
    cooler_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    cooler_pump_min_flow: Share = Field(description="least flow, of design flow")
    heat_exchanger_approach: Kelvin = Field(description="chilled water minus cooler water across the glycol exchanger")
    pad_effectiveness: Share = Field(description="wet-bulb depression removed by the wetted pads")
    pad_start: Celsius = Field(description="dry bulb above which the pads are wetted")
    pad_air_flow: Annotated[float, Field(gt=0.0, le=500.0), Unit("kg/s/MW")] = Field(
        description="cooler air flow at full speed per rated heat"
    )
    cycles_of_concentration: Cycles = Field(description="dissolved solids in the sump over those in the make-up")

    def state(self, weather: Weather) -> Coolers:
        """Coolers and chillers, which weather alone decides; weather arrays of shape (T, 1)."""
        design = equipment.design_heat(self.electrical)
        temp, ratio = weather.temp_air, weather.humidity_ratio
        behind_pads = equipment.evaporative_temp(temp, weather.temp_wet_bulb, self.pad_effectiveness)
        entering = np.where(temp > self.pad_start, behind_pads, temp)
        itd = self.chilled_water_supply + self.chilled_water_range - self.heat_exchanger_approach - entering
        capacity = heat_rejection.capacity(self, design, self.chilled_water_range, itd)
        slope = 1.0 / equipment.full_load_cop(self, self.chilled_water_supply, temp)
        return Coolers(
            fan_capacity=heat_rejection.fan_capacity(self, design, self.chilled_water_range, itd),
            spill=heat_rejection.spill_heat(self, design, capacity, slope),
            chiller_slope=slope,
            moisture=psychrometrics.moisture_taken_up(temp, ratio, entering),
        )

    def overhead(self, coolers: Coolers, load: Floats) -> Overhead:
        """See `energy.plant.overhead`; load of shape (T, B)."""
        losses = equipment.loss(self.electrical, load)
        heat, design = load + losses, equipment.design_heat(self.electrical)
        flow = heat / design
        trimmed = np.maximum(heat - coolers.spill, 0.0)
        static, least = self.chilled_water_pump_static_share, self.chilled_water_pump_min_flow
        chilled = equipment.pump_power(self.chilled_water_pump * design, flow, static, least)
        glycol = equipment.pump_power(
            self.cooler_pump * design, flow, self.cooler_pump_static_share, self.cooler_pump_min_flow
        )
        # The pads' air flow is in proportion to fan speed.
        speed = heat_rejection.fan_speed(self, coolers.fan_capacity, heat - trimmed)
        air_flow = self.pad_air_flow * self.dry_cooler_oversizing * design * speed
        evaporated = np.asarray(equipment.M3_PER_H * air_flow * coolers.moisture)
        return Overhead(
            electrical=losses,
            fans=equipment.fan_power(self.room_fan * design, flow, self.room_fan_min_speed),
            pumps=np.asarray(chilled + glycol),
            compressors=np.asarray(coolers.chiller_slope * trimmed),
            heat_rejection=heat_rejection.dry_cooler_fan_power(self, design, coolers.fan_capacity, heat - trimmed),
            water=equipment.make_up(evaporated, self.cycles_of_concentration),
            free_cooling=free_share(trimmed, heat),
        )

    def heat_limit(self, coolers: Coolers) -> Floats:
        """Heat [MW/MW] up to which the setpoint is held: the chillers carry the whole hall, so no limit."""
        return np.full_like(coolers.spill, np.inf)

    def kink_heats(self, coolers: Coolers) -> list[Floats | float]:
        """Heats [MW/MW] at which the curve has a kink, the strongest first."""
        design = equipment.design_heat(self.electrical)
        flows = self.room_fan_min_speed, self.chilled_water_pump_min_flow, self.cooler_pump_min_flow
        return [coolers.spill, *(least * design for least in flows)]

    def liquid_heat(self) -> tuple[float, float]:
        """See `Plant.liquid_heat`: heat of chilled water or supply air is not offered."""
        return NO_LIQUID_HEAT
