"""The numbers a plant is made of: one frozen model per archetype, each number with unit, range and meaning.

No number stands here: they come from `models/plants/*.yaml`, where each has a source. All powers and
capacities are per MW of design IT load of the hall.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Unit(str):
    """The unit a parameter must be given in, attached to its type."""

    __slots__ = ()


Share = Annotated[float, Field(ge=0.0, le=1.0), Unit("1")]
Split = Annotated[float, Field(ge=0.02, le=0.98), Unit("1")]
Positive = Annotated[float, Field(gt=0.0, le=1.0), Unit("1")]
Speed = Annotated[float, Field(ge=0.0, le=0.6), Unit("1")]
Exponent = Annotated[float, Field(gt=0.3, le=1.0), Unit("1")]
Oversizing = Annotated[float, Field(ge=1.0, le=3.0), Unit("1")]
Cycles = Annotated[float, Field(ge=1.5, le=100.0), Unit("1")]
Cop = Annotated[float, Field(ge=1.0, le=40.0), Unit("1")]
Power = Annotated[float, Field(ge=0.0, le=0.3), Unit("MW/MW")]
Capacity = Annotated[float, Field(ge=0.0, le=3.0), Unit("MW/MW")]
Celsius = Annotated[float, Field(ge=2.0, le=60.0), Unit("°C")]
Kelvin = Annotated[float, Field(gt=0.0, le=30.0), Unit("K")]
Humidity = Annotated[float, Field(gt=0.0, le=30.0), Unit("g/kg")]


class Numbers(BaseModel):
    """Base of every parameter model: immutable, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Electrical(Numbers):
    """Losses between the meter and the IT load: a + b·u + c·u² (see `electrical`)."""

    ups_no_load: Power = Field(description="UPS loss at no load")
    ups_proportional: Power = Field(description="UPS loss proportional to load, at design load")
    ups_square: Power = Field(description="UPS loss proportional to load squared, at design load")
    transformer_no_load: Power = Field(description="transformer and distribution loss at no load")
    transformer_square: Power = Field(description="transformer and distribution loss ~ load squared, at design load")
    miscellaneous: Power = Field(description="lighting, controls, plug loads: constant")


class RoomFan(Numbers):
    """Fans that move air through the hall."""

    room_fan: Power = Field(description="fan power per heat carried by air, all at design")
    room_fan_min_speed: Speed = Field(description="slowest speed of the fans, of full speed")


class DryCooler(Numbers):
    """Finned coil with fans, rated as a manufacturer prints it."""

    dry_cooler_fan: Power = Field(description="fan power per heat at the rating point")
    dry_cooler_rated_itd: Kelvin = Field(description="entering water minus entering air at the rating point")
    dry_cooler_rated_range: Kelvin = Field(description="entering minus leaving water at the rating point")
    dry_cooler_oversizing: Oversizing = Field(description="rated heat over design heat of the loop")
    dry_cooler_speed_exponent: Exponent = Field(description="n of heat ~ fan speed^n")
    dry_cooler_min_speed: Speed = Field(description="slowest speed of the fans, of full speed")


class AirCooledChiller(Numbers):
    """Compressor cooling against outdoor air, many staged units: constant COP at given weather."""

    chiller_carnot_fraction: Positive = Field(description="COP over that of a Carnot machine")
    chiller_evaporator_approach: Kelvin = Field(description="supply of water or air minus evaporating temperature")
    chiller_condenser_approach: Kelvin = Field(description="condensing temperature minus dry bulb")
    chiller_min_lift: Kelvin = Field(description="least difference of condensing and evaporating temperature")
    chiller_max_cop: Cop = Field(description="highest COP in any weather")


class Tower(Numbers):
    """Open cooling towers behind a plate heat exchanger."""

    tower_fan: Power = Field(description="fan power per heat rejected, all at full speed")
    tower_oversizing: Oversizing = Field(description="heat at full fan speed over design heat")
    tower_speed_exponent: Exponent = Field(description="n of heat ~ fan speed^n")
    tower_min_speed: Speed = Field(description="slowest speed of the fans, of full speed")
    tower_range: Kelvin = Field(description="entering minus leaving condenser water at design heat")
    heat_exchanger_approach: Kelvin = Field(description="leaving hall water minus leaving tower water")
    evaporative_share: Share = Field(description="share of the heat rejected by evaporation")
    cycles_of_concentration: Cycles = Field(description="dissolved solids in the basin over those in the make-up")


