"""Small Problems in a few words: sites of halls of pools, jobs, tariffs; one GPU draws 1 MW unless told otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.certificate import certify
from energy.program import build
from energy.schema import arrays as arrays_module
from energy.schema import validate
from energy.solve import compile_model, gate, solution, solve
from tests.closed_forms.arrays import (
    cap_arrays,
    hall_arrays,
    job_arrays,
    post_horizon_arrays,
    rows,
    site_arrays,
    tariff_arrays,
)
from tests.closed_forms.words import Cap, Charge, Contract, Hall, Job, Minimum, Pool, PostHorizon, Series, Site


def one(price: Sequence[float], gpus: Series = 100.0, **more: Any) -> Site:
    """A site with one hall and one pool; keywords go to whichever of Pool, Hall and Site knows them."""
    mine = {
        k: {n: more[n] for n in more if n in c.__dataclass_fields__} for k, c in (("p", Pool), ("h", Hall), ("s", Site))
    }
    assert set(more) <= {n for part in mine.values() for n in part}, more
    return Site(price, (Hall((Pool(gpus, **mine["p"]),), **mine["h"]),), **mine["s"])


def problem(
    sites: Sequence[Site],
    jobs: Sequence[Job],
    charges: Sequence[Charge] = (),
    contracts: Sequence[Contract] = (),
    minimums: Sequence[Minimum] = (),
    caps: Sequence[Cap] = (),
    hours: Series = 1.0,
    post_horizon: Sequence[PostHorizon] = (),
) -> xr.Dataset:
    """The Problem, checked against the schema."""
    periods = len(sites[0].price)
    dt = rows([hours], periods)[0]
    arrays = {
        "dt": dt,
        **site_arrays(sites, periods),
        **hall_arrays(sites, periods),
        **job_arrays(sites, jobs, periods),
        **tariff_arrays(charges, contracts, minimums, periods),
        **cap_arrays(caps, periods),
        **post_horizon_arrays(post_horizon),
    }
    start = np.datetime64("2021-01-01T00:00", "ns")
    ends = (np.cumsum(dt) * 3600).round().astype("timedelta64[s]")
    coords: dict[str, object] = {
        "time": start + np.concatenate([[np.timedelta64(0, "s")], ends[:-1]]),
        "month": ["2021-01", "2021-02"],
        **{
            d: [f"{d}{i}" for i in range(n)]
            for d, n in (
                ("site", len(sites)),
                ("hall", len(arrays["hall_site"])),
                ("pool", len(arrays["pool_hall"])),
                ("job", len(jobs)),
                ("group", len(arrays["speed"])),
                ("charge", len(charges)),
                ("contract", len(contracts)),
                ("minimum", len(minimums)),
                ("cap", len(caps)),
                ("post_horizon", len(post_horizon)),
            )
        },
    }
    return validate.dataset(arrays, coords, arrays_module.PROBLEM)


@dataclass(frozen=True)
class Best:
    """A proven optimum."""

    cost: float
    found: xr.Dataset

    def draws(self, site: int = 0) -> Any:
        """Power drawn from the grid [MW]."""
        return self.found["grid_import"].values[site]


def best(case: xr.Dataset) -> Best:
    """Optimum through gate and certificate."""
    model = build(case)
    form = compile_model(model)
    raw = solve(form)
    gate(raw, form.cost, form.offset)
    found = solution(case, model, form, raw)
    proof = certify(case, found)
    assert proof.passed, proof
    return Best(raw.objective, found)
