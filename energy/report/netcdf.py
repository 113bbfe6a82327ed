"""The NetCDF-4 files of a run folder, by h5py.

A run folder has some two hundred variables. Through xarray and h5netcdf each takes seven milliseconds to write and eight to
read, a quarter of the time of a night; straight to HDF5, with the dimension scales that make it NetCDF-4, a fifth of that.
Any NetCDF reader opens them; files that xarray wrote are read too.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

#: Name that NetCDF-4 gives to the scale of a dimension without a coordinate; its length follows in ten columns.
BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable."
#: Values from which compressing an array saves more than its index takes.
LEAST_COMPRESSED = 256
#: What HDF5 and NetCDF-4 note beside the attributes of a variable.
INTERNAL = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST")
#: How moments are written: whole minutes, the finest market time unit being a quarter.
MINUTES = {"units": "minutes since 1970-01-01", "calendar": "standard"}


def dumps(ds: xr.Dataset) -> bytes:
    """A Dataset whose coordinates are those of its dimensions, as the bytes of a file; the same Dataset, the same bytes.

    Raises
    ------
    ValueError : a moment between two minutes.
    """
    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=True) as file:
        for dim, size in ds.sizes.items():
            scale = _variable(file, str(dim), ds[dim].variable) if dim in ds.variables else _bare(file, str(dim), size)
            scale.make_scale(str(dim) if dim in ds.variables else f"{BARE_DIMENSION}{size:10d}")
        for name in (n for n in ds.variables if n not in ds.sizes):
            data = _variable(file, str(name), ds[name].variable)
            for axis, dim in enumerate(ds[name].dims):
                data.dims[axis].attach_scale(file[str(dim)])
        _attributes(file, {"Conventions": "CF-1.11"} | ds.attrs)
    return memory.getvalue()


def _bare(file: Any, dim: str, size: int) -> Any:
    return file.create_dataset(dim, shape=(size,), dtype=">f4")


def _variable(file: Any, name: str, variable: xr.Variable) -> Any:
    """One array with its attributes; text as UTF-8, moments as minutes."""
    values, attrs = np.asarray(variable.values), dict(variable.attrs)
    if values.dtype.kind in "UO":
        data = file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        if values.dtype.kind == "M":
            values, attrs = _minutes(values), attrs | MINUTES
        packed = (
            {"compression": "gzip", "compression_opts": 1, "shuffle": True} if values.size > LEAST_COMPRESSED else {}
        )
        data = file.create_dataset(name, data=values, **packed)
    _attributes(data, attrs)
    return data


def _minutes(moments: Any) -> Any:
    whole = moments.astype("datetime64[m]")
    if (whole != moments).any():
        raise ValueError("a moment lies between two minutes")
    return whole.astype("int64")


def _attributes(of: Any, attrs: dict[Any, Any]) -> None:
    """NetCDF has no attribute of a single number: it is an array of one."""
    for key, value in attrs.items():
        of.attrs[str(key)] = value if isinstance(value, str) else np.atleast_1d(value)


def load(path: Path) -> xr.Dataset:
    """A file of a run folder.

    Raises
    ------
    OSError : not there, or no such file.
    """
    with h5py.File(path, "r") as file:
        found = {name: _read(data) for name, data in file.items() if not _is_bare(data)}
        return xr.Dataset(found, attrs=_noted(file))


def _is_bare(data: Any) -> bool:
    return str(_text(data.attrs.get("NAME", ""))).startswith(BARE_DIMENSION)


def _read(data: Any) -> xr.Variable:
    """One array on its dimensions; a scale lies on itself."""
    name = data.name.rpartition("/")[2]
    dims = [name] if data.is_scale else [axis[0].name.rpartition("/")[2] for axis in data.dims]
    attrs = _noted(data)
    if h5py.check_string_dtype(data.dtype):
        return xr.Variable(dims, data.asstr()[()].astype(str), attrs)
    if MINUTES.items() <= attrs.items():
        moments = data[()].astype("datetime64[m]").astype("datetime64[ns]")
        return xr.Variable(dims, moments, {k: v for k, v in attrs.items() if k not in MINUTES})
    return xr.Variable(dims, data[()], attrs)


def _noted(of: Any) -> dict[str, Any]:
    """Attributes as they were given: a number alone, text as text."""
    given = {k: v for k, v in of.attrs.items() if k not in INTERNAL and not k.startswith(("_Netcdf4", "_NC"))}
    return {k: v[0] if isinstance(v, np.ndarray) and v.shape == (1,) else _text(v) for k, v in given.items()}


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
