"""From files to the `Problem`: read everything once, then assemble and check one Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import xarray as xr

from energy import schema
from energy.inputs.case import Case, Horizon, load_case
from energy.inputs.errors import ImpossibleWork, SeriesError
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.gpus import GpuPower, load_gpu_powers
from energy.inputs.jobs import Job, read_jobs
from energy.inputs.resources import model_path
from energy.inputs.series import Series, read_all
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import Tariff, load_tariffs
from energy.inputs.yamlfile import validate
from energy.plant import Plant, Weather
from energy.problem import caps, halls, sites, work
from energy.problem.plants import load_plants
from energy.schema import Floats, Times


@dataclass(frozen=True)
class Inputs:
    """Everything the files say, before any of it is put on the horizon's grid."""

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

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read, each once."""
        folder, case = self.case_path.parent, self.case
        fleet_path = folder / case.fleet
        named = [case.jobs, *(p.file for p in case.prices), *(w.file for w in case.weather.values())]
        named += [c.file for c in case.carbon.values()] + ([case.state] if case.state else [])
        models = [model_path("tariffs", s.tariff, fleet_path) for s in self.fleet.sites.values()]
        models += [model_path("plants", h.plant, fleet_path) for _, h in self.fleet.halls().values()]
        models += [model_path("gpus", p.gpu, fleet_path) for _, p in self.fleet.pools().values()]
        return tuple(dict.fromkeys([self.case_path, fleet_path, *(folder / n for n in named), *models]))

    def provenance(self) -> list[dict[str, object]]:
        """Where each series came from: source, licence, file, and periods by quality."""
        groups = (("price", self.series.prices), ("weather", self.series.weather), ("carbon", self.series.carbon))
        return [_origin(kind, name, ds) for kind, by_name in groups for name, ds in by_name.items()]

    @property
    def time(self) -> Times:
        """Starts of the market time units."""
        return self.case.horizon.times()

    @property
    def hours(self) -> float:
        """Length of a market time unit [h]."""
        return self.case.horizon.hours()


def _origin(kind: str, name: str, ds: xr.Dataset) -> dict[str, object]:
    labels, counts = np.unique(ds["quality"].values, return_counts=True)
    quality = {schema.QUALITY[int(q)]: int(n) for q, n in zip(labels, counts, strict=True)}
    return {"kind": kind, "name": name, "file": Path(ds.attrs["file"]).name, "source": ds.attrs["source"],
            "licence": ds.attrs["licence"], "quality": quality}  # fmt: skip


def read_inputs(path: Path, overrides: Mapping[str, object] | None = None, fill: bool = False) -> Inputs:
    """Read a case file and every file it names.

    Parameters
    ----------
    overrides : values for the case's horizon, such as ``start`` and ``end``
    fill : fill gaps in series and label the hours

    Raises
    ------
    ConfigError, SeriesError, ImpossibleWork : each names the file, the key or row, and what is allowed.
    """
    case = _with_horizon(load_case(path), path, overrides or {})
    folder = path.parent
    fleet_path = folder / case.fleet
    fleet = load_fleet(fleet_path)
    jobs, left_out = _jobs(folder / case.jobs, case)
    return Inputs(
        case, path, fleet, jobs, left_out, load_gpu_powers(fleet, fleet_path), load_plants(fleet, fleet_path),
        load_tariffs(fleet, fleet_path), read_all(case, folder, fill),
        load_state(folder / case.state if case.state else None),
    )  # fmt: skip


def _with_horizon(case: Case, path: Path, overrides: Mapping[str, object]) -> Case:
    if not overrides:
        return case
    horizon = case.horizon.model_dump(mode="json") | dict(overrides)
    if "start" in overrides and "end" not in overrides:
        days = case.horizon.end - case.horizon.start  # a new start alone keeps the number of days
        horizon["end"] = (date.fromisoformat(str(overrides["start"])) + days).isoformat()
    return case.model_copy(update={"horizon": validate(f"{path}: horizon", horizon, Horizon)})


def _jobs(path: Path, case: Case) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    start, end = case.horizon.bounds()
    kept, left_out = work.inside(read_jobs(path, start), start, end)
    if not kept:
        raise SeriesError(path, f"none of its jobs touches the horizon {start} … {end}", "at least one job")
    return tuple(kept), tuple(left_out)


def assemble(inputs: Inputs) -> xr.Dataset:
    """The Problem: every array of the table, in EUR, MW and UTC, checked.

    Raises
    ------
    ImpossibleWork : conflicting hard limits, found before the solve and named.
    schema.SchemaError : an array breaks its table.
    """
    fleet, time, hours = inputs.fleet, inputs.time, inputs.hours
    weather = sites.site_weather(fleet, inputs.series, time, hours)
    pools = halls.pool_arrays(fleet, inputs.powers, time, hours)
    cooled = halls.hall_arrays(fleet, inputs.plants, weather, pools, time)
    months, site = _site_arrays(inputs, weather)
    groups, grouped = work.group_arrays(fleet, inputs.jobs, Path(inputs.case.jobs))
    jobs = work.window_arrays(inputs.jobs, inputs.state, time, hours)
    work.check_windows(inputs.jobs, jobs, grouped, pools["available"], hours, Path(inputs.case.jobs))
    axes = _axes(fleet)
    dearest = work.dearest_gpu_hour(site, cooled, pools, axes["pool_hall"], axes["hall_site"], hours)
    jobs["penalty"] = work.penalties(inputs.jobs, grouped, dearest)
    _firm_load_fits(fleet, cooled, axes["hall_site"], site, time)
    rows = _caps(inputs, cooled, axes["hall_site"], np.asarray(site["other_site_mw"]))
    arrays: dict[str, object] = {
        "dt": np.full(len(time), hours), **axes, **site, **cooled, **grouped, **jobs,
        **{k: pools[k] for k in ("available", "firm", "busy_mw", "idle_mw")},
        **caps.cap_arrays(rows, _cap_penalty(jobs["penalty"], grouped, pools)),
    }  # fmt: skip
    coords = {
        "time": time, "site": list(fleet.sites), "hall": list(fleet.halls()), "pool": list(fleet.pools()),
        "job": [j.id for j in inputs.jobs], "group": groups, "month": months, "cap": [r.label for r in rows],
    }  # fmt: skip
    return schema.dataset(arrays, coords, schema.PROBLEM)


def _axes(fleet: Fleet) -> dict[str, Floats]:
    """hall_site (H,) and pool_hall (N,): positions on the parent's axis."""
    names, hall_names = list(fleet.sites), list(fleet.halls())
    return {
        "hall_site": np.array([names.index(s) for s, _ in fleet.halls().values()]),
        "pool_hall": np.array([hall_names.index(h) for h, _ in fleet.pools().values()]),
    }


