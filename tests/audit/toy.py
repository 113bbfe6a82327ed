"""A Problem with a bit of everything, small enough to work out by hand, and a Schedule for it.

Three half-hours. Site 0: hall A (10 GPUs of 1 MW, 0.2 idle, one of them firm; 16 more, 0.25 idle; 0.5 MW beside) and hall
B (4 of 1 MW), sun that may not be fed in in the last period, heat, two contracts. Site 1: hall C, more sun than load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy.audit.certificate import Certificate
from energy.audit.reconciliation import Reconciliation
from energy.schema import arrays as arrays_module
from energy.schema import validate
from tests.closed_forms.builder import problem
from tests.closed_forms.words import Cap, Charge, Contract, Guard, Hall, Job, Minimum, Pool, Site

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
    Job(6, 9, speeds={2: 2.0, 3: 1.0}, later=3.0, later_price=5.0, due=4.0),
    Job(2, 9, speeds={3: 0.5}, later=2.0, later_price=6.0, due=2.0),
]
GUARDS = [Guard(2.0, 3.0), Guard(1.0, 5.0, group=1), Guard(2.5, 5.0)]
CHARGES = [Charge(((3.0, 100.0), (1000.0, 200.0)), weight=[0.5, 1, 1], floor=2.0),
           Charge(((1000.0, 50.0),), site=1, floor=30.0, month=1)]  # fmt: skip
CONTRACTS = [Contract([20, 2, 2], [8, 3, 1]), Contract([3, 11, 3], [9, 0, 1]), Contract(5, [1, 6, 1], site=1)]
MINIMUMS = [Minimum(3000, 4.0), Minimum(100, 1.0, site=1), Minimum(10, 4.0, month=1)]
CAPS = [Cap(1.1, stop=1, credit=0.1, penalty=40), Cap(1.2, site=-1, penalty=50), Cap(5.0, site=1, penalty=60),
        Cap(1.5, site=1, start=1, penalty=70)]  # fmt: skip
#: (job, pool, period, GPUs)
HELD = [(0, 0, 0, 4), (0, 1, 0, 4), (0, 0, 1, 3), (1, 2, 0, 1), (1, 3, 1, 2)]

PROOF = Certificate(True, 12.0, 12.0, 11.0, 3e-7, 2e-8, "finish[2]", 30, 40, 90, 5e3, 0.1)
AGREED = Reconciliation(1200.0, 1000.0, 0.1, -0.1, 0.2, 0.05, 0.05, 100.0, 50.0, 49.7, 0.0, 5e-5, 5e-6)


def toy() -> xr.Dataset:
    """The Problem; 0.7 EUR/MWh of the price of what site 1 feeds in is cut off."""
    made = problem(SITES, JOBS, CHARGES, CONTRACTS, MINIMUMS, CAPS, 0.5, GUARDS)
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
