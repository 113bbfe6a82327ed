"""Arrays of the cooling plant: the range check of its inputs, its one exception, and what the model answers."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]


class PlantError(ValueError):
    """Weather, load or plant numbers that the cooling model cannot answer for."""


def check_range(name: str, values: Floats, low: float, high: float, unit: str) -> None:
    """Refuse values that are not finite or lie outside [low, high].

    Raises
    ------
    PlantError : names the array, the first bad position, the value and the allowed range.
    """
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        where = tuple(int(i[0]) for i in np.nonzero(bad)) if values.ndim else ()
        raise PlantError(f"{name}{list(where)} is {values[where]:g} {unit}; allowed: {low:g} to {high:g} {unit}")


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
