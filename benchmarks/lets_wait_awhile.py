"""The published study "Let's Wait Awhile" (Wiesner et al., Middleware 2021), Germany, through the ordinary pipeline.

    python -m benchmarks.lets_wait_awhile --series ../shared/data [--gpus N]

3,387 interruptible jobs of one GPU each, known carbon intensity (half-hours) as the price, no capacity limit. The exact
optimum saves 8.04 % of the carbon against running at once with deadlines at the next workday, and 18.48 % with
semi-weekly deadlines. Each month's jobs are one case (without a limit jobs do not know of each other, so the sum is
exact); with `--gpus` each month has that many GPUs to itself, a figure that the study does not have.

The files are for development and are not part of the project. Weather is constant and the hall so large that the few
jobs move along one chord of its cooling curve: what is optimised is the carbon of the jobs alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from ruamel.yaml import YAML

from energy.optimize import Run, optimize

DEADLINES = {"next workday": "deadline_next_workday_utc", "semi-weekly": "deadline_semi_weekly_utc"}
#: The exact optimum of the study's problem on these files [% of carbon saved].
EXACT = {"next workday": 8.04, "semi-weekly": 18.48}
#: More GPUs than there are jobs in a month: no limit.
NO_LIMIT = 1000
MONTHS = range(1, 13)


@dataclass(frozen=True)
class Carbon:
    """Carbon of the jobs of a month, at once and planned [price x MWh], and work that did not fit."""

    at_once: float
    planned: float
    unserved_gpu_hours: float

    def __add__(self, other: Carbon) -> Carbon:
        return Carbon(self.at_once + other.at_once, self.planned + other.planned,
                      self.unserved_gpu_hours + other.unserved_gpu_hours)  # fmt: skip

    @property
    def saving(self) -> float:
        """Share saved [%]."""
        return 100 * (1 - self.planned / self.at_once)


def jobs_of(series: Path, month: int) -> pd.DataFrame:
    """The study's jobs that were submitted in a month of 2020."""
    columns = ["submitted_utc", *DEADLINES.values()]
    table = pd.read_csv(series / "carbon" / "lets_wait_awhile_jobs.csv.gz", parse_dates=columns)
    return table[table["submitted_utc"].dt.month == month]


def intensity(series: Path) -> pd.Series:
    """Carbon intensity on the half-hours [g/kWh]."""
    table = pd.read_csv(series / "carbon" / "ger_ci.csv.gz", parse_dates=["Time"]).set_index("Time")
    on_half_hours = table["Carbon Intensity"][table.index.minute % 30 == 0]
    return on_half_hours.asfreq("30min")


def write_case(series: Path, folder: Path, month: int, deadline: str, gpus: int) -> Path:
    """Case, fleet, tariff, jobs, prices and weather of a month."""
    jobs = jobs_of(series, month)
    first, last = jobs["submitted_utc"].min().normalize(), jobs[DEADLINES[deadline]].max().normalize()
    _jobs(jobs, DEADLINES[deadline]).to_csv(folder / "jobs.csv", index=False)
    price = intensity(series)[first : last + pd.Timedelta(days=2)]
    stamp = price.index.strftime("%Y-%m-%dT%H:%M:%SZ")
    pd.DataFrame({"utc": stamp, "DE-LU": price.to_numpy()}).to_csv(folder / "prices.csv", index=False)
    weather = {"utc": stamp, "temp_air": 10.0, "relative_humidity": 70.0, "pressure": 101325.0}
    pd.DataFrame(weather).to_csv(folder / "weather.csv", index=False)
    _dump(_fleet(gpus), folder / "fleet.yaml")
    _dump(_tariff(), folder / "tariff.yaml")
    source = {"source": "Let's Wait Awhile, development series"}
    _dump({
        "name": f"lets-wait-awhile-{month}", "fleet": "fleet.yaml", "jobs": "jobs.csv",
        "horizon": {"start": first.date(), "end": last.date(), "market_time_unit_min": 30},
        "prices": [{"file": "prices.csv", "zones": ["DE-LU"], "quality": "proxy", "unit": "per_mwh", **source}],
        "weather": {"germany": {"file": "weather.csv", "quality": "scenario", "source": "constant"}},
    }, folder / "case.yaml")  # fmt: skip
    return folder / "case.yaml"


