"""Everything about money at the sites: spot, tariff stack, contracts, solar, in one place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.problem import charges, contracts, invoice
from energy.problem.align import quality
from energy.problem.read import Inputs
from energy.problem.sites import spot_prices
from energy.schema import Floats


@dataclass(frozen=True)
class Landed:
    """Arrays of the Problem that price power, and the labels of their axes."""

    arrays: dict[str, object]
    coords: dict[str, object]


def landed_cost(inputs: Inputs) -> Landed:
    """Price power at every site: energy by the hour, demand charges, contracts, solar, fixed and minimum bills."""
    fleet, time, hours, fx = inputs.fleet, inputs.time, inputs.hours, inputs.fx
    spot = spot_prices(fleet, inputs.series, fx, time, hours)
    charge = {n: charges.energy_charge(s, inputs.tariffs[n], spot[n], fx, time) for n, s in fleet.sites.items()}
    price = {n: spot[n] + charge[n][0] for n in fleet.sites}
    own = {n: charge[n][1] for n in fleet.sites}
    months, month_of = charges.month_axis(fleet, time)
    demand_names, demand = charges.demand_arrays(fleet, inputs.tariffs, inputs.state, fx, time, hours, months)
    minimum_names, minimum = charges.minimum_arrays(fleet, inputs.tariffs, own, fx, time, hours, months)
    contract_names, supply = contracts.contract_arrays(fleet, spot, price, fx, time)
    currencies = sorted({t.currency for t in inputs.tariffs.values()} - {"EUR"})
    billed = invoice.add_so_far(fleet, inputs.state, demand_names, demand, minimum_names, minimum)
    arrays: dict[str, object] = {
        "spot": list(spot.values()),
        "energy_charge": [charge[n][0] for n in fleet.sites],
        "price": list(price.values()),
        "price_quality": [quality(inputs.series.prices[s.bidding_zone], time, hours) for s in fleet.sites.values()],
        "month_of": month_of,
        "fixed_eur": _fixed(inputs, spot) - billed,
        "fx": np.array([fx.at(c, time) for c in currencies]).reshape(len(currencies), len(time)),
        **demand, **minimum, **supply,
        **contracts.solar_arrays(fleet, inputs.series, spot, price, fx, time, hours),
    }  # fmt: skip
    coords: dict[str, object] = {"month": months, "charge": demand_names, "minimum": minimum_names,
                                 "contract": contract_names, "currency": currencies}  # fmt: skip
    return Landed(arrays, coords)


def _fixed(inputs: Inputs, spot: dict[str, Floats]) -> Floats:
    """What no plan changes, by site [EUR]."""
    time, hours, fx = inputs.time, inputs.hours, inputs.fx
    return np.array([
        sum(charges.fixed_eur(site, inputs.tariffs[name], fx, time, hours).values())
        + contracts.unavoidable_eur(site, spot[name], fx, time, hours)
        for name, site in inputs.fleet.sites.items()
    ])  # fmt: skip
