"""Water: pumps, evaporation and make-up.

References
----------
.. [1] N. Lei and E. Masanet, "Climate- and technology-specific PUE and WUE estimations for U.S. data centers",
   Resources, Conservation and Recycling 182, 106323 (2022), and its published code.
"""

from __future__ import annotations

import numpy as np

from energy.plant.arrays import Floats

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
    """Heat of vaporisation -0.0013·T² - 2.3097·T + 2500.5 [kJ/kg] of water at T [°C] ([1]_)."""
    return np.asarray(2500.5 - temp_water * (2.3097 + 0.0013 * temp_water))


def evaporation(heat: Floats, evaporative_share: float, temp_water: Floats) -> Floats:
    """Water evaporated [m3/h per MW] for `heat` [MW/MW] rejected from water at `temp_water` [°C] ([1]_)."""
    return np.asarray(M3_PER_H * 1e3 * evaporative_share * heat / latent_heat(temp_water))


def make_up(evaporated: Floats, cycles: float) -> Floats:
    """Make-up water, evaporation·C/(C - 1) [unit of `evaporated`], C cycles of concentration [1].

    Evaporation plus the blow-down that keeps the basin at C times the solids of the supply ([1]_).
    """
    return np.asarray(evaporated * (cycles / (cycles - 1.0)))
