"""A run as it is saved: every noun a file, so that a report can be drawn again from the folder alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import NewerFormat
from energy.runs import older_formats
from energy.schedule.table import NO_SETPOINTS, read_setpoint_rows
from energy.schema import arrays, validate
from energy.series.spreadsheet import escape_frame, unescape_frame

#: Format version of run folders and nights: key ``format`` of manifest.json and night.json; without the key it is 1.
FORMAT = 3
#: Values from which compressing an array saves more than its index takes.
LEAST_COMPRESSED = 256
#: Datasets of a run folder: file name -> table that it obeys.
DATASETS = {
    "problem": arrays.PROBLEM, "solution": arrays.SOLUTION, "prices": arrays.PRICES,
    "replay": arrays.REPLAY, "baseline_replay": arrays.REPLAY,
    "schedule": arrays.SCHEDULE, "baseline_schedule": arrays.SCHEDULE,
}  # fmt: skip
FRAMES = ("bill", "baseline_bill")
#: Folder of the inputs inside a run folder: an ordinary case, ``case.yaml`` to begin with.
INPUTS = "inputs"
#: Weekly reservoir filling of the zones, where the case's series were fetched with it.
RESERVOIRS = "reservoirs.nc"
#: Hydropower signals of the zones by hour, likewise.
HYDRO = "hydro.nc"
#: Setpoints of devices as a table; the file is there only where a device is limited.
SETPOINTS = "setpoints.csv"
#: What is kept of its attributes: whom to thank, on which terms.
CREDIT = ("attribution", "licence")
#: What a nightly run adds: the dictionary that a night is summed up in.
NIGHT = "night.json"
#: Key of a night's manifest: the status of its plan alone, whatever became of the night's data and settlement.
PLAN_STATUS = "plan_status"


@dataclass(frozen=True)
class Record:
    """Files of one run, as objects.

    Attributes
    ----------
    datasets : by the names of DATASETS
    schedule_table : the plan as a table (job, site, hall, pool, start, hours, gpus)
    bills : invoice lines by the names of FRAMES
    summary, manifest : the content of the JSON files
    inputs : the inputs as they were read, by file name; empty where none were kept
    reservoirs : weeks of reservoir filling by zone, as `energy fetch` wrote them; None without
    hydro : hydropower signals by hour and zone, likewise
    night : the content of night.json, of nightly runs alone
    """

    datasets: dict[str, xr.Dataset]
    schedule_table: pd.DataFrame
    bills: dict[str, pd.DataFrame]
    summary: dict[str, Any]
    manifest: dict[str, Any]
    inputs: dict[str, bytes] = field(default_factory=dict)
    reservoirs: xr.Dataset | None = None
    hydro: xr.Dataset | None = None
    night: dict[str, Any] | None = None

    def __getattr__(self, name: str) -> xr.Dataset:
        """The datasets by name: ``record.problem``."""
        try:
            return self.__dict__["datasets"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None


def write(record: Record, folder: Path) -> None:
    """Write every file but report.html and manifest.json into an existing folder.

    In CSV files names that a spreadsheet would calculate begin with an apostrophe; Parquet has them as they are.
    """
    for name, ds in record.datasets.items():
        # In memory first: to a full disk HDF5 answers with a crash, Python's own write with an OSError.
        on_disk = ds if ds.sizes.get("device", 1) else ds.drop_dims("device")
        (folder / f"{name}.nc").write_bytes(on_disk.to_netcdf(engine="h5netcdf", encoding=_encoding(on_disk)))
    for name, water in ((RESERVOIRS, record.reservoirs), (HYDRO, record.hydro)):
        if water is not None:
            (folder / name).write_bytes(water.to_netcdf(engine="h5netcdf"))
    record.schedule_table.to_parquet(folder / "schedule.parquet", index=False)
    schedule = escape_frame(record.schedule_table)
    schedule.to_csv(folder / "schedule.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ", float_format="%.6f")
    setpoints = setpoint_table(record.schedule)
    if len(setpoints):
        escape_frame(setpoints).to_csv(folder / SETPOINTS, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    for name, bill in record.bills.items():
        escape_frame(bill).to_csv(folder / f"{name}.csv", index=False, float_format="%.6f")
    write_json(record.summary, folder / "summary.json")
    (folder / INPUTS).mkdir()
    for name, content in record.inputs.items():
        (folder / INPUTS / name).write_bytes(content)
    if record.night is not None:
        write_json(record.night, folder / NIGHT)


def setpoint_table(schedule: xr.Dataset) -> pd.DataFrame:
    """Setpoints as a table: device, start (UTC), hours, setpoint_mw, where a device is limited; mostly empty."""
    at, t = np.nonzero(schedule["setpoint"].values < arrays.UNLIMITED_MW)
    return pd.DataFrame({
        "device": schedule["device"].values.astype(str)[at], "start": schedule["time"].values[t],
        "hours": schedule["dt"].values[t], "setpoint_mw": schedule["setpoint"].values[at, t],
    })  # fmt: skip


def _encoding(ds: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Compression where it pays, no fill values, and time as CF minutes."""
    out: dict[str, dict[str, Any]] = {}
    for name in ds.variables:
        if ds[name].dtype.kind in "fiu":
            packed = {"zlib": True, "complevel": 1} if ds[name].size >= LEAST_COMPRESSED else {}
            out[str(name)] = packed | {"_FillValue": None}
    if "time" in ds.variables:
        since = "minutes since 1970-01-01T00:00:00"
        out["time"] = {"units": since, "calendar": "standard", "dtype": "int64", "_FillValue": None}
    return out


