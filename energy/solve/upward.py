"""What one more MW costs where nothing is drawn: there a dual may be anything up to that price.

A dual is a slope of the optimum. At a site that draws nothing less power is infeasible, so the slope downward is
unbounded below, and the solver may state any number between, often 0. What the next MW costs is known without it:
the cheapest of sun that is curtailed, feed-in that is lost, and an imported MW: the hour's price, less what a
contract with volume left saves, plus the demand charge it sets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from energy.schema import TINY_MW, Floats


def facility_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Cost of one more MW of facility power, (S, T) [EUR/MW]: the dual, and no less than the next MW where none is drawn."""
    curtailed = np.where(x["solar_use"] < p["solar_mw"] - TINY_MW, 0.0, np.inf)
    sold = np.where(x["grid_export"] > TINY_MW, p["dt"] * p["export_price"], np.inf)
    next_mw = np.minimum(import_price(p, x), np.minimum(curtailed, sold))
    nothing_drawn = x["grid_import"] <= TINY_MW
    return np.asarray(np.where(nothing_drawn, np.maximum(x["dual_facility_power"], next_mw), x["dual_facility_power"]))


def import_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Cost of one more MW drawn from the grid, (S, T) [EUR/MW]: dt price - dt saving + demand + dt minimum_rate · y."""
    energy = p["dt"] * (p["price"] - _contract_saving(p, x))
    for b, s in enumerate(p["minimum_site"]):
        energy[s] -= p["dt"] * p["minimum_rate"][b] * x["dual_minimum_bill"][b]
    return np.asarray(energy + peak_price(p, x))


def peak_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Demand charges that one more MW drawn in the hour would raise, (S, T) [EUR/MW].

    Minus the dual of `billed_peak`; where no hour has drawn anything, the first MW pays the first band's whole rate.
    """
    fresh = (x["peak"] <= TINY_MW)[:, None] * _first_rate(p, x)[:, None]
    out = np.zeros_like(p["price"])
    np.add.at(out, p["charge_site"], np.maximum(-x["dual_billed_peak"], fresh) * p["charge_weight"])
    return np.asarray(out)


def _first_rate(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Rate of the first real band, less what a minimum bill that binds takes over, (D,) [EUR/MW]."""
    real = p["charge_band_mw"] > 0
    rate = np.where(real.any(axis=1), np.take_along_axis(p["charge_rate"], real.argmax(axis=1)[:, None], 1)[:, 0], 0.0)
    share = np.zeros_like(rate)
    for b, (s, month) in enumerate(zip(p["minimum_site"], p["minimum_month"], strict=True)):
        share[(p["charge_site"] == s) & (p["charge_month"] == month)] += x["dual_minimum_bill"][b]
    return np.asarray(rate * (1 - share))


def _contract_saving(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Most that a contract with volume left saves on the next MWh, (S, T) [EUR/MWh]."""
    left = x["taken"] < p["contract_mw"] - TINY_MW
    out = np.zeros_like(p["price"])
    np.maximum.at(out, p["contract_site"], np.where(left, p["contract_saving"], 0.0))
    return np.asarray(out)
