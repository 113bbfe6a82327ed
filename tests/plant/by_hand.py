"""The cooling plants a second time: one hour, one load, plain numbers, each line an equation of the wing's docstrings.

Moist air, the York approach and the rating of a dry cooler at another water range have tests of their own and are
taken from the package; everything that is built on them is written out here.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from energy.plant import heat_rejection, psychrometrics

PARTS = ("electrical", "fans", "pumps", "compressors", "heat_rejection", "water", "free_cooling")


class Hour(NamedTuple):
    """Outdoor air of one hour [°C, °C, kg/kg, Pa]."""

    air: float
    wet: float
    ratio: float
    pressure: float


class Hall(NamedTuple):
    """What every archetype starts from: load, loss, heat, all per MW of design, and heat over design heat."""

    u: float
    loss: float
    heat: float
    design: float
    flow: float


def hall(p: Any, u: float) -> Hall:
    e = p.electrical
    fixed, square = e.ups_no_load + e.transformer_no_load + e.miscellaneous, e.ups_square + e.transformer_square
    loss, design = fixed + e.ups_proportional * u + square * u * u, 1 + fixed + e.ups_proportional + square
    return Hall(u, loss, u + loss, design, (u + loss) / design)


def pump(full: float, flow: float, static: float, least: float) -> float:
    v = max(flow, least)
    return full * (static * v + (1 - static) * v**3)


def fan(full: float, speed: float, least: float) -> float:
    return full * max(speed, least) ** 3


def heat_fan(full: float, ratio: float, n: float, least: float) -> float:
    """y = ratio^(1/n), cube of it; beyond full speed the tangent."""
    return full * (1 + 3 / n * (ratio - 1)) if ratio > 1 else fan(full, ratio ** (1 / n), least)


def cop(p: Any, supply: float, sink: float) -> float:
    cold, warm = supply - p.chiller_evaporator_approach + 273.15, sink + p.chiller_condenser_approach + 273.15
    return min(p.chiller_max_cop, p.chiller_carnot_fraction * cold / max(warm - cold, p.chiller_min_lift))


class Cooler(NamedTuple):
    """Dry coolers of one loop: heat at full speed, the same with ITD of 1 K at least, heat they take alone."""

    capacity: float
    held: float
    alone: float


def cooler(p: Any, design: float, span: float, itd: float, chiller: float) -> Cooler:
    per_kelvin = (
        p.dry_cooler_oversizing
        * design
        / heat_rejection.required_itd(p.dry_cooler_rated_itd, p.dry_cooler_rated_range, span)
    )
    capacity, n = per_kelvin * max(itd, 0.0), p.dry_cooler_speed_exponent
    full = p.dry_cooler_fan * p.dry_cooler_oversizing * design
    even = (chiller * capacity / (3 / n * full)) ** (1 / (3 / n - 1))  # fan's slope = chiller's 1/COP
    return Cooler(capacity, per_kelvin * max(itd, 1.0), capacity * min(max(even, p.dry_cooler_min_speed**n), 1.0))


def cooler_fan(p: Any, design: float, c: Cooler, heat: float) -> float:
    full = p.dry_cooler_fan * p.dry_cooler_oversizing * design
    return heat_fan(full, heat / c.held, p.dry_cooler_speed_exponent, p.dry_cooler_min_speed)


def dlc_dry_cooler(p: Any, w: Hour, u: float) -> dict[str, float]:
    """Liquid and room loop, each with its share of the heat; the liquid one may have no chiller."""
    h, f = hall(p, u), p.liquid_share
    loops = ((f, p.facility_supply, p.facility_range, p.liquid_trim_capacity),
             (1 - f, p.air_water_supply, p.air_water_range, inf))  # fmt: skip
    trimmed, chillers, fans = 0.0, 0.0, 0.0
    for share, supply, span, most in loops:
        slope = 1 / cop(p, supply, w.air)
        c = cooler(p, share * h.design, span, supply + span - w.air, slope)
        part = min(max(share * h.heat - c.alone, 0.0), most)
        trimmed, chillers = trimmed + part, chillers + slope * part
        fans += cooler_fan(p, share * h.design, c, share * h.heat - part)
    pumps = pump(p.facility_pump * h.design, h.flow, p.facility_pump_static_share, p.facility_pump_min_flow)
    pumps += pump(p.cdu_pump * h.design, h.flow, p.cdu_pump_static_share, p.cdu_pump_min_flow)
    room = fan(p.room_fan * (1 - f) * h.design, h.flow, p.room_fan_min_speed)
    return dict(zip(PARTS, (h.loss, room, pumps, chillers, fans, 0.0, 1 - trimmed / h.heat), strict=True))


def adiabatic_dry_chiller(p: Any, w: Hour, u: float) -> dict[str, float]:
    """Pads wet above pad_start; the chillers' condensers take dry air."""
    h = hall(p, u)
    enters = w.air - p.pad_effectiveness * (w.air - w.wet) if w.air > p.pad_start else w.air
    itd = p.chilled_water_supply + p.chilled_water_range - p.heat_exchanger_approach - enters
    slope = 1 / cop(p, p.chilled_water_supply, w.air)
    c = cooler(p, h.design, p.chilled_water_range, itd, slope)
    part = max(h.heat - c.alone, 0.0)
    y = min(max(((h.heat - part) / c.held) ** (1 / p.dry_cooler_speed_exponent), p.dry_cooler_min_speed), 1.0)
    taken = float(psychrometrics.moisture_taken_up(*(np.array(x) for x in (w.air, w.ratio, enters))))
    kg_per_s = p.pad_air_flow * p.dry_cooler_oversizing * h.design * y * taken
    pumps = pump(
        p.chilled_water_pump * h.design, h.flow, p.chilled_water_pump_static_share, p.chilled_water_pump_min_flow
    )
    pumps += pump(p.cooler_pump * h.design, h.flow, p.cooler_pump_static_share, p.cooler_pump_min_flow)
    cycles = p.cycles_of_concentration
    return dict(zip(PARTS, (
        h.loss, fan(p.room_fan * h.design, h.flow, p.room_fan_min_speed), pumps, slope * part,
        cooler_fan(p, h.design, c, h.heat - part), 3.6 * kg_per_s * cycles / (cycles - 1), 1 - part / h.heat,
    ), strict=True))  # fmt: skip


