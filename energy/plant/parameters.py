"""The numbers a plant is made of: one frozen model per archetype, each number with unit, range and meaning.

No number stands here: they come from `models/plants/*.yaml`, where each has a source. All powers and
capacities are per MW of design IT load of the hall.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from energy.plant.arrays import Floats, Overhead
from energy.plant.weather import Weather


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
        constant, square = self.chiller_part_load_constant, self.chiller_part_load_square
        if not constant <= square:
            what = f"chiller_part_load_constant {constant:g} above chiller_part_load_square {square:g}"
            raise ValueError(f"{what}: the chiller would be most efficient above full load")
        return self


class TowerLoop(Tower, WaterCooledChiller):
    """A water loop on towers with chillers behind them (see `tower_loop`)."""

    condenser_pump: Power = Field(description="condenser water pump power per heat rejected, at design")
    condenser_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    condenser_pump_min_flow: Share = Field(description="least flow, of design flow")


class Plant(Numbers, ABC):
    """A cooling plant and its electrical supply, complete; one subclass per archetype, with all that it can be asked.

    An archetype is one file of `archetypes/`. A class that does not answer everything here is refused when it is
    defined.
    """

    archetype: str
    description: str
    electrical: Electrical

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        if missing := sorted(cls.__abstractmethods__):
            raise TypeError(f"archetype {cls.__name__} lacks {', '.join(missing)}")
        (name,) = get_args(cls.model_fields["archetype"].annotation)
        if name in ARCHETYPES:
            raise TypeError(f"archetype {name} is defined twice: {ARCHETYPES[name].__name__} and {cls.__name__}")
        ARCHETYPES[name] = cls

    @abstractmethod
    def state(self, weather: Weather) -> Any:
        """State that weather alone decides, for the other answers; weather arrays of shape (T, 1)."""

    @abstractmethod
    def overhead(self, state: Any, load: Floats) -> Overhead:
        """See `energy.plant.overhead`; load of shape (T, B)."""

    @abstractmethod
    def heat_limit(self, state: Any) -> Floats:
        """Heat [MW/MW] up to which the supply setpoint is held, shape (T, 1); infinite where nothing limits it."""

    @abstractmethod
    def kink_heats(self, state: Any) -> list[Floats | float]:
        """Heats [MW/MW] at which the curve has a kink, the strongest first."""

    @abstractmethod
    def liquid_heat(self) -> tuple[float, float]:
        """Share of the IT power that a liquid loop carries [1], and the loop's return temperature at design flow [°C].

        `NO_LIQUID_HEAT` where no heat is offered. h_t <= φ·f_liq·u_t, where φ, the share an exchanger hands over,
        belongs to the contract, not to the plant.
        """


#: Archetypes by the name that plant files give; each enters as it is defined.
ARCHETYPES: dict[str, type[Plant]] = {}
#: Heat of a hall without a liquid loop: none, and colder than any buyer wants (absolute zero, in °C).
NO_LIQUID_HEAT = (0.0, -273.15)
