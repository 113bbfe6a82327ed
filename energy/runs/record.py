"""A run as it is saved: every noun a file, so that a report can be drawn again from the folder alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.schedule.setpoints import SOLAR, device_axis, setpoints, site_axis
from energy.schedule.table import SETPOINTS
from energy.schema import arrays, validate
from energy.series.spreadsheet import escape_frame, unescape_frame

#: Format version of run folders and nights: key ``format`` of manifest.json and night.json; without the key it is 1.
FORMAT = 2
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
#: No solar array held back.
NO_HOURS = pd.DataFrame({"site": [], "start": [], "hours": [], "solar_limit_mw": []})
#: What is kept of its attributes: whom to thank, on which terms.
CREDIT = ("attribution", "licence")
#: What a nightly run adds: the dictionary that a night is summed up in.
NIGHT = "night.json"
#: Key of a night's manifest: the status of its plan alone, whatever became of the night's data and settlement.
PLAN_STATUS = "plan_status"


@dataclass(frozen=True)
class Record:
    """What one run leaves behind.

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
        on_disk = site_axis(ds, record.problem["site"].values) if DATASETS[name] is arrays.SCHEDULE else ds
        (folder / f"{name}.nc").write_bytes(on_disk.to_netcdf(engine="h5netcdf", encoding=_encoding(on_disk)))
    for name, water in ((RESERVOIRS, record.reservoirs), (HYDRO, record.hydro)):
        if water is not None:
            (folder / name).write_bytes(water.to_netcdf(engine="h5netcdf"))
    record.schedule_table.to_parquet(folder / "schedule.parquet", index=False)
    schedule = escape_frame(record.schedule_table)
    schedule.to_csv(folder / "schedule.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ", float_format="%.6f")
    held = held_back(record.schedule)
    if len(held):
        escape_frame(held).to_csv(folder / SETPOINTS, index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    for name, bill in record.bills.items():
        escape_frame(bill).to_csv(folder / f"{name}.csv", index=False, float_format="%.6f")
    write_json(record.summary, folder / "summary.json")
    (folder / INPUTS).mkdir()
    for name, content in record.inputs.items():
        (folder / INPUTS / name).write_bytes(content)
    if record.night is not None:
        write_json(record.night, folder / NIGHT)


def held_back(schedule: xr.Dataset) -> pd.DataFrame:
    """Where solar arrays are held back: site, start (UTC), hours, solar_limit_mw; empty where nothing is."""
    rows = [
        pd.DataFrame({
            "site": name.removesuffix(f"/{SOLAR}"), "start": schedule["time"].values[held],
            "hours": schedule["dt"].values[held], "solar_limit_mw": limit[held],
        })
        for name, limit in setpoints(schedule).items()
        if name.endswith(f"/{SOLAR}") and (held := limit < arrays.UNLIMITED_MW).any()
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True) if rows else NO_HOURS


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
    """Load a run folder.

    Raises
    ------
    FileNotFoundError : a file of the run is missing; names it.
    schema.SchemaError : a file does not obey its table.
    """
    datasets = {n: device_axis(xr.load_dataset(folder / f"{n}.nc", engine="h5netcdf")) for n in DATASETS}
    return Record(
        {n: validate.check(datasets[n], table) for n, table in DATASETS.items()},
        pd.read_parquet(folder / "schedule.parquet"),
        {name: unescape_frame(pd.read_csv(folder / f"{name}.csv")) for name in FRAMES},
        _json(folder / "summary.json"), _json(folder / "manifest.json"),
        {path.name: path.read_bytes() for path in sorted((folder / INPUTS).glob("*"))},
        read_water(folder, RESERVOIRS), read_water(folder, HYDRO),
        _json(folder / NIGHT) if (folder / NIGHT).is_file() else None,
    )  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def read_water(folder: Path, name: str) -> xr.Dataset | None:
    """RESERVOIRS or HYDRO as it lies in a folder, numbers and credit only; None where there is none."""
    path = folder / name
    if not path.is_file():
        return None
    ds = xr.load_dataset(path, engine="h5netcdf")
    numbers = ds.drop_vars([n for n in ds.data_vars if ds[n].dtype.kind not in "fiu"]).drop_attrs()
    return numbers.assign_attrs({n: str(ds.attrs.get(n, "")) for n in CREDIT})
