"""The nightly case of the soak: three Nordic sites of real 2019 series, Kalos jobs that arrive over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from benchmarks.real_cases import CASES, FX, PLACES, _fleet
from benchmarks.soak_faults import restore
from energy.series.files import read_series
from energy.series.read import dew_point_daily_minimum

#: Window whose fleet and series are used; nights run through its year.
WINDOW = "nordic2019-february"
TIME_ZONE = "Europe/Oslo"
#: The 90 days of the trace pass in so many, then it begins again: the fleet below is then about half busy with it.
TRACE_DAYS, TRACE_OWN_DAYS = 30, 90
#: Share of the GPUs of the fleet of `real_cases` that are there.
FLEET_SHARE = 0.5
#: Most GPUs of a job, the commonest size of the trace, which finds room beside the firm load of every pool: larger jobs,
#: a third of them with most of the work, hold so many for longer.
MOST_GPUS = 256
#: Longest run of a job [h]: the one that would need more loses work.
LONGEST_H = 168.0
#: Hours before its release at which a job is submitted.
NOTICE_H = 0.0


@dataclass(frozen=True)
class Soak:
    """A soak: its folder, first night and number of nights."""

    folder: Path
    first: date
    nights: int
    seed: int = 7

    @property
    def last(self) -> date:
        """Last night."""
        return self.first + timedelta(days=self.nights - 1)


def write_soak(soak: Soak, series: Path, foresight: str, name: str) -> Path:
    """Write series, fleet, jobs (once) and the nightly file of one policy; returns the nightly file."""
    folder = soak.folder
    folder.mkdir(parents=True, exist_ok=True)
    case = CASES[WINDOW]
    if not (folder / "fleet.yaml").exists():
        _series(series, folder)
        jobs(soak, series).to_csv(folder / "jobs.csv", index=False)
        _dump(fleet(), folder / "fleet.yaml")
    zones = [PLACES[s][3] for s in case.sites]
    own = "plan_" if foresight == "forecast" else ""  # its series get faults
    _dump({
        "name": name, "fleet": "fleet.yaml", "jobs": "jobs.csv", "time_zone": TIME_ZONE, "foresight": foresight,
        "prices": [{"file": f"{own}prices.csv", "zones": zones, "quality": "auction", "source": "day-ahead prices 2019"}],
        "weather": {s: {"file": f"{own}weather_{s}.csv", "quality": "measured", "source": f"{s} 2019"} for s in case.sites},
        "fx": {k: {"eur_per_unit": v, "source": "round figure of the year, assumption"} for k, v in FX.items()},
        "horizon": {"days": 10} if foresight == "perfect" else {}, "out": name, "solve_limit_s": 120, "report": foresight == "forecast",
    }, folder / f"{name}.yaml")  # fmt: skip
    if own:
        restore(folder, folder / f"{name}.yaml")
    return folder / f"{name}.yaml"


def fleet() -> dict[str, Any]:
    """The fleet of `real_cases`, smaller."""
    whole = _fleet(CASES[WINDOW])
    for site in whole["sites"].values():
        for key in ("grid_limit_mw", "other_site_mw"):
            site[key] *= FLEET_SHARE
        for hall in site["halls"].values():
            hall["design_mw"] *= FLEET_SHARE
            for pool in hall["pools"].values():
                pool["count"], pool["firm_gpus"] = pool["count"] * FLEET_SHARE, pool["firm_gpus"] * FLEET_SHARE
    return whole


def _dump(data: Any, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(data, file)


def _series(series: Path, folder: Path) -> None:
    """Hourly means of the development series, dew point included, in the folder of the soak."""
    case = CASES[WINDOW]
    zones = [PLACES[s][3] for s in case.sites]
    prices = read_series(series / case.folder / case.prices)[zones]
    _twice(prices).to_csv(folder / "prices.csv", index_label="utc", date_format="%Y-%m-%dT%H:%M:%SZ")
    for site in case.sites:
        raw = read_series(series / case.folder / case.weather[site]["file"])
        dry = raw["temp_air"].astype(float)
        dew = raw["temp_dew"].astype(float) if "temp_dew" in raw else dew_point_daily_minimum(dry)
        table = pd.DataFrame({"temp_air": dry, "temp_dew": dew}).resample("1h").mean().interpolate()
        table["temp_dew"] = table["temp_dew"].clip(upper=table["temp_air"])
        _twice(table.round(3)).to_csv(
            folder / f"weather_{site}.csv", index_label="utc", date_format="%Y-%m-%dT%H:%M:%SZ"
        )


def _twice(table: pd.DataFrame) -> pd.DataFrame:
    """The year and, 52 weeks later, itself again: nights at its end look ahead, and a new year begins."""
    again = table.set_axis(table.index + pd.Timedelta(weeks=52))
    return pd.concat([table, again[again.index > table.index[-1]]])


def jobs(soak: Soak, series: Path) -> pd.DataFrame:
    """The Kalos trace, faster, from three days before the first night, again and again; slack 2 to 5 days.

    All deadlines lie in days that the last night settles: every policy has done the same work by then.
    """
    trace = pd.read_csv(series / "jobs" / "acme_kalos_completed_jobs.csv.gz")
    rounds = range(1 + (soak.nights + 3) // TRACE_DAYS)
    parts = [_round(trace, soak, k) for k in rounds]
    table = pd.concat(parts, ignore_index=True)
    end = pd.Timestamp(soak.last) - pd.Timedelta(days=1, hours=2)  # the local day ends before that of UTC
    return table[pd.to_datetime(table["deadline"]).dt.tz_localize(None) < end]


def _round(trace: pd.DataFrame, soak: Soak, k: int) -> pd.DataFrame:
    start = pd.Timestamp(soak.first) - pd.Timedelta(days=3) + pd.Timedelta(days=TRACE_DAYS * k)
    held = trace["gpus"].clip(upper=MOST_GPUS)
    runtime = (trace["gpus"] * trace["duration_s"] / 3600 / held).clip(upper=LONGEST_H)
    release = start + pd.to_timedelta(trace["arrival_s"] * TRACE_DAYS / TRACE_OWN_DAYS, unit="s")
    slack = 2.0 + trace["job"] % 4  # 2 … 5 days
    deadline = release + pd.to_timedelta(runtime + 24 * slack, unit="h")
    homes = np.array(CASES[WINDOW].sites)[trace["job"].to_numpy() % len(CASES[WINDOW].sites)]
    work = held * runtime
    table = pd.DataFrame({
        "id": [f"kalos-{k}-{j:03d}" for j in trace["job"]], "label": trace["kind"], "gpu_hours": work.round(4),
        "max_gpus": held, "release": _stamp(release), "deadline": _stamp(deadline), "gpu_kinds": "h200=1",
        "home_site": homes, "submitted": _stamp(release - pd.Timedelta(hours=NOTICE_H)),
    })  # fmt: skip
    return table[work > 0.01]


def _stamp(times: pd.Series) -> pd.Series:
    return times.dt.floor("min").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
