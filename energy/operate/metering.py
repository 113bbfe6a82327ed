"""What meters read, on the market time units of a day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from energy.operate.store import Store
from energy.problem import Inputs
from energy.schema import Floats, Times

#: Longest reading [h]: that of the longest local day. A longer one says nothing of any single day.
LONGEST_H = 25.0
#: Share of a unit that readings may leave open or count twice: lengths such as 5 minutes are written with few digits.
OPEN = 1e-3
COLUMNS = ("site", "utc", "hours", "import_mwh", "it_mwh")
NO_METER = pd.DataFrame({name: [] for name in COLUMNS})


def meter_of(store: Store, inputs: Inputs) -> pd.DataFrame:
    """Readings that overlap the day, those that began before it too."""
    first, after = (pd.Timestamp(b) for b in inputs.case.horizon.bounds())
    rows = store.rows(
        f"SELECT {', '.join(COLUMNS)} FROM meter WHERE utc > ? AND utc < ?",
        (first - pd.Timedelta(hours=LONGEST_H)).isoformat(), after.isoformat(),
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.assign(utc=pd.to_datetime(table["utc"]).astype("datetime64[ns]"))
    return table[table["utc"] + pd.to_timedelta(table["hours"].astype(float), unit="h") > first]


def metered(replayed: xr.Dataset, meter: pd.DataFrame) -> xr.Dataset:
    """The replay with the meter's reading at each site that it covers wholly; its surplus counts as facility power."""
    if meter.empty:
        return replayed
    out = replayed.copy(deep=True)
    time, dt = out["time"].values, out["dt"].values
    for s, site in enumerate(out["site"].values.astype(str)):
        mine = meter[meter["site"] == site]
        read = on_grid(mine, "import_mwh", time, dt, out["import_mw"].values[s])
        if read is None:
            continue
        out["facility_mw"].values[s] += read - out["import_mw"].values[s]
        out["import_mw"].values[s] = read
        it = on_grid(mine.dropna(subset=["it_mwh"]), "it_mwh", time, dt, out["site_it_mw"].values[s])
        if it is not None:
            out["site_it_mw"].values[s] = it
    return out


def on_grid(mine: pd.DataFrame, column: str, time: Times, dt: Floats, shape: Floats) -> Floats | None:
    """Mean power of each unit [MW], (T,); None where the readings do not cover every unit once.

    A reading over several units is shared out like the replay within them, so that a day's total keeps the peak that
    the plan had; where the replay draws nothing, evenly. Of a reading that reaches beyond the day its share of time counts.

    Parameters
    ----------
    shape : replayed power of each unit [MW], (T,)
    """
    begin = (time - time[0]) / np.timedelta64(1, "h")
    start = (mine["utc"].to_numpy().astype("datetime64[ns]") - time[0]) / np.timedelta64(1, "h")
    hours = mine["hours"].to_numpy(dtype=float)
    inside = np.minimum((start + hours)[:, None], begin + dt) - np.maximum(start[:, None], begin)
    inside = np.maximum(inside, 0.0)  # hours of each reading in each unit, (readings, T)
    if (np.abs(inside.sum(axis=0) - dt) > OPEN * dt).any():
        return None
    weight = inside * np.maximum(shape, 0.0)
    weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, inside)
    mwh = mine[column].to_numpy(dtype=float) * inside.sum(axis=1) / hours
    energy: Floats = (mwh[:, None] * weight / weight.sum(axis=1, keepdims=True)).sum(axis=0)
    return energy / dt
