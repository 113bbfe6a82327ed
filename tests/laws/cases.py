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


@st.composite
def cases(draw: Any, share: float = 0.6, **fixed: Any) -> Case:
    """Sizes, speeds, bands, negative hours; the rest follows from the seed."""
    free = {
        "jobs": st.integers(1, 9), "sites": st.integers(1, 3), "periods": st.integers(4, 26),
        "groups": st.integers(1, 3), "segments": st.integers(1, 4), "speeds": st.integers(1, 3),
        "utilisation": st.sampled_from([0.5, 0.8, 0.95]), "negative_share": st.sampled_from([0.0, 0.1, 0.4]),
        "demand_rate": st.sampled_from([0.0, 50.0, 800.0]), "bands": st.booleans(),
        "cap": st.sampled_from([None, 1.12, 1.25]), "hours": st.sampled_from([0.25, 1.0]),
        "halls_per_site": st.integers(1, 2), "pools_per_hall": st.integers(1, 2),
    }  # fmt: skip
    chosen = {k: fixed.get(k) if k in fixed else draw(v) for k, v in free.items()}
    chosen["groups"] = min(chosen["groups"], chosen["jobs"])
    return Case(Size(**chosen), draw(st.integers(0, 10_000)), share)


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
