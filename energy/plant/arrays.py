"""The array type of this wing and the one exception it raises."""

from __future__ import annotations

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
