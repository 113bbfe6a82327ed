"""Tables from CSV, Parquet, NetCDF and EPW, before anyone looks at their meaning."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.inputs.errors import SeriesError
from energy.schema import Times

TIME_COLUMNS = ("utc", "time", "timestamp")
ALLOWED = "CSV (also .gz), Parquet, NetCDF, EPW"


def read_frame(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file as it stands; empty cells are missing values.

    Raises
    ------
    SeriesError : not readable, or no such format.
    """
    name = path.name.removesuffix(".gz")
    try:
        if name.endswith(".csv"):
            return pd.read_csv(path, keep_default_na=True)
        if name.endswith((".parquet", ".pq")):
            return pd.read_parquet(path)
    except OSError as e:
        raise SeriesError(path, f"cannot be read ({e.strerror or e})") from None
    except (ValueError, UnicodeDecodeError) as e:
        raise SeriesError(path, f"is not a table: {str(e).splitlines()[0]}", ALLOWED) from None
    raise SeriesError(path, f"has the unknown ending {path.suffix!r}", ALLOWED)


def read_series(path: Path, year: int | None = None) -> pd.DataFrame:
    """A table over time: index naive UTC interval starts, rising strictly; columns as in the file.

    A typical year (EPW) is moved to `year` and its neighbours, so that UTC offsets and horizons across
    New Year find their hours.

    Raises
    ------
    SeriesError : no time column, a stamp without a meaning, a duplicated or backward one; names the row.
    """
    if path.suffix.lower() == ".epw":
        return _read_epw(path, year or 2001)
    if path.suffix.lower() in {".nc", ".nc4", ".h5"}:
        return _rising(path, _read_netcdf(path), first_row=0)
    frame = read_frame(path)
    column = next((c for c in TIME_COLUMNS if c in frame.columns), None)
    if column is None:
        raise SeriesError(f"{path}: header", f"no time column in {list(frame.columns)[:6]}", " or ".join(TIME_COLUMNS))
    frame.index = pd.DatetimeIndex(_stamps(path, frame[column]), name="time")
    return _rising(path, frame.drop(columns=column), first_row=2)


def _stamps(path: Path, column: pd.Series) -> Times:
    parsed = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    if parsed.isna().any():
        row = int(np.argmax(parsed.isna().to_numpy()))
        raise SeriesError(
            f"{path}: row {row + 2}",
            f"{column.iloc[row]!r} is not a time",
            "ISO 8601, such as 2018-05-01T06:00:00Z",
        )
    return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")


def _rising(path: Path, frame: pd.DataFrame, first_row: int) -> pd.DataFrame:
    step = np.diff(frame.index.to_numpy()).astype("timedelta64[s]").astype(int)
    if (step <= 0).any():
        row = int(np.argmax(step <= 0)) + 1
        kind = "is duplicated" if step[row - 1] == 0 else "goes backward"
        raise SeriesError(
            f"{path}: row {row + first_row}",
            f"time {frame.index[row]}Z {kind}",
            "rising time stamps, each once",
        )
    return frame


def _read_netcdf(path: Path) -> pd.DataFrame:
    """One-dimensional variables over `time`; two-dimensional ones become a column per label."""
    try:
        ds = xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as e:
        raise SeriesError(path, f"is not a NetCDF-4 file: {str(e).splitlines()[0]}") from None
    if "time" not in ds.dims:
        raise SeriesError(path, f"has no dimension time (found {list(ds.dims)})")
    columns = {}
    for name, da in ds.data_vars.items():
        if da.dims == ("time",):
            columns[str(name)] = da.to_numpy()
        elif da.ndim == 2 and "time" in da.dims:
            other = next(str(d) for d in da.dims if d != "time")
            columns |= {str(label): da.sel({other: label}).to_numpy() for label in da[other].to_numpy()}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(ds["time"].to_numpy().astype("datetime64[ns]"), name="time"))


def _read_epw(path: Path, year: int) -> pd.DataFrame:
    """EnergyPlus weather of a typical year; pvlib labels rows with the start of their hour, standard time."""
    from pvlib.iotools import parse_epw  # here, not above: pvlib takes half a second to import

    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        parts = [parse_epw(io.StringIO(text), coerce_year=y)[0] for y in (year - 1, year, year + 1)]
    except OSError as e:
        raise SeriesError(path, f"cannot be read ({e.strerror})") from None
    except (ValueError, KeyError, IndexError) as e:
        raise SeriesError(path, f"is not an EPW file: {e}") from None
    frame = pd.concat(parts)
    frame.index = pd.DatetimeIndex(
        frame.index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]"), name="time"
    )
    frame = frame[["temp_air", "temp_dew", "atmospheric_pressure", "wind_speed", "ghi", "dni", "dhi"]]
    frame = frame.rename(columns={"atmospheric_pressure": "pressure"})
    return pd.DataFrame(frame[~frame.index.duplicated()].sort_index())
