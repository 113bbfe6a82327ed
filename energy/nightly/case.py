"""The case folder of a night: an ordinary case that holds only what was known at its moment."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from energy.errors import ConfigError
from energy.inputs.fleet import load_fleet
from energy.inputs.jobs import Job
from energy.inputs.state import State
from energy.inputs.yaml_files import dumped
from energy.nightly.config import NightlyWorkspace
from energy.nightly.database import Store
from energy.nightly.inputs import CASE, PRICES, SNAPSHOT, STATE, SeriesSnapshot
from energy.nightly.outcome import NightContext
from energy.nightly.queue import as_table
from energy.runs.folder import sha256
from energy.runs.older_formats import file_of
from energy.runs.record import HYDRO, RESERVOIRS, read_water

#: Hydropower signals that are kept: the week before the delivery day, as of `energy fetch` for single plans.
WATER_DAYS = 7


def write_night_case(
    folder: Path, workspace: NightlyWorkspace, known: SeriesSnapshot, first: date, last: date, state: State, jobs: list[Job],
    expected: pd.DataFrame | None = None, beyond: str = "must_finish",
) -> Path:  # fmt: skip
    """Write the files into an existing empty folder and return the case file; the same input gives the same bytes.

    Raises
    ------
    ConfigError : a file that the fleet names is not there.
    """
    config = workspace.config
    _copy_fleet(workspace.beside(config.fleet), folder / "fleet")
    _csv(merged([_columns(known.tables[z], z) for z in config.zones()]), folder / PRICES)
    for site in config.weather:
        _csv(known.tables[site].drop(columns="real"), folder / f"weather_{site}.csv")
    for zone in config.carbon:
        _csv(_columns(known.tables[f"carbon {zone}"], "value"), folder / f"carbon_{zone}.csv")
    keep_water(workspace, folder, first)
    as_table(jobs).to_csv(folder / "jobs.csv", index=False, lineterminator="\n")
    has_expected = expected is not None and len(expected) > 0
    if expected is not None and has_expected:
        stamps = {k: expected[k].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for k in ("release", "deadline")}
        expected.assign(**stamps).to_csv(folder / "expected_jobs.csv", index=False, lineterminator="\n")
    (folder / STATE).write_bytes(dumped(state.model_dump(mode="json", exclude_defaults=True)))
    (folder / CASE).write_bytes(dumped(_case(workspace, first, last, beyond, has_expected, folder)))
    return folder / CASE


def keep_water(workspace: NightlyWorkspace, folder: Path, first: date) -> None:
    """Reservoir filling and hydropower of a live night, for its report; nothing where nothing was fetched."""
    if workspace.water is None:
        return
    for name in (RESERVOIRS, HYDRO):
        water = read_water(workspace.water, name)
        if water is not None and name == HYDRO:
            since = workspace.config.begin(first - timedelta(days=WATER_DAYS))
            water = water.isel(time=water["time"].values >= since)
        if water is not None and water.sizes["time"]:
            (folder / name).write_bytes(water.to_netcdf(engine="h5netcdf"))


def _case(
    workspace: NightlyWorkspace, first: date, last: date, beyond: str, expected: bool, folder: Path
) -> dict[str, Any]:
    config = workspace.config
    horizon = {"start": str(first), "end": str(last), "time_zone": config.time_zone,
               "market_time_unit_min": config.market_time_unit_min}  # fmt: skip
    prices = [p.model_dump(mode="json", exclude_none=True) | {"file": PRICES, "zones": list(p.zones), "columns": {}}
              for p in config.prices]  # fmt: skip
    weather = {s: w.model_dump(mode="json") | {"file": f"weather_{s}.csv"} for s, w in config.weather.items()}
    carbon = {
        z: c.model_dump(mode="json") | {"file": f"carbon_{z}.csv", "column": "value"} for z, c in config.carbon.items()
    }
    fx = {k: r.model_dump(mode="json", exclude_none=True) for k, r in config.fx.items()}
    for currency, rate in config.fx.items():
        if rate.file is not None:  # under its currency's name: files of two currencies may be called alike
            fx[currency]["file"] = f"fx/{currency}{Path(rate.file).suffix}"
            (folder / "fx").mkdir(exist_ok=True)
            shutil.copyfile(workspace.beside(rate.file), folder / fx[currency]["file"])
    data: dict[str, Any] = {
        "name": config.name, "fleet": f"fleet/{Path(config.fleet).name}", "jobs": "jobs.csv", "horizon": horizon,
        "prices": prices, "weather": weather, "carbon": carbon, "fx": fx, "state": STATE,
    }  # fmt: skip
    if beyond != "must_finish":
        horizon["beyond"] = beyond
    return data | ({"expected_jobs": "expected_jobs.csv"} if expected else {})


def _copy_fleet(source: Path, folder: Path) -> None:
    """Copy the fleet file and the model files that it names by path; those known by name stay in the package."""
    fleet = load_fleet(source)
    folder.mkdir()
    shutil.copyfile(source, folder / source.name)
    names = {n for s in fleet.sites.values() for n in (s.tariff, *s.limits)}
    names |= {h.plant for _, h in fleet.halls().values()} | {p.gpu for _, p in fleet.pools().values()}
    for name in sorted(n for n in names if n.endswith((".yaml", ".yml"))):
        target = folder / name
        if Path(name).is_absolute() or not target.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"{source}: {name}", "lies outside the folder of the fleet", "a path below it")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.parent / name, target)


def _columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[["value", "quality"]].rename(columns={"value": name, "quality": f"{name}_quality"})


def merged(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Zones in one table on the finest step of them all: each is complete, and a coarser price holds over its unit."""
    every = sorted(set().union(*(t.index for t in tables)))
    return pd.concat([t.reindex(pd.DatetimeIndex(every)).ffill() for t in tables], axis=1)


