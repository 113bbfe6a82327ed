"""Heat to the outdoor air: dry coolers, open cooling towers, and the water loop of towers with chillers behind them.

Dry coolers have a capacity by the initial temperature difference and spill to a trim chiller. The York polynomial
[3]_ fixes what a tower reaches at full fan in any weather. Fan speed below that follows the driving force of Merkel's
theory [4]_: the enthalpy of saturated air at the water temperature above that of the outdoor air, relative to the
force at full fan. The two agree where the setpoint is just reached, so the modes join without a step. In the loop
tower water first cools the hall's return through a plate exchanger as far as the wet bulb allows; chillers on the
same tower water take what is missing to the setpoint. The share of each depends on weather alone, because the loop's
temperature difference is held and its flow follows the heat.

References
----------
.. [1] F. Incropera et al., "Fundamentals of Heat and Mass Transfer", 7th ed., equation 11.32 (cross-flow, both
   fluids unmixed).
.. [2] Modelica Buildings Library, Buildings.Fluid.HeatExchangers.CoolingTowers.Data.DryCooler,
   BAC_Trillium_TDFS1238N_C60ET40B.
.. [3] York International, "YORKcalc Software, Chiller-Plant Energy-Estimating Program", Form 160.00-SG2 (2002);
   coefficients and bounds as in Modelica Buildings 12.1, Buildings.Fluid.HeatExchangers.CoolingTowers
   .Correlations.yorkCalc and BoundsYorkCalc, and EnergyPlus CoolingTower:VariableSpeed.
.. [4] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40, cooling towers (Merkel's theory).
"""

from functools import lru_cache
from math import exp
from typing import NamedTuple

import numpy as np

from energy.plant import equipment
from energy.plant.arrays import Floats, Overhead
from energy.plant.parameters import DryCooler, Tower, TowerLoop
from energy.plant.psychrometrics import enthalpy, saturation_humidity_ratio
from energy.plant.weather import Weather

#: Least temperature difference for which a fan speed is computed [K]. Below, the heat a coil can take is so small
#: that the speed asked for has no meaning; `capacity` itself goes to zero and `load_limit` with it.
MIN_ITD = 1.0
#: Halvings of the bracket 0…50 in which NTU is found: 50/2^60 is below rounding.
HALVINGS = 60


def effectiveness(ntu: float, capacity_ratio: float) -> float:
    """Heat over the most possible, 1 - exp(NTU^0.22/C·(exp(-C·NTU^0.78) - 1)) [1] ([1]_)."""
    return 1.0 - exp(ntu**0.22 / capacity_ratio * (exp(-capacity_ratio * ntu**0.78) - 1.0))


@lru_cache(maxsize=64)
def required_itd(rated_itd: float, rated_range: float, water_range: float) -> float:
    """Entering water minus entering air [K] at which the cooler rejects its rated heat with another water range.

    A catalogue rates at one water range (5.56 K in [2]_); a loop with 10 K has less flow through the same
    coil. UA and full air flow are kept, air and water capacity rates taken as equal at the rating point:
    NTU = NTU0·max(1, r/r0), C = min(r/r0, r0/r), and ITD = max(r, r0)/ε(NTU, C).

    Check: the record of [2]_ (11.11 K at 5.56 K) gives 13.6 K at a range of 10 K; a selection by the maker for
    the sister model TDFS1238N-C60ET30B, 50 to 40 °C at 36.2 °C dry bulb, has 13.8 K.
    """
    low, high, ratio = 0.0, 50.0, water_range / rated_range
    for _ in range(HALVINGS):  # NTU0: a coil with equal capacity rates has the rated effectiveness
        middle = 0.5 * (low + high)
        enough = effectiveness(middle, 1.0) >= rated_range / rated_itd
        low, high = (low, middle) if enough else (middle, high)
    ntu = 0.5 * (low + high) * max(1.0, ratio)
    return max(water_range, rated_range) / effectiveness(ntu, min(ratio, 1.0 / ratio))


def capacity(cooler: DryCooler, design_heat: float, water_range: float, itd: Floats) -> Floats:
    """Heat rejected at full fan speed, over·design·ITD/ITD_required [MW/MW], ITD [K] any shape; 0 below ITD = 0.

    Parameters
    ----------
    design_heat : heat of the loop at full IT load [MW/MW]
    water_range : return minus supply of the loop [K]
    itd : entering water minus entering air [K]
    """
    needed = required_itd(cooler.dry_cooler_rated_itd, cooler.dry_cooler_rated_range, water_range)
    return np.asarray(cooler.dry_cooler_oversizing * design_heat * np.maximum(itd, 0.0) / needed)


