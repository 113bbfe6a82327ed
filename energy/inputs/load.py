"""Read a case and every file it names, once, into the one `Inputs` that problem and audit start from.

Case, fleet, tariffs and state must fit together, which is checked before any series is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from energy.errors import ConfigError, SeriesError
from energy.inputs import jobs as jobs_module
from energy.inputs.case import Case, HorizonDays, load_case
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
from energy.schema.calendar import Horizon, month_of, to_utc


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
    case, folder = load_case(path), path.parent
    if overrides:
        horizon = case.horizon.model_dump(mode="json") | dict(overrides)
        if "start" in overrides and "end" not in overrides:
            days = case.horizon.end - case.horizon.start  # a new start alone keeps the number of days
            horizon["end"] = str(np.datetime64(str(overrides["start"]), "D") + np.timedelta64(days))
        case = case.model_copy(update={"horizon": validate(f"{path}: horizon", horizon, HorizonDays)})
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


def check_case(path: Path, case: Case, fleet: Fleet, tariffs: Mapping[str, Tariff]) -> None:
    """Every site has weather and prices, every currency a rate.

    Raises
    ------
    ConfigError : names the key of the case file that is missing or has no site.
    """
    for name, site in fleet.sites.items():
        if name not in case.weather:
            raise ConfigError(f"{path}: weather", f"no weather for site {name}", "one key per site of the fleet")
        zones = [z for p in case.prices for z in p.zones]
        if site.bidding_zone not in zones:
            what = f"no prices for zone {site.bidding_zone} of site {name}; the zones given are {', '.join(zones)}"
            raise ConfigError(f"{path}: prices", what, f"a price file with {site.bidding_zone} among its zones")
    if unknown := sorted(set(case.weather) - set(fleet.sites)):
        raise ConfigError(f"{path}: weather.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    users = fleet.currencies() | {p.currency: f"prices in {p.file}" for p in case.prices}
    users |= {t.currency: f"tariff {t.name}" for t in tariffs.values()}
    for currency, user in users.items():
        if currency not in {"EUR", *case.fx}:
            allowed = f"{currency}: {{eur_per_unit: number, source: text}}"
            raise ConfigError(f"{path}: fx", f"no rate for {currency}, which {user} needs", allowed)


def check_fleet(path: Path, horizon: HorizonDays, fleet: Fleet) -> None:
    """Every dated quantity has a value from the first moment of the horizon on.

    Raises
    ------
    ConfigError : names the key whose first step begins too late.
    """
    for key, zone, steps in fleet.dated():
        if to_utc(steps[0].from_, zone) > horizon.bounds()[0]:
            what = f"has no value before {steps[0].from_}, but the horizon begins on {horizon.start}"
            allowed = "a first step at or before the horizon's start, with value 0 where there was nothing yet"
            raise ConfigError(f"{path}: {key}", what, allowed)


def check_state(path: Path, case: Case, state: State, fleet: Fleet, tariffs: Mapping[str, Tariff]) -> None:
    """Sites of the state are sites of the fleet, its charges those of their tariffs, its invoices not of the future.

    Raises
    ------
    ConfigError : names the site, charge or month that is not.
    """
    if unknown := sorted(set(state.sites) - set(fleet.sites)):
        raise ConfigError(f"{path}: sites.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    for name, past in state.sites.items():
        where, tariff = f"{path}: sites.{name}", tariffs[name]
        _known_names(f"{where}.window_peaks_mw", set(past.window_peaks_mw), windowed(tariff), tariff)
        for month, so_far in past.invoice_so_far.items():
            _known_names(f"{where}.invoice_so_far.{month}.charges", set(so_far.charges), demand_lines(tariff), tariff)
            if month > month_of(case.horizon.start):
                what = f"begins after the horizon, which begins on {case.horizon.start}"
                raise ConfigError(f"{where}.invoice_so_far.{month}", what, "months up to the horizon's first")


def _known_names(where: str, given: set[str], known: set[str], tariff: Tariff) -> None:
    if unknown := sorted(given - known):
        what = f"tariff {tariff.name} has no such demand charge"
        raise ConfigError(f"{where}.{unknown[0]}", what, ", ".join(sorted(known)) or "none")


def windowed(tariff: Tariff) -> set[str]:
    """Demand charges that count declared hours only, by name."""
    return {name for c in tariff.components for name in c.state_names().peaks}


def demand_lines(tariff: Tariff) -> set[str]:
    """Lines that the demand charges have on an invoice: one each, or one per band."""
    return {line for c in tariff.components for line in c.state_names().accounts}