def _site_arrays(inputs: Inputs, weather: Mapping[str, Weather]) -> tuple[list[str], dict[str, object]]:
    fleet, time, hours = inputs.fleet, inputs.time, inputs.hours
    months, monthly = sites.month_arrays(inputs.case, fleet, inputs.tariffs, inputs.state, time, hours)
    return months, {
        **sites.weather_arrays(fleet, inputs.series, weather, time, hours),
        **sites.price_arrays(inputs.case, fleet, inputs.series, inputs.tariffs, time, hours),
        **sites.limit_arrays(fleet, time),
        **sites.carbon_arrays(fleet, inputs.series, time, hours),
        **monthly,
    }


def _caps(inputs: Inputs, cooled: Mapping[str, Floats], hall_site: Floats, other: Floats) -> list[caps.CapRow]:
    it_min = np.array([cooled["it_min"][hall_site == s].sum(axis=0) for s in range(len(inputs.fleet.sites))])
    rows = caps.cap_rows(inputs.fleet, inputs.state, it_min, inputs.time, inputs.hours)
    caps.check_reachable(rows, cooled, hall_site, other, inputs.hours)
    return rows


def _cap_penalty(penalty: Floats, groups: Mapping[str, Floats], pools: Mapping[str, Floats]) -> float:
    """Price of a MWh above a cap: CAP_OVER_WORK times the dearest undone MWh of IT work."""
    per_mwh = penalty.max() * groups["speed"].max() / (pools["busy_mw"] - pools["idle_mw"]).min()
    return float(caps.CAP_OVER_WORK * per_mwh)


def _firm_load_fits(
    fleet: Fleet, cooled: Mapping[str, Floats], hall_site: Floats, site: Mapping[str, object], time: Times
) -> None:
    """The load that no plan can lower fits each site's grid connection."""
    limit, other = np.asarray(site["grid_limit_mw"]), np.asarray(site["other_site_mw"])
    for s, name in enumerate(fleet.sites):
        mine = hall_site == s
        least = (cooled["it_min"] + cooled["overhead_min"])[mine].sum(axis=0) + other[s]
        bad = least > limit[s]
        if bad.any():
            t = int(np.argmax(bad))
            raise ImpossibleWork(
                f"fleet: site {name} at {time[t].astype('datetime64[m]')}Z",
                f"firm and idle load draws {least[t]:.3f} MW, above the grid limit of {limit[s, t]:.3f} MW",
                "a higher grid_limit_mw, or less firm load",
            )
