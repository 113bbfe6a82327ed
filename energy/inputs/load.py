"""Read a case and every file it names, once, and check that they fit together.

Do case, fleet, tariffs and state fit together? Looked at before any series is read.

What the tariffs of a fleet assume: the rates in force at low confidence, and where each can be changed.

A case and every file it names as one flat folder that needs nothing else: what a run keeps of its inputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import ConfigError, SeriesError
from energy.inputs import jobs as jobs_module
from energy.inputs.case import Case, Horizon, load_case
from energy.inputs.components import Component
from energy.inputs.dated import to_utc
from energy.inputs.fleet import Fleet, Site, load_fleet
from energy.inputs.fx import Fx, read_fx
from energy.inputs.gpus import GpuPower, load_gpu_powers
from energy.inputs.jobs import EXPECTED, Job, read_expected, read_jobs
from energy.inputs.limits import Limit, load_limits
from energy.inputs.plants import load_plants
from energy.inputs.resources import model_path
from energy.inputs.series import Series, read_all
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import Tariff, load_tariffs
from energy.inputs.yaml_files import dumped, parsed, validate
from energy.plant import Plant
from energy.schema import Times, arrays


@dataclass(frozen=True)
class Inputs:
    """Everything the files say, before any of it is put on the horizon's grid.

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

    @property
    def files(self) -> dict[Path, str]:
        """SHA-256 of every file that was read."""
        return {path: hashlib.sha256(data).hexdigest() for path, data in self.contents.items()}

    def doubts(self) -> list[Doubt]:
        """Rates of the horizon that are assumed at low confidence."""
        return doubts(self.fleet, dict(self.tariffs), self.fleet_path, self.case.horizon.bounds())

    def pinned(self) -> dict[str, bytes]:
        """The inputs as a folder of their own: file name -> content, ``case.yaml`` to begin with."""
        return pinned(self.case_path, self.case, self.fleet, self.contents)

    @property
    def fleet_path(self) -> Path:
        """The fleet file."""
        return self.case_path.parent / self.case.fleet

    @property
    def jobs_path(self) -> Path:
        """The job table."""
        return self.case_path.parent / self.case.jobs

    def provenance(self) -> list[dict[str, object]]:
        """Where each series came from: source, licence, credit, file, and periods by quality."""
        groups = (("price", self.series.prices), ("weather", self.series.weather), ("carbon", self.series.carbon))
        return [_origin(kind, name, ds) for kind, by_name in groups for name, ds in by_name.items()]

    def stand_ins(self) -> list[str]:
        """One line for each tariff component whose first rate stands in before its first date."""
        first = self.case.horizon.start
        return [
            f"tariff {t.name}: {c.name} is not known before {c.valid_from}; its first rate stands in from {first} on"
            for t in {t.name: t for t in self.tariffs.values()}.values()
            for c in t.stand_ins(first)
        ]

    def rates(self) -> list[dict[str, object]]:
        """Where each exchange rate came from, and the credit it asks for."""
        return [{"currency": c, "source": r.source, "attribution": r.attribution} for c, r in self.case.fx.items()]

    @property
    def time(self) -> Times:
        """Starts of the market time units."""
        return self.case.horizon.times()

    @property
    def end(self) -> np.datetime64:
        """First moment after the horizon (UTC)."""
        return self.case.horizon.bounds()[1]

    @property
    def hours(self) -> float:
        """Length of a market time unit [h]."""
        return self.case.horizon.hours()


def _origin(kind: str, name: str, ds: xr.Dataset) -> dict[str, object]:
    labels, counts = np.unique(ds["quality"].values, return_counts=True)
    quality = {arrays.QUALITY[int(q)]: int(n) for q, n in zip(labels, counts, strict=True)}
    return {"kind": kind, "name": name, "file": Path(ds.attrs["file"]).name, "source": ds.attrs["source"],
            "licence": ds.attrs["licence"], "attribution": ds.attrs["attribution"], "quality": quality}  # fmt: skip


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
    check_fleet(fleet_path, case, fleet)
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
    named = [
        case.jobs,
        *([case.expected_jobs] if case.expected_jobs else []),
        *(p.file for p in case.prices),
        *(w.file for w in case.weather.values()),
    ]
    named += (
        [c.file for c in case.carbon.values()]
        + [r.file for r in case.fx.values() if r.file]
        + ([case.state] if case.state else [])
    )
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
    return case.model_copy(update={"horizon": validate(f"{path}: horizon", horizon, Horizon)})


