"""Electrical losses between the meter and the IT load, and the heat the plant must reject.

References
----------
.. [1] Schneider Electric, "Definitions of Losses" (2012): UPS losses are the sum of a no-load term, a term
   proportional to load and a square-law term.
"""

from __future__ import annotations

import numpy as np

from energy.plant.arrays import Floats
from energy.plant.parameters import Electrical

#: Heat that stands for "never reached" when a limit is infinite [MW/MW]: no hall runs at 1000 times its design.
FAR_HEAT = 1e3


def coefficients(electrical: Electrical) -> tuple[float, float, float]:
    """a, b, c [MW/MW] of loss(u) = a + b·u + c·u², UPS, transformers and miscellaneous together."""
    constant = electrical.ups_no_load + electrical.transformer_no_load + electrical.miscellaneous
    return constant, electrical.ups_proportional, electrical.ups_square + electrical.transformer_square


def loss(electrical: Electrical, load: Floats) -> Floats:
    """Electrical loss a + b·u + c·u² [MW/MW] at IT load u [share of design], any shape; convex ([1]_)."""
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
