"""From the inputs to the `Problem`: one checked Dataset from which everything else follows.

Everything about money at the sites: spot, tariff stack, contracts, solar, in one place.

What a reader of a case has to know that no figure shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from energy.errors import ImpossibleWork, about
from energy.inputs.fleet import Fleet
from energy.inputs.load import Inputs
from energy.plant import Weather
from energy.problem import contracts, halls, pue_limits, sites, tariffs, terminal_value
from energy.problem import jobs as work
from energy.problem.halls import heat_arrays
from energy.problem.pue_limits import cap_notices, limit_rows
from energy.problem.sites import spot_prices
from energy.problem.tariffs import demand_arrays, demand_charges
from energy.schema import Floats, Times, validate
from energy.schema import arrays as arrays_module
from energy.series.resample import quality


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
    axes, site = _axes(fleet), _site_arrays(inputs, weather)
    least = _least_facility(cooled, axes["hall_site"], np.asarray(site["other_site_mw"]))
    landed = landed_cost(inputs, least, np.asarray(site["grid_limit_mw"]))
    site |= landed.arrays
    with about(inputs.fleet_path):
        heat = heat_arrays(fleet, inputs.plants, list(np.asarray(landed.arrays["price"])), time)
    with about(inputs.jobs_path):
        groups, grouped, jobs = _jobs(inputs)
        work.check_windows(inputs.jobs, jobs, grouped, pools["available"], hours)
        guards, guarded = terminal_value.guard_arrays(fleet, inputs.after, _speeds(inputs), jobs, grouped, inputs.end)
    terms = (pools, np.asarray(site["price"]), cooled["chord"], axes["pool_hall"], axes["hall_site"], hours)
    prices = terminal_value.later_prices(inputs.jobs, jobs, grouped, *terms, time[0], inputs.end)
    jobs["later_price"] = np.where(jobs["later_max"] > 0, prices, 0.0)
    dearest = work.dearest_gpu_hour(site, cooled, pools, axes["pool_hall"], axes["hall_site"], hours)
    jobs["penalty"] = work.penalties(inputs.jobs, grouped, dearest)
    with about(inputs.fleet_path):
        _firm_load_fits(fleet, least, np.asarray(site["grid_limit_mw"]), time)
        rows = _caps(inputs, cooled, axes["hall_site"], np.asarray(site["other_site_mw"]))
    arrays: dict[str, object] = {
        "dt": np.full(len(time), hours), **axes, **site, **heat, **cooled, **grouped, **jobs, **guarded,
        **{k: pools[k] for k in ("available", "firm", "busy_mw", "idle_mw")},
        **pue_limits.cap_arrays(rows, _cap_penalty(jobs["penalty"], grouped, pools)),
    }  # fmt: skip
    coords = {
        "time": time, "site": list(fleet.sites), "hall": list(fleet.halls()), "pool": list(fleet.pools()),
        "job": [j.id for j in inputs.jobs], "group": groups, **landed.coords, "cap": [r.label for r in rows],
        "guard": guards,
    }  # fmt: skip
    return validate.dataset(arrays, coords, arrays_module.PROBLEM)


def _jobs(inputs: Inputs) -> tuple[list[str], dict[str, Floats], dict[str, Floats]]:
    """Names of the groups, their arrays, and the arrays of the jobs with what they may leave for later."""
    names, grouped = work.group_arrays(inputs.fleet, [p.kind for p in inputs.powers.values()], inputs.jobs)
    jobs = work.window_arrays(inputs.jobs, inputs.state, inputs.time, inputs.hours)
    jobs["expected"] = np.array([float(j.id in inputs.expected) for j in inputs.jobs])
    may_wait = inputs.case.horizon.beyond == "terminal_value"
    jobs |= terminal_value.later_arrays(inputs.jobs, jobs, work.fastest(grouped), inputs.end, may_wait)
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
        **sites.fleet_arrays(fleet, time),
        **sites.carbon_arrays(fleet, inputs.series, time, hours),
    }


def _caps(inputs: Inputs, cooled: Mapping[str, Floats], hall_site: Floats, other: Floats) -> list[pue_limits.CapRow]:
    it_min = np.array([cooled["it_min"][hall_site == s].sum(axis=0) for s in range(len(inputs.fleet.sites))])
    rows = pue_limits.cap_rows(inputs.fleet, inputs.state, it_min, inputs.time, inputs.hours)
    rows += limit_rows(inputs.fleet, inputs.limits, inputs.state, inputs.time)
    pue_limits.check_reachable(rows, cooled, hall_site, other, inputs.hours)
    return rows


def _cap_penalty(penalty: Floats, groups: Mapping[str, Floats], pools: Mapping[str, Floats]) -> float:
    """Price of a MWh above a cap: CAP_OVER_WORK times the dearest undone MWh of IT work."""
    per_mwh = penalty.max() * groups["speed"].max() / (pools["busy_mw"] - pools["idle_mw"]).min()
    return float(pue_limits.CAP_OVER_WORK * per_mwh)


def _least_facility(cooled: Mapping[str, Floats], hall_site: Floats, other: Floats) -> Floats:
    """Facility power that no plan can lower, (S, T) [MW]."""
    out = other.astype(float)
    np.add.at(out, hall_site.astype(int), cooled["it_min"] + cooled["overhead_min"])
    return out


def _firm_load_fits(fleet: Fleet, least: Floats, limit: Floats, time: Times) -> None:
    """The load that no plan can lower fits each site's grid connection."""
    for s, name in enumerate(fleet.sites):
        bad = least[s] > limit[s]
        if bad.any():
            t = int(np.argmax(bad))
            raise ImpossibleWork(
                f"site {name} at {time[t].astype('datetime64[m]')}Z",
                f"firm and idle load draws {least[s, t]:.3f} MW, above the grid limit of {limit[s, t]:.3f} MW",
                "a higher grid_limit_mw, or less firm load",
            )


