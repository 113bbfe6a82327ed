"""Everything about money at the sites: spot, tariff stack, contracts, solar, in one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.inputs.fleet import Fleet
from energy.problem import charges, contracts, minimums
from energy.problem.align import quality
from energy.problem.demand import demand_arrays, demand_charges
from energy.problem.read import Inputs
from energy.problem.sites import spot_prices
from energy.schema import Floats


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
    charge = {n: charges.energy_charge(s, inputs.tariffs[n], spot[n], fx, time) for n, s in fleet.sites.items()}
    price = {n: spot[n] + charge[n][0] for n in fleet.sites}
    own = {n: charge[n][1] for n in fleet.sites}
    months, month_of = charges.month_axis(fleet, time)
    owed = demand_charges(fleet, inputs.tariffs, inputs.state, fx, time, hours)
    demand = demand_arrays(owed, fleet, inputs.tariffs, inputs.state, time, months)
    minimum_names, minimum = minimums.minimum_arrays(
        fleet, inputs.tariffs, own, fx, time, hours, months, inputs.state, owed
    )
    minimum_names, minimum = minimums.within_reach(
        minimum_names, minimum, demand, _least_drawn(fleet, least), most, hours
    )
    contract_names, supply = contracts.contract_arrays(fleet, spot, fx, time)
    billed = minimums.billed_before(fleet, inputs.tariffs, inputs.state, time, hours, owed)
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
        sum(charges.fixed_eur(site, inputs.tariffs[name], fx, time, hours).values())
        + contracts.unavoidable_eur(site, spot[name], fx, time, hours)
        for name, site in inputs.fleet.sites.items()
    ])  # fmt: skip
