"""From the inputs to the `Problem`: one checked Dataset from which everything else follows."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from energy.errors import ImpossibleWork, about
from energy.inputs.fleet import Fleet
from energy.inputs.load import Inputs
from energy.inputs.provenance import early_rates, late_rates
from energy.problem import contracts, halls, pue_limits, sites, tariffs, terminal_value
from energy.problem import jobs as work
from energy.problem.halls import heat_arrays
from energy.problem.pue_limits import cap_debts, cap_notices, limit_rows
from energy.problem.sites import spot_prices
from energy.schema import Floats, Times, validate
from energy.schema import arrays as arrays_module
from energy.schema.calendar import month_axis
from energy.series.resample import quality


def assemble(inputs: Inputs, checked: bool = True) -> xr.Dataset:
    """The Problem: every array of the table, in EUR, MW and UTC, checked.

    Parameters
    ----------
    checked : refuse PUE caps out of the plants' reach; a past day is settled whatever its caps

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
    site, hall_names = sites.site_arrays(inputs, weather), list(fleet.halls())
    axes = {  # positions on the parent's axis, (H,) and (N,)
        "hall_site": np.array([list(fleet.sites).index(s) for s, _ in fleet.halls().values()]),
        "pool_hall": np.array([hall_names.index(h) for h, _ in fleet.pools().values()]),
    }
    other, limit = np.asarray(site["other_site_mw"], dtype=float), np.asarray(site["grid_limit_mw"])
    least = other.copy()  # facility power that no plan can lower, (S, T) [MW]
    np.add.at(least, axes["hall_site"], cooled["base_it"] + cooled["base_overhead"])
    priced, labels = landed_cost(inputs, least, limit)
    site |= priced
    with about(inputs.fleet_path):
        heat = heat_arrays(fleet, inputs.plants, list(np.asarray(priced["price"])), time)
    with about(inputs.jobs_path):
        groups, grouped, jobs = _jobs(inputs)
        work.check_windows(inputs.jobs, jobs, grouped, pools["available"], dt)
        moments, post_horizon = terminal_value.post_horizon_arrays(inputs, jobs, grouped)
    prices = terminal_value.terminal_prices(
        inputs.jobs, jobs, grouped, pools, np.asarray(site["price"]), cooled["chord"], axes["pool_hall"], axes["hall_site"],
        horizon,
    )  # fmt: skip
    jobs["terminal_price"] = np.where(jobs["deferred_max"] > 0, prices, 0.0)
    dearest = work.dearest_gpu_hour(site, cooled, pools, axes["pool_hall"], axes["hall_site"], dt)
    jobs["penalty"] = work.penalties(inputs.jobs, grouped, dearest)
    with about(inputs.fleet_path):
        _firm_load_fits(fleet, least, limit, time)
        rows = _caps(inputs, cooled, axes["hall_site"], other, checked)
    # A breach costs CAP_OVER_WORK times the dearest undone MWh of IT work.
    per_gpu_hour = (jobs["penalty"] * work.fastest(grouped)).max()
    per_mwh = per_gpu_hour / (pools["busy_mw"] - pools["idle_mw"]).min()
    arrays: dict[str, object] = {
        "dt": dt, **axes, **site, **heat, **cooled, **grouped, **jobs, **post_horizon,
        **{k: pools[k] for k in ("available", "firm", "busy_mw", "idle_mw")},
        **pue_limits.cap_arrays(rows, float(pue_limits.CAP_OVER_WORK * per_mwh)),
    }  # fmt: skip
    coords = {
        "time": time, "site": list(fleet.sites), "hall": list(fleet.halls()), "pool": list(fleet.pools()),
        "job": [j.id for j in inputs.jobs], "group": groups, **labels, "cap": [r.label for r in rows],
        "post_horizon": moments,
    }  # fmt: skip
    return validate.dataset(arrays, coords, arrays_module.PROBLEM)


