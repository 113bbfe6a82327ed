"""What one more of anything is worth: prices out of duals, each checked by perturbation in the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy import schema
from energy.schema import Floats


def dual_prices(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """The `prices` table from the duals of a Solution.

    With y the row duals (change of cost per unit of right-hand side):

    - one more MW of grid: minus the reduced cost of grid_import at its limit
    - one more GPU: -(y_room + idle_mw · price of one more MW of IT power)
    - a deadline one hour later: max_gpus · max(0, speed · y_finish - price of a GPU-hour just after it)
    - a PUE cap looser by one: -y_pue_cap · Σ dt it over its window
    """
    p = {str(k): v.values for k, v in problem.data_vars.items()}
    x = {str(k): v.values for k, v in solution.data_vars.items()}
    lowest = schema.lowest_price(problem)
    it_price = _it_price(p, x, lowest)
    hour = _gpu_hour(p, x, it_price, lowest)
    arrays: dict[str, object] = {
        "value_grid": np.maximum(-x["bound_grid_import"], 0.0),
        "value_gpu": -(x["dual_room"] + p["idle_mw"][:, None] * it_price[p["pool_hall"]]),
        "value_deadline": _later_deadline(p, x, hour["gpu_hour"]),
        "value_work": x["dual_finish"],
        "value_cap": np.maximum(-x["dual_pue_cap"], 0.0) * _it_in_window(p, x),
        **hour,
    }
    coords = {name: problem[name].values for name in ("time", "site", "pool", "job", "cap")}
    return schema.dataset(arrays, coords, schema.PRICES)


def _it_price(p: dict[str, Any], x: dict[str, Any], lowest: Floats) -> Floats:
    """Cost of one more MW of IT power, (H, T) [EUR/MW]: the dual of `it_power`, or the next segment's cost.

    Where a hall idles at it_min, less IT power is infeasible and the dual may be anything up to the true
    price; there, and at kinks, (1 + slope of the next segment) · y_facility + caps - heat sold is the price upward.
    """
    slope = _next_slope(p, x)
    caps = np.zeros_like(p["price"])
    for r, s in enumerate(p["cap_site"]):
        who = slice(None) if s < 0 else slice(s, s + 1)
        when = slice(p["cap_start"][r], p["cap_stop"][r])
        caps[who, when] += x["dual_pue_cap"][r] * p["cap_limit"][r] * p["dt"][when]
    negative = (np.minimum(lowest, 0.0) * p["dt"])[p["hall_site"]]
    upward = (1 + slope) * x["dual_facility_power"][p["hall_site"]] + caps[p["hall_site"]]
    upward += p["heat_share"][:, None] * x["dual_heat_available"][p["hall_site"]]
    return np.asarray(np.maximum(x["dual_it_power"], upward + negative * (p["chord"] - slope)))


def _next_slope(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Slope of the first segment with room left; of the last real one where all are full, (H, T)."""
    left = (p["width"] > 0) & (x["over"] < p["width"] - schema.TINY_MW)
    rising = np.where(left, p["slope"], np.inf).min(axis=2)
    return np.asarray(np.where(np.isfinite(rising), rising, np.where(p["width"] > 0, p["slope"], 0.0).max(axis=2)))


def _gpu_hour(p: dict[str, Any], x: dict[str, Any], it_price: Floats, lowest: Floats) -> dict[str, Floats]:
    """Price of one more GPU-hour in each pool and period, split by cause, each (N, T) [EUR]."""
    hall = p["pool_hall"]
    site = p["hall_site"][hall]
    it_mw = (p["busy_mw"] - p["idle_mw"])[:, None]
    slope = _next_slope(p, x)
    with_overhead = it_mw * (1 + slope[hall])
    power = it_mw * it_price[hall] / p["dt"]
    on_chord = np.minimum(lowest, 0.0)[p["hall_site"]] * (p["chord"] - slope)
    energy = with_overhead * p["price"][site] + it_mw * on_chord[hall]
    demand = with_overhead * _peak_price(p, x)[site] / p["dt"]
    room = -x["dual_room"] / p["dt"]
    return {"gpu_hour": power + room, "gpu_hour_energy": energy, "gpu_hour_demand": demand,
            "gpu_hour_limits": power - energy - demand, "gpu_hour_room": room}  # fmt: skip


def _peak_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Demand charges that one more MW drawn in the hour would raise, (S, T) [EUR/MW]."""
    out = np.zeros_like(p["price"])
    np.add.at(out, p["charge_site"], -x["dual_billed_peak"] * p["charge_weight"])
    return np.asarray(out)


def _later_deadline(p: dict[str, Any], x: dict[str, Any], gpu_hour: Floats) -> Floats:
    """Worth of one more hour before the deadline, (J,) [EUR/h]; 0 at the end of the horizon."""
    periods = p["open"].shape[1]
    last = periods - 1 - np.argmax(p["open"][:, ::-1] > 0, axis=1)
    partly = np.take_along_axis(p["open"], last[:, None], axis=1)[:, 0] < 1
    after = np.where(partly, last, last + 1)
    out = np.zeros(len(last))
    for j in np.flatnonzero(after < periods):
        k = p["job_group"][j]
        eligible = p["pool_class"][k] >= 0
        speed = p["speed"][k][p["pool_class"][k][eligible]]
        gain = speed * x["dual_finish"][j] - gpu_hour[eligible, after[j]]
        out[j] = p["max_gpus"][j] * max(0.0, float(gain.max()))
    return out


def _it_in_window(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """IT energy inside each cap's window, (R,) [MWh]."""
    energy = np.zeros((p["price"].shape[0], len(p["dt"])))
    np.add.at(energy, p["hall_site"], x["it"] * p["dt"])
    rows = [energy if s < 0 else energy[s : s + 1] for s in p["cap_site"]]
    return np.array([r[:, a:b].sum() for r, a, b in zip(rows, p["cap_start"], p["cap_stop"], strict=True)])