def fan_capacity(cooler: DryCooler, design_heat: float, water_range: float, itd: Floats) -> Floats:
    """`capacity` with ITD held at MIN_ITD or more: the denominator of fan speed, never zero."""
    return capacity(cooler, design_heat, water_range, np.maximum(itd, MIN_ITD))


def dry_cooler_fan_power(cooler: DryCooler, design_heat: float, full_capacity: Floats, heat: Floats) -> Floats:
    """Fan power P_full·max(y, y_min)³ with y = (heat/capacity)^(1/n) [MW/MW], broadcast; convex and increasing."""
    full = cooler.dry_cooler_fan * cooler.dry_cooler_oversizing * design_heat
    return equipment.speed_law(
        full, heat / full_capacity, cooler.dry_cooler_speed_exponent, cooler.dry_cooler_min_speed
    )


def fan_speed(cooler: DryCooler, full_capacity: Floats, heat: Floats) -> Floats:
    """Fan speed y = (heat/capacity)^(1/n), between slowest and full [share of full speed], broadcast."""
    speed = (heat / full_capacity) ** (1.0 / cooler.dry_cooler_speed_exponent)
    return np.asarray(np.clip(speed, cooler.dry_cooler_min_speed, 1.0))


def spill_heat(cooler: DryCooler, design_heat: float, full_capacity: Floats, chiller_slope: Floats) -> Floats:
    """Heat [MW/MW] up to which the dry cooler works alone; the trim chiller takes the rest.

    The least total power: the fan's slope (3/n)·P_full/K·(Q/K)^(3/n - 1) equals the chiller's (1/COP), never
    beyond the capacity K. Weather decides it, load does not, so overhead stays convex in load (the infimal
    convolution of two convex curves). Running the fan to full speed first would cost more and be concave.

    Parameters
    ----------
    full_capacity : heat at full fan speed K [MW/MW]
    chiller_slope : trim chiller power per heat, 1/COP [MW/MW], same shape
    """
    exponent = 3.0 / cooler.dry_cooler_speed_exponent
    full = exponent * cooler.dry_cooler_fan * cooler.dry_cooler_oversizing * design_heat
    balance = (chiller_slope * full_capacity / full) ** (1.0 / (exponent - 1.0))
    slowest = cooler.dry_cooler_min_speed**cooler.dry_cooler_speed_exponent
    return np.asarray(full_capacity * np.clip(balance, slowest, 1.0))


