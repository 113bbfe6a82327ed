"""Short ways to write times in tests."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import xarray as xr

from energy.schema import QUALITY


def at(text: str) -> np.datetime64:
    """A UTC moment."""
    return np.datetime64(text, "ns")


def moments(ds: xr.Dataset) -> list[datetime]:
    """Interval starts as naive datetimes."""
    return [t.astype("datetime64[s]").item() for t in ds["time"].values]


def qualities(ds: xr.Dataset) -> set[str]:
    """The qualities that occur."""
    return {QUALITY[q] for q in ds["quality"].values}
