"""The cooling model: overhead, load limit and kinks of any archetype.

Convexity in load at fixed weather is kept by construction, because the linear program stands on it: every term
is convex and increasing in the heat Q = u + loss(u), which is convex and increasing in the load u; modes are
chosen by weather alone; a capacity limit spills to trim cooling at a point that weather decides; no saturated
fan is clipped.

Not modelled: heat of fans and pumps added to the load, thinner air at altitude, frost protection and basin
heating, humidification, start-up of chillers, fouling and faults. Fan heat adds 0.001-0.003 of PUE where chillers
run; fans at 1800 m would add about 0.01 were they not selected for the altitude.

Heat that a hall can hand over: that of its liquid loop, at the loop's return temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from energy.plant import equipment
from energy.plant.archetypes import adiabatic_dry_chiller, airside_economizer, chiller_tower, dlc_dry_cooler, dlc_tower
from energy.plant.arrays import Floats, Overhead, PlantError, check_range
from energy.plant.parameters import DlcDryCooler, DlcTower, Plant
from energy.plant.weather import Weather

#: Highest load accepted [share of design]: a little above 1 for halls that are run beyond their design.
MAX_LOAD = 1.5


class _Archetype(NamedTuple):
    state: Callable[[Any, Weather], Any]
    overhead: Callable[[Any, Any, Floats], Overhead]
    heat_limit: Callable[[Any, Any], Floats]
    kink_heats: Callable[[Any, Any], list[Floats | float]]


_ARCHETYPES = {
    module.__name__.rpartition(".")[2]: _Archetype(module.state, module.overhead, module.heat_limit, module.kink_heats)
    for module in (dlc_dry_cooler, dlc_tower, airside_economizer, adiabatic_dry_chiller, chiller_tower)
}


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
        return _ARCHETYPES[self.plant.archetype].overhead(self.plant, self.state, load)

    def load_limit(self) -> Floats:
        """See `energy.plant.load_limit`."""
        heat = _ARCHETYPES[self.plant.archetype].heat_limit(self.plant, self.state)[:, 0]
        return np.asarray(np.clip(equipment.load_at_heat(self.plant.electrical, heat), 0.0, 1.0))

    def kinks(self) -> Floats:
        """See `energy.plant.kinks`."""
        heats = _ARCHETYPES[self.plant.archetype].kink_heats(self.plant, self.state)
        columns = [np.broadcast_to(np.asarray(heat, float), (self.hours, 1)) for heat in heats]
        return equipment.load_at_heat(self.plant.electrical, np.concatenate(columns, axis=1))


def curve_of(plant: Plant, weather: Weather) -> Curve:
    """Curve of `plant` in `weather`, arrays of shape (T,)."""
    state = _ARCHETYPES[plant.archetype].state(plant, weather.columns())
    return Curve(plant, len(weather.temp_air), state)


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


def liquid_heat(plant: Plant) -> tuple[float, float]:
    """Share of the IT power that a liquid loop carries [1], and the loop's return temperature at design flow [°C].

    (0, -273.15) for air-cooled halls: their chilled or supply air heat is not offered. h_t <= φ·f_liq·u_t, where φ,
    the share an exchanger hands over, belongs to the contract, not to the plant.
    """
    if isinstance(plant, DlcDryCooler | DlcTower):
        return plant.liquid_share, plant.facility_supply + plant.facility_range
    return 0.0, -273.15
