"""From the inputs to the `Problem`: one checked Dataset from which everything else follows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from energy import schema
from energy.inputs.errors import ImpossibleWork, about
from energy.inputs.fleet import Fleet
from energy.plant import Weather
from energy.problem import beyond, caps, halls, sites, work
from energy.problem.heat import heat_arrays
from energy.problem.landed import landed_cost
from energy.problem.limits import limit_rows
from energy.problem.read import Inputs
from energy.schema import Floats, Times


def assemble(inputs: Inputs) -> xr.Dataset:
    """The Problem: every array of the table, in EUR, MW and UTC, checked.

    Raises
    ------
    ImpossibleWork : conflicting hard limits, found before the solve and named.
    schema.SchemaError : an array breaks its table.
    """
    fleet, time, hours = inputs.fleet, inputs.time, inputs.hours
    weather = sites.site_weather(fleet, inputs.series, time, hours)
    with about(inputs.fleet_path):
        pools = halls.pool_arrays(fleet, inputs.powers, time, hours)
        cooled = halls.hall_arrays(fleet, inputs.plants, weather, pools, time)
    landed = landed_cost(inputs)
    site = _site_arrays(inputs, weather) | landed.arrays
    with about(inputs.fleet_path):
        heat = heat_arrays(fleet, inputs.plants, list(np.asarray(landed.arrays["price"])), time)
    axes = _axes(fleet)
    with about(inputs.jobs_path):
        groups, grouped, jobs = _jobs(inputs)
        work.check_windows(inputs.jobs, jobs, grouped, pools["available"], hours)
        guards, guarded = beyond.guard_arrays(fleet, inputs.after, _speeds(inputs), jobs, grouped, inputs.end)
    terms = (pools, np.asarray(site["price"]), cooled["chord"], axes["pool_hall"], axes["hall_site"], hours)
    prices = beyond.later_prices(inputs.jobs, jobs, grouped, *terms, time[0], inputs.end)
    jobs["later_price"] = np.where(jobs["later_max"] > 0, prices, 0.0)
    dearest = work.dearest_gpu_hour(site, cooled, pools, axes["pool_hall"], axes["hall_site"], hours)
    jobs["penalty"] = work.penalties(inputs.jobs, grouped, dearest)
    with about(inputs.fleet_path):
        _firm_load_fits(fleet, cooled, axes["hall_site"], site, time)
        rows = _caps(inputs, cooled, axes["hall_site"], np.asarray(site["other_site_mw"]))
    arrays: dict[str, object] = {
        "dt": np.full(len(time), hours), **axes, **site, **heat, **cooled, **grouped, **jobs, **guarded,
        **{k: pools[k] for k in ("available", "firm", "busy_mw", "idle_mw")},
        **caps.cap_arrays(rows, _cap_penalty(jobs["penalty"], grouped, pools)),
    }  # fmt: skip
    coords = {
        "time": time, "site": list(fleet.sites), "hall": list(fleet.halls()), "pool": list(fleet.pools()),
        "job": [j.id for j in inputs.jobs], "group": groups, **landed.coords, "cap": [r.label for r in rows],
        "guard": guards,
    }  # fmt: skip
    return schema.dataset(arrays, coords, schema.PROBLEM)


def _jobs(inputs: Inputs) -> tuple[list[str], dict[str, Floats], dict[str, Floats]]:
    """Names of the groups, their arrays, and the arrays of the jobs with what they may leave for later."""
    names, grouped = work.group_arrays(inputs.fleet, [p.kind for p in inputs.powers.values()], inputs.jobs)
    jobs = work.window_arrays(inputs.jobs, inputs.state, inputs.time, inputs.hours)
    jobs["expected"] = np.array([float(j.id in inputs.expected) for j in inputs.jobs])
    may_wait = inputs.case.horizon.beyond == "terminal_value"
    jobs |= beyond.later_arrays(inputs.jobs, jobs, work.fastest(grouped), inputs.end, may_wait)
    jobs["work_left"] = work.fitted(jobs, grouped, inputs.hours)
    return names, grouped, jobs


def _speeds(inputs: Inputs) -> Floats:
    """Speed in each pool of the jobs that begin behind the horizon and that some pool may run, (A, N)."""
    kinds = [p.kind for p in inputs.powers.values()]
    return np.array([work.speeds(inputs.fleet, kinds, j) for j in inputs.after]).reshape(-1, len(kinds))


def _axes(fleet: Fleet) -> dict[str, Floats]:
    """hall_site (H,) and pool_hall (N,): positions on the parent's axis."""
    names, hall_names = list(fleet.sites), list(fleet.halls())
    return {
        "hall_site": np.array([names.index(s) for s, _ in fleet.halls().values()]),
        "pool_hall": np.array([hall_names.index(h) for h, _ in fleet.pools().values()]),
    }


def _site_arrays(inputs: Inputs, weather: Mapping[str, Weather]) -> dict[str, object]:
    fleet, time, hours = inputs.fleet, inputs.time, inputs.hours
    return {
        **sites.weather_arrays(fleet, inputs.series, weather, time, hours),
        **sites.limit_arrays(fleet, time),
        **sites.carbon_arrays(fleet, inputs.series, time, hours),
    }


def _caps(inputs: Inputs, cooled: Mapping[str, Floats], hall_site: Floats, other: Floats) -> list[caps.CapRow]:
    it_min = np.array([cooled["it_min"][hall_site == s].sum(axis=0) for s in range(len(inputs.fleet.sites))])
    rows = caps.cap_rows(inputs.fleet, inputs.state, it_min, inputs.time, inputs.hours)
    rows += limit_rows(inputs.fleet, inputs.limits, inputs.state, inputs.time)
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
                f"site {name} at {time[t].astype('datetime64[m]')}Z",
                f"firm and idle load draws {least[t]:.3f} MW, above the grid limit of {limit[s, t]:.3f} MW",
                "a higher grid_limit_mw, or less firm load",
            )
