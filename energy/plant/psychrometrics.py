"""Moist air on whole arrays: saturation, humidity ratio, dew point, wet bulb, enthalpy.

The equations and the ice/liquid branches are those of ASHRAE [1]_ as psychrolib [2]_ codes them; the
solvers are Newton iterations on arrays instead of scalar bisections. psychrolib is the oracle of the
tests and no dependency: without numba it is scalar, with it a first call compiles for seconds.

References
----------
.. [1] ASHRAE Handbook - Fundamentals (2017), chapter 1, equations 3, 5, 6, 20, 22, 30, 33, 35.
.. [2] D. Meyer and D. Thevenard, "PsychroLib: a library of psychrometric functions to calculate
   thermodynamic properties of air", J. Open Source Software 4(33), 1137, 2019. Version 2.5.0.
"""

import numpy as np

from energy.plant.arrays import Bools, Floats, PlantError

ZERO_CELSIUS = 273.15
#: Saturation is over ice up to the triple point [°C]: switching at 0 °C instead would leave a step (as [2]).
TRIPLE_POINT = 0.01
#: The psychrometric equation switches from ice to liquid on the wick at 0 °C, as ASHRAE prints it.
FREEZING_POINT = 0.0
#: Mole mass of water over that of dry air [kg/kg].
MASS_RATIO = 0.621945
#: Specific heat of dry air and of water vapour [kJ/(kg K)], heat of vaporisation at 0 °C [kJ/kg].
CP_AIR, CP_VAPOUR, H_VAPOUR = 1.006, 1.86, 2501.0
#: Least humidity ratio [kg/kg], as [2]: 0.1 mg/kg is drier than any air on earth and keeps logarithms finite.
MIN_HUMIDITY_RATIO = 1e-7
#: Newton ends when no value moves by more [K]: far below any thermometer, far above rounding at 300 K.
STEP_TOLERANCE = 1e-6
#: Newton needs 4-7 steps anywhere in -90…90 °C; more means that the inputs are not air.
MAX_STEPS = 40
#: Width at which psychrolib stops bisecting [K]; a bracket that still straddles 0 °C then holds the root at 0 °C.
BISECTION_TOLERANCE = 1e-3
_ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
_LIQUID = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0, 6.5459673)


def pressure_at_altitude(altitude_m: float) -> float:
    """Standard pressure [Pa] at `altitude_m` [m]: 101325·(1 - 2.25577e-5·z)^5.2559 ([1]_ equation 3)."""
    if not -500.0 <= altitude_m <= 9000.0:
        raise PlantError(f"altitude_m is {altitude_m:g} m; allowed: -500 to 9000 m")
    return float(101325.0 * (1.0 - 2.25577e-5 * altitude_m) ** 5.2559)


def saturation_pressure(temp: Floats) -> Floats:
    """Vapour pressure of saturated air [Pa] at `temp` [°C], over ice up to 0.01 °C ([1]_ equations 5, 6)."""
    return np.asarray(np.exp(_log_saturation(temp)[0]))


def _log_saturation(temp: Floats) -> tuple[Floats, Floats]:
    """ln p_sat and its slope [1/K]: c0/T + c1 + c2·T + c3·T² + c4·T³ + c5·T⁴ + c6·ln T, T in kelvin."""
    kelvin = np.asarray(temp) + ZERO_CELSIUS
    ice = np.asarray(temp) <= TRIPLE_POINT
    c0, c1, c2, c3, c4, c5, c6 = (np.where(ice, i, w) if ice.any() else w for i, w in zip(_ICE, _LIQUID, strict=True))
    inverse = 1.0 / kelvin
    value = c0 * inverse + c1 + kelvin * (c2 + kelvin * (c3 + kelvin * (c4 + kelvin * c5))) + c6 * np.log(kelvin)
    slope = (c6 - c0 * inverse) * inverse + c2 + kelvin * (2 * c3 + kelvin * (3 * c4 + kelvin * 4 * c5))
    return np.asarray(value), np.asarray(slope)


def humidity_ratio_from_vapour_pressure(vapour_pressure: Floats, pressure: Floats) -> Floats:
    """Humidity ratio [kg/kg] W = 0.621945·p_w/(p - p_w), pressures in [Pa] ([1]_ equation 20)."""
    ratio = MASS_RATIO * vapour_pressure / (pressure - vapour_pressure)
    return np.asarray(np.maximum(ratio, MIN_HUMIDITY_RATIO))


def saturation_humidity_ratio(temp: Floats, pressure: Floats) -> Floats:
    """Humidity ratio [kg/kg] of saturated air at `temp` [°C] and `pressure` [Pa]."""
    return humidity_ratio_from_vapour_pressure(saturation_pressure(temp), pressure)


def humidity_ratio_from_relative_humidity(temp_air: Floats, relative_humidity: Floats, pressure: Floats) -> Floats:
    """Humidity ratio [kg/kg] at dry bulb `temp_air` [°C], `relative_humidity` [%], `pressure` [Pa]."""
    vapour = 0.01 * np.asarray(relative_humidity) * saturation_pressure(temp_air)
    return humidity_ratio_from_vapour_pressure(vapour, pressure)


def humidity_ratio_from_wet_bulb(temp_air: Floats, temp_wet_bulb: Floats, pressure: Floats) -> Floats:
    """Humidity ratio [kg/kg] of air at dry and wet bulb [°C] ([1]_ equations 33 and 35); may be negative.

    W = ((L - a·t)·W_sat(t) - 1.006·(T - t)) / (L + 1.86·T - b·t), where L, a, b are 2501, 2.326, 4.186
    over liquid and 2830, 0.24, 2.1 over ice (t below 0 °C). A negative answer means that no air has this pair.
    """
    return _wick(temp_air, temp_wet_bulb, pressure, np.asarray(temp_wet_bulb) < FREEZING_POINT)[0]


