"""Inputs of one night as frozen objects that can be pickled, kept with the night and replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from energy.inputs.case import Nightly
from energy.inputs.load import Inputs, read_inputs
from energy.inputs.state import State
from energy.nightly.queue import Queue, as_table, read_queue
from energy.runs import older_formats
from energy.schedule.table import read_schedule
from energy.series.files import read_series

#: Files of the kept inputs: the case, its state and its prices; what was known of the series; every job submitted so far.
CASE, STATE, PRICES, SNAPSHOT, QUEUE = "case.yaml", "state.yaml", "prices.csv", "snapshot.json", "queue.csv"
#: Labels of hours that nobody has published or measured.
GUESSED = ("forecast", "persistence")


@dataclass
class SeriesSnapshot:
    """Series of one night from HISTORY_DAYS before the delivery day to the horizon's end, as known at its moment.

    Attributes
    ----------
    tables : by name (zone, site, ``carbon <zone>``): values, `quality`, and `real`: neither filled nor forecast;
        empty in a snapshot that was loaded, whose case has the series
    reasons : facts that make the night DEGRADED
    notes : facts that do not
    imputed_hours : imputed hours of the delivery day that should be real, by kind and name
    forecast_hours : hours of the planned horizon whose prices are forecast, of the zone with most
    forecast_error : of the price forecast in the last days, by days ahead, relative to last week's hour
    """

    known_at: np.datetime64
    known_until: np.datetime64
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    imputed_hours: dict[str, dict[str, float]] = field(default_factory=lambda: {"price": {}, "weather": {}})
    forecast_hours: int = 0
    forecast_error: dict[str, float] = field(default_factory=dict)

    def not_real(self, begin: np.datetime64, end: np.datetime64) -> list[str]:
        """Names of the series that are not real throughout [begin, end)."""
        return [n for n, t in self.tables.items() if not t.loc[(t.index >= begin) & (t.index < end), "real"].all()]


def hours_of(table: pd.DataFrame, which: object) -> float:
    """Length of the rows chosen by a mask [h]."""
    step = float((table.index[1] - table.index[0]).total_seconds() / 3600)
    return float(np.asarray(which).sum()) * step


@dataclass(frozen=True)
class Settlement:
    """Past days that a night settles, and the state in which its delivery day begins.

    Attributes
    ----------
    state : at the start of the delivery day, by what is known
    days, work : rows of the database
    reasons : days that have no account, which makes the night DEGRADED
    notes : facts that do not
    """

    state: State
    days: list[dict[str, Any]] = field(default_factory=list)
    work: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PreviousPlan:
    """Remains of the plan that was active before the night.

    Attributes
    ----------
    schedule : its schedule.parquet; None where there is none
    plan : site, date and energy [MWh] of its `plan` rows
    notes : parts that are gone
    """

    schedule: Path | None = None
    plan: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """A night whose inputs are kept, before they are read for a plan.

    Attributes
    ----------
    case : case file among the kept inputs
    left, late : GPU-hours left of the jobs at hand, and of those that cannot meet their deadline, by job
    settled_days : accounts of both policies up to this night, those that it settles included
    superseded : reasons about later plans that this one replaces
    """

    config: Nightly
    day: date
    case: Path
    series: SeriesSnapshot
    settlement: Settlement
    queue: Queue
    left: Mapping[str, float]
    late: Mapping[str, float]
    settled_days: list[dict[str, Any]] = field(default_factory=list)
    previous: PreviousPlan = PreviousPlan()
    superseded: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """Name, delivery day, and a hash of the case and the version: also the name of the folder of kept inputs."""
        return self.case.parent.name

    @property
    def reasons(self) -> list[str]:
        """Reasons that make the night DEGRADED before it is planned."""
        return [*self.series.reasons, *self.settlement.reasons]

    def snapshot(self, with_schedule: bool = False) -> Snapshot:
        """Read what `plan_night` needs beside this.

        Parameters
        ----------
        with_schedule : the previous plan's schedule too, which the last fallback method alone needs

        Raises
        ------
        ConfigError, SeriesError : the kept inputs or the schedule are invalid.
        """
        path = self.previous.schedule if with_schedule else None
        schedule = read_schedule(path) if path is not None else None
        return Snapshot(self, read_inputs(self.case), read_series(self.case.parent / PRICES), schedule)


@dataclass(frozen=True)
class Snapshot:
    """All inputs of one night.

    Attributes
    ----------
    night : configuration, day, series labels, jobs, settlement and previous plan
    inputs : the case of the night, read
    prices : prices of all zones with their labels, from HISTORY_DAYS before the delivery day on
    schedule : of the previous plan; None where it was not read
    """

    night: Prepared
    inputs: Inputs
    prices: pd.DataFrame
    schedule: pd.DataFrame | None = None


def save_snapshot(
    folder: Path, series: SeriesSnapshot, queue: Queue, left: Mapping[str, float], late: Mapping[str, float]
) -> None:
    """Write what a night knew beside its case into the folder of kept inputs; the same knowledge, the same bytes."""
    content = {
        "known_at": str(series.known_at), "known_until": str(series.known_until), "reasons": series.reasons,
        "notes": series.notes, "imputed_hours": series.imputed_hours, "forecast_hours": series.forecast_hours,
        "forecast_error": series.forecast_error, "refused": queue.refused, "left_gpu_hours": left, "late_gpu_hours": late,
    }  # fmt: skip
    (folder / SNAPSHOT).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    submitted = [f"{queue.submitted[name].isoformat()}Z" for name in sorted(queue.jobs)]
    table = as_table(list(queue.jobs.values())).assign(submitted=submitted)
    table.to_csv(folder / QUEUE, index=False, lineterminator="\n")


def load_snapshot(folder: Path) -> tuple[SeriesSnapshot, Queue, dict[str, float], dict[str, float]]:
    """Read what `save_snapshot` wrote: series without tables, queue, work left, late work.

    Raises
    ------
    SeriesError : the kept queue cannot be read.
    """
    path = older_formats.file_of(folder, SNAPSHOT)
    labels = json.loads(path.read_text(encoding="utf-8"))
    labels = labels if path.name == SNAPSHOT else older_formats.labels(labels)
    series = SeriesSnapshot(
        np.datetime64(labels["known_at"]), np.datetime64(labels["known_until"]), {}, labels["reasons"],
        labels["notes"], labels["imputed_hours"], labels["forecast_hours"], labels["forecast_error"],
    )  # fmt: skip
    queue = read_queue(folder / QUEUE, series.known_at)
    queue.refused = labels["refused"]
    return series, queue, labels["left_gpu_hours"], labels["late_gpu_hours"]