def write_json(data: dict[str, Any], path: Path) -> None:
    """Readable, in the order given (a page drawn again looks the same), without NaN or infinity."""
    text = json.dumps(data, indent=2, allow_nan=False, default=_plain)
    path.write_text(f"{text}\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")


def read(folder: Path) -> Record:
    """Load a run folder of this format or of an older one.

    Raises
    ------
    FileNotFoundError : a file of the run is missing; names it.
    NewerFormat : the folder was written by a newer version of this program.
    schema.SchemaError : a file does not obey its table.
    """
    manifest = read_manifest(folder)
    summary = _json(folder / "summary.json")
    return Record(
        {name: validate.check(_dataset(folder, name, manifest["format"]), table) for name, table in DATASETS.items()},
        pd.read_parquet(folder / "schedule.parquet"),
        {name: unescape_frame(pd.read_csv(folder / f"{name}.csv")) for name in FRAMES},
        older_formats.summary(summary) if manifest["format"] == 1 else summary, manifest,
        {path.name: path.read_bytes() for path in sorted((folder / INPUTS).glob("*"))},
        read_water(folder, RESERVOIRS), read_water(folder, HYDRO),
        read_night(folder) if (folder / NIGHT).is_file() else None,
    )  # fmt: skip


def read_manifest(folder: Path) -> dict[str, Any]:
    """The content of manifest.json with the names of today and its own format version.

    Raises
    ------
    OSError, ValueError : the file is missing or is not JSON.
    NewerFormat : it was written by a newer version of this program.
    """
    return _of_today(folder / "manifest.json", older_formats.manifest)


def read_night(folder: Path) -> dict[str, Any]:
    """The content of night.json likewise."""
    return _of_today(folder / NIGHT, older_formats.night)


def read_setpoints(folder: Path) -> pd.DataFrame:
    """Setpoints of a run folder: device, start (naive UTC), hours, setpoint_mw; mostly empty."""
    path = older_formats.file_of(folder, SETPOINTS)
    if not path.is_file():
        return NO_SETPOINTS
    table = read_setpoint_rows(path)
    return table if path.name == SETPOINTS else older_formats.setpoints(table)


def _of_today(path: Path, reader: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A document that states its format version; without one it is the first."""
    found = _json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path}: is not a JSON object")
    version = found.get("format", 1)
    if version > FORMAT:
        raise NewerFormat(f"{path}: has format version {version}, this program reads up to {FORMAT}; update hydrocool")
    return {"format": version, **reader(found)} if version == 1 else found


def _dataset(folder: Path, name: str, version: int) -> xr.Dataset:
    found = xr.load_dataset(older_formats.file_of(folder, f"{name}.nc"), engine="h5netcdf")
    return older_formats.dataset(found, version) if version < FORMAT else found


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_water(folder: Path, name: str) -> xr.Dataset | None:
    """RESERVOIRS or HYDRO as it lies in a folder, numbers and credit only; None where there is none."""
    path = folder / name
    if not path.is_file():
        return None
    ds = xr.load_dataset(path, engine="h5netcdf")
    numbers = ds.drop_vars([n for n in ds.data_vars if ds[n].dtype.kind not in "fiu"]).drop_attrs()
    return numbers.assign_attrs({n: str(ds.attrs.get(n, "")) for n in CREDIT})