@dataclass(frozen=True)
class Landed:
    """Arrays of the Problem that price power, and the labels of their axes."""

    arrays: dict[str, object]
    coords: dict[str, object]


def landed_cost(inputs: Inputs, least: Floats, most: Floats) -> Landed:
    """Price power at every site: energy by the hour, demand charges, contracts, solar, fixed and minimum bills.

    Parameters
    ----------
    least : facility power that no plan can lower [MW], (S, T);  most : grid connection limit [MW], (S, T)
    """
    fleet, time, hours, fx = inputs.fleet, inputs.time, inputs.hours, inputs.fx
    spot = spot_prices(fleet, inputs.series, fx, time, hours)
    charge = {n: tariffs.energy_charge(s, inputs.tariffs[n], spot[n], fx, time) for n, s in fleet.sites.items()}
    price = {n: spot[n] + charge[n][0] for n in fleet.sites}
    own = {n: charge[n][1] for n in fleet.sites}
    months, month_of = tariffs.month_axis(fleet, time)
    owed = demand_charges(fleet, inputs.tariffs, inputs.state, fx, time, hours)
    demand = demand_arrays(owed, fleet, inputs.tariffs, inputs.state, time, months)
    minimum_names, minimum = tariffs.minimum_arrays(
        fleet, inputs.tariffs, own, fx, time, hours, months, inputs.state, owed
    )
    minimum_names, minimum = tariffs.within_reach(
        minimum_names, minimum, demand, _least_drawn(fleet, least), most, hours
    )
    contract_names, supply = contracts.contract_arrays(fleet, spot, fx, time)
    billed = tariffs.billed_before(fleet, inputs.tariffs, inputs.state, time, hours, owed)
    currencies = sorted({t.currency for t in inputs.tariffs.values()} - {"EUR"})
    arrays: dict[str, object] = {
        "spot": list(spot.values()),
        "energy_charge": [charge[n][0] for n in fleet.sites],
        "price": list(price.values()),
        "price_quality": [quality(inputs.series.prices[s.bidding_zone], time, hours) for s in fleet.sites.values()],
        "month_of": month_of,
        "fixed_eur": _fixed(inputs, spot) - billed,
        "fx": np.array([fx.at(c, time) for c in currencies]).reshape(len(currencies), len(time)),
        **demand, **minimum, **supply,
        **contracts.solar_arrays(fleet, inputs.series, spot, price, _already_paid(minimum, len(spot)), fx, time, hours),
    }  # fmt: skip
    coords: dict[str, object] = {"month": months, "charge": [c.label for c in owed], "minimum": minimum_names,
                                 "contract": contract_names, "currency": currencies}  # fmt: skip
    return Landed(arrays, coords)


def _least_drawn(fleet: Fleet, least: Floats) -> Floats:
    """Least power drawn from the grid when each solar array gives all it ever can, (S, T) [MW]."""
    sun = np.array([site.solar.ac_mw if site.solar else 0.0 for site in fleet.sites.values()])
    return np.asarray(np.maximum(least - sun[:, None], 0.0))


def _already_paid(minimum: dict[str, Floats], sites: int) -> Floats:
    """Energy charges that a minimum bill not yet reached pays for in any case, (S, T) [EUR/MWh]."""
    out = np.zeros((sites, minimum["minimum_rate"].shape[1]))
    np.add.at(out, minimum["minimum_site"].astype(int), np.maximum(minimum["minimum_rate"], 0.0))
    return out


def _fixed(inputs: Inputs, spot: dict[str, Floats]) -> Floats:
    """What no plan changes, by site [EUR]."""
    time, hours, fx = inputs.time, inputs.hours, inputs.fx
    return np.array([
        sum(tariffs.fixed_eur(site, inputs.tariffs[name], fx, time, hours).values())
        + contracts.unavoidable_eur(site, spot[name], fx, time, hours)
        for name, site in inputs.fleet.sites.items()
    ])  # fmt: skip


def notices(inputs: Inputs, problem: xr.Dataset) -> list[str]:
    """One sentence each: rates that stand in before their first date, PUE caps that do not hold throughout."""
    return [*inputs.stand_ins(), *cap_notices(inputs, problem)]
