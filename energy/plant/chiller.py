"""Compressor cooling: Carnot-scaled COP and staged part load.

Catalogue curves end at 12.8 °C leaving water ([1]_ covers comfort cooling); the 18-40 °C water of a data hall
lies outside, so the full-load COP is a fixed fraction of Carnot's instead of an extrapolated biquadratic.

References
----------
.. [1] EnergyPlus 25.2 Engineering Reference, "Electric Chiller Model Based on Condenser Entering Temperature",
   and the 160 catalogue chillers shipped with it; validity: EnergyPlus issue 6678.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from energy.plant.arrays import Floats
from energy.plant.parameters import AirCooledChiller, WaterCooledChiller
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
