"""Older formats of run folders, nights and the state database, read as today's: no other file knows their names.

A version-1 folder has no key ``format``; version 2 differs from today's in the GPUs of jobs in ``solution.nc`` alone.
`docs/formats.md` has the same names, tests/format_1 folders of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

#: Keys by path -> name of today; ``[]`` stands for each entry of a list. Inner keys come before the key that holds them.
Names = Mapping[str, str]
MANIFEST: Names = {"rung": "method", "in_force": "active"}
NIGHT: Names = {
    "rung": "method",
    "fallback_hours": "imputed_hours",
    "undone_gpu_hours": "unserved_gpu_hours",
    "later_gpu_hours": "deferred_gpu_hours",
    "yesterday.promised_eur": "ex_ante_cost_eur",
    "yesterday.real_eur": "realised_cost_eur",
    "yesterday.why": "variance_eur",
    "yesterday.behind_gpu_hours": "backlog_gpu_hours",
    "yesterday.behind_eur": "backlog_eur",
    "yesterday": "last_settled_day",
    "saving_eur.last_night": "last_settled_day",
    "jobs.at_risk[].gpu_hours_short": "unserved_gpu_hours",
    "jobs.at_risk[].cure": "remedy",
    "pue[].year_to_date": "so_far",
}
SUMMARY: Names = {
    "undone_gpu_hours": "unserved_gpu_hours",
    "later": "deferred",
    "expected.due": "due_gpu_hours",
    "expected.plan": "plan_gpu_hours",
    "expected.later": "deferred_gpu_hours",
    "expected.undone": "unserved_gpu_hours",
    "left_out_jobs": "jobs_outside_horizon",
    "reconciliation.undone_penalty_eur": "unserved_penalty_eur",
    "what_would_help[].cures[].saves_eur": "saving_eur",
    "what_would_help[].cure.saves_eur": "saving_eur",
    "what_would_help[].cures": "remedies",
    "what_would_help[].cure": "remedy",
    "what_would_help[].words": "message",
    "what_would_help": "binding_limits",
}
#: Keys of ``known.json`` in a snapshot.
LABELS: Names = {"fallback_hours": "imputed_hours", "left": "left_gpu_hours", "late": "late_gpu_hours"}
#: What the first nights lacked.
NO_JOBS_NAMED: Mapping[str, Any] = {"late": [], "at_risk": [], "refused": []}
#: Files of today -> their names then.
FILES: Names = {
    "schedule.nc": "placement.nc",
    "baseline_schedule.nc": "baseline_placement.nc",
    "setpoints.csv": "solar_limit.csv",
    "snapshot.json": "known.json",
}
#: Arrays and dimensions of the problem, its solution and the prices -> their names of today.
ARRAYS: Names = {
    "it_min": "base_it",
    "overhead_min": "base_overhead",
    "later_max": "deferred_max",
    "later_price": "terminal_price",
    "guard": "post_horizon",
    "guard_group": "post_horizon_group",
    "guard_until": "post_horizon_until",
    "guard_room": "post_horizon_capacity",
    "gpus": "group_gpus",
    "short": "unserved",
    "later": "deferred",
    "over": "segment_load",
    "taken": "offtake",
    "over_cap": "cap_breach",
    "dual_guard": "dual_post_horizon_capacity",
    "dual_place": "dual_link",
    "dual_room": "dual_pool_capacity",
    "dual_volume": "dual_offtake_limit",
    "gpu_hour_room": "gpu_hour_capacity",
    # As in version 2, from which `_cumulated` goes on.
    "run": "job_gpus",
    "bound_run": "bound_job_gpus",
}
#: Kind of the devices whose setpoints a folder had by site.
SOLAR = "solar"
#: Tables of the database -> columns, both with their names of today and then.
TABLES: Mapping[str, tuple[str, Names]] = {
    "runs": ("runs", {"method": "rung", "imputed_hours": "fallback_hours", "unserved_gpu_hours": "undone_gpu_hours"}),
    "plans": ("plans", {"snapshot": "kept", "ex_ante_cost_eur": "promised_eur"}),
    "settled_days": (
        "days",
        {"realised_cost_eur": "real_eur", "idle_cost_eur": "idle_eur", "ex_ante_cost_eur": "promised_eur"}
        | {f"{cause}_variance_eur": f"{cause}_eur" for cause in ("price", "weather", "load", "other")},
    ),
    "settled_work": ("work", {}),
}


def manifest(then: dict[str, Any]) -> dict[str, Any]:
    """The content of manifest.json."""
    return _renamed(then, MANIFEST)


def summary(then: dict[str, Any]) -> dict[str, Any]:
    """The content of summary.json."""
    found = _renamed(then, SUMMARY)
    for entry in found.get("binding_limits", []):
        entry["kind"] = {"undone": "unserved"}.get(entry["kind"], entry["kind"])
    return found


def night(then: dict[str, Any]) -> dict[str, Any]:
    """The content of night.json; jobs that the first nights only counted are not named, and not late."""
    found = _renamed(then, NIGHT)
    jobs = {k: v for k, v in found.get("jobs", {}).items() if k not in NO_JOBS_NAMED or isinstance(v, list)}
    pue = [{"status": "", "period": "year", **cap} for cap in found.get("pue", [])]
    settled = found.get("last_settled_day")
    settled = settled and {"backlog_gpu_hours": 0.0, "backlog_eur": 0.0} | settled
    return found | {
        "jobs": {**NO_JOBS_NAMED, **jobs},
        "pue": pue,
        "last_settled_day": settled,
        "notes": found.get("notes", []),
    }


def labels(then: dict[str, Any]) -> dict[str, Any]:
    """The content of known.json in a snapshot."""
    return _renamed(then, LABELS)


def dataset(then: xr.Dataset, version: int) -> xr.Dataset:
    """A dataset of a run folder: arrays under their names of today, setpoints of solar arrays by device, not by site."""
    if version == 1:
        then = then.rename({old: new for old, new in ARRAYS.items() if old in then.variables or old in then.dims})
    then = _cumulated(then) if "job_gpus" in then else then
    if "solar_limit_mw" not in then:
        return then
    devices = [f"{site}/{SOLAR}" for site in then["site"].values]
    limit = (("device", "time"), then["solar_limit_mw"].values)
    return then.drop_dims("site").assign_coords(device=devices).assign(setpoint=limit)


def _cumulated(then: xr.Dataset) -> xr.Dataset:
    """A solution with the GPUs and their prices of a speed class and the faster ones, from those of each class.

    The prices keep what every job and class would gain, so that they are duals of today's program too; where a job limit
    bound, the cost that they prove can be lower than the plan's, and the proof in the manifest stands.
    """
    x = {name: then[name].values for name in ("job_gpus", "dual_link", "bound_job_gpus", "dual_job_limit")}
    gain = x["bound_job_gpus"] + x["dual_job_limit"][:, None, :]
    new = {
        "cumulative_gpus": (then["job_gpus"].dims, np.cumsum(x["job_gpus"], axis=1)),
        "dual_link": (then["dual_link"].dims, -np.diff(x["dual_link"], axis=1, append=0.0)),
        "bound_cumulative_gpus": (then["job_gpus"].dims, -np.diff(gain, axis=1, append=0.0)),
    }
    return then.drop_vars(["job_gpus", "bound_job_gpus", "dual_job_limit"]).assign(new)


def setpoints(then: pd.DataFrame) -> pd.DataFrame:
    """The table solar_limit.csv (site, start, hours, solar_limit_mw) as setpoints of devices."""
    devices = [f"{site}/{SOLAR}" for site in then["site"]]
    return then.rename(columns={"solar_limit_mw": "setpoint_mw"}).drop(columns="site").assign(device=devices)


def file_of(folder: Path, name: str) -> Path:
    """A file in a folder under its name of today, or its name then where that alone is there."""
    today, then = folder / name, folder / FILES.get(name, name)
    return then if then.is_file() and not today.is_file() else today


def migration() -> Iterator[str]:
    """SQL that gives a version-1 database the tables and columns of version 2; night.json in `runs` is not among it."""
    for today, (then, columns) in TABLES.items():
        yield from (f"ALTER TABLE {then} RENAME COLUMN {old} TO {new}" for new, old in columns.items())
        if today != then:
            yield f"ALTER TABLE {then} RENAME TO {today}"


def columns_of(table: str, columns: list[str]) -> tuple[str, list[str]]:
    """Names then of a table and its columns."""
    then, renamed = TABLES.get(table, (table, {}))
    return then, [renamed.get(c, c) for c in columns]


def _renamed(data: dict[str, Any], names: Names) -> dict[str, Any]:
    """A document with the keys of today, in the same order."""
    for path, name in names.items():
        data = _renamed_at(data, path.split("."), name)
    return data


def _renamed_at(data: Any, path: list[str], name: str) -> Any:
    """A part of a document with one key renamed; parts that are not there stay away."""
    if not isinstance(data, dict):
        return data
    key, rest = path[0].removesuffix("[]"), path[1:]
    if key not in data:
        return data
    if not rest:
        return {name if k == key else k: v for k, v in data.items()}
    inner = data[key]
    if path[0].endswith("[]"):
        new: Any = [_renamed_at(x, rest, name) for x in inner] if isinstance(inner, list) else inner
    else:
        new = _renamed_at(inner, rest, name)
    return data | {key: new}
