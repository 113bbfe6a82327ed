"""Air through the hall and over wet media.

References
----------
.. [1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 41, evaporative air-cooling equipment.
"""

from __future__ import annotations

import numpy as np

from energy.plant.arrays import Floats


def fan_power(full_power: float, speed: Floats, min_speed: float) -> Floats:
    """Fan power P = P_full·max(y, y_min)³ [unit of `full_power`], y speed [share of full speed], any shape.

    The cube law of a fan on a fixed system without static head; never clipped at y = 1, because a clipped
    fan would make overhead concave in load.
    """
    y = np.maximum(speed, min_speed)
    return np.asarray(full_power * (y * y * y))


def evaporative_temp(temp_air: Floats, temp_wet_bulb: Floats, effectiveness: float) -> Floats:
    """Dry bulb [°C] behind wet media that remove `effectiveness` [1] of the wet-bulb depression ([1]_)."""
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