def airside_economizer(p: Any, w: Hour, u: float) -> dict[str, float]:
    """Outdoor air, wet media as far as wet bulb and humidity limit allow, DX for what is missing; 1.006 kJ/(kg K)."""
    h, most = hall(p, u), p.max_supply_humidity / 1000
    enthalpy = 1.006 * w.air + w.ratio * (2501 + 1.86 * w.air)
    wettest = (enthalpy - 2501 * most) / (1.006 + 1.86 * most)
    media = w.air - p.evaporative_effectiveness * (w.air - w.wet)
    supply = min(max(media, wettest, p.supply_air), w.air)
    missing = min(max((supply - p.supply_air) / p.air_range, 0.0), 1.0)
    recirculates = w.ratio > most
    dx, wet = (1.0, False) if recirculates else (missing, missing < 1)
    taken = float(psychrometrics.moisture_taken_up(*(np.array(x) for x in (w.air, w.ratio, supply)))) if wet else 0.0
    kg_per_s, cycles = 1000 * h.heat / (1.006 * p.air_range) * taken, p.cycles_of_concentration
    large = p.room_fan_oversizing * h.design
    return dict(zip(PARTS, (
        h.loss, fan(p.room_fan * large, h.heat / large, p.room_fan_min_speed), 0.0,
        h.heat * dx / cop(p, p.supply_air, w.air), 0.0, 3.6 * kg_per_s * cycles / (cycles - 1), 1 - dx,
    ), strict=True))  # fmt: skip


class Towers(NamedTuple):
    """Towers and chillers of one hour."""

    leaving: float
    capacity: float
    share: float  # of the heat that is left to the chillers
    cop: float
    sized: float  # heat rejection the towers are sized for