class WaterCooledChiller(Numbers):
    """Variable-speed centrifugal chillers on condenser water, staged so that none runs at low part load."""

    chiller_carnot_fraction: Positive = Field(description="full-load COP over that of a Carnot machine")
    chiller_evaporator_approach: Kelvin = Field(description="leaving chilled water minus evaporating temperature")
    chiller_condenser_approach: Kelvin = Field(description="condensing temperature minus leaving condenser water")
    chiller_min_lift: Kelvin = Field(description="least difference of condensing and evaporating temperature")
    chiller_max_cop: Cop = Field(description="highest full-load COP in any weather")
    chiller_capacity: Capacity = Field(description="cooling capacity per design IT load; 0 for a chiller-less plant")
    chiller_part_load_constant: Share = Field(description="a of power ~ a + b·p + c·p², p part-load ratio")
    chiller_part_load_linear: Share = Field(description="b of power ~ a + b·p + c·p²")
    chiller_part_load_square: Share = Field(description="c of power ~ a + b·p + c·p²")

    @model_validator(mode="after")
    def _best_part_load(self) -> Self:
        if self.chiller_part_load_constant > self.chiller_part_load_square:
            raise ValueError(
                f"chiller_part_load_constant {self.chiller_part_load_constant:g} above chiller_part_load_square "
                f"{self.chiller_part_load_square:g}: the chiller would be most efficient above full load"
            )
        return self


class Plant(Numbers):
    """A cooling plant and its electrical supply, complete; one subclass per archetype."""

    archetype: str
    description: str
    electrical: Electrical


class DlcDryCooler(Plant, RoomFan, DryCooler, AirCooledChiller):
    """Direct liquid cooling on warm facility water from dry coolers; the air part on its own cooler loop."""

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


class AirsideEconomizer(Plant, RoomFan, AirCooledChiller):
    """Outdoor air with direct evaporative cooling; recirculation and DX when it is too hot or too humid."""

    supply_air: Celsius = Field(description="supply air setpoint")
    air_range: Kelvin = Field(description="return minus supply air")
    room_fan_oversizing: Oversizing = Field(description="air flow at full speed over design flow")
    evaporative_effectiveness: Positive = Field(description="wet-bulb depression removed by the wet media")
    max_supply_humidity: Humidity = Field(description="highest humidity ratio of the supply air")
    cycles_of_concentration: Cycles = Field(description="dissolved solids in the sump over those in the make-up")


class AdiabaticDryChiller(Plant, RoomFan, DryCooler, AirCooledChiller):
    """Chilled water to room coolers from dry coolers with wetted pads in front of air-cooled chillers."""

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


class ChillerTower(Plant, RoomFan, Tower, WaterCooledChiller):
    """Chilled water to room coolers from towers through a plate exchanger, water-cooled chillers for the rest."""

    chilled_water_supply: Celsius = Field(description="chilled water supply setpoint")
    chilled_water_range: Kelvin = Field(description="chilled water return minus supply")
    chilled_water_pump: Power = Field(description="chilled water pump power per heat of the hall, at design")
    chilled_water_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    chilled_water_pump_min_flow: Share = Field(description="least flow, of design flow")
    condenser_pump: Power = Field(description="condenser water pump power per heat rejected, at design")
    condenser_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    condenser_pump_min_flow: Share = Field(description="least flow, of design flow")


class DlcTower(Plant, RoomFan, Tower, WaterCooledChiller):
    """Direct liquid cooling from towers through a plate exchanger; chillers only where the file gives capacity."""

    liquid_share: Split = Field(description="share of the heat carried by liquid")
    facility_supply: Celsius = Field(description="facility water supply setpoint, held while the weather allows")
    facility_supply_max: Celsius = Field(description="supply temperature up to which a chiller-less plant may float")
    facility_range: Kelvin = Field(description="facility water return minus supply")
    facility_pump: Power = Field(description="facility water pump power per heat of the hall, at design")
    facility_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    facility_pump_min_flow: Share = Field(description="least flow, of design flow")
    condenser_pump: Power = Field(description="tower water pump power per heat rejected, at design")
    condenser_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    condenser_pump_min_flow: Share = Field(description="least flow, of design flow")


ARCHETYPES: dict[str, type[Plant]] = {
    "dlc_dry_cooler": DlcDryCooler,
    "airside_economizer": AirsideEconomizer,
    "adiabatic_dry_chiller": AdiabaticDryChiller,
    "chiller_tower": ChillerTower,
    "dlc_tower": DlcTower,
}
