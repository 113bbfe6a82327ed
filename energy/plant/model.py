"""The cooling model: overhead, load limit and kinks of any archetype.

Convexity in load at fixed weather is kept by construction, because the linear program stands on it: every term
is convex and increasing in the heat Q = u + loss(u), which is convex and increasing in the load u; modes are
chosen by weather alone; a capacity limit spills to trim cooling at a point that weather decides; no saturated
fan is clipped.

Not modelled: heat of fans and pumps added to the load, thinner air at altitude, frost protection and basin
heating, humidification, start-up of chillers, fouling and faults. Fan heat adds 0.001-0.003 of PUE where chillers
run; fans at 1800 m would add about 0.01 were they not selected for the altitude.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from energy.plant import equipment
from energy.plant.arrays import Floats, Overhead, PlantError, check_range
from energy.plant.parameters import Plant
from energy.plant.weather import Weather

#: Highest load accepted [share of design]: a little above 1 for halls that are run beyond their design.
MAX_LOAD = 1.5


@dataclass(frozen=True)
class Curve:
    """Overhead of a plant over its load in given weather; what weather alone decides is worked out once.

    Attributes
    ----------
    plant : archetype with its numbers
    hours : T, hours of weather
    state : what the archetype takes from weather, arrays of shape (T, 1)
    """

    plant: Plant
    hours: int
    state: Any

    def overhead(self, load: Floats) -> Overhead:
        """See `energy.plant.overhead`."""
        load = np.asarray(load, float)
        if load.ndim != 2 or load.shape[0] != self.hours:
            raise PlantError(f"load has shape {load.shape}; allowed: ({self.hours}, B), one row per hour of weather")
        check_range("load", load, 0.0, MAX_LOAD, "of design")
        return self.plant.overhead(self.state, load)

    def load_limit(self) -> Floats:
        """See `energy.plant.load_limit`."""
        heat = self.plant.heat_limit(self.state)[:, 0]
        return np.asarray(np.clip(equipment.load_at_heat(self.plant.electrical, heat), 0.0, 1.0))

    def kinks(self) -> Floats:
        """See `energy.plant.kinks`."""
        heats = self.plant.kink_heats(self.state)
        columns = [np.broadcast_to(np.asarray(heat, float), (self.hours, 1)) for heat in heats]
        return equipment.load_at_heat(self.plant.electrical, np.concatenate(columns, axis=1))


def curve_of(plant: Plant, weather: Weather) -> Curve:
    """Curve of `plant` in `weather`, arrays of shape (T,)."""
    return Curve(plant, len(weather.temp_air), plant.state(weather.columns()))


def overhead(plant: Plant, weather: Weather, load: Floats) -> Overhead:
    """Overhead of a hall at given weather and load.

    Parameters
    ----------
    plant : archetype with its numbers
    weather : outdoor air, arrays of shape (T,)
    load : IT load u [share of design], shape (T, B)

    Returns
    -------
    Overhead : arrays of shape (T, B), power in MW per MW of design IT load

    Raises
    ------
    PlantError : a load that is not finite, negative or above 1.5, or of a shape that does not fit the weather.

    Notes
    -----
    Per MW of design: f(u) = loss(u) + Σ fans, pumps, compressors, heat rejection of Q = u + loss(u); convex in u
    for every weather. Above `load_limit` the answer is the continuation of the curve, for the program's
    convenience, not a state the plant can hold.
    """
    return curve_of(plant, weather).overhead(load)


def load_limit(plant: Plant, weather: Weather) -> Floats:
    """Highest IT load u [share of design], shape (T,), at which the supply setpoint can be held; at most 1.

    1 where trim cooling has no limit; below 1 where a chiller-less plant meets weather beyond its design.
    """
    return curve_of(plant, weather).load_limit()


def kinks(plant: Plant, weather: Weather) -> Floats:
    """Loads u [share of design], shape (T, K), at which the overhead curve has a kink; may lie outside [0, 1].

    The strongest kinks come first: least pump flow, slowest fan, spill to trim cooling.
    """
    return curve_of(plant, weather).kinks()