def towers(p: Any, w: Hour, supply: float, warmest: float, span: float) -> Towers:
    """Exchanger first; chillers, if any, for the rest; without chillers the supply floats up to `warmest`."""
    setpoint, design = supply - p.heat_exchanger_approach, hall(p, 0.0).design
    coldest = w.wet + float(heat_rejection.york_approach(np.array(w.wet), p.tower_range))
    leaving = (
        max(coldest, setpoint)
        if p.chiller_capacity
        else min(max(coldest, setpoint), warmest - p.heat_exchanger_approach)
    )

    def saturated(temp: float) -> float:
        ratio = float(psychrometrics.saturation_humidity_ratio(np.array(temp), np.array(w.pressure)))
        return float(psychrometrics.enthalpy(np.array(temp), np.array(ratio)))

    force, full = (saturated(t + p.tower_range / 2) - saturated(w.wet) for t in (leaving, coldest))
    hottest = max(25.55 + float(heat_rejection.york_approach(np.array(25.55), p.tower_range)), setpoint)
    share, sized = 0.0, design
    if p.chiller_capacity:
        share = min(max((coldest - setpoint) / span, 0.0), 1.0)
        at_design = min(max((hottest - setpoint) / span, 0.0), 1.0)
        sized = design * (1 + at_design / cop(p, supply, hottest + p.tower_range))
    return Towers(leaving, force / full, share, cop(p, supply, leaving + p.tower_range), sized)


def tower_parts(p: Any, t: Towers, heat: float) -> tuple[float, float, float, float]:
    """Compressors, condenser pumps, tower fans, make-up for heat of the hall."""
    a, b, c = p.chiller_part_load_constant, p.chiller_part_load_linear, p.chiller_part_load_square
    power = 0.0
    if p.chiller_capacity:
        part, best = heat * t.share / p.chiller_capacity, (a / c) ** 0.5
        staged = a + b * part + c * part**2 if part >= best else (a + b * best + c * best**2) * part / best
        power = p.chiller_capacity / t.cop * staged
    out = heat + power
    size = p.tower_oversizing * t.sized
    fans = heat_fan(p.tower_fan * size, out / (size * max(t.capacity, 0.01)), p.tower_speed_exponent, p.tower_min_speed)
    pumps = pump(p.condenser_pump * t.sized, out / t.sized, p.condenser_pump_static_share, p.condenser_pump_min_flow)
    latent = -0.0013 * t.leaving**2 - 2.3097 * t.leaving + 2500.5
    cycles = p.cycles_of_concentration
    return power, pumps, fans, 3600 * p.evaporative_share * out / latent * cycles / (cycles - 1)


def chiller_tower(p: Any, w: Hour, u: float) -> dict[str, float]:
    h, t = hall(p, u), towers(p, w, p.chilled_water_supply, p.chilled_water_supply, p.chilled_water_range)
    power, condenser, fans, water = tower_parts(p, t, h.heat)
    chilled = pump(
        p.chilled_water_pump * h.design, h.flow, p.chilled_water_pump_static_share, p.chilled_water_pump_min_flow
    )
    room = fan(p.room_fan * h.design, h.flow, p.room_fan_min_speed)
    return dict(zip(PARTS, (h.loss, room, chilled + condenser, power, fans, water, 1 - t.share), strict=True))


def dlc_tower(p: Any, w: Hour, u: float) -> dict[str, float]:
    h, t = hall(p, u), towers(p, w, p.facility_supply, p.facility_supply_max, p.facility_range)
    power, condenser, fans, water = tower_parts(p, t, h.heat)
    facility = pump(p.facility_pump * h.design, h.flow, p.facility_pump_static_share, p.facility_pump_min_flow)
    room = fan(p.room_fan * (1 - p.liquid_share) * h.design, h.flow, p.room_fan_min_speed)
    return dict(zip(PARTS, (h.loss, room, facility + condenser, power, fans, water, 1 - t.share), strict=True))


BY_HAND = {f.__name__: f for f in (dlc_dry_cooler, adiabatic_dry_chiller, airside_economizer, chiller_tower, dlc_tower)}
