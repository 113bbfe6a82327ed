"""Archetype `dlc_dry_cooler`: direct liquid cooling on warm facility water from dry coolers.

Heat Q = u + loss(u). The liquid share goes through CDUs and facility water to dry coolers; with
`liquid_trim_capacity` 0 that loop has no chiller and hot days derate the hall. The air share goes through room
coolers to a loop with its own dry coolers, which spill to a trim chiller.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from energy.plant import equipment, heat_rejection
from energy.plant.arrays import Floats, Overhead, free_share
from energy.plant.parameters import (
    AirCooledChiller,
    Capacity,
    Celsius,
    DryCooler,
    Kelvin,
    Plant,
    Power,
    RoomFan,
    Share,
    Split,
)
from energy.plant.weather import Weather


class Loop(NamedTuple):
    """One water loop on dry coolers in given weather; arrays of shape (T, 1)."""

    share: float
    design_heat: float
    capacity: Floats
    fan_capacity: Floats
    chiller_slope: Floats
    spill: Floats
    trim_capacity: float


def _loop(plant: DlcDryCooler, weather: Weather, share: float, supply: float, span: float, trim: float) -> Loop:
    """The loop that carries `share` of the heat at a supply setpoint and a temperature difference."""
    design = share * equipment.design_heat(plant.electrical)
    itd = supply + span - weather.temp_air
    capacity = heat_rejection.capacity(plant, design, span, itd)
    slope = 1.0 / equipment.full_load_cop(plant, supply, weather.temp_air)
    spill = heat_rejection.spill_heat(plant, design, capacity, slope)
    return Loop(share, design, capacity, heat_rejection.fan_capacity(plant, design, span, itd), slope, spill, trim)


class DlcDryCooler(Plant, RoomFan, DryCooler, AirCooledChiller):
    """Direct liquid cooling on warm facility water from dry coolers; the air part on its own cooler loop."""

    archetype: Literal["dlc_dry_cooler"]
    liquid_share: Split = Field(description="share of the heat carried by liquid")
    facility_supply: Celsius = Field(description="facility water supply setpoint")
    facility_range: Kelvin = Field(description="facility water return minus supply")
    facility_pump: Power = Field(description="facility water pump power per heat of the hall, at design")
    facility_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    facility_pump_min_flow: Share = Field(description="least flow, of design flow")
    cdu_pump: Power = Field(description="pump power of the coolant distribution units per heat of the hall")
    cdu_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    cdu_pump_min_flow: Share = Field(description="least flow, of design flow")
    liquid_trim_capacity: Capacity = Field(description="chiller capacity on the liquid loop; 0 for none")
    air_water_supply: Celsius = Field(description="supply setpoint of the water to the room coolers")
    air_water_range: Kelvin = Field(description="return minus supply of the water to the room coolers")

    def state(self, weather: Weather) -> tuple[Loop, Loop]:
        """The liquid loop and the air loop: what weather alone decides; weather arrays of shape (T, 1)."""
        share, trim = self.liquid_share, self.liquid_trim_capacity
        liquid = _loop(self, weather, share, self.facility_supply, self.facility_range, trim)
        room = _loop(self, weather, 1.0 - share, self.air_water_supply, self.air_water_range, np.inf)
        return liquid, room

    def overhead(self, loops: tuple[Loop, Loop], load: Floats) -> Overhead:
        """See `energy.plant.overhead`; load of shape (T, B)."""
        losses = equipment.loss(self.electrical, load)
        heat, design = load + losses, equipment.design_heat(self.electrical)
        flow = heat / design
        # The trim chillers take what is above the spill point, up to their capacity.
        trimmed = [np.clip(loop.share * heat - loop.spill, 0.0, loop.trim_capacity) for loop in loops]
        facility = equipment.pump_power(
            self.facility_pump * design, flow, self.facility_pump_static_share, self.facility_pump_min_flow
        )
        cdu = equipment.pump_power(self.cdu_pump * design, flow, self.cdu_pump_static_share, self.cdu_pump_min_flow)
        fans = [
            heat_rejection.dry_cooler_fan_power(self, loop.design_heat, loop.fan_capacity, loop.share * heat - part)
            for loop, part in zip(loops, trimmed, strict=True)
        ]
        return Overhead(
            electrical=losses,
            fans=equipment.fan_power(self.room_fan * loops[1].design_heat, flow, self.room_fan_min_speed),
            pumps=np.asarray(facility + cdu),
            compressors=np.asarray(sum(loop.chiller_slope * part for loop, part in zip(loops, trimmed, strict=True))),
            heat_rejection=np.asarray(sum(fans)),
            water=np.zeros_like(heat),
            free_cooling=free_share(trimmed[0] + trimmed[1], heat),
        )

    def heat_limit(self, loops: tuple[Loop, Loop]) -> Floats:
        """Heat [MW/MW] up to which the facility water setpoint is held, shape (T, 1)."""
        liquid, _ = loops
        return np.asarray((liquid.capacity + liquid.trim_capacity) / liquid.share)

    def kink_heats(self, loops: tuple[Loop, Loop]) -> list[Floats | float]:
        """Heats [MW/MW] at which the curve has a kink, the strongest first."""
        design = equipment.design_heat(self.electrical)
        liquid, room = loops
        own_chiller = [liquid.spill / liquid.share, (liquid.spill + liquid.trim_capacity) / liquid.share]
        flows = self.cdu_pump_min_flow, self.facility_pump_min_flow, self.room_fan_min_speed
        chiller = own_chiller if liquid.trim_capacity > 0.0 else []
        return [*(least * design for least in flows), room.spill / room.share, *chiller]

    def liquid_heat(self) -> tuple[float, float]:
        """See `Plant.liquid_heat`."""
        return self.liquid_share, self.facility_supply + self.facility_range