def _wick(temp_air: Floats, wet: Floats, pressure: Floats, ice: Bools) -> tuple[Floats, Floats]:
    """Humidity ratio at the wick temperature `wet` on a given branch, and its slope [1/K]."""
    latent, a, b = np.where(ice, 2830.0, 2501.0), np.where(ice, 0.24, 2.326), np.where(ice, 2.1, 4.186)
    log_vapour, log_slope = _log_saturation(wet)
    vapour = np.exp(log_vapour)
    saturated = MASS_RATIO * vapour / (pressure - vapour)
    saturated_slope = saturated * log_slope * pressure / (pressure - vapour)
    below = latent + CP_VAPOUR * temp_air - b * wet
    ratio = ((latent - a * wet) * saturated - CP_AIR * (temp_air - wet)) / below
    slope = ((latent - a * wet) * saturated_slope - a * saturated + CP_AIR + b * ratio) / below
    return np.asarray(ratio), np.asarray(slope)


def dew_point(humidity_ratio: Floats, pressure: Floats) -> Floats:
    """Dew point, or frost point below 0.01 °C [°C], of air with `humidity_ratio` [kg/kg] at `pressure` [Pa].

    Newton on ln p_sat(t) = ln p_w, p_w = p·W/(0.621945 + W).

    Raises
    ------
    PlantError : no solution near the temperatures of air.
    """
    vapour = np.asarray(pressure) * humidity_ratio / (MASS_RATIO + np.asarray(humidity_ratio))
    target = np.log(vapour)
    magnus = np.log(vapour / 611.2)
    temp = 243.12 * magnus / (17.62 - magnus)  # Magnus formula: a first guess within 3 K
    for _ in range(MAX_STEPS):
        value, slope = _log_saturation(temp)
        step = (value - target) / slope
        temp = temp - step
        if np.abs(step).max(initial=0.0) <= STEP_TOLERANCE:
            return np.asarray(temp)
    raise PlantError("dew point did not converge: humidity_ratio or pressure is not that of air")


def wet_bulb(temp_air: Floats, humidity_ratio: Floats, pressure: Floats) -> Floats:
    """Thermodynamic wet bulb [°C] of air at `temp_air` [°C], `humidity_ratio` [kg/kg], `pressure` [Pa].

    The root of `humidity_ratio_from_wet_bulb` between dew point and dry bulb ([1]_ equations 33, 35). Air
    of 0 to 10 °C whose wet bulb is near 0 °C has two roots, one on ice and one on liquid; psychrolib's bisection
    from [dew point, dry bulb] chooses, and its choice is followed.

    Returns
    -------
    array of the broadcast shape of the arguments

    Raises
    ------
    PlantError : no solution near the temperatures of air.
    """
    high, ratio, press = np.broadcast_arrays(*(np.asarray(x, float) for x in (temp_air, humidity_ratio, pressure)))
    ratio = np.minimum(np.maximum(ratio, MIN_HUMIDITY_RATIO), saturation_humidity_ratio(high, press))
    low = np.minimum(dew_point(ratio, press), high)
    low, top = _choose_branch(low, high, high, ratio, press)
    ice = top <= FREEZING_POINT
    wet = low + 0.6 * (top - low)
    for _ in range(MAX_STEPS):
        value, slope = _wick(high, wet, press, ice)
        new = np.clip(wet - (value - ratio) / slope, low, top)
        done = np.abs(new - wet).max(initial=0.0) <= STEP_TOLERANCE
        wet = new
        if done:
            return np.asarray(wet)
    raise PlantError("wet bulb did not converge: temp_air, humidity_ratio or pressure is not that of air")


def _choose_branch(
    low: Floats, high: Floats, temp_air: Floats, ratio: Floats, pressure: Floats
) -> tuple[Floats, Floats]:
    """Bisect brackets that straddle 0 °C, as psychrolib does, until they lie on one branch of the wick."""
    low, high = low.copy(), high.copy()
    open_ = np.nonzero((low < FREEZING_POINT) & (high > FREEZING_POINT))
    while open_[0].size:
        middle = 0.5 * (low[open_] + high[open_])
        above = humidity_ratio_from_wet_bulb(temp_air[open_], middle, pressure[open_]) > ratio[open_]
        high[open_] = np.where(above, middle, high[open_])
        low[open_] = np.where(above, low[open_], middle)
        straddles = (low[open_] < FREEZING_POINT) & (high[open_] > FREEZING_POINT)
        wide = high[open_] - low[open_] > BISECTION_TOLERANCE
        open_ = tuple(index[straddles & wide] for index in open_)
    return low, high


def enthalpy(temp_air: Floats, humidity_ratio: Floats) -> Floats:
    """Enthalpy of moist air [kJ/kg dry air]: 1.006·T + W·(2501 + 1.86·T) ([1]_ equation 30)."""
    return np.asarray(CP_AIR * temp_air + humidity_ratio * (H_VAPOUR + CP_VAPOUR * temp_air))


def moisture_taken_up(temp_air: Floats, humidity_ratio: Floats, temp_leaving: Floats) -> Floats:
    """Water [kg/kg dry air] that air takes up when wet media cool it to `temp_leaving` [°C]; 0 if they do not.

    Adiabatic saturation at constant enthalpy: W' = (h - 1.006·T')/(2501 + 1.86·T'), answer W' - W.
    """
    leaving = (enthalpy(temp_air, humidity_ratio) - CP_AIR * temp_leaving) / (H_VAPOUR + CP_VAPOUR * temp_leaving)
    return np.asarray(np.maximum(leaving - humidity_ratio, 0.0))
