"""Equipment of a hall: compressors, fans and wet media, electrical losses, pumps and water; per MW of design IT load.

Catalogue curves of chillers end at 12.8 °C leaving water ([1]_ covers comfort cooling). The 18-40 °C water of a data
hall lies outside, so the full-load COP is a fixed fraction of Carnot's instead of an extrapolated biquadratic.

References
----------
.. [1] EnergyPlus 25.2 Engineering Reference, "Electric Chiller Model Based on Condenser Entering Temperature",
   and the 160 catalogue chillers shipped with it; validity: EnergyPlus issue 6678.
.. [2] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 41, evaporative air-cooling equipment.
.. [3] Schneider Electric, "Definitions of Losses" (2012): UPS losses are the sum of a no-load term, a term
   proportional to load and a square-law term.
.. [4] N. Lei and E. Masanet, "Climate- and technology-specific PUE and WUE estimations for U.S. data centers",
   Resources, Conservation and Recycling 182, 106323 (2022), and its published code.
"""

from math import sqrt

import numpy as np

from energy.plant.arrays import Floats
from energy.plant.parameters import AirCooledChiller, Electrical, WaterCooledChiller
from energy.plant.psychrometrics import ZERO_CELSIUS


def full_load_cop(chiller: AirCooledChiller | WaterCooledChiller, supply: float, temp_sink: Floats) -> Floats:
    """Full-load COP min(COP_max, η·T_ev/max(T_co - T_ev, lift_min)) [1], temperatures in kelvin.

    Parameters
    ----------
    supply : temperature of the water or air supplied [°C]; T_ev lies the evaporator approach below
    temp_sink : dry bulb or leaving condenser water [°C], any shape; T_co lies the condenser approach above
    """
    evaporating = supply - chiller.chiller_evaporator_approach + ZERO_CELSIUS
    condensing = temp_sink + chiller.chiller_condenser_approach + ZERO_CELSIUS
    lift = np.maximum(condensing - evaporating, chiller.chiller_min_lift)
    return np.asarray(np.minimum(chiller.chiller_carnot_fraction * evaporating / lift, chiller.chiller_max_cop))


def best_part_load(chiller: WaterCooledChiller) -> float:
    """Part-load ratio p* = √(a/c) [1] at which a unit needs least power per cooling."""
    return sqrt(chiller.chiller_part_load_constant / chiller.chiller_part_load_square)


def staged_power_ratio(chiller: WaterCooledChiller, part_load: Floats) -> Floats:
    """Compressor power over full-load power [1] of staged units at plant part load p [1], any shape; convex.

    r(p) = a + b·p + c·p² with all units on (p >= p*), and r(p*)·p/p* below, where units go off so that those
    left stay at p* = √(a/c), the point of least power per cooling. It is the limit of many units and the
    lowest convex curve under that of any number of units; with a, b, c of the median variable-speed chiller
    p* is 0.38, so no unit comes near the cycling region below p = 0.10, where a single chiller's curve is concave.
    """
    a, b, c = chiller.chiller_part_load_constant, chiller.chiller_part_load_linear, chiller.chiller_part_load_square
    best = best_part_load(chiller)
    all_on = np.maximum(part_load, best)
    return np.asarray(a + all_on * (b + c * all_on) - (b + 2.0 * c * best) * (all_on - part_load))


def fan_power(full_power: float, speed: Floats, min_speed: float) -> Floats:
    """Fan power P = P_full·max(y, y_min)³ [unit of `full_power`], y speed [share of full speed], any shape.

    The cube law of a fan on a fixed system without static head; never clipped at y = 1, because a clipped
    fan would make overhead concave in load.
    """
    y = np.maximum(speed, min_speed)
    return np.asarray(full_power * (y * y * y))


def evaporative_temp(temp_air: Floats, temp_wet_bulb: Floats, effectiveness: float) -> Floats:
    """Dry bulb [°C] behind wet media that remove `effectiveness` [1] of the wet-bulb depression ([2]_)."""
    return np.asarray(temp_air - effectiveness * (temp_air - temp_wet_bulb))


