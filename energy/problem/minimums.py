"""Arrays of minimum bills: what still counts towards them, and which of them a plan can stay below at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from energy.inputs.fleet import Fleet
from energy.inputs.fx import Fx
from energy.inputs.state import InvoiceSoFar, State
from energy.inputs.tariffs import MinimumBill, Tariff
from energy.problem.charges import fixed_eur, in_force, local, months
from energy.problem.demand import Charge
from energy.schema import Bools, Floats, Times


def minimum_arrays(
    fleet: Fleet, tariffs: Mapping[str, Tariff], own_charge: Mapping[str, Floats], fx: Fx, time: Times, hours: float,
    month_names: list[str], state: State, demand: Sequence[Charge],
) -> tuple[list[str], dict[str, Floats]]:  # fmt: skip
    """Labels and arrays of minimum bills: minimum_site, minimum_month, minimum_eur (B,), minimum_rate (B, T).

    On the running month's invoice: the least sum grows by what it was, less the lines that counted and the demand
    charges of `demand`, which stand in the program with all that they come to.
    """
    labels: list[str] = []
    sites, when, eur, rate = [], [], [], []
    for s, (name, site) in enumerate(fleet.sites.items()):
        fixed = fixed_eur(site, tariffs[name], fx, time, hours)
        for month in months(site, time, hours):
            day = local(time, site)[month.inside][0].date()
            so_far = state.site(name).invoice_so_far.get(month.label, InvoiceSoFar())
            held = sum(d.billed_eur for d in demand if (d.site, d.month.label) == (name, month.label))
            for c in in_force(tariffs[name], MinimumBill, day).values():
                assert isinstance(c, MinimumBill)
                money = float(fx.at(tariffs[name].currency, time)[month.inside].mean())
                own = c.value * money * month.covered_h / month.whole_h - fixed[month.label]
                labels.append(f"{name}:{c.name}@{month.label}")
                sites.append(s)
                when.append(month_names.index(month.label))
                eur.append(own + so_far.minimum_eur - so_far.counted_eur + held)
                rate.append(np.where(month.inside, own_charge[name], 0.0))
    return labels, {
        "minimum_site": np.array(sites, dtype=np.int64), "minimum_month": np.array(when, dtype=np.int64),
        "minimum_eur": np.array(eur, dtype=float), "minimum_rate": np.array(rate, dtype=float).reshape(len(eur), len(time)),
    }  # fmt: skip


def billed_before(fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, time: Times, hours: float,
                  demand: Sequence[Charge]) -> Floats:  # fmt: skip
    """What the running months' invoices hold of demand charges and of what minimum bills added, (S,) [EUR]."""
    out = []
    for name, site in fleet.sites.items():
        paid = sum(d.billed_eur for d in demand if d.site == name)
        for month in months(site, time, hours):
            day = local(time, site)[month.inside][0].date()
            so_far = state.site(name).invoice_so_far.get(month.label, InvoiceSoFar())
            paid += so_far.top_up_eur if in_force(tariffs[name], MinimumBill, day) else 0.0
        out.append(paid)
    return np.array(out)


def within_reach(
    labels: list[str], minimum: Mapping[str, Floats], demand: Mapping[str, Floats], least: Floats, most: Floats,
    hours: float,
) -> tuple[list[str], dict[str, Floats]]:  # fmt: skip
    """Only the minimum bills that some plan may stay below; the others never add anything and are left out.

    A bill that cannot bind must not lower the lowest price of its hours (`schema.lowest_price`): it would loosen the
    program in hours of negative spot for nothing.

    Parameters
    ----------
    demand : arrays of the demand charges, whose least sum counts too
    least, most : least and largest power that any plan draws [MW], (S, T)
    """
    s, rate = minimum["minimum_site"], minimum["minimum_rate"]
    energy = hours * np.where(rate > 0, rate * least[s], rate * most[s]).sum(axis=1)
    same = (demand["charge_site"] == s[:, None]) & (demand["charge_month"] == minimum["minimum_month"][:, None])
    open_: Bools = minimum["minimum_eur"] > energy + same @ _least_demand(demand, least)
    kept = np.flatnonzero(open_)
    return [labels[b] for b in kept], {k: v[kept] for k, v in minimum.items()}


def _least_demand(demand: Mapping[str, Floats], least: Floats) -> Floats:
    """Demand charges of the least power drawn, (D,) [EUR]."""
    drawn = (demand["charge_weight"] * least[demand["charge_site"]]).max(axis=1, initial=0.0)
    peak = np.maximum(drawn, demand["charge_floor"])[:, None]
    width = demand["charge_band_mw"]
    below = np.cumsum(width, axis=1) - width
    return np.asarray((np.clip(peak - below, 0.0, width) * demand["charge_rate"]).sum(axis=1))
