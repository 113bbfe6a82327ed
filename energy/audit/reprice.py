"""The program's cost terms for given grid powers, from the Problem: what chords alone change."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy.schema import Floats


def terms(problem: xr.Dataset, drawn: Floats, fed: Floats, heat: Floats) -> dict[str, float]:
    """Cost by term [EUR] when the sites draw and feed in these powers and hand over this heat [MW], (S, T)."""
    p: dict[str, Any] = {str(k): v.values for k, v in problem.data_vars.items()}
    rate = p["dt"] * p["price"]
    demand, taken = demand_by_charge(p, drawn), contract_taken(p, drawn)
    return {
        "energy": float((rate * drawn).sum()),
        "demand": float(demand.sum()),
        "contracts": -float((p["dt"] * p["contract_saving"] * taken).sum()),
        "feed_in": -float((p["dt"] * p["export_price"] * fed).sum()),
        "heat_sales": -float((p["dt"] * p["heat_price"] * heat).sum()),
        "top_up": float(top_up(p, drawn, demand).sum()),
        "fixed": float(p["fixed_eur"].sum()),
        "clipped": -float((p["dt"] * p["contract_clip"] * taken).sum() + (p["dt"] * p["export_clip"] * fed).sum()),
    }


def demand_by_charge(p: dict[str, Any], drawn: Floats) -> Floats:
    """Demand charges, (D,) [EUR]: the billed peak filled into its bands."""
    peak = (p["charge_weight"] * drawn[p["charge_site"]]).max(axis=1, initial=0.0)
    left, out = np.maximum(peak, p["charge_floor"]), np.zeros(len(peak))
    for band in range(p["charge_rate"].shape[1]):
        part = np.minimum(left, p["charge_band_mw"][:, band])
        out += part * p["charge_rate"][:, band]
        left = left - part
    return out


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
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    return np.asarray(np.maximum(p["minimum_eur"] - energy - same @ demand, 0.0))
