"""Who makes the plan: a method of the solver, the greedy dispatcher, or an older schedule trimmed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from energy.audit.dispatch import earliest_deadline_first, trimmed
from energy.inputs.errors import ConfigError, SeriesError
from energy.operate.books import NOT_HELD
from energy.optimize import Maker
from energy.report.cells import bare_frame
from energy.report.record import SOLAR_LIMIT
from energy.solve import Options

#: Methods of the solver that make a certified plan.
METHODS = ("ipx", "simplex")
#: What a schedule table must tell.
COLUMNS = ("job", "site", "hall", "pool", "start", "gpus")


def planner(plan: str, time_limit_s: float) -> tuple[Options, Maker | None]:
    """Solver options, and what makes the Schedule where the solver does not.

    Raises
    ------
    ConfigError : `plan` is no method, not greedy and no schedule file.
    """
    if plan in METHODS:
        return Options(method=plan, time_limit_s=time_limit_s), None
    if plan == "greedy":
        return Options(), earliest_deadline_first
    if not Path(plan).is_file():
        raise ConfigError(
            f"--plan {plan}", "is no such file", f"{', '.join(METHODS)}, greedy, or a schedule.parquet or .csv"
        )
    return Options(), partial(trimmed, table=read_schedule(Path(plan)))


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
            table = bare_frame(pd.read_csv(path, dtype=dict.fromkeys(COLUMNS[:4], str), keep_default_na=False))
        start = pd.to_datetime(table["start"], utc=True).dt.tz_localize(None)
        return table.assign(start=start.astype("datetime64[ns]"), gpus=table["gpus"].astype(float))[[*COLUMNS, "hours"]]
    except (OSError, ValueError, KeyError) as e:
        raise SeriesError(path, f"is no schedule ({e})", f"columns {', '.join(COLUMNS)}, hours") from None


def read_held_back(folder: Path) -> pd.DataFrame:
    """Where the plan of a run folder holds solar arrays back: site, start (naive UTC), solar_limit_mw; mostly empty."""
    if not (folder / SOLAR_LIMIT).is_file():
        return NOT_HELD
    table = bare_frame(pd.read_csv(folder / SOLAR_LIMIT, dtype={"site": str}, keep_default_na=False))
    start = pd.to_datetime(table["start"], utc=True).dt.tz_localize(None)
    return table.assign(start=start.astype("datetime64[ns]"))
