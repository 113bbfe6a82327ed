"""Open cooling towers: leaving water at full fan from the York correlation, fan power by enthalpy driving force.

The York polynomial fixes what full fan speed reaches in any weather. Fan speed below that follows the driving
force of Merkel's theory, the enthalpy of saturated air at the water temperature above that of the outdoor air,
relative to the force at full fan: the two agree where the setpoint is just reached, so the modes join without a
step.

References
----------
.. [1] York International, "YORKcalc Software, Chiller-Plant Energy-Estimating Program", Form 160.00-SG2 (2002);
   coefficients and bounds as in Modelica Buildings 12.1, Buildings.Fluid.HeatExchangers.CoolingTowers
   .Correlations.yorkCalc and BoundsYorkCalc, and EnergyPlus CoolingTower:VariableSpeed.
.. [2] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40, cooling towers (Merkel's theory).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from energy.plant import air
from energy.plant.arrays import Floats
from energy.plant.parameters import Tower
from energy.plant.psychrometrics import enthalpy, saturation_humidity_ratio
from energy.plant.weather import Weather

#: c[l, r, t] of [1]_: approach = Σ c[l, r, t]·(L/G)^l·range^r·T_wb^t, T_wb in °C, range and approach in K.
_YORK = np.array(
    [
        [
            [-0.359741205, -0.055053608, 0.0023850432],
            [0.173926877, -0.0248473764, 0.00048430224],
            [-0.005589849456, 0.0005770079712, -0.00001342427256],
        ],
        [
            [2.84765801111111, -0.121765149, 0.0014599242],
            [1.680428651, -0.0166920786, -0.0007190532],
            [-0.025485194448, 0.0000487491696, 0.00002719234152],
        ],
        [
            [-0.0653766255555556, -0.002278167, 0.0002500254],
            [-0.0910565458, 0.00318176316, 0.000038621772],
            [-0.0034285382352, 0.00000856589904, -0.000001516821552],
        ],
    ]
)
#: Wet bulbs for which the correlation is used [°C]; the approach keeps its end values outside. It holds for
#: -34.4…26.7 °C ([1]_); below -30 °C its approach grows so fast that towers would seem to lose capacity in the cold.
YORK_WET_BULB = (-30.0, 26.7)
#: Wet bulb at which towers and the chillers behind them are sized [°C]: the nominal point of [1]_.
DESIGN_WET_BULB = 25.55
#: Capacity at full fan is never taken below this share of the sized heat: the denominator of fan speed. Only air
#: too hot and humid for the setpoint comes near, where `load_limit` has already closed the hall.
MIN_CAPACITY = 0.01


class TowerState(NamedTuple):
    """Towers in given weather, arrays of shape (T, 1)."""

    leaving: Floats  # water to the heat exchanger or condenser [°C]
    full_fan_leaving: Floats  # the coldest the towers reach at design heat [°C]
    capacity: Floats  # heat at full fan with `leaving` held, over the heat they are sized for [1]; may be below 0


def york_approach(temp_wet_bulb: Floats, water_range: float, liquid_gas_ratio: float = 1.0) -> Floats:
    """Leaving water minus wet bulb [K] of towers at full fan ([1]_).

    Parameters
    ----------
    temp_wet_bulb : entering wet bulb [°C], any shape; held to `YORK_WET_BULB`
    water_range : entering minus leaving water [K]
    liquid_gas_ratio : water to air flow, each over its nominal value [1]
    """
    wet = np.clip(temp_wet_bulb, *YORK_WET_BULB)
    powers = np.array([[liquid_gas_ratio**i * water_range**j for j in range(3)] for i in range(3)])
    c0, c1, c2 = np.tensordot(powers, _YORK, axes=((0, 1), (0, 1)))
    return np.asarray(c0 + wet * (c1 + wet * c2))


def full_fan_leaving(tower: Tower, temp_wet_bulb: Floats) -> Floats:
    """Coldest leaving water [°C] at design heat and full design air flow: wet bulb plus York approach."""
    return np.asarray(temp_wet_bulb + york_approach(temp_wet_bulb, tower.tower_range))


def state(tower: Tower, weather: Weather, setpoint: float, ceiling: float = np.inf) -> TowerState:
    """Leaving water and capacity of the towers, arrays of the shape of the weather's.

    Leaving water is the setpoint where full fan reaches it and floats above where not, up to `ceiling`.
    Capacity = Δh(leaving)/Δh(full fan), Δh the enthalpy of saturated air at mean water temperature minus that
    of the outdoor air at its wet bulb ([2]_).

    Parameters
    ----------
    setpoint : leaving water wanted [°C]
    ceiling : highest leaving water allowed [°C]; with it the capacity falls below 1 in weather beyond design
    """
    coldest = full_fan_leaving(tower, weather.temp_wet_bulb)
    leaving = np.minimum(np.maximum(coldest, setpoint), ceiling)
    half, air_side = 0.5 * tower.tower_range, _saturated(weather.temp_wet_bulb, weather.pressure)
    force = _saturated(leaving + half, weather.pressure) - air_side
    full = _saturated(coldest + half, weather.pressure) - air_side
    return TowerState(leaving, coldest, np.asarray(force / full))


def _saturated(temp: Floats, pressure: Floats) -> Floats:
    """Enthalpy of saturated air [kJ/kg]."""
    return enthalpy(temp, saturation_humidity_ratio(temp, pressure))


def fan_power(tower: Tower, design_rejection: float, capacity: Floats, rejected: Floats) -> Floats:
    """Fan power [MW/MW], y = (rejected/(over·design·capacity))^(1/n), P_full·max(y, y_min)³; convex, increasing.

    Parameters
    ----------
    design_rejection : heat to reject the towers are sized for, before oversizing [MW/MW]
    capacity : from `state` [1], shape (T, 1)
    rejected : heat to reject [MW/MW], shape (T, B)
    """
    size = tower.tower_oversizing * design_rejection
    ratio = rejected / (size * np.maximum(capacity, MIN_CAPACITY))
    return air.speed_law(tower.tower_fan * size, ratio, tower.tower_speed_exponent, tower.tower_min_speed)


def slow_rejection(tower: Tower, design_rejection: float, capacity: Floats) -> Floats:
    """Heat rejected [MW/MW] below which the fans stand at their slowest speed: a kink of the fan curve."""
    slowest = tower.tower_min_speed**tower.tower_speed_exponent
    return np.asarray(tower.tower_oversizing * design_rejection * np.maximum(capacity, MIN_CAPACITY) * slowest)
