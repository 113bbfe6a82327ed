"""Archetype `chiller_tower`: chilled water from towers through a plate exchanger, water-cooled chillers in series.

Air-cooled IT with room coolers; all heat, with the compressors', leaves through the towers.
"""

from typing import Literal

from pydantic import Field

from energy.plant import equipment, heat_rejection
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import NO_LIQUID_HEAT, Celsius, Kelvin, Plant, Power, RoomFan, Share, TowerLoop
from energy.plant.weather import Weather


class ChillerTower(Plant, RoomFan, TowerLoop):
    """Chilled water to room coolers from towers through a plate exchanger, water-cooled chillers for the rest."""

    archetype: Literal["chiller_tower"]
    chilled_water_supply: Celsius = Field(description="chilled water supply setpoint")
    chilled_water_range: Kelvin = Field(description="chilled water return minus supply")
    chilled_water_pump: Power = Field(description="chilled water pump power per heat of the hall, at design")
    chilled_water_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    chilled_water_pump_min_flow: Share = Field(description="least flow, of design flow")

    def state(self, weather: Weather) -> heat_rejection.Loop:
        """Tower loop, which weather alone decides; weather arrays of shape (T, 1)."""
        supply, design = self.chilled_water_supply, equipment.design_heat(self.electrical)
        return heat_rejection.loop(self, weather, supply, supply, self.chilled_water_range, design)

    def overhead(self, loop: heat_rejection.Loop, load: Floats) -> Overhead:
        """See `energy.plant.overhead`; load of shape (T, B)."""
        losses = equipment.loss(self.electrical, load)
        heat, design = load + losses, equipment.design_heat(self.electrical)
        flow = heat / design
        static, least = self.chilled_water_pump_static_share, self.chilled_water_pump_min_flow
        chilled = equipment.pump_power(self.chilled_water_pump * design, flow, static, least)
        fans = equipment.fan_power(self.room_fan * design, flow, self.room_fan_min_speed)
        return heat_rejection.loop_overhead(self, loop, losses, heat, fans, chilled)

    def heat_limit(self, loop: heat_rejection.Loop) -> Floats:
        """Heat [MW/MW] up to which the chilled water setpoint is held, shape (T, 1)."""
        return heat_rejection.heat_limit(self, loop)

    def kink_heats(self, loop: heat_rejection.Loop) -> list[Floats | float]:
        """Heats [MW/MW] at which the curve has a kink, the strongest first."""
        design = equipment.design_heat(self.electrical)
        least = (self.room_fan_min_speed * design, self.chilled_water_pump_min_flow * design)
        return [*least, *heat_rejection.kink_heats(self, loop)]

    def liquid_heat(self) -> tuple[float, float]:
        """See `Plant.liquid_heat`: heat of chilled water or supply air is not offered."""
        return NO_LIQUID_HEAT
