"""The cooling model: overhead, load limit and kinks of any archetype.

Convexity in load at fixed weather is kept by construction, because the linear program stands on it: every term
is convex and increasing in the heat Q = u + loss(u), which is convex and increasing in the load u; modes are
chosen by weather alone; a capacity limit spills to trim cooling at a point that weather decides; no saturated
fan is clipped.

Not modelled: heat of fans and pumps added to the load, thinner air at altitude, frost protection and basin
heating, humidification, start-up of chillers, fouling and faults. Fan heat adds 0.001-0.003 of PUE where chillers
run; fans at 1800 m would add about 0.01 were they not selected for the altitude.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from energy.plant import (
    adiabatic_dry_chiller,
    airside_economizer,
    chiller_tower,
    dlc_dry_cooler,
    dlc_tower,
    electrical,
)
from energy.plant.arrays import Floats, PlantError, check_range
from energy.plant.parameters import Plant
from energy.plant.results import Overhead
from energy.plant.weather import Weather

#: Highest load accepted [share of design]: a little above 1 for halls that are run beyond their design.
MAX_LOAD = 1.5


class _Archetype(NamedTuple):
    overhead: Callable[[Any, Weather, Floats], Overhead]
    heat_limit: Callable[[Any, Weather], Floats]
    kink_heats: Callable[[Any, Weather], list[Floats | float]]


_ARCHETYPES = {
    module.__name__.rpartition(".")[2]: _Archetype(module.overhead, module.heat_limit, module.kink_heats)
    for module in (dlc_dry_cooler, dlc_tower, airside_economizer, adiabatic_dry_chiller, chiller_tower)
}


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
    load = np.asarray(load, float)
    if load.ndim != 2 or load.shape[0] != len(weather.temp_air):
        raise PlantError(
            f"load has shape {load.shape}; allowed: ({len(weather.temp_air)}, B), one row per hour of weather"
        )
    check_range("load", load, 0.0, MAX_LOAD, "of design")
    return _ARCHETYPES[plant.archetype].overhead(plant, weather.columns(), load)


def load_limit(plant: Plant, weather: Weather) -> Floats:
    """Highest IT load u [share of design], shape (T,), at which the supply setpoint can be held; at most 1.

    1 where trim cooling has no limit; below 1 where a chiller-less plant meets weather beyond its design.
    """
    heat = _ARCHETYPES[plant.archetype].heat_limit(plant, weather.columns())[:, 0]
    return np.asarray(np.clip(electrical.load_at_heat(plant.electrical, heat), 0.0, 1.0))


def kinks(plant: Plant, weather: Weather) -> Floats:
    """Loads u [share of design], shape (T, K), at which the overhead curve has a kink; may lie outside [0, 1].

    The strongest kinks come first: least pump flow, slowest fan, spill to trim cooling.
    """
    heats = _ARCHETYPES[plant.archetype].kink_heats(plant, weather.columns())
    shape = (len(weather.temp_air), 1)
    columns = [np.broadcast_to(np.asarray(heat, float), shape) for heat in heats]
    return electrical.load_at_heat(plant.electrical, np.concatenate(columns, axis=1))
