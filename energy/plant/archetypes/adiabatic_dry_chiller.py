"""Archetype `adiabatic_dry_chiller`: chilled water from dry coolers with wetted pads, air-cooled chillers trim.

Air-cooled IT, room coolers on a chilled water loop, a plate exchanger to the glycol of the dry coolers. Above
`pad_start` the pads in front of the coolers are wet and pre-cool their air; the chillers' own condensers take
dry outdoor air. Weather alone decides on the pads and on the heat at which the chillers start.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from energy.plant import equipment, heat_rejection, psychrometrics
from energy.plant.arrays import Floats, Overhead, free_share
from energy.plant.parameters import AdiabaticDryChiller
from energy.plant.weather import Weather


class Coolers(NamedTuple):
    """Dry coolers and trim chillers in given weather, arrays of shape (T, 1)."""

    fan_capacity: Floats
    spill: Floats
    chiller_slope: Floats
    moisture: Floats  # water taken up per dry air at the pads [kg/kg]


def state(plant: AdiabaticDryChiller, weather: Weather) -> Coolers:
    """What weather alone decides; weather arrays of shape (T, 1)."""
    design = equipment.design_heat(plant.electrical)
    temp, ratio = weather.temp_air, weather.humidity_ratio
    behind_pads = equipment.evaporative_temp(temp, weather.temp_wet_bulb, plant.pad_effectiveness)
    entering = np.where(temp > plant.pad_start, behind_pads, temp)
    itd = plant.chilled_water_supply + plant.chilled_water_range - plant.heat_exchanger_approach - entering
    capacity = heat_rejection.capacity(plant, design, plant.chilled_water_range, itd)
    slope = 1.0 / equipment.full_load_cop(plant, plant.chilled_water_supply, temp)
    return Coolers(
        fan_capacity=heat_rejection.fan_capacity(plant, design, plant.chilled_water_range, itd),
        spill=heat_rejection.spill_heat(plant, design, capacity, slope),
        chiller_slope=slope,
        moisture=psychrometrics.moisture_taken_up(temp, ratio, entering),
    )


def overhead(plant: AdiabaticDryChiller, coolers: Coolers, load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = equipment.loss(plant.electrical, load)
    heat, design = load + losses, equipment.design_heat(plant.electrical)
    flow = heat / design
    trimmed = np.maximum(heat - coolers.spill, 0.0)
    return Overhead(
        electrical=losses,
        fans=equipment.fan_power(plant.room_fan * design, flow, plant.room_fan_min_speed),
        pumps=_pumps(plant, design, flow),
        compressors=np.asarray(coolers.chiller_slope * trimmed),
        heat_rejection=heat_rejection.dry_cooler_fan_power(plant, design, coolers.fan_capacity, heat - trimmed),
        water=_water(plant, coolers, design, heat - trimmed),
        free_cooling=free_share(trimmed, heat),
    )


def _pumps(plant: AdiabaticDryChiller, design: float, flow: Floats) -> Floats:
    chilled = equipment.pump_power(
        plant.chilled_water_pump * design,
        flow,
        plant.chilled_water_pump_static_share,
        plant.chilled_water_pump_min_flow,
    )
    glycol = equipment.pump_power(
        plant.cooler_pump * design, flow, plant.cooler_pump_static_share, plant.cooler_pump_min_flow
    )
    return np.asarray(chilled + glycol)


def _water(plant: AdiabaticDryChiller, coolers: Coolers, design: float, cooled: Floats) -> Floats:
    """Make-up of the pads [m3/h per MW]: air flow, in proportion to fan speed, times the moisture it takes up."""
    speed = heat_rejection.fan_speed(plant, coolers.fan_capacity, cooled)
    air_flow = plant.pad_air_flow * plant.dry_cooler_oversizing * design * speed
    return equipment.make_up(
        np.asarray(equipment.M3_PER_H * air_flow * coolers.moisture), plant.cycles_of_concentration
    )


def heat_limit(plant: AdiabaticDryChiller, coolers: Coolers) -> Floats:
    """Heat [MW/MW] up to which the setpoint is held: the chillers carry the whole hall, so no limit."""
    return np.full_like(coolers.spill, np.inf)


def kink_heats(plant: AdiabaticDryChiller, coolers: Coolers) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design = equipment.design_heat(plant.electrical)
    return [
        coolers.spill,
        plant.room_fan_min_speed * design,
        plant.chilled_water_pump_min_flow * design,
        plant.cooler_pump_min_flow * design,
    ]
