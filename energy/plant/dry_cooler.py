"""Dry coolers: capacity from the initial temperature difference, fan power by speed, spill to a trim chiller.

References
----------
.. [1] F. Incropera et al., "Fundamentals of Heat and Mass Transfer", 7th ed., equation 11.32 (cross-flow, both
   fluids unmixed).
.. [2] Modelica Buildings Library, Buildings.Fluid.HeatExchangers.CoolingTowers.Data.DryCooler,
   BAC_Trillium_TDFS1238N_C60ET40B.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp

import numpy as np

from energy.plant import air
from energy.plant.arrays import Floats
from energy.plant.parameters import DryCooler

#: Least temperature difference for which a fan speed is computed [K]. Below, the heat a coil can take is so small
#: that the speed asked for has no meaning; `capacity` itself goes to zero and `load_limit` with it.
MIN_ITD = 1.0
#: Halvings of the bracket 0…50 in which NTU is found: 50/2^60 is below rounding.
HALVINGS = 60


def effectiveness(ntu: float, capacity_ratio: float) -> float:
    """Heat over the most possible, 1 - exp(NTU^0.22/C·(exp(-C·NTU^0.78) - 1)) [1] ([1]_)."""
    return 1.0 - exp(ntu**0.22 / capacity_ratio * (exp(-capacity_ratio * ntu**0.78) - 1.0))


def _ntu(wanted: float) -> float:
    """NTU [1] at which a coil with equal capacity rates reaches the effectiveness `wanted`."""
    low, high = 0.0, 50.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effectiveness(middle, 1.0) < wanted else (low, middle)
    return 0.5 * (low + high)


@lru_cache(maxsize=64)
def required_itd(rated_itd: float, rated_range: float, water_range: float) -> float:
    """Entering water minus entering air [K] at which the cooler rejects its rated heat with another water range.

    A catalogue rates at one water range (5.56 K in [2]_); a loop with 10 K has less flow through the same
    coil. UA and full air flow are kept, air and water capacity rates taken as equal at the rating point:
    NTU = NTU0·max(1, r/r0), C = min(r/r0, r0/r), and ITD = max(r, r0)/ε(NTU, C).

    Check: the record of [2]_ (11.11 K at 5.56 K) gives 13.6 K at a range of 10 K; a selection by the maker for
    the sister model TDFS1238N-C60ET30B, 50 to 40 °C at 36.2 °C dry bulb, has 13.8 K.
    """
    ratio = water_range / rated_range
    ntu = _ntu(rated_range / rated_itd) * max(1.0, ratio)
    return max(water_range, rated_range) / effectiveness(ntu, min(ratio, 1.0 / ratio))


def capacity(cooler: DryCooler, design_heat: float, water_range: float, itd: Floats) -> Floats:
    """Heat rejected at full fan speed, over·design·ITD/ITD_required [MW/MW], ITD [K] any shape; 0 below ITD = 0.

    Parameters
    ----------
    design_heat : heat of the loop at full IT load [MW/MW]
    water_range : return minus supply of the loop [K]
    itd : entering water minus entering air [K]
    """
    needed = required_itd(cooler.dry_cooler_rated_itd, cooler.dry_cooler_rated_range, water_range)
    return np.asarray(cooler.dry_cooler_oversizing * design_heat * np.maximum(itd, 0.0) / needed)


def fan_capacity(cooler: DryCooler, design_heat: float, water_range: float, itd: Floats) -> Floats:
    """`capacity` with ITD held at MIN_ITD or more: the denominator of fan speed, never zero."""
    return capacity(cooler, design_heat, water_range, np.maximum(itd, MIN_ITD))


def fan_power(cooler: DryCooler, design_heat: float, full_capacity: Floats, heat: Floats) -> Floats:
    """Fan power P_full·max(y, y_min)³ with y = (heat/capacity)^(1/n) [MW/MW], broadcast; convex and increasing."""
    full = cooler.dry_cooler_fan * cooler.dry_cooler_oversizing * design_heat
    return air.speed_law(full, heat / full_capacity, cooler.dry_cooler_speed_exponent, cooler.dry_cooler_min_speed)


def fan_speed(cooler: DryCooler, full_capacity: Floats, heat: Floats) -> Floats:
    """Fan speed y = (heat/capacity)^(1/n), between slowest and full [share of full speed], broadcast."""
    speed = (heat / full_capacity) ** (1.0 / cooler.dry_cooler_speed_exponent)
    return np.asarray(np.clip(speed, cooler.dry_cooler_min_speed, 1.0))


def spill_heat(cooler: DryCooler, design_heat: float, full_capacity: Floats, chiller_slope: Floats) -> Floats:
    """Heat [MW/MW] up to which the dry cooler works alone; the trim chiller takes the rest.

    The least total power: the fan's slope (3/n)·P_full/K·(Q/K)^(3/n - 1) equals the chiller's (1/COP), never
    beyond the capacity K. Weather decides it, load does not, so overhead stays convex in load (the infimal
    convolution of two convex curves). Running the fan to full speed first would cost more and be concave.

    Parameters
    ----------
    full_capacity : heat at full fan speed K [MW/MW]
    chiller_slope : trim chiller power per heat, 1/COP [MW/MW], same shape
    """
    exponent = 3.0 / cooler.dry_cooler_speed_exponent
    full = exponent * cooler.dry_cooler_fan * cooler.dry_cooler_oversizing * design_heat
    balance = (chiller_slope * full_capacity / full) ** (1.0 / (exponent - 1.0))
    slowest = cooler.dry_cooler_min_speed**cooler.dry_cooler_speed_exponent
    return np.asarray(full_capacity * np.clip(balance, slowest, 1.0))
