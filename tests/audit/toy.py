"""A Problem with a bit of everything, small enough to work out by hand, and a Schedule for it.

Three half-hours. Site 0: hall A (10 GPUs of 1 MW, 0.2 idle, one of them firm; 16 more, 0.25 idle; 0.5 MW beside) and hall
B (4 of 1 MW), sun that may not be fed in in the last period, heat, two contracts. Site 1: hall C, more sun than load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy.audit.certificate import Certificate
from energy.audit.reconciliation import Reconciliation, evaluate_cost
from energy.schema import arrays as arrays_module
from energy.schema import validate
from tests.closed_forms.builder import problem
from tests.closed_forms.words import Cap, Charge, Contract, Hall, Job, Minimum, Pool, PostHorizon, Site

A = Hall((Pool(10, idle=0.2, firm=1), Pool(16, idle=0.25)), ((2.0, 0.1), (3.0, 0.3)), 0.4, firm_it=0.5,
         heat_share=0.5)  # fmt: skip
B = Hall((Pool(4),), ((1000.0, 0.2),), heat_share=0.25)
C = Hall((Pool(10),), ((1.0, 0.5), (1000.0, 0.9)))
SITES = [
    Site([10, -5, 15], (A, B), other=1.0, solar=[5, 5, 30], export=2.0, export_price=[3, 3, 0], fixed=7.0,
         heat=[100, 4, 3], heat_price=[2, -1, 2]),
    Site([20, 30, 20], (C,), other=0.5, solar=[20, 2, 1.5], export=3.0, export_price=4.0),
]  # fmt: skip
JOBS = [
    Job(5.5, 9, speeds={0: 1.0, 1: 0.5}),
    Job(6, 9, speeds={2: 2.0, 3: 1.0}, deferred_max=3.0, terminal_price=5.0, due=4.0),
    Job(2, 9, speeds={3: 0.5}, deferred_max=2.0, terminal_price=6.0, due=2.0),
]
POST_HORIZON = [PostHorizon(2.0, 3.0), PostHorizon(1.0, 5.0, group=1), PostHorizon(2.5, 5.0)]
CHARGES = [Charge(((3.0, 100.0), (1000.0, 200.0)), weight=[0.5, 1, 1], floor=2.0),
           Charge(((1000.0, 50.0),), site=1, floor=30.0, month=1)]  # fmt: skip
CONTRACTS = [Contract([20, 2, 2], [8, 3, 1]), Contract([3, 11, 3], [9, 0, 1]), Contract(5, [1, 6, 1], site=1)]
MINIMUMS = [Minimum(3000, 4.0), Minimum(100, 1.0, site=1), Minimum(10, 4.0, month=1)]
CAPS = [Cap(1.1, stop=1, credit=0.1, penalty=40), Cap(1.2, site=-1, penalty=50), Cap(5.0, site=1, penalty=60),
        Cap(1.5, site=1, start=1, penalty=70)]  # fmt: skip
#: (job, pool, period, GPUs)
HELD = [(0, 0, 0, 4), (0, 1, 0, 4), (0, 0, 1, 3), (1, 2, 0, 1), (1, 3, 1, 2)]

PROOF = Certificate(True, 12.0, 12.0, 11.0, 3e-7, 2e-8, "finish[2]", 30, 40, 90, 5e3, 0.1, 1000.0)
AGREED = Reconciliation(1200.0, 1000.0, 0.1, -0.1, 0.2, 0.05, 0.05, 100.0, 50.0, 49.7, 0.0, 5e-5, 5e-6, 1000.0)


def toy() -> xr.Dataset:
    """The Problem; 0.7 EUR/MWh of the price of what site 1 feeds in is cut off."""
    made = problem(SITES, JOBS, CHARGES, CONTRACTS, MINIMUMS, CAPS, 0.5, POST_HORIZON)
    return made.assign(export_clip=made["export_clip"] + np.array([[0.0], [0.7]]))


def schedule(case: xr.Dataset, held: list[tuple[int, int, int, float]]) -> xr.Dataset:
    """Entries as a Schedule."""
    return validate.as_schedule(case, *np.array(held, float).reshape(-1, 4).T)


def entries(table: xr.Dataset) -> list[tuple[int, int, int, float]]:
    """A Schedule as (job, pool, period, GPUs)."""
    columns = (table[f"entry_{k}"].values.tolist() for k in ("job", "pool", "time", "gpus"))
    return list(zip(*columns, strict=True))


def replayed(case: xr.Dataset, **changes: Any) -> xr.Dataset:
    """A replay by hand: halls A and B at site 0, C at site 1; half-hours."""
    site = {"facility_mw": [[17, 11, 9], [1, 4, 0]], "site_it_mw": [[14, 10, 8], [0, 2, 0]],
            "import_mw": [[12, 11, 0], [0, 2, 0]], "export_mw": [[0, 0, 0], [3, 0, 1]], "solar_mw": [[5, 0, 9], [4, 2, 1]],
            "heat_mw": [[7, 0, 3], [0, 0, 0]], "cost_eur": [[60, -28, 0], [0, 30, 0]],
            "carbon_t": [[3, 2, 0], [0, 1, 0]]}  # fmt: skip
    hall = {"it_mw": [[13, 10, 7], [1, 0, 1], [0, 2, 0]], "overhead_mw": [[2, 1, 0.5], [0.5, 0, 0.1], [0.5, 1.5, 0]],
            "water_m3": [[0.3, 0.2, 0.1], [0, 0, 0], [0, 0.4, 0]], "free_cooling": [[1, 0.5, 1], [1, 1, 0.2], [0, 0, 1]],
            "derating_mw": [[0, 0.25, 0.5], [0, 0, 0], [0, 0, 1e-9]]}  # fmt: skip
    parts = dict(
        zip(
            arrays_module.COMPONENTS,
            np.array([0.4, 0.3, 0.15, 0.1, 0.05])[:, None, None] * hall["overhead_mw"],
            strict=True,
        )
    )
    arrays = {k: np.array(v, float) for k, v in ({**site, **hall, **parts} | changes).items()} | {
        "dt": case["dt"].values
    }
    return validate.dataset(arrays, {n: case[n].values for n in ("time", "site", "hall")}, arrays_module.REPLAY)


#: Hall A: 7.3 MW when idle (0.5 + 1 + 9·0.2 + 16·0.25), then 4·0.8 + 4·0.75 and 3·0.8 more.
#: Facility of site 0: 1 beside, 0.4 in any case, hall A with 2·0.1 + 4.2·0.3 (0.4·0.3), hall B with 1·0.2.
#: Its sun: 5 MW, none while drawing is paid for, then all that the site needs. Site 1: 0.5 beside, 2 MW with 0.5 + 0.9.
BY_HAND = {
    "it": [[13.5, 9.7, 7.3], [1, 0, 0], [0, 2, 0]],
    "segment_load": [[[2, 4.2], [2, 0.4], [0, 0]], [[1, 0], [0, 0], [0, 0]], [[0, 0], [1, 1], [0, 0]]],
    "facility": [[17.56, 11.42, 8.7], [0.5, 3.9, 0.5]],
    "solar_use": [[5, 0, 8.7], [3.5, 2, 1.5]],
    "grid_import": [[12.56, 11.42, 0], [0, 1.9, 0]],
    "grid_export": [[0, 0, 0], [3, 0, 1]],
    "heat": [[7, 0, 3], [0, 0, 0]],  # 0.5·13.5 + 0.25·1; nothing where it costs money; the buyer's limit
    "peak": [11.42, 30],  # half of 12.56, or 11.42; the floor
    "band": [[3, 8.42], [0, 0]],  # one band alone has no variable
    "offtake": [[9.56, 2, 0], [3, 0, 0], [0, 1.9, 0]],  # the dearest first, what is left from the next
    "top_up": [3000 - 47.96 - 1984, 100 - 0.95, 0],  # the charge of site 1 is of another month
    "cap_breach": [0.705, 1.19, 0, 0.7],  # less a credit of 0.1; the fleet; none; from the second period on
    "unserved": [1, 3, 1],
    "deferred": [
        0,
        1,
        1,
    ],  # of 3 and 2; job 2 is due first and takes 2 of 2.5 GPU-hours at speed 1/2; job 1 the rest at speed 2
}
ENERGY = [[62.8, -28.55, 0], [0, 28.5, 0]]
DEMAND = [300 + 8.42 * 200, 1500]
#: In hours that may be paid for the chord replaces the segments: marginal prices 10 - 9 - 8 and -5 - 3 - 8.
HULL = 0.5 * (-7 * (0.22 * 6.2 - 1.46) - 16 * (0.22 * 2.4 - 0.32))
#: Speed classes are ordered fastest first: 4 GPUs of pool 1 run job 0 at speed 1/2. GPUs of the class and the faster ones by
#: (job, class, period), and GPUs by (group, pool, period).
CUMULATIVE = {(0, 0, 0): 4, (0, 0, 1): 3, (0, 1, 0): 8, (0, 1, 1): 3, (1, 0, 0): 1, (1, 1, 0): 1, (1, 1, 1): 2}
GPUS = {(0, 0, 0): 4, (0, 0, 1): 3, (0, 1, 0): 4, (1, 2, 0): 1, (1, 3, 1): 2}
#: Energy, contracts, feed-in, heat, demand, top-up, fixed; 1000 EUR for each of 5 GPU-hours; work left; caps; hull.
OBJECTIVE = (62.8 - 28.55 + 28.5 - 0.5 * (9 * 3 + 8 * 9.56 + 3 * 2 + 6 * 1.9) - 0.5 * 4 * 4 - 0.5 * 2 * 10 + sum(DEMAND)
             + sum(BY_HAND["top_up"]) + 7 + 5000 + 5 + 6 + 40 * 0.705 + 50 * 1.19 + 70 * 0.7 + HULL)  # fmt: skip


def plan() -> xr.Dataset:
    """A Solution of the toy in which HELD runs, by hand: not the cheapest, which would draw more to reach minimum bills."""
    case = toy()
    values: dict[str, Any] = {n: np.zeros([case.sizes[d] for d in a.dims]) for n, a in arrays_module.SOLUTION.items()}
    values |= {name: np.array(value, float) for name, value in BY_HAND.items()}
    for name, held in (("cumulative_gpus", CUMULATIVE), ("group_gpus", GPUS)):
        for at, gpus in held.items():
            values[name][at] = gpus
    found = validate.dataset(values, {str(k): v for k, v in case.coords.items()}, arrays_module.SOLUTION)
    return found.assign_attrs(objective_eur=OBJECTIVE)


def program_cost(case: xr.Dataset, drawn: Any, fed: Any, heat: Any) -> float:
    """The program's cost of these powers without penalties [EUR]."""
    of = evaluate_cost(case, drawn, fed, heat)
    found = (of.energy, of.contracts, of.feed_in, of.demand, of.top_up, of.heat_sales, of.fixed)
    return float(sum(np.sum(x) for x in found))
