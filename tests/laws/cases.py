"""Random cases for laws, small enough to solve dozens of times, and what their optimum costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from benchmarks.enrich import enriched
from benchmarks.instances import Size, random_problem
from energy.program import build
from energy.solve import compile_model, gate, solve

#: Optima of two forms of one problem agree to this share of all the money that moves; HiGHS's tolerance is 1e-7.
SAME = 1e-7
#: The same examples every time: a law that fails on one machine fails on all. Not shrunk: a smaller seed is no simpler.
#: How many is the profile's: `quick` in make test, `thorough` in make laws.
BOUNDED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate), report_multiple_bugs=False,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A random Problem by size, seed and how much of everything it has."""

    size: Size
    seed: int
    share: float = 0.6

    def problem(self) -> xr.Dataset:
        """The Problem itself."""
        return enriched(random_problem(self.size, self.seed), self.seed, self.share)


#: What a case may have; one number picks from all of them, so that the first example too is a case like any other
#: (hypothesis begins with the simplest of every choice: one job, one site, one segment, where no law can fail).
FREE: dict[str, tuple[Any, ...]] = {
    "jobs": tuple(range(2, 10)), "sites": (1, 2, 3), "periods": tuple(range(4, 27)),
    "groups": (1, 2, 3), "segments": (1, 2, 3, 4), "speeds": (1, 2, 3),
    "utilisation": (0.5, 0.8, 0.95), "negative_share": (0.0, 0.1, 0.4),
    "demand_rate": (0.0, 50.0, 800.0), "bands": (False, True),
    "cap": (None, 1.12, 1.25), "hours": (0.25, 1.0),
    "halls_per_site": (1, 2), "pools_per_hall": (1, 2),
}  # fmt: skip


def cases(share: float = 0.6, **fixed: Any) -> st.SearchStrategy[Case]:
    """Sizes, speeds, bands, negative hours; all follows from one number but for what is `fixed`."""
    return st.integers(0, 2**31).map(lambda number: case_of(number, share, **fixed))


def case_of(number: int, share: float, **fixed: Any) -> Case:
    """The case of a number."""
    rng = np.random.default_rng(number)
    picked = {k: v[rng.integers(len(v))] for k, v in FREE.items()}
    chosen = picked | fixed
    chosen["groups"] = min(chosen["groups"], chosen["jobs"])
    return Case(Size(**chosen), int(rng.integers(10_000)), share)


@dataclass(frozen=True)
class Optimum:
    """Cost of the optimum, and all the money that moves: costs and revenues may cancel."""

    cost: float
    money: float

    def same(self, other: Optimum | float, factor: float = 1.0) -> bool:
        """Equal up to SAME."""
        value = other.cost if isinstance(other, Optimum) else other
        return abs(self.cost * factor - value) <= SAME * self.money * abs(factor)

    def at_most(self, other: Optimum | float) -> bool:
        """Not dearer, up to SAME."""
        value = other.cost if isinstance(other, Optimum) else other
        return self.cost <= value + SAME * self.money


def optimum(problem: xr.Dataset) -> Optimum:
    """Optimum of the Pyomo program, through the gate."""
    form = compile_model(build(problem))
    raw = solve(form)
    gate(raw, form.cost, form.offset)
    return Optimum(raw.objective, float(np.abs(form.cost) @ np.abs(raw.values)) + abs(form.offset))
