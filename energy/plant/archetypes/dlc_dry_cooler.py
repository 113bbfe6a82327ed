"""Archetype `dlc_dry_cooler`: direct liquid cooling on warm facility water from dry coolers.

Heat Q = u + loss(u). The liquid share goes through CDUs and facility water to dry coolers; with
`liquid_trim_capacity` 0 that loop has no chiller and hot days derate the hall. The air share goes through room
coolers to a loop with its own dry coolers, which spill to a trim chiller.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from energy.plant import equipment, heat_rejection
from energy.plant.arrays import Floats, Overhead, free_share
from energy.plant.parameters import DlcDryCooler
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
    design = share * equipment.design_heat(plant.electrical)
    itd = supply + span - weather.temp_air
    capacity = heat_rejection.capacity(plant, design, span, itd)
    slope = 1.0 / equipment.full_load_cop(plant, supply, weather.temp_air)
    spill = heat_rejection.spill_heat(plant, design, capacity, slope)
    return Loop(share, design, capacity, heat_rejection.fan_capacity(plant, design, span, itd), slope, spill, trim)


def state(plant: DlcDryCooler, weather: Weather) -> tuple[Loop, Loop]:
    """The liquid loop and the air loop: what weather alone decides; weather arrays of shape (T, 1)."""
    share, trim = plant.liquid_share, plant.liquid_trim_capacity
    liquid = _loop(plant, weather, share, plant.facility_supply, plant.facility_range, trim)
    room = _loop(plant, weather, 1.0 - share, plant.air_water_supply, plant.air_water_range, np.inf)
    return liquid, room


def _trimmed(loop: Loop, heat: Floats) -> Floats:
    """Heat the trim chiller takes [MW/MW]: what is above the spill point, up to its capacity."""
    return np.asarray(np.clip(loop.share * heat - loop.spill, 0.0, loop.trim_capacity))


def overhead(plant: DlcDryCooler, loops: tuple[Loop, Loop], load: Floats) -> Overhead:
    """See `energy.plant.overhead`; load of shape (T, B)."""
    losses = equipment.loss(plant.electrical, load)
    heat, design = load + losses, equipment.design_heat(plant.electrical)
    flow = heat / design
    trimmed = [_trimmed(loop, heat) for loop in loops]
    fans = [
        heat_rejection.dry_cooler_fan_power(plant, loop.design_heat, loop.fan_capacity, loop.share * heat - part)
        for loop, part in zip(loops, trimmed, strict=True)
    ]
    return Overhead(
        electrical=losses,
        fans=equipment.fan_power(plant.room_fan * loops[1].design_heat, flow, plant.room_fan_min_speed),
        pumps=_pumps(plant, design, flow),
        compressors=np.asarray(sum(loop.chiller_slope * part for loop, part in zip(loops, trimmed, strict=True))),
        heat_rejection=np.asarray(sum(fans)),
        water=np.zeros_like(heat),
        free_cooling=free_share(trimmed[0] + trimmed[1], heat),
    )


def _pumps(plant: DlcDryCooler, design: float, flow: Floats) -> Floats:
    facility = equipment.pump_power(
        plant.facility_pump * design, flow, plant.facility_pump_static_share, plant.facility_pump_min_flow
    )
    cdu = equipment.pump_power(plant.cdu_pump * design, flow, plant.cdu_pump_static_share, plant.cdu_pump_min_flow)
    return np.asarray(facility + cdu)


def heat_limit(plant: DlcDryCooler, loops: tuple[Loop, Loop]) -> Floats:
    """Heat [MW/MW] up to which the facility water setpoint is held, shape (T, 1)."""
    liquid, _ = loops
    return np.asarray((liquid.capacity + liquid.trim_capacity) / liquid.share)


def kink_heats(plant: DlcDryCooler, loops: tuple[Loop, Loop]) -> list[Floats | float]:
    """Heats [MW/MW] at which the curve has a kink, the strongest first."""
    design = equipment.design_heat(plant.electrical)
    liquid, room = loops
    own_chiller = [liquid.spill / liquid.share, (liquid.spill + liquid.trim_capacity) / liquid.share]
    return [
        plant.cdu_pump_min_flow * design,
        plant.facility_pump_min_flow * design,
        plant.room_fan_min_speed * design,
        room.spill / room.share,
        *(own_chiller if liquid.trim_capacity > 0.0 else []),
    ]