def _jobs(
    folder: Path, case: Case, as_of: datetime | None
) -> tuple[tuple[Job, ...], tuple[str, ...], tuple[Job, ...], frozenset[str]]:
    """Jobs that touch the horizon with the expected ones, ids left out, those that begin later, ids expected."""
    path, (start, end) = folder / case.jobs, case.horizon.bounds()
    table = read_jobs(path, start, as_of=as_of)
    expected = read_expected(folder / case.expected_jobs, start) if case.expected_jobs else ()
    if expected:
        _no_mix_up(path, table)
    kept, left_out = jobs_module.inside(table, start, end)
    if not kept:
        horizon = " … ".join(f"{moment.astype('datetime64[m]')}Z" for moment in (start, end))
        raise SeriesError(path, f"none of its jobs touches the horizon {horizon}", "at least one job")
    kept += jobs_module.inside(expected, start, end)[0]
    after = [j for j in (*table, *expected) if j.release.to_datetime64() >= end]
    return tuple(kept), tuple(left_out), tuple(after), frozenset(j.id for j in expected)


def _no_mix_up(path: Path, table: tuple[Job, ...]) -> None:
    """No job of the table passes for an expected arrival."""
    for job in table:
        if job.id.startswith(EXPECTED):
            raise SeriesError(path, f"job {job.id!r} has the name of an expected arrival",
                              f"ids that do not begin with {EXPECTED} in a case with expected_jobs")  # fmt: skip


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
            raise ConfigError(
                f"{path}: prices",
                f"no prices for zone {site.bidding_zone} of site {name}; the zones given are {', '.join(zones)}",
                f"a price file with {site.bidding_zone} among its zones",
            )
    if unknown := sorted(set(case.weather) - set(fleet.sites)):
        raise ConfigError(f"{path}: weather.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    _check_rates(path, case, fleet, tariffs)


def _check_rates(path: Path, case: Case, fleet: Fleet, tariffs: Mapping[str, Tariff]) -> None:
    users = fleet.currencies() | {p.currency: f"prices in {p.file}" for p in case.prices}
    users |= {t.currency: f"tariff {t.name}" for t in tariffs.values()}
    for currency, user in users.items():
        if currency not in {"EUR", *case.fx}:
            raise ConfigError(
                f"{path}: fx",
                f"no rate for {currency}, which {user} needs",
                f"{currency}: {{eur_per_unit: number, source: text}}",
            )


def check_fleet(path: Path, case: Case, fleet: Fleet) -> None:
    """Every dated quantity has a value from the first moment of the horizon on.

    Raises
    ------
    ConfigError : names the key whose first step begins too late.
    """
    check_fleet_from(path, case.horizon, fleet)


def check_fleet_from(path: Path, horizon: Horizon, fleet: Fleet) -> None:
    """The same for a horizon without a case."""
    start, _ = horizon.bounds()
    for key, zone, steps in fleet.dated():
        if to_utc(steps[0].from_, zone) > start:
            raise ConfigError(
                f"{path}: {key}",
                f"has no value before {steps[0].from_}, but the horizon begins on {horizon.start}",
                "a first step at or before the horizon's start, with value 0 where there was nothing yet",
            )


def check_state(path: Path, case: Case, state: State, fleet: Fleet, tariffs: Mapping[str, Tariff]) -> None:
    """Sites of the state are sites of the fleet, its charges those of their tariffs, its invoices not of the future.

    Raises
    ------
    ConfigError : names the site, charge or month that is not.
    """
    if unknown := sorted(set(state.sites) - set(fleet.sites)):
        raise ConfigError(f"{path}: sites.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    for name, past in state.sites.items():
        where = f"{path}: sites.{name}"
        tariff = tariffs[name]
        _known_names(f"{where}.window_peaks_mw", set(past.window_peaks_mw), windowed(tariff), tariff)
        for month, so_far in past.invoice_so_far.items():
            _known_names(f"{where}.invoice_so_far.{month}.charges", set(so_far.charges), demand_lines(tariff), tariff)
            if pd.Timestamp(f"{month}-01").date() > case.horizon.start:
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


@dataclass(frozen=True)
class Doubt:
    """One rate from a single weak source, an assumption or memory; `change` is the file and the key that hold it."""

    sites: tuple[str, ...]
    component: str
    rate: str
    confidence: str
    source: str
    change: str


def doubts(
    fleet: Fleet, tariffs: dict[str, Tariff], fleet_path: Path, bounds: tuple[np.datetime64, np.datetime64]
) -> list[Doubt]:
    """Low-confidence rates that hold on a site-local day between two UTC instants, in the order of the files."""
    found: dict[tuple[str, str], Doubt] = {}
    for name, site in fleet.sites.items():
        path = model_path("tariffs", site.tariff, fleet_path)
        for i, c in _in_force(tariffs[name], *_days(site, bounds)):
            if c in tariffs[name].doubtful():
                key, rate = c.stated(reduced=c.name in site.reduced_rates)
                where = f"{path.name}: components.{i}.{key}"
                sites = (*found[where, rate].sites, name) if (where, rate) in found else (name,)
                found[where, rate] = Doubt(sites, c.name, f"{rate} {c.unit}", c.confidence, c.source, where)
    return list(found.values())


def _days(site: Site, bounds: tuple[np.datetime64, np.datetime64]) -> tuple[date, date]:
    """First and last site-local day of the horizon."""
    ends = bounds[0], bounds[1] - np.timedelta64(1, "s")
    first, last = (pd.Timestamp(t).tz_localize("UTC").tz_convert(site.time_zone).date() for t in ends)
    return first, last


def _in_force(tariff: Tariff, first: date, last: date) -> Iterator[tuple[int, Component]]:
    """(position in the file, component) of every version that holds on some day of the span, or stands in on it."""
    for i, c in enumerate(tariff.components):
        begins = [o.valid_from for o in tariff.components if o.name == c.name]
        begun = c.valid_from <= last or c.valid_from == min(begins)
        if begun and all(after > first for after in begins if after > c.valid_from):
            yield i, c


#: The two files that name others; the copies in the folder name its files.
CASE, FLEET = "case.yaml", "fleet.yaml"
#: Digits of a file's SHA-256 before its name: enough to tell every version of every file apart.
DIGITS = 12


def pinned(path: Path, case: Case, fleet: Fleet, contents: Mapping[Path, bytes]) -> dict[str, bytes]:
    """File name -> content: each file as it was read, its name behind its hash; case and fleet naming the copies.

    Parameters
    ----------
    path : the case file
    contents : content of the case, of the fleet and of every file that they name
    """
    stored = {p: f"{hashlib.sha256(data).hexdigest()[:DIGITS]}-{p.name}" for p, data in contents.items()}
    fleet_path = path.parent / case.fleet
    out = {stored[p]: data for p, data in contents.items()}
    out[CASE] = dumped(_case(case, lambda name: stored[path.parent / name]))
    raw = parsed(contents[fleet_path].decode("utf-8-sig"))
    out[FLEET] = dumped(_fleet(raw, fleet, lambda kind, name: stored[model_path(kind, name, fleet_path)]))
    return out


def _case(case: Case, stored: Callable[[str], str]) -> dict[str, Any]:
    """The case with its horizon as used, its files by their names in the folder."""
    data = case.model_dump(mode="json", exclude_none=True)
    data |= {"fleet": FLEET, "jobs": stored(case.jobs)}
    for key in ("state", "expected_jobs"):
        if key in data:
            data[key] = stored(data[key])
    for part in (*data["prices"], *data["weather"].values(), *data["carbon"].values(), *data["fx"].values()):
        if "file" in part:
            part["file"] = stored(part["file"])
    return data


def _fleet(raw: dict[str, Any], fleet: Fleet, stored: Callable[[str, str], str]) -> dict[str, Any]:
    """The fleet file as it stands, its models by their names in the folder."""
    for name, site in fleet.sites.items():
        mine = raw["sites"][name]
        mine["tariff"] = stored("tariffs", site.tariff)
        if site.limits:
            mine["limits"] = [stored("limits", limit) for limit in site.limits]
        for h, hall in site.halls.items():
            mine["halls"][h]["plant"] = stored("plants", hall.plant)
            for p, pool in hall.pools.items():
                mine["halls"][h]["pools"][p]["gpu"] = stored("gpus", pool.gpu)
    return raw
