"""Weather as the cooling plant sees it: dry bulb, wet bulb, humidity ratio and pressure of outdoor air."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from energy.plant import psychrometrics as moist
from energy.plant.arrays import Floats, PlantError, check_range

#: Coldest and hottest outdoor air accepted [°C]: a little beyond the records of the world's stations.
TEMP_RANGE = (-80.0, 60.0)
#: Lowest and highest station pressure accepted [Pa]: from 9000 m up to the record high; catches hPa given as Pa.
PRESSURE_RANGE = (30e3, 110e3)
#: Dew point or wet bulb above dry bulb is read as saturated air up to this much [K]: rounding of reanalyses
#: and sensors. More means swapped columns.
SUPERSATURATION = 0.5
#: The same for relative humidity [%]: humid stations report up to 105 %.
MAX_RELATIVE_HUMIDITY = 105.0


class Weather(NamedTuple):
    """Outdoor air, arrays of shape (T,).

    Attributes
    ----------
    temp_air : dry bulb [°C]
    temp_wet_bulb : thermodynamic wet bulb [°C]
    humidity_ratio : water vapour per dry air [kg/kg]
    pressure : station pressure [Pa]
    """

    temp_air: Floats
    temp_wet_bulb: Floats
    humidity_ratio: Floats
    pressure: Floats

    def columns(self) -> Weather:
        """The same weather with arrays of shape (T, 1), to stand beside loads of shape (T, B)."""
        return Weather(*(values[:, None] for values in self))


def weather_from(
    temp_air: ArrayLike, pressure: ArrayLike | None = None, *, temp_dew: ArrayLike | None = None,
    relative_humidity: ArrayLike | None = None, temp_wet_bulb: ArrayLike | None = None, altitude_m: float = 0.0,
) -> Weather:  # fmt: skip
    """Weather from dry bulb and exactly one measure of humidity.

    Parameters
    ----------
    temp_air : dry bulb [°C], shape (T,)
    pressure : station pressure [Pa], shape (T,) or a number; standard pressure at `altitude_m` when absent
    temp_dew : dew point [°C], shape (T,)
    relative_humidity : relative humidity [%], shape (T,)
    temp_wet_bulb : wet bulb [°C], shape (T,)
    altitude_m : height above sea level [m], used only when `pressure` is absent

    Returns
    -------
    Weather : four arrays of shape (T,)

    Raises
    ------
    PlantError : none or more than one humidity input, a shape that does not fit, a value that is not
        finite or out of range; names the array, the position and the allowed range.
    """
    inputs = {"temp_dew": temp_dew, "relative_humidity": relative_humidity, "temp_wet_bulb": temp_wet_bulb}
    given = {name: values for name, values in inputs.items() if values is not None}
    if len(given) != 1:
        got = f"exactly one humidity input is needed, got {', '.join(given) or 'none'}"
        raise PlantError(f"{got}; allowed: temp_dew, relative_humidity or temp_wet_bulb")
    name, values = next(iter(given.items()))
    temp = np.atleast_1d(np.asarray(temp_air, float))
    check_range("temp_air", temp, *TEMP_RANGE, "°C")
    press = _like(temp, "pressure", moist.pressure_at_altitude(altitude_m) if pressure is None else pressure)
    check_range("pressure", press, *PRESSURE_RANGE, "Pa")
    humidity = _like(temp, name, values)
    if name == "temp_dew":
        check_range(name, humidity, -100.0, TEMP_RANGE[1], "°C")
        check_range("temp_dew above temp_air", humidity - temp, -np.inf, SUPERSATURATION, "K")
        ratio = moist.saturation_humidity_ratio(np.minimum(humidity, temp), press)
    elif name == "relative_humidity":
        check_range(name, humidity, 0.0, MAX_RELATIVE_HUMIDITY, "%")
        ratio = moist.humidity_ratio_from_relative_humidity(temp, np.minimum(humidity, 100.0), press)
    else:
        check_range(name, humidity, *TEMP_RANGE, "°C")
        check_range("temp_wet_bulb above temp_air", humidity - temp, -np.inf, SUPERSATURATION, "K")
        wet = np.minimum(humidity, temp)
        ratio = moist.humidity_ratio_from_wet_bulb(temp, wet, press)
        check_range("humidity ratio of this dry and wet bulb", ratio, 0.0, 1.0, "kg/kg")
        return Weather(temp, wet, np.maximum(ratio, moist.MIN_HUMIDITY_RATIO), press)
    return Weather(temp, moist.wet_bulb(temp, ratio, press), ratio, press)


def _like(temp: Floats, name: str, values: ArrayLike) -> Floats:
    """Values of the shape of `temp`."""
    array = np.asarray(values, float)
    if temp.ndim != 1 or array.shape not in ((), temp.shape):
        raise PlantError(f"{name} has shape {array.shape}; allowed: that of temp_air, {temp.shape}, one-dimensional")
    return np.array(np.broadcast_to(array, temp.shape))
