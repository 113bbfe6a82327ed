"""Device setpoints of a Schedule: the active power [MW] that solar arrays, and whatever a site gets next, are set to.

A device is named by its owner and its kind, such as ``narvik/solar``. A Schedule names only devices that it limits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import SOLUTION, TINY_MW, UNLIMITED_MW, Floats, Times, lowest_price

SOLAR = "solar"


@dataclass(frozen=True)
class DeviceKind:
    """Meaning of a setpoint of this kind.

    Attributes
    ----------
    variable : power of the devices in a Solution, by owner and period, which the setpoint limits
    unset : what limits a device without a setpoint, by owner and period [MW]
    asked : setpoints that a Problem's Solution needs, by owner and period [MW]; UNLIMITED_MW where it needs none
    """

    variable: str
    unset: Callable[[xr.Dataset], Floats]
    asked: Callable[[xr.Dataset, xr.Dataset], Floats]


def _unset_solar(problem: xr.Dataset) -> Floats:
    """Limit 0 where the all-in price is negative: there every array is taken to be off."""
    return np.where(problem["price"].values < 0, 0.0, UNLIMITED_MW)


def _asked_solar(problem: xr.Dataset, solution: xr.Dataset) -> Floats:
    """Limits in hours in which the site could use more, as where a contract or a minimum bill pays for drawing.

    Where one more MWh may cost nothing, how much of the sun is used is chance, and no setpoint.
    """
    used, lowest = solution["solar_use"].values, lowest_price(problem)
    useful = np.minimum(problem["solar_mw"].values, solution["facility"].values)
    return np.where((lowest != 0) & (used < useful - TINY_MW), used, UNLIMITED_MW)


#: Every kind of device that a Schedule can set.
KINDS = {SOLAR: DeviceKind("solar_use", _unset_solar, _asked_solar)}


def device(owner: str, kind: str) -> str:
    """Label of a device on the `device` axis."""
    return f"{owner}/{kind}"


def setpoints(schedule: xr.Dataset) -> dict[str, Floats]:
    """Setpoints of a Schedule by device, (T,) each [MW]."""
    return dict(zip(schedule["device"].values.tolist(), schedule["setpoint"].values, strict=True))


def setpoints_of(problem: xr.Dataset, solution: xr.Dataset) -> dict[str, Floats]:
    """Setpoints that reproduce a Solution, by device, (T,) each [MW]; none where nothing is limited."""
    out: dict[str, Floats] = {}
    for kind, meaning in KINDS.items():
        owners = problem[SOLUTION[meaning.variable].dims[0]].values
        asked = zip(owners, meaning.asked(problem, solution), strict=True)
        out |= {device(str(owner), kind): limit for owner, limit in asked if (limit < UNLIMITED_MW).any()}
    return out


def by_owner(schedule: xr.Dataset, kind: str, owners: Iterable[object]) -> Floats:
    """Setpoints of the devices of one kind, by owner and period [MW]; UNLIMITED_MW where a device has none."""
    given, free = setpoints(schedule), np.full(schedule.sizes["time"], UNLIMITED_MW)
    return np.array([given.get(device(str(owner), kind), free) for owner in owners])


def limits(problem: xr.Dataset, schedule: xr.Dataset) -> dict[str, Floats]:
    """Most power that devices give under a Schedule, by variable of the Solution, owner and period [MW]."""
    out = {}
    for kind, meaning in KINDS.items():
        owners = problem[SOLUTION[meaning.variable].dims[0]].values
        out[meaning.variable] = np.minimum(meaning.unset(problem), by_owner(schedule, kind, owners))
    return out


def setpoints_from(table: pd.DataFrame, time: Times) -> dict[str, Floats]:
    """Setpoints from a table (device, start, setpoint_mw) by device, (T,) each [MW]; rows of other periods do not count."""
    out: dict[str, Floats] = {}
    for name, rows in table[table["start"].isin(time)].groupby("device"):
        limit = out.setdefault(str(name), np.full(len(time), UNLIMITED_MW))
        limit[np.searchsorted(time, rows["start"].to_numpy())] = rows["setpoint_mw"]
    return out
