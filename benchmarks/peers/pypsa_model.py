"""The ordinary part of the problem as an energy network in PyPSA: buses, links, stores; nothing is a formula here.

Per site: market -> limit -> peak -> site -> hall (a link per cooling segment) -> pool; per job: pool -> job -> store.
A GPU is the commodity behind the pool bus, a GPU-hour fills the job's store, and what the store lacks at the end is
bought at the job's penalty. Covers one hall and pool per site, one speed, one month of demand charges, no caps, no
negative prices, no minimum bill, no work for after the horizon; contracts, sun and feed-in are in.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pypsa
import xarray as xr

from energy.schema import lowest_price, values_of

BIG = 1e6


def covers(problem: xr.Dataset) -> bool:
    """Whether the network says all that the Problem says."""
    s = problem.sizes
    one = s["pool"] == s["hall"] == s["site"] and s["speed_class"] == 1 and not s["cap"] and not s["minimum"]
    one = one and not problem["heat_limit_mw"].values.any() and not problem["deferred_max"].values.any()
    site = problem["charge_site"].values[(problem["charge_weight"].values > 0).any(axis=1)]
    months = len(set(site)) == len(site)
    banded = (problem["charge_band_mw"].values > 0).sum(axis=1).max(initial=0) > 1
    whole = not (problem["charge_floor"].values > 0).any() and set(np.unique(problem["charge_weight"].values)) <= {
        0.0,
        1.0,
    }
    return bool(one and months and whole and not banded and (lowest_price(problem) >= 0).all())


def optimum(problem: xr.Dataset) -> float:
    """Cost of the optimum [EUR]."""
    logging.getLogger("pypsa").setLevel(logging.ERROR)
    pypsa.options.api.legacy_string_dtype = False  # said out loud: PyPSA 1.4 warns while its default changes
    n = network(problem)
    status, condition = n.optimize(solver_name="highs", output_flag=False, include_objective_constant=False)
    if condition != "optimal":
        raise RuntimeError(f"pypsa: {status}, {condition}")
    return float(n.objective) + float(problem["fixed_eur"].sum())


def network(problem: xr.Dataset) -> pypsa.Network:
    """The network; snapshot weightings are the lengths of the periods."""
    p = values_of(problem)
    n = pypsa.Network()
    n.set_snapshots(pd.RangeIndex(len(p["dt"])))
    for column in n.snapshot_weightings.columns:
        n.snapshot_weightings[column] = p["dt"]
    for s in range(len(p["price"])):
        _site(n, p, s)
    for j in range(len(p["work_left"])):
        _job(n, p, j)
    return n


def _link(n: pypsa.Network, name: str, a: str, b: str, most: Any, **more: Any) -> None:
    """A link from a to b that takes up to `most` by period."""
    most = np.broadcast_to(np.asarray(most, float), len(n.snapshots))
    n.add("Link", name, bus0=a, bus1=b, p_nom=BIG, p_max_pu=pd.Series(most / BIG, n.snapshots), **more)


def _series(n: pypsa.Network, values: Any) -> pd.Series:
    return pd.Series(np.asarray(values, float), n.snapshots)


def _site(n: pypsa.Network, p: dict[str, Any], s: int) -> None:
    for bus in ("market", "limited", "site", "hall", "pool"):
        n.add("Bus", f"{bus}{s}")
    n.add("Generator", f"spot{s}", bus=f"market{s}", p_nom=BIG, marginal_cost=_series(n, p["price"][s]))
    for q in np.flatnonzero(p["contract_site"] == s):
        n.add("Generator", f"contract{q}", bus=f"market{s}", p_nom=BIG, p_max_pu=_series(n, p["contract_mw"][q] / BIG),
              marginal_cost=_series(n, p["price"][s] - p["contract_saving"][q]))  # fmt: skip
    _link(n, f"limit{s}", f"market{s}", f"limited{s}", p["grid_limit_mw"][s])
    charged = (p["charge_site"] == s) & (p["charge_weight"] > 0).any(axis=1)
    rate = float(p["charge_rate"][charged, 0].sum())
    counts = p["charge_weight"][charged].max(axis=0, initial=0.0) > 0
    n.add("Link", f"peak{s}", bus0=f"limited{s}", bus1=f"site{s}", p_nom_extendable=True, capital_cost=rate,
          p_max_pu=_series(n, np.where(counts, 1.0, 0.0)))  # fmt: skip
    _link(n, f"uncounted{s}", f"limited{s}", f"site{s}", np.where(counts, 0.0, BIG))
    n.add("Generator", f"sun{s}", bus=f"site{s}", p_nom=BIG, p_max_pu=_series(n, p["solar_mw"][s] / BIG))
    n.add("Generator", f"sold{s}", bus=f"site{s}", p_nom=BIG, p_min_pu=_series(n, -p["export_limit_mw"][s] / BIG),
          p_max_pu=0.0, marginal_cost=_series(n, p["export_price"][s]))  # fmt: skip
    n.add(
        "Load",
        f"base{s}",
        bus=f"site{s}",
        p_set=_series(n, p["base_it"][s] + p["base_overhead"][s] + p["other_site_mw"][s]),
    )
    for i in range(p["width"].shape[2]):
        drawn = 1 + p["slope"][s, :, i]
        _link(
            n, f"cooled{s}_{i}", f"site{s}", f"hall{s}", p["width"][s, :, i] * drawn, efficiency=_series(n, 1 / drawn)
        )
    per_gpu = float(p["busy_mw"][s] - p["idle_mw"][s])
    most = np.minimum((p["available"] - p["firm"])[s] * per_gpu, p["hall_mw"][s] - p["base_it"][s])
    _link(n, f"gpus{s}", f"hall{s}", f"pool{s}", most, efficiency=1 / per_gpu)


def _job(n: pypsa.Network, p: dict[str, Any], j: int) -> None:
    k, last = p["job_group"][j], n.snapshots[-1]
    n.add("Bus", f"hub{j}")
    n.add("Bus", f"job{j}")
    for s in np.flatnonzero(p["pool_class"][k] >= 0):
        _link(n, f"held{j}_{s}", f"pool{s}", f"hub{j}", BIG)
    _link(n, f"run{j}", f"hub{j}", f"job{j}", p["max_gpus"][j] * p["open"][j], efficiency=float(p["speed"][k, 0]))
    n.add("Store", f"work{j}", bus=f"job{j}", e_nom=BIG)
    at_end = _series(n, n.snapshots == last)
    n.add("Load", f"due{j}", bus=f"job{j}", p_set=at_end * (p["work_left"][j] / p["dt"][-1]))
    n.add("Generator", f"short{j}", bus=f"job{j}", p_nom=BIG, p_max_pu=at_end, marginal_cost=float(p["penalty"][j]))
