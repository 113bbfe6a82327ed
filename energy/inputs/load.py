"""Read a case and every file it names, once, into the one `Inputs` that problem and audit start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from energy.errors import SeriesError
from energy.inputs import jobs as jobs_module
from energy.inputs.case import Case, HorizonDays, load_case
from energy.inputs.consistency import check_case, check_fleet, check_state
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.fx import Fx, read_fx
from energy.inputs.gpus import GpuPower, load_gpu_powers
from energy.inputs.jobs import EXPECTED, Job, read_expected, read_jobs
from energy.inputs.limits import Limit, load_limits
from energy.inputs.plants import load_plants
from energy.inputs.resources import model_path
from energy.inputs.series import Series, read_all
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import Tariff, load_tariffs
from energy.inputs.yaml_files import validate
from energy.plant import Plant
from energy.schema.calendar import Horizon


@dataclass(frozen=True)
class Inputs:
    """Everything the files say, before any of it is put on the horizon's periods.

    Attributes
    ----------
    jobs : jobs whose window touches the horizon, expected arrivals among them
    left_out : ids of the jobs of the table whose window does not
    after : jobs and expected arrivals that can begin only after the horizon
    expected : ids of the expected arrivals
    contents : every file that was read, as it was at that moment
    fill : whether gaps in series were filled
    as_of : the moment whose knowledge the series hold (UTC, naive); None for all of it
    """

    case: Case
    case_path: Path
    fleet: Fleet
    jobs: tuple[Job, ...]
    left_out: tuple[str, ...]
    powers: Mapping[str, GpuPower]
    plants: Mapping[str, Plant]
    tariffs: Mapping[str, Tariff]
    series: Series
    state: State
    fx: Fx
    contents: Mapping[Path, bytes]
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    fill: bool = False
    as_of: datetime | None = None
    after: tuple[Job, ...] = ()
    expected: frozenset[str] = frozenset()

    @cached_property
    def horizon(self) -> Horizon:
        """Periods of the horizon."""
        return self.case.horizon.periods()

    @property
    def fleet_path(self) -> Path:
        """The fleet file."""
        return self.case_path.parent / self.case.fleet

    @property
    def jobs_path(self) -> Path:
        """The job table."""
        return self.case_path.parent / self.case.jobs


def read_inputs(
    path: Path, overrides: Mapping[str, object] | None = None, fill: bool = False, as_of: datetime | None = None
) -> Inputs:
    """Read a case file and every file it names.

    Parameters
    ----------
    overrides : values for the case's horizon, such as ``start`` and ``end``
    fill : fill gaps in series and label the hours
    as_of : series, rates and jobs as known at this moment (UTC, naive); what came later counts as a gap

    Raises
    ------
    ConfigError, SeriesError, ImpossibleWork : each names the file, the key or row, and what is allowed.
    """
    case = _with_horizon(load_case(path), path, overrides or {})
    folder = path.parent
    fleet_path = folder / case.fleet
    fleet = load_fleet(fleet_path)
    tariffs, state = load_tariffs(fleet, fleet_path), load_state(folder / case.state if case.state else None)
    check_case(path, case, fleet, tariffs)
    check_fleet(fleet_path, case.horizon, fleet)
    check_state(folder / (case.state or ""), case, state, fleet, tariffs)
    limits = load_limits(fleet, fleet_path)
    powers, plants = load_gpu_powers(fleet, fleet_path), load_plants(fleet, fleet_path)
    jobs, left_out, after, expected = _jobs(folder, case, as_of)
    sunny = frozenset(name for name, site in fleet.sites.items() if site.solar)
    series, contents = read_all(case, folder, fill, sunny, as_of), _contents(path, case, fleet)
    fx = read_fx(case.fx, folder, case.horizon.bounds()[0], as_of)
    return Inputs(
        case, path, fleet, jobs, left_out, powers, plants, tariffs, series, state, fx, contents, limits, fill, as_of,
        after, expected,
    )  # fmt: skip


def _contents(case_path: Path, case: Case, fleet: Fleet) -> dict[Path, bytes]:
    """Content of every file that a case names."""
    folder, fleet_path = case_path.parent, case_path.parent / case.fleet
    named = [case.jobs, *(p.file for p in case.prices), *(w.file for w in case.weather.values())]
    named += [c.file for c in case.carbon.values()]
    named += [name for name in (case.expected_jobs, case.state, *(r.file for r in case.fx.values())) if name]
    models = [model_path("tariffs", s.tariff, fleet_path) for s in fleet.sites.values()]
    models += [model_path("plants", h.plant, fleet_path) for _, h in fleet.halls().values()]
    models += [model_path("gpus", p.gpu, fleet_path) for _, p in fleet.pools().values()]
    models += [model_path("limits", name, fleet_path) for s in fleet.sites.values() for name in s.limits]
    every = dict.fromkeys([case_path, fleet_path, *(folder / n for n in named), *models])
    return {path: path.read_bytes() for path in every}


def _with_horizon(case: Case, path: Path, overrides: Mapping[str, object]) -> Case:
    if not overrides:
        return case
    horizon = case.horizon.model_dump(mode="json") | dict(overrides)
    if "start" in overrides and "end" not in overrides:
        days = case.horizon.end - case.horizon.start  # a new start alone keeps the number of days
        horizon["end"] = str(np.datetime64(str(overrides["start"]), "D") + np.timedelta64(days))
    return case.model_copy(update={"horizon": validate(f"{path}: horizon", horizon, HorizonDays)})


def _jobs(
    folder: Path, case: Case, as_of: datetime | None
) -> tuple[tuple[Job, ...], tuple[str, ...], tuple[Job, ...], frozenset[str]]:
    """Jobs that touch the horizon with the expected ones, ids left out, those that begin later, ids expected."""
    path, (start, end) = folder / case.jobs, case.horizon.bounds()
    table = read_jobs(path, start, as_of=as_of)
    expected = read_expected(folder / case.expected_jobs, start) if case.expected_jobs else ()
    mistaken = next((job.id for job in table if expected and job.id.startswith(EXPECTED)), None)
    if mistaken is not None:
        raise SeriesError(path, f"job {mistaken!r} has the name of an expected arrival",
                          f"ids that do not begin with {EXPECTED} in a case with expected_jobs")  # fmt: skip
    kept, left_out = jobs_module.inside(table, start, end)
    if not kept:
        horizon = " … ".join(f"{moment.astype('datetime64[m]')}Z" for moment in (start, end))
        raise SeriesError(path, f"none of its jobs touches the horizon {horizon}", "at least one job")
    kept += jobs_module.inside(expected, start, end)[0]
    after = [j for j in (*table, *expected) if j.release.to_datetime64() >= end]
    return tuple(kept), tuple(left_out), tuple(after), frozenset(j.id for j in expected)
