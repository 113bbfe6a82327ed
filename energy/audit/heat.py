"""Heat reuse from raw inputs: what a schedule's halls hand over, and the invoice lines of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from energy.audit.facts import Facts, clock
from energy.audit.lines import Line
from energy.audit.onsite import energy_price
from energy.inputs.dated import at
from energy.plant import liquid_heat
from energy.schema import Floats, Times


def reused(facts: Facts, name: str, it: Mapping[str, Floats], time: Times, dt: Floats) -> Floats:
    """Heat handed over by a site [MW], (T,): all that is warm enough, wanted, and earns more than its heat pump costs.

    Parameters
    ----------
    it : IT power by hall id [MW], each (T,)
    """
    site = facts.fleet.sites[name]
    if site.heat_reuse is None:
        return np.zeros(len(time))
    buyer, there = site.heat_reuse, np.zeros(len(time))
    for hall, (owner, _) in facts.fleet.halls().items():
        share, warm = liquid_heat(facts.plants[hall])
        if owner == name and (buyer.heat_pump_cop is not None or warm >= buyer.temperature_c):
            there = there + buyer.recoverable_share * share * it[hall]
    worth = buyer.price_eur_per_mwh > _pump_price(facts, name, time, dt)
    return np.where(worth, np.minimum(there, at(buyer.limit_mw, time, site.time_zone)), 0.0)


def _pump_price(facts: Facts, name: str, time: Times, dt: Floats) -> Floats:
    """Cost of the heat pump's power per heat taken [EUR/MWh], (T,)."""
    buyer = facts.fleet.sites[name].heat_reuse
    if buyer is None or buyer.heat_pump_cop is None:
        return np.zeros(len(time))
    return np.asarray(energy_price(facts, name, time, dt) / buyer.heat_pump_cop)


def heat_lines(facts: Facts, replayed: xr.Dataset) -> list[Line]:
    """Heat sold and the power of heat pumps, by site and month in site-local time."""
    time, dt = replayed["time"].values, replayed["dt"].values
    lines = []
    for s, (name, site) in enumerate(facts.fleet.sites.items()):
        if site.heat_reuse is None:
            continue
        energy = replayed["heat_mw"].values[s] * dt
        pump, months = _pump_price(facts, name, time, dt), clock(time, site).strftime("%Y-%m").to_numpy()
        for month in sorted(set(months)):
            mine = np.where(months == month, energy, 0.0)
            sold, rate = float(mine.sum()), site.heat_reuse.price_eur_per_mwh
            lines.append(Line(name, str(month), "heat_sales", "heat", sold, "MWh heat", -rate, -rate * sold))
            if site.heat_reuse.heat_pump_cop is not None:
                power, cost = sold / site.heat_reuse.heat_pump_cop, float(mine @ pump)
                lines.append(
                    Line(
                        name,
                        str(month),
                        "heat_pump",
                        "heat",
                        power,
                        "MWh heat pump",
                        cost / power if power else 0.0,
                        cost,
                    )
                )
    return lines
