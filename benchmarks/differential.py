"""Random Problems for comparing models, methods and tools: numbered, so that a failure can be asked for again."""

from __future__ import annotations

import numpy as np
import xarray as xr

from benchmarks.enrich import enriched, with_contracts, with_little_room, with_sun, with_windows
from benchmarks.instances import Size, random_problem


def numbered_problem(number: int) -> xr.Dataset:
    """Problem by number: sizes, speeds, bands, halls and everything of `enrich` follow from it."""
    rng = np.random.default_rng(number)
    size = Size(
        jobs=int(rng.integers(2, 14)), sites=int(rng.integers(1, 4)), periods=int(rng.integers(6, 40)),
        groups=int(rng.integers(1, 3)), segments=int(rng.integers(1, 5)), speeds=int(rng.integers(1, 4)),
        utilisation=float(rng.choice([0.5, 0.8, 0.95])), negative_share=float(rng.choice([0.0, 0.1, 0.4])),
        demand_rate=float(rng.choice([0.0, 50.0, 800.0])), bands=bool(rng.random() < 0.5),
        cap=[None, 1.12, 1.25][int(rng.integers(3))], halls_per_site=int(rng.integers(1, 3)),
        pools_per_hall=int(rng.integers(1, 3)), hours=float(rng.choice([0.25, 1.0])),
    )  # fmt: skip
    return enriched(random_problem(size, number), number)


def ordinary_problem(number: int) -> xr.Dataset:
    """Problem by number in what every energy modelling tool can say: no caps, negative prices or minimum bills."""
    rng = np.random.default_rng(number)
    size = Size(jobs=int(rng.integers(2, 8)), sites=int(rng.integers(1, 4)), periods=int(rng.integers(6, 20)),
                groups=int(rng.integers(1, 3)), segments=int(rng.integers(1, 4)), negative_share=0.0,
                cap=None)  # fmt: skip
    problem = random_problem(size, number)
    problem = problem.assign(price=(problem["price"].dims, np.maximum(problem["price"].values, 1.0)))
    for enrich in (with_sun, with_contracts, with_windows, with_little_room):
        if rng.random() < 0.6:
            problem = enrich(problem, rng)
    return problem
