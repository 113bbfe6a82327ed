"""The raw inputs that every audit starts from, and how a raw series is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy.inputs.case import Case
from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.gpus import GpuPower
from energy.inputs.series import Series
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff
from energy.plant import Plant
from energy.schema import Floats, Times


@dataclass(frozen=True)
class Facts:
    """Everything the files say that prices or powers a schedule."""

    case: Case
    fleet: Fleet
    powers: Mapping[str, GpuPower]
    plants: Mapping[str, Plant]
    tariffs: Mapping[str, Tariff]
    series: Series
    fx: Fx
    state: State


def minutes(time: Times, dt: Floats) -> Times:
    """Middles of the minutes of each period, shape (T, minutes); periods are equally long."""
    count = round(float(dt[0]) * 60)
    return time[:, None] + np.timedelta64(30, "s") + np.arange(count) * np.timedelta64(1, "m")


def sample(ds: xr.Dataset, name: str, time: Times, dt: Floats) -> Floats:
    """Mean of a raw step series over each period, from its value in every minute, shape (T,)."""
    position = np.searchsorted(ds["time"].values, minutes(time, dt), side="right") - 1
    return np.asarray(ds[name].values[position].mean(axis=1))


def clock(time: Times, site: Site) -> pd.DatetimeIndex:
    """Period starts on the site's clock."""
    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone)