def _csv(table: pd.DataFrame, path: Path) -> None:
    stamps = pd.DatetimeIndex(table.index).strftime("%Y-%m-%dT%H:%M:%SZ")
    table.set_axis(pd.Index(stamps, name="utc")).to_csv(path, lineterminator="\n")


def digest(folder: Path, *extra: str) -> str:
    """SHA-256 over the names and bytes of a folder's files and over further texts, in a fixed order."""
    found = hashlib.sha256("\0".join(extra).encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(folder)).encode() + b"\0")
        found.update(bytes.fromhex(sha256(path)))
    return found.hexdigest()


def kept_inputs(context: NightContext) -> Path | None:
    """Kept inputs of a night: those of its published run, else of its last attempt; None where it never got so far."""
    rows = context.store.rows(
        "SELECT run_id FROM runs WHERE night = ? AND run_id IS NOT NULL ORDER BY published DESC, id DESC",
        str(context.day),
    )
    kept = context.workspace.snapshots
    tried = [kept / r["run_id"] for r in rows]
    left = sorted(kept.glob(f"{context.config.name}_{context.day}_*"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
    return next((p for p in (*tried, *left) if file_of(p, SNAPSHOT).is_file()), None)


def nights_to_run(store: Store, first: date, last: date, reprocess: str) -> list[date]:
    """Nights of a back-fill, in order.

    Raises
    ------
    ConfigError : `reprocess` is an unknown word.
    """
    if reprocess not in ("none", "failed", "all"):
        raise ConfigError(f"--reprocess {reprocess}", "is not one of its choices", "none, failed or all")
    query = "SELECT night, max(published) AS published FROM runs GROUP BY night"
    tried = {r["night"]: r["published"] for r in store.rows(query)}
    wanted: dict[str, set[int | None]] = {"none": {None}, "failed": {None, 0}, "all": {None, 0, 1}}
    days = (first + timedelta(days=k) for k in range((last - first).days + 1))
    return [d for d in days if tried.get(str(d)) in wanted[reprocess]]
