"""Shadow prices: what one more of anything is worth, out of duals; the tests check each by perturbation.

A dual is a slope of the optimum. At a site that draws nothing less power is infeasible, so the downward slope is
unbounded and the solver may return any number up to the upward one, often 0. The upward price is known without it:
the cheapest of sun that is curtailed, feed-in that is lost, and an imported MW. The imported MW costs the hour's price
less what a contract with volume left saves, plus the demand charge it sets.
"""

from typing import Any

import numpy as np
import xarray as xr

from energy.schema import TINY_MW, Floats, marginal_price, validate, values_of
from energy.schema import arrays as arrays_module

#: A pool with fewer free GPUs than this has none: nothing runs on a thousandth of a GPU.
LEAST_GPUS = 1e-3
#: Prices this near 0 [EUR/MW] are: the solver's dual tolerance leaves 1e-7.
TINY_EUR = 1e-6


def dual_prices(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """The `prices` table from the duals of a Solution.

    With y the row duals (change of cost per unit of right-hand side):

    - one more MW of grid: minus the reduced cost of grid_import at its limit
    - one more GPU: -(y_pool_capacity + idle_mw · price of one more MW of IT power)
    - a deadline one hour later: max_gpus · max(0, speed · y_finish - price of a GPU-hour just after it), over the
      pools that have GPUs free of inference there
    - a PUE cap looser by one: -y_pue_cap · Σ dt it over its window
    """
    p = values_of(problem)
    x = values_of(solution)
    p["lowest"] = marginal_price.lowest_price(problem)
    it_price = _it_price(p, x)
    hour = _gpu_hour(p, x, it_price)
    energy = np.zeros((p["price"].shape[0], len(p["dt"])))  # IT energy of the sites, (S, T) [MWh]
    np.add.at(energy, p["hall_site"], x["it"] * p["dt"])
    windows = zip(p["cap_site"], p["cap_start"], p["cap_stop"], strict=True)
    it_mwh = np.array([(energy if s < 0 else energy[s : s + 1])[:, a:b].sum() for s, a, b in windows])
    arrays: dict[str, object] = {
        "value_grid": np.maximum(-x["bound_grid_import"], 0.0),
        "value_gpu": -(x["dual_pool_capacity"] + p["idle_mw"][:, None] * it_price[p["pool_hall"]]),
        "value_deadline": _later_deadline(p, x, hour["gpu_hour"]),
        "value_work": x["dual_finish"],
        "value_cap": np.maximum(-x["dual_pue_cap"], 0.0) * it_mwh,
        **hour,
    }
    coords = {name: problem[name].values for name in ("time", "site", "pool", "job", "cap")}
    return validate.dataset(arrays, coords, arrays_module.PRICES)


def _it_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Cost of one more MW of IT power, (H, T) [EUR/MW]: the dual of `it_power`, or the next segment's cost.

    Where a hall idles at base_it, less IT power is infeasible and the dual may be anything up to the true
    price; there, and at kinks, (1 + slope of the next segment) · y_facility + caps - heat sold is the price upward.
    """
    slope = _next_slope(p, x)
    caps = np.zeros_like(p["price"])
    for r, s in enumerate(p["cap_site"]):
        who = slice(None) if s < 0 else slice(s, s + 1)
        when = slice(p["cap_start"][r], p["cap_stop"][r])
        caps[who, when] += x["dual_pue_cap"][r] * p["cap_limit"][r] * p["dt"][when]
    upward = (1 + slope) * facility_price(p, x)[p["hall_site"]] + caps[p["hall_site"]]
    upward += p["heat_share"][:, None] * x["dual_heat_available"][p["hall_site"]]
    return np.asarray(np.maximum(x["dual_it_power"], upward + _negative(p) * (p["chord"] - slope)))


def _negative(p: dict[str, Any]) -> Floats:
    """dt · lowest possible price at the hall where it is negative, else 0: there the chord replaces the segments."""
    return np.asarray((np.minimum(p["lowest"], 0.0) * p["dt"])[p["hall_site"]])


def _next_slope(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Slope of the next segment, (H, T): the first with room left; of the last real one where all are full.

    Where one more MW of overhead earns money, as below a minimum bill, the steepest segment with room fills first.
    """
    left = (p["width"] > 0) & (x["segment_load"] < p["width"] - arrays_module.TINY_MW)
    rising = np.where(left, p["slope"], np.inf).min(axis=2)
    steepest = np.where(p["width"] > 0, p["slope"], 0.0).max(axis=2)
    earns = facility_price(p, x)[p["hall_site"]] - _negative(p) < -TINY_EUR
    return np.asarray(np.where(np.isfinite(rising) & ~earns, rising, steepest))


def _gpu_hour(p: dict[str, Any], x: dict[str, Any], it_price: Floats) -> dict[str, Floats]:
    """Price of one more GPU-hour in each pool and period, split by cause, each (N, T) [EUR]."""
    hall = p["pool_hall"]
    site = p["hall_site"][hall]
    it_mw = (p["busy_mw"] - p["idle_mw"])[:, None]
    slope = _next_slope(p, x)
    with_overhead = it_mw * (1 + slope[hall])
    power = it_mw * it_price[hall] / p["dt"]
    on_chord = np.minimum(p["lowest"], 0.0)[p["hall_site"]] * (p["chord"] - slope)
    energy = with_overhead * p["price"][site] + it_mw * on_chord[hall]
    demand = with_overhead * peak_price(p, x)[site] / p["dt"]
    capacity = -x["dual_pool_capacity"] / p["dt"]
    return {"gpu_hour": power + capacity, "gpu_hour_energy": energy, "gpu_hour_demand": demand,
            "gpu_hour_limits": power - energy - demand, "gpu_hour_capacity": capacity}  # fmt: skip


def _later_deadline(p: dict[str, Any], x: dict[str, Any], gpu_hour: Floats) -> Floats:
    """Worth of one more hour before the deadline, (J,) [EUR/h]; 0 at the end of the horizon and where no GPU is free.

    A pool's `pool_capacity` has a dual only where some job may run there; where none may, its GPUs are free or there are none.
    """
    periods = p["open"].shape[1]
    last = periods - 1 - np.argmax(p["open"][:, ::-1] > 0, axis=1)
    partly = np.take_along_axis(p["open"], last[:, None], axis=1)[:, 0] < 1
    after = np.where(partly, last, last + 1)
    free, out = p["available"] - p["firm"], np.zeros(len(last))
    for j in np.flatnonzero(after < periods):
        k = p["job_group"][j]
        eligible = (p["pool_class"][k] >= 0) & (free[:, after[j]] >= LEAST_GPUS)
        speed = p["speed"][k][p["pool_class"][k][eligible]]
        gain = speed * x["dual_finish"][j] - gpu_hour[eligible, after[j]]
        out[j] = p["max_gpus"][j] * float(gain.max(initial=0.0))
    return out


def facility_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Cost of one more MW of facility power, (S, T) [EUR/MW]: the dual, and no less than the next MW where none is drawn."""
    # A MW drawn from the grid costs dt price - dt saving + demand + dt minimum_rate · y.
    # The most that a contract with volume left saves on the next MWh, (S, T) [EUR/MWh].
    left, saving = x["offtake"] < p["contract_mw"] - TINY_MW, np.zeros_like(p["price"])
    np.maximum.at(saving, p["contract_site"], np.where(left, p["contract_saving"], 0.0))
    energy = p["dt"] * (p["price"] - saving)
    for b, s in enumerate(p["minimum_site"]):
        energy[s] -= p["dt"] * p["minimum_rate"][b] * x["dual_minimum_bill"][b]
    curtailed = np.where(x["solar_use"] < p["solar_mw"] - TINY_MW, 0.0, np.inf)
    sold = np.where(x["grid_export"] > TINY_MW, p["dt"] * p["export_price"], np.inf)
    next_mw = np.minimum(energy + peak_price(p, x), np.minimum(curtailed, sold))
    nothing_drawn = x["grid_import"] <= TINY_MW
    return np.asarray(np.where(nothing_drawn, np.maximum(x["dual_facility_power"], next_mw), x["dual_facility_power"]))


def peak_price(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """Demand charges that one more MW drawn in the hour would raise, (S, T) [EUR/MW].

    Minus the dual of `billed_peak`; where no hour has drawn anything, the first MW pays the whole rate of the first real
    band, less the part that a minimum bill that binds takes over.
    """
    real = p["charge_band_mw"] > 0
    rate = np.where(real.any(axis=1), np.take_along_axis(p["charge_rate"], real.argmax(axis=1)[:, None], 1)[:, 0], 0.0)
    share = np.zeros_like(rate)
    for b, (s, month) in enumerate(zip(p["minimum_site"], p["minimum_month"], strict=True)):
        share[(p["charge_site"] == s) & (p["charge_month"] == month)] += x["dual_minimum_bill"][b]
    fresh = (x["peak"] <= TINY_MW)[:, None] * (rate * (1 - share))[:, None]
    out = np.zeros_like(p["price"])
    np.add.at(out, p["charge_site"], np.maximum(-x["dual_billed_peak"], fresh) * p["charge_weight"])
    return np.asarray(out)
