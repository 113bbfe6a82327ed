"""NetCDF files of fetched series: CF conventions, written whole or not at all.

A file has one column per series over one uniform time axis, with ``<label>_quality`` and ``<label>_source``
beside it (plain ``quality`` and ``source`` where the file is about one place): what ``energy/inputs`` reads.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import QUALITY
from energy.sources.labelled import TIME_ATTRS, held, terms_of

#: Label and source of an hour that nothing is known of; its value is NaN, so nobody can use it unawares.
MISSING = ("scenario", "missing")
_TIME = {"units": "minutes since 1970-01-01T00:00:00", "calendar": "standard", "dtype": "int64", "_FillValue": None}


def columns(series: Mapping[str, xr.Dataset], variable: str) -> xr.Dataset:
    """One variable of several series side by side, on the shortest step of them all.

    Parameters
    ----------
    series : label (a zone) -> labelled Dataset
    variable : what becomes the column named after the label
    """
    step_h = min(float(ds["dt"].min()) for ds in series.values())
    fine = {label: held(ds, step_h) for label, ds in series.items()}
    time = np.unique(np.concatenate([ds["time"].values for ds in fine.values()]))
    out = xr.Dataset(coords={"time": ("time", time, TIME_ATTRS)}, attrs=_shared(series))
    for label, ds in fine.items():
        at = np.searchsorted(time, ds["time"].values)
        out[label] = ("time", _spread(ds[variable].values, at, len(time), np.nan), ds[variable].attrs | ds.attrs)
        for name, values, missing in zip(("quality", "source"), labels(ds), MISSING, strict=True):
            out[f"{label}_{name}"] = ("time", _spread(values, at, len(time), missing))
    return out.assign(dt=((), step_h, {"units": "h"}))


def one_place(ds: xr.Dataset) -> xr.Dataset:
    """A series of one place with its labels in words."""
    quality, source = labels(ds)
    return ds.assign(quality=("time", quality), source=("time", source))


def labels(ds: xr.Dataset) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Quality and source of each interval in words."""
    return np.array(QUALITY)[ds["quality"].values], ds["source"].values


def _spread(values: np.ndarray[Any, Any], at: np.ndarray[Any, Any], size: int, missing: Any) -> np.ndarray[Any, Any]:
    """`values` at their positions of a longer axis; `missing` elsewhere."""
    out = np.full(size, missing, dtype=np.result_type(values.dtype, np.array(missing).dtype))
    out[at] = values
    return out


def _shared(series: Mapping[str, xr.Dataset]) -> dict[str, str]:
    """Attributes of the whole file: every licence and attribution, each once."""
    return terms_of(series.values()) | {"Conventions": "CF-1.11"}


def write(ds: xr.Dataset, path: Path) -> Path:
    """Write beside the place and rename into it, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=".nc")
    os.close(handle)
    try:
        ds.to_netcdf(name, engine="h5netcdf", encoding={str(n): _encoding(ds[n]) for n in ds.variables})
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def _encoding(array: xr.DataArray) -> dict[str, Any]:
    """Compressed numbers, words as characters (CF), time in whole minutes."""
    if array.dtype.kind == "M":
        return dict(_TIME)
    if array.dtype.kind in "UO":
        return {"dtype": "S1", "zlib": True} if array.ndim else {}
    return {"zlib": True, "complevel": 1, "_FillValue": None} if array.ndim else {"_FillValue": None}
