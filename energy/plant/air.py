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
    return np.asarray(full_power * y * y * y)


def evaporative_temp(temp_air: Floats, temp_wet_bulb: Floats, effectiveness: float) -> Floats:
    """Dry bulb [°C] behind wet media that remove `effectiveness` [1] of the wet-bulb depression ([1]_)."""
    return np.asarray(temp_air - effectiveness * (temp_air - temp_wet_bulb))
