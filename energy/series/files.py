"""Files: CSV, Parquet, NetCDF and EPW to tables without a meaning yet; fetched series to NetCDF (CF conventions).

A written file has one column per series over one uniform time axis, with ``<label>_quality`` and ``<label>_source``
beside it (plain ``quality`` and ``source`` where the file is about one place): what `read.py` reads.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.schema import Times
from energy.series.content import check_hdf, check_parquet, read_bytes
from energy.series.labels import LABELS, TIME_ATTRS, quality_and_source, terms_of, to_table
from energy.series.resample import held

TIME_COLUMNS = ("utc", "time", "timestamp")
#: Cells of a series that say that there is no value; a job table has empty cells only.
MISSING = ("", "NaN", "nan", "NA", "N/A", "n/a", "null", "None")
ALLOWED = "CSV (also .gz), Parquet, NetCDF, EPW"
#: What the readers raise on files that are damaged or something else than their ending says.
DAMAGED = (ValueError, KeyError, IndexError, TypeError, OverflowError, OSError, MemoryError, ArithmeticError)


def read_frame(path: Path, text: Sequence[str] = (), missing: Sequence[str] = ("",)) -> pd.DataFrame:
    """A CSV or Parquet file as it stands.

    Parameters
    ----------
    text : columns that are text even where they look like numbers
    missing : cells of a CSV file that stand for no value

    Raises SeriesError: not readable, or no such format.
    """
    return _table(path, read_bytes(path, ALLOWED), text, missing)


def _table(path: Path, content: io.BytesIO, text: Sequence[str], missing: Sequence[str]) -> pd.DataFrame:
    """Rows of a CSV file keep their numbers: blank lines count, and are dropped only at the end of the file."""
    name = path.name.lower().removesuffix(".gz")
    if not name.endswith((".csv", ".parquet", ".pq")):
        raise SeriesError(path, f"has the unknown ending {path.suffix!r}", ALLOWED)
    try:
        if not name.endswith(".csv"):
            check_parquet(path, content)
            return pd.read_parquet(content)
        types = dict.fromkeys(text, str)
        frame = pd.read_csv(
            content, dtype=types, keep_default_na=False, na_values=list(missing), skip_blank_lines=False
        )
        if not isinstance(frame.index, pd.RangeIndex):  # pandas takes surplus cells for row labels
            raise ValueError(f"rows have more cells than the {len(frame.columns)} columns of the header")
    except DAMAGED as e:
        raise SeriesError(path, f"is not a table: {str(e).splitlines()[0]}", ALLOWED) from None
    filled = frame.notna().any(axis=1).to_numpy().nonzero()[0]
    return frame.iloc[: filled[-1] + 1 if len(filled) else 0]


def read_series(path: Path, year: int | None = None) -> pd.DataFrame:
    """A table over time: index naive UTC interval starts, rising strictly; columns as in the file.

    A typical year (EPW) is moved to `year` and its neighbours, so that UTC offsets and horizons across
    New Year find their hours.

    Raises SeriesError: no time column, a stamp without a meaning, a duplicated or backward one; names the row.
    """
    if path.suffix.lower() == ".epw":
        return _read_epw(path, year or 2001)
    if path.suffix.lower() in {".nc", ".nc4", ".h5"}:
        return _rising(path, _read_netcdf(path), first_row=0)
    # The readers say less clearly what is wrong with a file, and pandas swallows Ctrl-C.
    return _series_of(path, read_bytes(path, ALLOWED).getvalue()).copy()


@lru_cache(maxsize=16)
def _series_of(path: Path, content: bytes) -> pd.DataFrame:
    """The table over its time column, kept by what the file holds: a night reads each series for every day that it settles."""
    frame = _table(path, io.BytesIO(content), TIME_COLUMNS, MISSING)
    if isinstance(frame.index, pd.DatetimeIndex):  # Parquet keeps an index
        frame = frame.reset_index(names=frame.index.name or TIME_COLUMNS[0])
    column = next((c for c in TIME_COLUMNS if c in frame.columns), None)
    if column is None:
        raise SeriesError(f"{path}: header", f"no time column in {list(frame.columns)[:6]}", " or ".join(TIME_COLUMNS))
    frame.index = pd.DatetimeIndex(_stamps(path, frame[column]), name="time")
    return _rising(path, frame.drop(columns=column), first_row=2)


def _stamps(path: Path, column: pd.Series) -> Times:
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    bad = (parsed.isna() | column.isin(["now", "today"])).to_numpy()  # pandas would read the clock
    if bad.any():
        row = int(np.argmax(bad))
        found = "" if pd.isna(column.iloc[row]) else str(column.iloc[row])
        raise SeriesError(
            f"{path}: row {row + 2}", f"{found!r} is not a time", "ISO 8601, such as 2018-05-01T06:00:00Z"
        )
    return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")


def _rising(path: Path, frame: pd.DataFrame, first_row: int) -> pd.DataFrame:
    step = np.diff(frame.index.to_numpy()).astype("timedelta64[s]").astype(int)
    if (step <= 0).any():
        row = int(np.argmax(step <= 0)) + 1
        kind = "is duplicated" if step[row - 1] == 0 else "goes backward"
        where = f"{path}: row {row + first_row}"
        raise SeriesError(where, f"time {frame.index[row]}Z {kind}", "rising time stamps, each once")
    return frame


def _read_netcdf(path: Path) -> pd.DataFrame:
    """One-dimensional variables over `time`; two-dimensional ones become a column per label."""
    content = read_bytes(path, ALLOWED)
    try:
        with h5py.File(content, "r") as file:  # before h5netcdf, which leaves half a file behind where this fails
            check_hdf(path, file)
        content.seek(0)
        ds = xr.load_dataset(content, engine="h5netcdf")
    except SeriesError:
        raise
    except Exception as e:  # HDF5 and its readers raise whatever a damaged byte leads them to
        what = (str(e).splitlines() or [""])[0] or type(e).__name__
        raise SeriesError(path, f"is not a NetCDF-4 file: {what}", ALLOWED) from None
    if "time" not in ds.coords or not np.issubdtype(ds["time"].dtype, np.datetime64):
        found = ", ".join(str(c) for c in ds.coords)
        raise SeriesError(path, f"has no coordinate time with dates (found {found})", "hours since 2018-01-01, in UTC")
    columns: dict[str, object] = {}
    for name, da in ds.data_vars.items():
        if da.dims == ("time",):
            columns[str(name)] = da.to_numpy()
        elif da.ndim == 2 and "time" in da.dims:
            wide = da.transpose("time", ...)
            columns |= dict(zip(map(str, wide[wide.dims[1]].to_numpy()), wide.to_numpy().T, strict=True))
    return pd.DataFrame(columns, index=pd.DatetimeIndex(ds["time"].to_numpy().astype("datetime64[ns]"), name="time"))


def _read_epw(path: Path, year: int) -> pd.DataFrame:
    """EnergyPlus weather of a typical year; pvlib labels rows with the start of their hour, standard time."""
    from pvlib.iotools import read_epw  # here, not above: pvlib takes half a second to import

    text = read_bytes(path, ALLOWED).read().decode(encoding="utf-8", errors="replace")
    try:
        raw, head = read_epw(io.StringIO(text), coerce_year=2000)  # a leap year: some files have a 29 February
        whole = pd.concat([_in_year(raw, y, float(head["TZ"])) for y in (year - 1, year, year + 1)])
    except DAMAGED as e:
        raise SeriesError(path, f"is not an EPW file: {str(e).splitlines()[0]}", "the format of EnergyPlus") from None
    names = ["temp_air", "temp_dew", "pressure", "wind_speed", "ghi", "dni", "dhi"]
    return whole.rename(columns={"atmospheric_pressure": "pressure"})[names]


def _in_year(raw: pd.DataFrame, year: int, utc_offset: float) -> pd.DataFrame:
    """The typical year on the calendar of `year`, in UTC; its 29 February only where there is one."""
    parts = {"year": year, "month": raw["month"], "day": raw["day"], "hour": raw["hour"] - 1}
    local = pd.to_datetime(pd.DataFrame(parts), errors="coerce").to_numpy()
    index = pd.DatetimeIndex(local - pd.Timedelta(hours=utc_offset), name="time").as_unit("ns")
    return raw.set_axis(index)[index.notna()]


#: Label and source of an hour that nothing is known of; its value is NaN, so nobody can use it unawares.
NO_QUALITY = ("scenario", "missing")
_TIME = {"units": "minutes since 1970-01-01T00:00:00", "calendar": "standard", "dtype": "int64", "_FillValue": None}


def columns(series: Mapping[str, xr.Dataset], variable: str) -> xr.Dataset:
    """One variable of several series side by side, on the shortest step of them all.

    Parameters
    ----------
    series : label (a zone) -> labelled Dataset
    variable : what becomes the column named after the label
    """
    step_h = min(float(ds["dt"].min()) for ds in series.values())
    tables = {label: to_table(held(ds, step_h)) for label, ds in series.items()}
    time = np.unique(np.concatenate([t.index.to_numpy() for t in tables.values()]))
    terms = terms_of(series.values()) | {"Conventions": "CF-1.11"}
    out = xr.Dataset(coords={"time": ("time", time, TIME_ATTRS)}, attrs=terms)
    for label, ds in series.items():
        whole = tables[label].reindex(time)
        out[label] = ("time", whole[variable].to_numpy(), ds[variable].attrs | ds.attrs)
        for name, missing in zip(LABELS, NO_QUALITY, strict=True):
            out[f"{label}_{name}"] = ("time", whole[name].fillna(missing).to_numpy(dtype=str))
    return out.assign(dt=((), step_h, {"units": "h"}))


def one_place(ds: xr.Dataset) -> xr.Dataset:
    """A series of one place with its labels in words."""
    quality, source = quality_and_source(ds)
    return ds.assign(quality=("time", quality), source=("time", source))


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
