"""The plan in force on a day, with what its night knew: past days are settled with the fleet and the jobs of then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from energy.inputs.complete import demand_lines, windowed
from energy.inputs.jobs import Job
from energy.inputs.state import SiteState, State
from energy.inputs.tariffs import Tariff
from energy.operate.as_then import QUEUE, recall
from energy.operate.books import inputs_of
from energy.operate.config import Place
from energy.operate.night_case import CASE
from energy.operate.planner import read_held_back, read_schedule
from energy.operate.queue import Queue, most_gpus, set_aside
from energy.operate.store import Store
from energy.problem import Inputs, read_inputs


@dataclass(frozen=True)
class InForce:
    """A published plan and what its night knew.

    Attributes
    ----------
    row : of the table `plans`
    night : the kept case
    schedule : job, site, hall, pool, start, hours, gpus over the night's horizon
    held : site, start, solar_limit_mw of solar arrays that it holds back
    jobs : every job that was submitted by then, by id
    """

    row: dict[str, Any]
    night: Inputs
    schedule: pd.DataFrame
    held: pd.DataFrame
    jobs: dict[str, Job]

    def seen_now(self, now: Inputs) -> Inputs:
        """Fleet, plants, tariffs and market time unit of then, with the series and rates of `now`."""
        case = now.case.model_copy(update={"horizon": self.night.case.horizon})
        n = self.night
        return replace(
            now, case=case, fleet=n.fleet, powers=n.powers, plants=n.plants, tariffs=n.tariffs, limits=n.limits
        )

    def as_seen(self, day: date) -> Inputs | None:
        """A day as the night saw it, series too; None behind its horizon, of which it knew nothing."""
        return inputs_of(self.night.case_path, day, self.night) if day <= self.night.case.horizon.end else None

    def without_series(self, day: date) -> Inputs:
        """A day for whoever asks for its work alone."""
        horizon = self.night.case.horizon.model_copy(update={"start": day, "end": day})
        return replace(self.night, case=self.night.case.model_copy(update={"horizon": horizon}))

    def jobs_with(self, later: dict[str, Job]) -> dict[str, Job]:
        """The jobs of then and those submitted since that its fleet can run."""
        queue = Queue({**later, **self.jobs})
        set_aside(queue, self.night.fleet, dict(self.night.powers), most_gpus(self.night.fleet, self.night.time[:1]))
        return {**queue.jobs, **self.jobs}


def in_force(place: Place, store: Store, day: date, before: InForce | None = None) -> InForce:
    """The plan in force on a day that has one.

    Parameters
    ----------
    before : the plan of another day, which need not be read again where it is the same

    Raises
    ------
    InputError, OSError : what the night kept or published cannot be read.
    """
    row = store.rows("SELECT * FROM plans WHERE night <= ? ORDER BY night DESC LIMIT 1", str(day))[0]
    if before is not None and before.row == row:
        return before
    kept = place.kept / row["kept"]
    night = read_inputs(kept / CASE)
    jobs = recall(kept).queue.jobs if (kept / QUEUE).is_file() else {j.id: j for j in night.jobs}
    folder = place.out / row["folder"]
    return InForce(row, night, read_schedule(folder / "schedule.parquet"), read_held_back(folder), jobs)


def fitted(state: State, tariffs: Mapping[str, Tariff]) -> State:
    """The state without sites and demand charges that fleet and tariffs have no more: a case that names them is refused.

    Parameters
    ----------
    tariffs : by site of the fleet
    """
    return state.model_copy(
        update={"sites": {name: _site(s, tariffs[name]) for name, s in state.sites.items() if name in tariffs}}
    )


def _site(state: SiteState, tariff: Tariff) -> SiteState:
    windows, lines = windowed(tariff), demand_lines(tariff)
    invoices = {
        month: i.model_copy(update={"charges": {k: c for k, c in i.charges.items() if k in lines}})
        for month, i in state.invoice_so_far.items()
    }
    peaks = {k: v for k, v in state.window_peaks_mw.items() if k in windows}
    return state.model_copy(update={"invoice_so_far": invoices, "window_peaks_mw": peaks})
