"""The program's cost terms for given grid powers, from the Problem: what chords alone change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import Floats, values_of


@dataclass(frozen=True)
class Cost:
    """Cost of given grid powers [EUR]: by hour where it has one, else by demand charge or minimum bill.

    Attributes
    ----------
    energy, contracts, feed_in, clipped : (S, T)
    counted : energy charges that count towards each minimum bill, (B, S, T)
    demand : (D,);  top_up : (B,);  heat_sales, fixed : sums
    """

    energy: Floats
    contracts: Floats
    feed_in: Floats
    clipped: Floats
    counted: Floats
    demand: Floats
    top_up: Floats
    heat_sales: float
    fixed: float


def cost(problem: xr.Dataset, drawn: Floats, fed: Floats, heat: Floats) -> Cost:
    """Cost when the sites draw and feed in these powers and hand over this heat [MW], (S, T).

    Peaks, their bands and the top-up are those of the powers drawn: where a minimum bill binds, the program's own
    variables for them may be anything that costs the same.
    """
    p: dict[str, Any] = values_of(problem)
    saved = np.zeros_like(drawn)
    np.add.at(saved, p["contract_site"], p["dt"] * p["contract_saving"] * contract_taken(p, drawn))
    at_site = p["minimum_site"][:, None] == np.arange(len(drawn))
    counted = at_site[:, :, None] * (p["minimum_rate"] * p["dt"])[:, None, :] * drawn
    demand = demand_by_charge(p, drawn)
    return Cost(
        energy=p["dt"] * p["price"] * drawn, contracts=-saved, feed_in=-(p["dt"] * p["export_price"] * fed),
        clipped=-(p["dt"] * p["export_clip"] * fed), counted=counted, demand=demand,
        top_up=top_up(p, drawn, demand),
        heat_sales=-float((p["dt"] * p["heat_price"] * heat).sum()), fixed=float(p["fixed_eur"].sum()),
    )  # fmt: skip


def terms(problem: xr.Dataset, drawn: Floats, fed: Floats, heat: Floats) -> dict[str, float]:
    """The same by term [EUR]; they add up to the program's cost without penalties."""
    found = cost(problem, drawn, fed, heat)
    names = ("energy", "demand", "contracts", "feed_in", "heat_sales", "top_up", "fixed")
    return {name: float(np.sum(getattr(found, name))) for name in names}


def minimum_of(p: dict[str, Any]) -> Floats:
    """1 where a demand charge counts towards a minimum bill: same site and month, (B, D)."""
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    return np.asarray(same, dtype=float)


def billed_peak(p: dict[str, Any], drawn: Floats) -> Floats:
    """Billed peak of each demand charge, (D,) [MW]."""
    highest = (p["charge_weight"] * drawn[p["charge_site"]]).max(axis=1, initial=0.0)
    return np.asarray(np.maximum(highest, p["charge_floor"]))


def bands_of(p: dict[str, Any], peak: Floats) -> Floats:
    """Billed peaks filled into their bands, the first ones first, (D, bands) [MW]."""
    below = np.cumsum(p["charge_band_mw"], axis=1) - p["charge_band_mw"]
    return np.asarray(np.clip(peak[:, None] - below, 0.0, p["charge_band_mw"]))


def demand_by_charge(p: dict[str, Any], drawn: Floats) -> Floats:
    """Demand charges, (D,) [EUR]: the billed peak in its bands, each at its rate."""
    return np.asarray((bands_of(p, billed_peak(p, drawn)) * p["charge_rate"]).sum(axis=1))


def contract_taken(p: dict[str, Any], drawn: Floats) -> Floats:
    """What is taken from each contract when every hour takes the best offers first, (Q, T) [MW]."""
    left, taken = drawn.copy(), np.zeros(p["contract_mw"].shape)
    order = np.argsort(-p["contract_saving"], axis=0, kind="stable")
    for rank in range(len(order)):
        for q in range(len(order)):
            wanted = (order[rank] == q) & (p["contract_saving"][q] > 0)
            s = p["contract_site"][q]
            taken[q] += np.where(wanted, np.minimum(left[s], p["contract_mw"][q]), 0.0)
            left[s] -= np.where(wanted, np.minimum(left[s], p["contract_mw"][q]), 0.0)
    return np.asarray(taken)


def top_up(p: dict[str, Any], drawn: Floats, demand: Floats) -> Floats:
    """What each minimum bill adds, (B,) [EUR]."""
    energy = (p["minimum_rate"] * p["dt"] * drawn[p["minimum_site"]]).sum(axis=1)
    return np.asarray(np.maximum(p["minimum_eur"] - energy - minimum_of(p) @ demand, 0.0))