def _jobs(inputs: Inputs) -> tuple[list[str], dict[str, Floats], dict[str, Floats]]:
    """Names of the groups, their arrays, and the arrays of the jobs with what they may defer."""
    names, grouped = work.group_arrays(inputs.fleet, [p.kind for p in inputs.powers.values()], inputs.jobs)
    jobs = work.window_arrays(inputs)
    jobs["expected"] = np.array([float(j.id in inputs.expected) for j in inputs.jobs])
    jobs |= terminal_value.deferred_arrays(inputs, jobs, work.fastest(grouped))
    jobs["work_left"] = work.fitted(jobs, grouped, inputs.horizon.dt)
    return names, grouped, jobs


def _caps(
    inputs: Inputs, cooled: Mapping[str, Floats], hall_site: Floats, other: Floats, checked: bool
) -> list[pue_limits.CapRow]:
    """Rows of all PUE caps; where checked, each within reach of the plants."""
    base_it = np.array([cooled["base_it"][hall_site == s].sum(axis=0) for s in range(len(inputs.fleet.sites))])
    rows = pue_limits.cap_rows(inputs, base_it) + limit_rows(inputs)
    if checked:
        pue_limits.check_reachable(rows, cooled, hall_site, other, inputs.horizon.dt)
    return rows


def _firm_load_fits(fleet: Fleet, least: Floats, limit: Floats, time: Times) -> None:
    """Raise ImpossibleWork unless firm and idle load [MW] fits each site's grid limit."""
    for s, name in enumerate(fleet.sites):
        bad = ~(least[s] <= limit[s])
        if bad.any():
            t = int(np.argmax(bad))
            where = f"site {name} at {time[t].astype('datetime64[m]')}Z"
            what = f"firm and idle load draws {least[s, t]:.3f} MW, above the grid limit of {limit[s, t]:.3f} MW"
            raise ImpossibleWork(where, what, "a higher grid_limit_mw, or less firm load")


def landed_cost(inputs: Inputs, least: Floats, most: Floats) -> tuple[dict[str, object], dict[str, object]]:
    """Arrays that price power at every site, and the labels of their axes.

    Energy by the hour, demand charges, contracts, solar, fixed and minimum bills.

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
    sun = np.array([site.solar.ac_mw if site.solar else 0.0 for site in fleet.sites.values()])
    least_drawn = np.maximum(least - sun[:, None], 0.0)  # each solar array gives all it ever can
    minimum_names, minimum = tariffs.within_reach(*bills, demand, least_drawn, most, horizon.dt)
    # Energy charges that a minimum bill not yet reached pays for in any case, (S, T) [EUR/MWh].
    already_paid = np.zeros((len(spot), len(horizon)))
    np.add.at(already_paid, minimum["minimum_site"].astype(int), np.maximum(minimum["minimum_rate"], 0.0))
    contract_names, supply = contracts.contract_arrays(inputs, spot)
    fixed = [
        sum(tariffs.fixed_eur(t).values()) + contracts.unavoidable_eur(inputs, n, spot[n]) for n, t in rates.items()
    ]
    currencies = sorted({t.currency for t in inputs.tariffs.values()} - {"EUR"})
    arrays: dict[str, object] = {
        "spot": list(spot.values()),
        "energy_charge": [charge[n][0] for n in fleet.sites],
        "price": list(price.values()),
        "price_quality": [quality(inputs.series.prices[s.bidding_zone], horizon) for s in fleet.sites.values()],
        "month_of": month_of,
        "fixed_eur": np.array(fixed) - tariffs.billed_before(rates.values(), owed),
        "fx": np.array([fx.at(c, horizon.time) for c in currencies]).reshape(len(currencies), len(horizon)),
        **demand, **minimum, **supply,
        **contracts.solar_arrays(inputs, spot, price, already_paid),
    }  # fmt: skip
    coords: dict[str, object] = {"month": months, "charge": [c.label for c in owed], "minimum": minimum_names,
                                 "contract": contract_names, "currency": currencies}  # fmt: skip
    return arrays, coords


def notices(inputs: Inputs, problem: xr.Dataset) -> list[str]:
    """One sentence each: rates used before their first date or long after their last, debts and gaps of PUE caps."""
    return [
        *early_rates(inputs),
        *late_rates(inputs),
        *inputs.fx.complaints,
        *cap_debts(inputs),
        *cap_notices(inputs, problem),
    ]
