"""A Schedule as a table: written, read again, and how executable it is (fractions, splits, starts, moves)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import SeriesError
from energy.series.spreadsheet import unescape_frame

#: No device limited.
NO_SETPOINTS = pd.DataFrame({"device": [], "start": pd.Series([], dtype="datetime64[ns]"), "setpoint_mw": []})
#: A holding this close to a whole number of GPUs is whole.
WHOLE_GPU = 1e-3


def handed_over(problem: xr.Dataset, schedule: xr.Dataset) -> xr.Dataset:
    """The schedule of the jobs there are: without the expected arrivals, which nobody can run yet."""
    there = problem["expected"].values[schedule["entry_job"].values] == 0
    return schedule.isel(entry=np.flatnonzero(there))


def frame(schedule: xr.Dataset) -> pd.DataFrame:
    """The schedule as a table: job, site, hall, pool, start (UTC), hours, gpus; sorted by job, start, pool."""
    pool = schedule["pool"].values[schedule["entry_pool"].values].astype(str)
    parts = np.array([p.split("/") for p in pool]).reshape(-1, 3)
    at = schedule["entry_time"].values
    table = pd.DataFrame({
        "job": schedule["job"].values[schedule["entry_job"].values].astype(str),
        "site": parts[:, 0], "hall": parts[:, 1], "pool": parts[:, 2],
        "start": schedule["time"].values[at], "hours": schedule["dt"].values[at],
        "gpus": schedule["entry_gpus"].values,
    })  # fmt: skip
    return table.sort_values(["job", "start", "site", "hall", "pool"], ignore_index=True)


def shape_of(schedule: xr.Dataset) -> dict[str, float]:
    """Shares of active job-periods that are fractional or on several sites, and starts and moves per job."""
    table = frame(schedule)
    held = table.groupby(["job", "start"]).agg(gpus=("gpus", "sum"), sites=("site", "nunique")).reset_index()
    if held.empty:
        shares = ("fractional_share", "two_sites_share", "starts_per_job", "moves_per_job")
        return {"active_job_periods": 0} | dict.fromkeys(shares, 0.0)
    fractional = np.abs(held["gpus"] - held["gpus"].round()) > WHOLE_GPU
    # A start: an active period whose job did not hold GPUs in the period before.
    number = pd.Series(np.arange(schedule.sizes["time"]), index=schedule["time"].values)
    starts = (held["start"].map(number).diff() != 1) | (held["job"] != held["job"].shift())
    # A move: another site than in the active period before holds most of the job's GPUs.
    by_site = table.groupby(["job", "start", "site"])["gpus"].sum().reset_index()
    main = by_site.sort_values(["job", "start", "gpus", "site"]).groupby(["job", "start"]).tail(1)
    moves = (main["site"] != main["site"].shift()) & (main["job"] == main["job"].shift())
    jobs = held["job"].nunique()
    return {
        "active_job_periods": len(held),
        "fractional_share": float(fractional.mean()),
        "two_sites_share": float((held["sites"] > 1).mean()),
        "starts_per_job": int(starts.sum()) / jobs,
        "moves_per_job": int(moves.sum()) / jobs,
    }


#: Columns that a schedule table must have.
COLUMNS = ("job", "site", "hall", "pool", "start", "gpus")


def read_schedule(path: Path) -> pd.DataFrame:
    """A schedule.parquet or schedule.csv: job, site, hall, pool, start (naive UTC), hours, gpus.

    Parquet has names and GPUs as they are; CSV rounds GPUs to a millionth and marks names that look like a formula.

    Raises
    ------
    SeriesError : not such a table.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = unescape_frame(pd.read_csv(path, dtype=dict.fromkeys(COLUMNS[:4], str), keep_default_na=False))
        start = pd.to_datetime(table["start"], utc=True).dt.tz_localize(None)
        return table.assign(start=start.astype("datetime64[ns]"), gpus=table["gpus"].astype(float))[[*COLUMNS, "hours"]]
    except (OSError, ValueError, KeyError) as e:
        raise SeriesError(path, f"is no schedule ({e})", f"columns {', '.join(COLUMNS)}, hours") from None


def read_setpoint_rows(path: Path) -> pd.DataFrame:
    """Rows of a CSV table of setpoints, start in naive UTC; names are texts, also such as NA."""
    table = unescape_frame(pd.read_csv(path, dtype=dict.fromkeys(("device", "site"), str), keep_default_na=False))
    start = pd.to_datetime(table["start"], utc=True).dt.tz_localize(None)
    return table.assign(start=start.astype("datetime64[ns]"))


#: Makes a Schedule of a Problem without a solver.
Maker = Callable[[xr.Dataset], xr.Dataset]