def _jobs(jobs: pd.DataFrame, deadline: str) -> pd.DataFrame:
    moments = {name: jobs[column].dt.strftime("%Y-%m-%dT%H:%MZ") for name, column in
               (("release", "submitted_utc"), ("deadline", deadline))}  # fmt: skip
    return pd.DataFrame({"id": [f"job-{j:04d}" for j in jobs["job"]], "gpu_hours": jobs["duration_h"], "max_gpus": 1,
                         **moments, "gpu_kinds": "h200=1", "home_site": "germany"})  # fmt: skip


def _fleet(gpus: int) -> dict[str, Any]:
    hall = {"plant": "dlc_dry_cooler", "design_mw": 200.0, "pools": {"h200": {"gpu": "h200", "count": gpus}}}
    site = {"place": {"latitude": 51.0, "longitude": 10.0, "altitude_m": 100}, "bidding_zone": "DE-LU",
            "time_zone": "Etc/UTC", "country": "DE", "jurisdictions": ["EU"], "tariff": "tariff.yaml",
            "grid_limit_mw": 300.0, "halls": {"hall": hall}}  # fmt: skip
    return {"name": "lets-wait-awhile", "sites": {"germany": site}}


def _tariff() -> dict[str, Any]:
    nothing = {"name": "nothing", "kind": "energy", "valid_from": "2015-01-01", "value": 0.0, "unit": "EUR/MWh",
               "source": "carbon alone is the price", "confidence": "H"}  # fmt: skip
    return {"name": "carbon", "country": "DE", "currency": "EUR", "components": [nothing]}


def _dump(data: Any, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(data, file)


def of_schedule(run: Run, schedule: xr.Dataset) -> float:
    """Price times energy of the jobs' own GPUs."""
    at, gpus = schedule["entry_time"].values, schedule["entry_gpus"].values
    return float((gpus * run.problem["dt"].values[at] * run.problem["price"].values[0, at]).sum())


def solve_month(series: Path, month: int, deadline: str, gpus: int = NO_LIMIT) -> tuple[Run, Carbon]:
    """One month through the pipeline. At once means without any limit, as in the study."""
    with tempfile.TemporaryDirectory() as folder:
        run = optimize(write_case(series, Path(folder), month, deadline, gpus))
    work, price = run.problem["work_left"].values, run.problem["price"].values[0]
    first = np.argmax(run.problem["open"].values > 0, axis=1)
    halves = np.rint(work / 0.5).astype(int)
    at_once = sum(float(price[a : a + n].sum()) * 0.5 for a, n in zip(first, halves, strict=True))
    return run, Carbon(at_once, of_schedule(run, run.plan.schedule), float(run.solution["unserved"].sum()))


def main() -> None:
    """Print every month and the year; exit 1 where the study's exact optimum is missed by more than 0.01 points."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, required=True)
    parser.add_argument("--gpus", type=int, default=NO_LIMIT, help="GPUs that each month has; none: no limit")
    args = parser.parse_args()
    wrong = False
    for deadline, exact in EXACT.items():
        total = Carbon(0.0, 0.0, 0.0)
        for month in MONTHS:
            run, carbon = solve_month(args.series, month, deadline, args.gpus)
            total += carbon
            print(f"{deadline}, month {month}: {run.outcome.status}, {len(run.inputs.jobs)} jobs, {carbon.saving:.4f} %, "
                  f"undone {carbon.unserved_gpu_hours:.1f} GPU-h", flush=True)  # fmt: skip
        print(f"{deadline}: {total.saving:.4f} % saved, {total.unserved_gpu_hours:.1f} GPU-hours undone")
        wrong |= args.gpus == NO_LIMIT and abs(total.saving - exact) > 0.01
    sys.exit(wrong)


if __name__ == "__main__":
    main()
