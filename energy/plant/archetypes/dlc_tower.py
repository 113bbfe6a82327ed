"""Archetype `dlc_tower`: direct liquid cooling from towers through a plate exchanger, with or without chillers.

Without chillers (`chiller_capacity` 0, the ESIF of NREL) the supply floats above its setpoint in humid heat, up to
`facility_supply_max`, and weather beyond that derates the hall. With chillers the setpoint is held. The air part
is served by room coolers on the same loop.
"""

from typing import Literal

from pydantic import Field

from energy.plant import equipment, heat_rejection
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import Celsius, Kelvin, Plant, Power, RoomFan, Share, Split, TowerLoop
from energy.plant.weather import Weather


class DlcTower(Plant, RoomFan, TowerLoop):
    """Direct liquid cooling from towers through a plate exchanger; chillers only where the file gives capacity."""

    archetype: Literal["dlc_tower"]
    liquid_share: Split = Field(description="share of the heat carried by liquid")
    facility_supply: Celsius = Field(description="facility water supply setpoint, held while the weather allows")
    facility_supply_max: Celsius = Field(description="supply temperature up to which a chiller-less plant may float")
    facility_range: Kelvin = Field(description="facility water return minus supply")
    facility_pump: Power = Field(description="facility water pump power per heat of the hall, at design")
    facility_pump_static_share: Share = Field(description="share of the head that does not fall with flow")
    facility_pump_min_flow: Share = Field(description="least flow, of design flow")

    def state(self, weather: Weather) -> heat_rejection.Loop:
        """Tower loop, which weather alone decides; weather arrays of shape (T, 1)."""
        design = equipment.design_heat(self.electrical)
        supply, warmest = self.facility_supply, self.facility_supply_max
        return heat_rejection.loop(self, weather, supply, warmest, self.facility_range, design)

    def overhead(self, loop: heat_rejection.Loop, load: Floats) -> Overhead:
        """See `energy.plant.overhead`; load of shape (T, B)."""
        losses = equipment.loss(self.electrical, load)
        heat, design = load + losses, equipment.design_heat(self.electrical)
        flow = heat / design
        facility = equipment.pump_power(
            self.facility_pump * design, flow, self.facility_pump_static_share, self.facility_pump_min_flow
        )
        fans = equipment.fan_power(self.room_fan * (1.0 - self.liquid_share) * design, flow, self.room_fan_min_speed)
        return heat_rejection.loop_overhead(self, loop, losses, heat, fans, facility)

    def heat_limit(self, loop: heat_rejection.Loop) -> Floats:
        """Heat [MW/MW] up to which the supply is held or floats no higher than allowed, shape (T, 1)."""
        return heat_rejection.heat_limit(self, loop)

    def kink_heats(self, loop: heat_rejection.Loop) -> list[Floats | float]:
        """Heats [MW/MW] at which the curve has a kink, the strongest first."""
        design = equipment.design_heat(self.electrical)
        least = (self.room_fan_min_speed * design, self.facility_pump_min_flow * design)
        return [*least, *heat_rejection.kink_heats(self, loop)]

    def liquid_heat(self) -> tuple[float, float]:
        """See `Plant.liquid_heat`."""
        return self.liquid_share, self.facility_supply + self.facility_range