#: c[l, r, t] of [3]_: approach = Σ c[l, r, t]·(L/G)^l·range^r·T_wb^t, T_wb in °C, range and approach in K.
_YORK = np.array([
    [[-0.359741205, -0.055053608, 0.0023850432], [0.173926877, -0.0248473764, 0.00048430224],
     [-0.005589849456, 0.0005770079712, -0.00001342427256]],
    [[2.84765801111111, -0.121765149, 0.0014599242], [1.680428651, -0.0166920786, -0.0007190532],
     [-0.025485194448, 0.0000487491696, 0.00002719234152]],
    [[-0.0653766255555556, -0.002278167, 0.0002500254], [-0.0910565458, 0.00318176316, 0.000038621772],
     [-0.0034285382352, 0.00000856589904, -0.000001516821552]],
])  # fmt: skip
#: Wet bulbs for which the correlation is used [°C]; the approach keeps its end values outside. It holds for
#: -34.4…26.7 °C ([3]_); below -30 °C its approach grows so fast that towers would seem to lose capacity in the cold.
YORK_WET_BULB = (-30.0, 26.7)
#: Wet bulb at which towers and the chillers behind them are sized [°C]: the nominal point of [3]_.
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
    """Leaving water minus wet bulb [K] of towers at full fan ([3]_).

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
    of the outdoor air at its wet bulb ([4]_).

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


class Loop(NamedTuple):
    """Towers, exchanger and chillers in given weather, arrays of shape (T, 1)."""

    towers: TowerState
    chiller_share: Floats  # share of the heat that the exchanger leaves to the chillers
    cop: Floats  # full-load COP
    design_rejection: float  # heat the towers are sized for [MW/MW]


def loop(plant: TowerLoop, weather: Weather, supply: float, supply_max: float, span: float, design: float) -> Loop:
    """State of the loop.

    Parameters
    ----------
    supply : supply setpoint [°C]
    supply_max : supply up to which a plant without chillers floats [°C]; not used with chillers
    span : return minus supply [K]
    design : heat of the hall at full load [MW/MW]
    """
    setpoint, has_chiller = supply - plant.heat_exchanger_approach, plant.chiller_capacity > 0.0
    if not has_chiller:
        towers = state(plant, weather, setpoint, supply_max - plant.heat_exchanger_approach)
        share, per_heat = np.zeros_like(towers.leaving), 0.0
    else:
        towers = state(plant, weather, setpoint)
        share = chiller_share(towers.full_fan_leaving, setpoint, span)
        # Compressor power per heat of the hall at the wet bulb the towers are sized for.
        leaving = np.maximum(full_fan_leaving(plant, np.array(DESIGN_WET_BULB)), setpoint)
        design_cop = equipment.full_load_cop(plant, supply, leaving + plant.tower_range)
        per_heat = float(chiller_share(leaving, setpoint, span) / design_cop)
    cop = equipment.full_load_cop(plant, supply, towers.leaving + plant.tower_range)
    return Loop(towers, share, cop, design * (1.0 + per_heat))


def chiller_share(full_fan_leaving: Floats, setpoint: float, span: float) -> Floats:
    """Share of the heat left to the chillers, (T_leaving - T_setpoint)/span held to 0…1 [1].

    One minus the water-side economizer share of Lei and Masanet (2022): the exchanger brings the return water
    down to leaving tower water plus approach.
    """
    return np.asarray(np.clip((full_fan_leaving - setpoint) / span, 0.0, 1.0))


def loop_overhead(plant: TowerLoop, loop: Loop, losses: Floats, heat: Floats, fans: Floats, pumps: Floats) -> Overhead:
    """Overhead of a hall on the loop, arrays of shape (T, B); each power is convex and increasing in heat.

    Parameters
    ----------
    losses : electrical losses [MW/MW]
    heat : heat of the hall [MW/MW]
    fans, pumps : power inside the hall [MW/MW]; the tower water pumps come on top, flow in proportion to the heat rejected
    """
    compressors = np.zeros_like(heat)
    if plant.chiller_capacity > 0.0:
        part_load = heat * (loop.chiller_share / plant.chiller_capacity)
        staged = equipment.staged_power_ratio(plant, part_load)
        compressors = np.asarray(plant.chiller_capacity / loop.cop * staged)
    rejected, design = heat + compressors, loop.design_rejection
    static, least = plant.condenser_pump_static_share, plant.condenser_pump_min_flow
    condenser = equipment.pump_power(plant.condenser_pump * design, rejected / design, static, least)
    # Fan power P_full·max(y, y_min)³ with y = (rejected/(over·design·capacity))^(1/n).
    size = plant.tower_oversizing * design
    ratio = rejected / (size * np.maximum(loop.towers.capacity, MIN_CAPACITY))
    fan = equipment.speed_law(plant.tower_fan * size, ratio, plant.tower_speed_exponent, plant.tower_min_speed)
    evaporated = equipment.evaporation(rejected, plant.evaporative_share, loop.towers.leaving)
    return Overhead(
        electrical=losses,
        fans=fans,
        pumps=np.asarray(pumps + condenser),
        compressors=compressors,
        heat_rejection=fan,
        water=equipment.make_up(evaporated, plant.cycles_of_concentration),
        free_cooling=np.asarray(np.broadcast_to(1.0 - loop.chiller_share, heat.shape)),
    )


def heat_limit(plant: TowerLoop, state: Loop) -> Floats:
    """Heat [MW/MW] up to which the supply is held: chiller capacity, or the towers at their warmest supply."""
    if plant.chiller_capacity > 0.0:
        return chiller_limit(plant, state)
    return np.asarray(np.maximum(state.towers.capacity, 0.0) * plant.tower_oversizing * state.design_rejection)


def kink_heats(plant: TowerLoop, state: Loop) -> list[Floats | float]:
    """Heats of the hall [MW/MW] at which the tower pumps leave their least flow, all chillers are on, fans speed up.

    At the second only the curvature jumps. Rejected heat is taken as 1 + k times the heat of the hall, k the
    compressor power per heat of well-staged chillers: exact where all units run at their best part load or below.
    """
    pump = plant.condenser_pump_min_flow * state.design_rejection
    size = plant.tower_oversizing * state.design_rejection * np.maximum(state.towers.capacity, MIN_CAPACITY)
    fan = np.asarray(size * plant.tower_min_speed**plant.tower_speed_exponent)
    best = equipment.best_part_load(plant)
    slope = plant.chiller_part_load_linear + 2.0 * plant.chiller_part_load_square * best
    per_heat = 1.0 + state.chiller_share * slope / state.cop
    return [pump / per_heat, best * chiller_limit(plant, state), fan / per_heat]


def chiller_limit(plant: TowerLoop, state: Loop) -> Floats:
    """Heat of the hall [MW/MW] at which the chillers reach their capacity, at most FAR_HEAT; 0 without chillers."""
    least_share = max(plant.chiller_capacity, 1.0) / equipment.FAR_HEAT
    return np.asarray(plant.chiller_capacity / np.maximum(state.chiller_share, least_share))
