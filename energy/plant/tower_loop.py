"""A water loop on towers with chillers behind them: the common part of `chiller_tower` and `dlc_tower`.

Tower water goes through a plate exchanger first and cools the return of the hall as far as the wet bulb allows;
chillers, on the same tower water, take what is missing to the supply setpoint. The share of each depends on
weather alone, because the loop's temperature difference is held and its flow follows the heat.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from energy.plant import chiller, electrical, tower, water
from energy.plant.arrays import Floats
from energy.plant.parameters import ChillerTower, DlcTower
from energy.plant.weather import Weather

TowerPlant: TypeAlias = ChillerTower | DlcTower


class Loop(NamedTuple):
    """Towers, exchanger and chillers in given weather, arrays of shape (T, 1)."""

    towers: tower.TowerState
    chiller_share: Floats  # share of the heat that the exchanger leaves to the chillers
    cop: Floats  # full-load COP
    design_rejection: float  # heat the towers are sized for [MW/MW]


def loop(plant: TowerPlant, weather: Weather, supply: float, supply_max: float, span: float, design: float) -> Loop:
    """State of the loop.

    Parameters
    ----------
    supply : supply setpoint [°C]
    supply_max : supply up to which a plant without chillers floats [°C]; not used with chillers
    span : return minus supply [K]
    design : heat of the hall at full load [MW/MW]
    """
    setpoint, has_chiller = supply - plant.heat_exchanger_approach, plant.chiller_capacity > 0.0
    ceiling = np.inf if has_chiller else supply_max - plant.heat_exchanger_approach
    towers = tower.state(plant, weather, setpoint, ceiling)
    share = chiller_share(towers.full_fan_leaving, setpoint, span) if has_chiller else np.zeros_like(towers.leaving)
    cop = chiller.full_load_cop(plant, supply, towers.leaving + plant.tower_range)
    return Loop(towers, share, cop, design * (1.0 + _design_power_share(plant, supply, setpoint, span)))


def chiller_share(full_fan_leaving: Floats, setpoint: float, span: float) -> Floats:
    """Share of the heat left to the chillers, (T_leaving - T_setpoint)/span held to 0…1 [1].

    One minus the water-side economizer share of Lei and Masanet (2022): the exchanger brings the return water
    down to leaving tower water plus approach.
    """
    return np.asarray(np.clip((full_fan_leaving - setpoint) / span, 0.0, 1.0))


def _design_power_share(plant: TowerPlant, supply: float, setpoint: float, span: float) -> float:
    """Compressor power per heat of the hall at the wet bulb the towers are sized for."""
    if plant.chiller_capacity == 0.0:
        return 0.0
    leaving = np.maximum(tower.full_fan_leaving(plant, np.array(tower.DESIGN_WET_BULB)), setpoint)
    cop = chiller.full_load_cop(plant, supply, leaving + plant.tower_range)
    return float(chiller_share(leaving, setpoint, span) / cop)


def compressor_power(plant: TowerPlant, state: Loop, heat: Floats) -> Floats:
    """Compressor power [MW/MW] for `heat` of the hall [MW/MW], shape (T, B); convex and increasing in heat."""
    if plant.chiller_capacity == 0.0:
        return np.zeros_like(heat)
    part_load = heat * (state.chiller_share / plant.chiller_capacity)
    return np.asarray(plant.chiller_capacity / state.cop * chiller.staged_power_ratio(plant, part_load))


def condenser_pump_power(plant: TowerPlant, state: Loop, rejected: Floats) -> Floats:
    """Power of the tower water pumps [MW/MW], flow in proportion to the heat rejected."""
    return water.pump_power(
        plant.condenser_pump * state.design_rejection,
        rejected / state.design_rejection,
        plant.condenser_pump_static_share,
        plant.condenser_pump_min_flow,
    )


def make_up(plant: TowerPlant, state: Loop, rejected: Floats) -> Floats:
    """Make-up water of the towers [m3/h per MW]."""
    evaporated = water.evaporation(rejected, plant.evaporative_share, state.towers.leaving)
    return water.make_up(evaporated, plant.cycles_of_concentration)


def heat_limit(plant: TowerPlant, state: Loop) -> Floats:
    """Heat [MW/MW] up to which the supply is held: chiller capacity, or the towers at their warmest supply."""
    if plant.chiller_capacity > 0.0:
        return chiller_limit(plant, state)
    return np.asarray(np.maximum(state.towers.capacity, 0.0) * plant.tower_oversizing * state.design_rejection)


def kink_heats(plant: TowerPlant, state: Loop) -> list[Floats | float]:
    """Heats of the hall [MW/MW] at which the tower pumps leave their least flow, all chillers are on, fans speed up.

    At the second only the curvature jumps. Rejected heat is taken as 1 + k times the heat of the hall, k the
    compressor power per heat of well-staged chillers: exact where all units run at their best part load or below.
    """
    pump = plant.condenser_pump_min_flow * state.design_rejection
    fan = tower.slow_rejection(plant, state.design_rejection, state.towers.capacity)
    best = chiller.best_part_load(plant)
    slope = plant.chiller_part_load_linear + 2.0 * plant.chiller_part_load_square * best
    per_heat = 1.0 + state.chiller_share * slope / state.cop
    return [pump / per_heat, best * chiller_limit(plant, state), fan / per_heat]


def chiller_limit(plant: TowerPlant, state: Loop) -> Floats:
    """Heat of the hall [MW/MW] at which the chillers reach their capacity, at most FAR_HEAT; 0 without chillers."""
    least_share = max(plant.chiller_capacity, 1.0) / electrical.FAR_HEAT
    return np.asarray(plant.chiller_capacity / np.maximum(state.chiller_share, least_share))
