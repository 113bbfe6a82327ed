"""What the cooling model answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.plant.arrays import Floats


@dataclass(frozen=True)
class Overhead:
    """Overhead of a hall by component, arrays of shape (T, B), per MW of design IT load.

    Attributes
    ----------
    electrical : UPS, transformer, distribution and miscellaneous losses [MW/MW]
    fans : fans that move air through the hall [MW/MW]
    pumps : facility, chilled, condenser and coolant pumps [MW/MW]
    compressors : chillers and DX, with the fans of air-cooled condensers [MW/MW]
    heat_rejection : fans of dry coolers and towers [MW/MW]
    water : make-up water [m3/h per MW]
    free_cooling : share of the heat rejected without compressor [1], 0 to 1
    """

    electrical: Floats
    fans: Floats
    pumps: Floats
    compressors: Floats
    heat_rejection: Floats
    water: Floats
    free_cooling: Floats

    @property
    def total(self) -> Floats:
        """Overhead power, all components [MW/MW]; facility power is IT plus this, PUE 1 + total/u."""
        return np.asarray(self.electrical + self.fans + self.pumps + self.compressors + self.heat_rejection)


def free_share(compressed: Floats, heat: Floats) -> Floats:
    """Share of `heat` [MW/MW] rejected without compressor, 1 - compressed/heat [1]; 1 where there is no heat."""
    return np.asarray(1.0 - np.divide(compressed, heat, out=np.zeros_like(heat), where=heat > 0.0))
