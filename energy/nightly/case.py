"""The case folder of a night: an ordinary case that holds what was known then, and nothing of later.

What a night knew beside its case, kept with it: a back-fill makes the night again as it was known then.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy.errors import ConfigError
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.jobs import Job
from energy.inputs.state import State
from energy.inputs.yaml_files import dumped
from energy.nightly.config import Place
from energy.nightly.database import Store
from energy.nightly.outcome import Known
from energy.nightly.queue import Queue, as_table, read_queue
from energy.runs.folder import sha256
from energy.runs.record import HYDRO, RESERVOIRS, read_water

CASE, STATE, PRICES = "case.yaml", "state.yaml", "prices.csv"
#: Hydropower signals that are kept: the week before the delivery day, as of `energy fetch` for single plans.
WATER_DAYS = 7
#: What the label of a filled or measured hour falls back to in the case; every row carries its own.
LABELS = {"price": "auction", "weather": "measured"}


def write_night_case(
    folder: Path, place: Place, known: Known, first: date, last: date, state: State, jobs: list[Job],
    expected: pd.DataFrame | None = None, beyond: str = "must_finish",
) -> Path:  # fmt: skip
    """Write the files into an existing empty folder and return the case file; the same input gives the same bytes.

    Raises
    ------
    ConfigError : a file that the fleet names is not there.
    """
    config = place.config
    _copy_fleet(place, folder)
    zones = [z for p in config.prices for z in p.zones]
    _csv(_beside([_columns(known.tables[z], z) for z in zones]), folder / PRICES)
    for site in config.weather:
        _csv(known.tables[site].drop(columns="real"), folder / f"weather_{site}.csv")
    for zone in config.carbon:
        _csv(_columns(known.tables[f"carbon {zone}"], "value"), folder / f"carbon_{zone}.csv")
    keep_water(place, folder, first)
    as_table(jobs).to_csv(folder / "jobs.csv", index=False, lineterminator="\n")
    if expected is not None and len(expected):
        _stamped(expected).to_csv(folder / "expected_jobs.csv", index=False, lineterminator="\n")
    (folder / STATE).write_bytes(dumped(state.model_dump(mode="json", exclude_defaults=True)))
    has_expected = expected is not None and len(expected) > 0
    (folder / CASE).write_bytes(dumped(_case(place, first, last, beyond, has_expected, folder)))
    return folder / CASE


def keep_water(place: Place, folder: Path, first: date) -> None:
    """Reservoir filling and hydropower of a live night, for its report; nothing where nothing was fetched."""
    if place.water is None:
        return
    for name in (RESERVOIRS, HYDRO):
        water = read_water(place.water, name)
        if water is not None and name == HYDRO:
            since = place.config.begin(first - timedelta(days=WATER_DAYS))
            water = water.isel(time=water["time"].values >= since)
        if water is not None and water.sizes["time"]:
            (folder / name).write_bytes(water.to_netcdf(engine="h5netcdf"))


def _case(place: Place, first: date, last: date, beyond: str, expected: bool, folder: Path) -> dict[str, Any]:
    config = place.config
    horizon = {"start": str(first), "end": str(last), "time_zone": config.time_zone,
               "market_time_unit_min": config.market_time_unit_min}  # fmt: skip
    prices = [p.model_dump(mode="json", exclude_none=True) | {"file": PRICES, "zones": list(p.zones), "columns": {}}
              for p in config.prices]  # fmt: skip
    weather = {s: w.model_dump(mode="json") | {"file": f"weather_{s}.csv"} for s, w in config.weather.items()}
    carbon = {
        z: c.model_dump(mode="json") | {"file": f"carbon_{z}.csv", "column": "value"} for z, c in config.carbon.items()
    }
    fx = {
        k: r.model_dump(mode="json", exclude_none=True) | _own_file(place, k, r.file, folder)
        for k, r in config.fx.items()
    }
    data: dict[str, Any] = {
        "name": config.name, "fleet": f"fleet/{Path(config.fleet).name}", "jobs": "jobs.csv", "horizon": horizon,
        "prices": prices, "weather": weather, "carbon": carbon, "fx": fx, "state": STATE,
    }  # fmt: skip
    if expected:
        data["expected_jobs"] = "expected_jobs.csv"
    if beyond != "must_finish":
        horizon["beyond"] = beyond
    return data


def _own_file(place: Place, currency: str, file: str | None, folder: Path) -> dict[str, str]:
    """Copy a currency's rates into the case, under its name: files of two currencies may be called alike."""
    if file is None:
        return {}
    own = f"fx/{currency}{Path(file).suffix}"
    (folder / "fx").mkdir(exist_ok=True)
    shutil.copyfile(place.beside(file), folder / own)
    return {"file": own}


def _copy_fleet(place: Place, folder: Path) -> None:
    """The fleet file and the model files that it names by path; those known by name stay in the package."""
    source = place.beside(place.config.fleet)
    fleet = load_fleet(source)
    (folder / "fleet").mkdir()
    shutil.copyfile(source, folder / "fleet" / source.name)
    for name in _named_files(fleet):
        target = folder / "fleet" / name
        if Path(name).is_absolute() or not target.resolve().is_relative_to((folder / "fleet").resolve()):
            raise ConfigError(f"{source}: {name}", "lies outside the folder of the fleet", "a path below it")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.parent / name, target)


