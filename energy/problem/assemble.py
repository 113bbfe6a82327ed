"""From the inputs to the `Problem`: one checked Dataset from which everything else follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from energy.errors import ImpossibleWork, about
from energy.inputs.fleet import Fleet
from energy.inputs.load import Inputs
from energy.inputs.provenance import early_rates
from energy.plant import Weather
from energy.problem import contracts, halls, pue_limits, sites, tariffs, terminal_value
from energy.problem import jobs as work
from energy.problem.halls import heat_arrays
from energy.problem.pue_limits import cap_notices, limit_rows
from energy.problem.sites import spot_prices
from energy.schema import Floats, Times, validate
from energy.schema import arrays as arrays_module
from energy.schema.calendar import month_axis
from energy.series.resample import quality


def assemble(inputs: Inputs) -> xr.Dataset:
    """The Problem: every array of the table, in EUR, MW and UTC, checked.

    Raises
    ------
    ImpossibleWork : conflicting hard limits, found before the solve and named.
    schema.SchemaError : an array breaks its table.
    """
    fleet, horizon = inputs.fleet, inputs.horizon
    time, dt = horizon.time, horizon.dt
    weather = sites.site_weather(fleet, inputs.series, horizon)
    with about(inputs.fleet_path):
        pools = halls.pool_arrays(fleet, inputs.powers, horizon)
        cooled = halls.hall_arrays(fleet, inputs.plants, weather, pools, time)
    axes, site = _axes(fleet), _site_arrays(inputs, weather)
    least = _least_facility(cooled, axes["hall_site"], np.asarray(site["other_site_mw"]))
    landed = landed_cost(inputs, least, np.asarray(site["grid_limit_mw"]))
    site |= landed.arrays
    with about(inputs.fleet_path):
        heat = heat_arrays(fleet, inputs.plants, list(np.asarray(landed.arrays["price"])), time)
    with about(inputs.jobs_path):
        groups, grouped, jobs = _jobs(inputs)
        work.check_windows(inputs.jobs, jobs, grouped, pools["available"], dt)
        guards, guarded = terminal_value.guard_arrays(inputs, _speeds(inputs), jobs, grouped)
    prices = terminal_value.later_prices(
        inputs.jobs, jobs, grouped, pools, np.asarray(site["price"]), cooled["chord"], axes["pool_hall"], axes["hall_site"],
        horizon,
    )  # fmt: skip
    jobs["later_price"] = np.where(jobs["later_max"] > 0, prices, 0.0)
    dearest = work.dearest_gpu_hour(site, cooled, pools, axes["pool_hall"], axes["hall_site"], dt)
    jobs["penalty"] = work.penalties(inputs.jobs, grouped, dearest)
    with about(inputs.fleet_path):
        _firm_load_fits(fleet, least, np.asarray(site["grid_limit_mw"]), time)
        rows = _caps(inputs, cooled, axes["hall_site"], np.asarray(site["other_site_mw"]))
    arrays: dict[str, object] = {
        "dt": dt, **axes, **site, **heat, **cooled, **grouped, **jobs, **guarded,
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
    jobs = work.window_arrays(inputs)
    jobs["expected"] = np.array([float(j.id in inputs.expected) for j in inputs.jobs])
    jobs |= terminal_value.later_arrays(inputs, jobs, work.fastest(grouped))
    jobs["work_left"] = work.fitted(jobs, grouped, inputs.horizon.dt)
    return names, grouped, jobs


def _speeds(inputs: Inputs) -> Floats:
    """Speed in each pool of the jobs that begin after the horizon, 0 where none may run it, (A, N)."""
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
    return {
        **sites.weather_arrays(inputs, weather),
        **sites.fleet_arrays(inputs.fleet, inputs.horizon.time),
        **sites.carbon_arrays(inputs),
    }


def _caps(inputs: Inputs, cooled: Mapping[str, Floats], hall_site: Floats, other: Floats) -> list[pue_limits.CapRow]:
    it_min = np.array([cooled["it_min"][hall_site == s].sum(axis=0) for s in range(len(inputs.fleet.sites))])
    rows = pue_limits.cap_rows(inputs, it_min) + limit_rows(inputs)
    pue_limits.check_reachable(rows, cooled, hall_site, other, inputs.horizon.dt)
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
    """Check that firm and idle load [MW] fits each site's grid limit."""
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
    fleet, horizon, fx = inputs.fleet, inputs.horizon, inputs.fx
    spot = spot_prices(inputs)
    rates = {n: tariffs.site_tariff(inputs, n, horizon) for n in fleet.sites}
    charge = {n: tariffs.energy_charge(t, spot[n]) for n, t in rates.items()}
    price = {n: spot[n] + charge[n][0] for n in fleet.sites}
    own = {n: charge[n][1] for n in fleet.sites}
    months, month_of = month_axis([t.calendar for t in rates.values()])
    owed = tariffs.demand_charges(rates.values())
    demand = tariffs.demand_arrays(owed, list(rates), months, len(horizon))
    bills = tariffs.minimum_arrays(list(rates.values()), own, months, owed)
    minimum_names, minimum = tariffs.within_reach(*bills, demand, _least_drawn(fleet, least), most, horizon.dt)
    contract_names, supply = contracts.contract_arrays(inputs, spot)
    currencies = sorted({t.currency for t in inputs.tariffs.values()} - {"EUR"})
    arrays: dict[str, object] = {
        "spot": list(spot.values()),
        "energy_charge": [charge[n][0] for n in fleet.sites],
        "price": list(price.values()),
        "price_quality": [quality(inputs.series.prices[s.bidding_zone], horizon) for s in fleet.sites.values()],
        "month_of": month_of,
        "fixed_eur": _fixed(inputs, rates, spot) - tariffs.billed_before(rates.values(), owed),
        "fx": np.array([fx.at(c, horizon.time) for c in currencies]).reshape(len(currencies), len(horizon)),
        **demand, **minimum, **supply,
        **contracts.solar_arrays(inputs, spot, price, _already_paid(minimum, len(spot))),
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


def _fixed(inputs: Inputs, rates: Mapping[str, tariffs.SiteTariff], spot: Mapping[str, Floats]) -> Floats:
    """What no plan changes, by site [EUR]."""
    return np.array(
        [sum(tariffs.fixed_eur(t).values()) + contracts.unavoidable_eur(inputs, n, spot[n]) for n, t in rates.items()]
    )


def notices(inputs: Inputs, problem: xr.Dataset) -> list[str]:
    """One sentence each: rates that are used before their first date, PUE caps that do not hold throughout."""
    return [*early_rates(inputs), *cap_notices(inputs, problem)]