def speed_law(full_power: float, ratio: Floats, exponent: float, min_speed: float) -> Floats:
    """Fan power of a heat exchanger whose heat grows with fan speed to the power n [unit of `full_power`].

    y = ratio^(1/n), P = P_full·max(y, y_min)³ up to full speed; convex and increasing in `ratio` because 3/n > 1.
    Beyond, which only a plant without trim cooling above its `load_limit` asks for, the curve goes on as its
    tangent P_full·(1 + (3/n)·(ratio - 1)): a clipped fan would be concave, the power law would explode.

    Parameters
    ----------
    full_power : power at full speed
    ratio : heat over heat at full speed [1], any shape
    exponent : n [1]
    min_speed : y_min, slowest speed [share of full speed]
    """
    power = 3.0 / exponent
    within = np.minimum(ratio, 1.0)
    law = np.maximum(within**power, min_speed**3)
    return np.asarray(full_power * (law + power * (ratio - within)))


#: Heat that stands for "never reached" when a limit is infinite [MW/MW]: no hall runs at 1000 times its design.
FAR_HEAT = 1e3


def coefficients(electrical: Electrical) -> tuple[float, float, float]:
    """a, b, c [MW/MW] of loss(u) = a + b·u + c·u², UPS, transformers and miscellaneous together."""
    constant = electrical.ups_no_load + electrical.transformer_no_load + electrical.miscellaneous
    return constant, electrical.ups_proportional, electrical.ups_square + electrical.transformer_square


def loss(electrical: Electrical, load: Floats) -> Floats:
    """Electrical loss a + b·u + c·u² [MW/MW] at IT load u [share of design], any shape; convex ([3]_)."""
    a, b, c = coefficients(electrical)
    return np.asarray(a + load * (b + c * load))


def design_heat(electrical: Electrical) -> float:
    """Heat to reject at full IT load, 1 + loss(1) [MW/MW]: what pumps, fans and coolers are sized for."""
    return 1.0 + sum(coefficients(electrical))


def load_at_heat(electrical: Electrical, heat: Floats) -> Floats:
    """IT load u [share of design] at which u + loss(u) equals `heat` [MW/MW]; below zero when losses exceed it.

    The positive root of c·u² + (1 + b)·u + (a - heat) = 0, in the form that stays exact for small c.
    """
    a, b, c = coefficients(electrical)
    beyond = np.clip(heat, 0.0, FAR_HEAT) - a
    return np.asarray(2.0 * beyond / (1.0 + b + np.sqrt((1.0 + b) ** 2 + 4.0 * c * beyond)))


#: Cubic metres per hour of one kilogram of water per second, density 1000 kg/m3.
M3_PER_H = 3.6


def pump_power(design_power: float, flow: Floats, static_share: float, min_flow: float) -> Floats:
    """Pump power P = P_design·(s·v + (1 - s)·v³), v = max(flow, min_flow) [unit of `design_power`], any shape.

    s is the share of the head that flow does not change (valves, elevation, control difference); flow is a
    share of design flow and follows the heat, because the temperature difference is held.
    """
    v = np.maximum(flow, min_flow)
    return np.asarray(v * (design_power * static_share + (design_power * (1.0 - static_share)) * (v * v)))


def latent_heat(temp_water: Floats) -> Floats:
    """Heat of vaporisation -0.0013·T² - 2.3097·T + 2500.5 [kJ/kg] of water at T [°C] ([4]_)."""
    return np.asarray(2500.5 - temp_water * (2.3097 + 0.0013 * temp_water))


def evaporation(heat: Floats, evaporative_share: float, temp_water: Floats) -> Floats:
    """Water evaporated [m3/h per MW] for `heat` [MW/MW] rejected from water at `temp_water` [°C] ([4]_)."""
    return np.asarray(M3_PER_H * 1e3 * evaporative_share * heat / latent_heat(temp_water))


def make_up(evaporated: Floats, cycles: float) -> Floats:
    """Make-up water, evaporation·C/(C - 1) [unit of `evaporated`], C cycles of concentration [1].

    Evaporation plus the blow-down that keeps the basin at C times the solids of the supply ([4]_).
    """
    return np.asarray(evaporated * (cycles / (cycles - 1.0)))