def _named_files(fleet: Fleet) -> list[str]:
    names = [s.tariff for s in fleet.sites.values()] + [n for s in fleet.sites.values() for n in s.limits]
    names += [h.plant for _, h in fleet.halls().values()] + [p.gpu for _, p in fleet.pools().values()]
    return sorted({n for n in names if n.endswith((".yaml", ".yml"))})


def _columns(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[["value", "quality"]].rename(columns={"value": name, "quality": f"{name}_quality"})


def _beside(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Zones in one table on the finest step of them all: each is complete, and a coarser price holds over its unit."""
    every = sorted(set().union(*(t.index for t in tables)))
    return pd.concat([t.reindex(pd.DatetimeIndex(every)).ffill() for t in tables], axis=1)


def _csv(table: pd.DataFrame, path: Path) -> None:
    stamps = pd.DatetimeIndex(table.index).strftime("%Y-%m-%dT%H:%M:%SZ")
    table.set_axis(pd.Index(stamps, name="utc")).to_csv(path, lineterminator="\n")


def _stamped(table: pd.DataFrame) -> pd.DataFrame:
    stamp = {k: table[k].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for k in ("release", "deadline")}
    return table.assign(**stamp)


def digest(folder: Path, *extra: str) -> str:
    """SHA-256 over names and bytes of every file of a folder and what else decides, in a fixed order."""
    found = hashlib.sha256("\0".join(extra).encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(folder)).encode() + b"\0")
        found.update(bytes.fromhex(sha256(path)))
    return found.hexdigest()


#: Among the kept inputs: what was known of the series in words and figures, and every job submitted so far.
KNOWN, QUEUE = "known.json", "queue.csv"


@dataclass(frozen=True)
class Then:
    """What a night knew.

    Attributes
    ----------
    known : without its tables, which are the case's series
    left, late : GPU-hours left of the jobs at hand, and of those that cannot meet their deadline
    """

    known: Known
    queue: Queue
    left: dict[str, float]
    late: dict[str, float]


def keep(folder: Path, then: Then) -> None:
    """Write it into the folder of kept inputs; the same knowledge, the same bytes."""
    k = then.known
    told = {
        "known_at": str(k.known_at), "known_until": str(k.known_until), "reasons": k.reasons, "notes": k.notes,
        "fallback_hours": k.fallback_hours, "forecast_hours": k.forecast_hours, "forecast_error": k.forecast_error,
        "refused": then.queue.refused, "left": then.left, "late": then.late,
    }  # fmt: skip
    (folder / KNOWN).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    submitted = [f"{then.queue.submitted[name].isoformat()}Z" for name in sorted(then.queue.jobs)]
    table = as_table(list(then.queue.jobs.values())).assign(submitted=submitted)
    table.to_csv(folder / QUEUE, index=False, lineterminator="\n")


def recall(folder: Path) -> Then:
    """Read it back.

    Raises
    ------
    SeriesError : the kept queue cannot be read.
    """
    told = json.loads((folder / KNOWN).read_text(encoding="utf-8"))
    known = Known(
        np.datetime64(told["known_at"]), np.datetime64(told["known_until"]), {}, told["reasons"], told["notes"],
        told["fallback_hours"], told["forecast_hours"], told["forecast_error"],
    )  # fmt: skip
    queue = read_queue(folder / QUEUE, known.known_at)
    queue.refused = told["refused"]
    return Then(known, queue, told["left"], told["late"])


def kept_of(place: Place, store: Store, day: date) -> Path | None:
    """Kept inputs of a night: those of its published run, else of its last attempt; None where it never got so far."""
    rows = store.rows(
        "SELECT run_id FROM runs WHERE night = ? AND run_id IS NOT NULL ORDER BY published DESC, id DESC", str(day)
    )
    tried = [place.kept / r["run_id"] for r in rows]
    left = sorted(place.kept.glob(f"{place.config.name}_{day}_*"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
    return next((p for p in (*tried, *left) if (p / KNOWN).is_file()), None)


def chosen(store: Store, first: date, last: date, reprocess: str) -> list[date]:
    """Nights of a back-fill, in order.

    Raises
    ------
    ConfigError : `reprocess` is none of its words.
    """
    if reprocess not in ("none", "failed", "all"):
        raise ConfigError(f"--reprocess {reprocess}", "is no such choice", "none, failed or all")
    days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    tried: dict[str, int] = {
        r["night"]: r["published"]
        for r in store.rows("SELECT night, max(published) AS published FROM runs GROUP BY night")
    }
    choices: dict[str, set[int | None]] = {"none": {None}, "failed": {None, 0}, "all": {None, 0, 1}}
    wanted = choices[reprocess]
    return [d for d in days if tried.get(str(d)) in wanted]
