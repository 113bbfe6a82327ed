"""The Problem as plain Python numbers and index lists: nothing of xarray survives into a Pyomo rule."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import xarray as xr

from energy.schema import PROBLEM, lowest_price

#: Dimensions behind the letters J, K, N, H, S, T, D, Q, B, R, G.
DIMS = ("job", "group", "pool", "hall", "site", "time", "charge", "contract", "minimum", "cap", "post_horizon")


class Sets:
    """Arrays of the Problem as nested lists of floats, under their schema names, and the sparse sets.

    Attributes
    ----------
    J, K, N, H, S, T, D, Q, B, R, G : ranges over jobs, groups, pools, halls, sites, periods, demand charges,
        contracts, minimum bills, cap rows, rows of post-horizon capacity
    lowest_price[s][t] : lowest possible marginal price [EUR/MWh]
    window[j] : periods with an open share of the job's window
    classes[k] : speed classes of the group, fastest first;  class_pools[k][c] : pools of class c and of the faster ones
    speed_step[k][c] : speed of class c less that of the group's next slower class, of the slowest less 0
    fastest[j] : speed of the job in the best of its pools;  deferred_in[g] : jobs whose deferred work row g counts
    group_pools[k] : pools that the group may use;  jobs_in[k, t] : jobs of the group that are open in the period
    pools_in[h], halls_in[s] : members;  groups_at[n, t] : groups that may hold GPUs of the pool
    """

    def __init__(self, problem: xr.Dataset) -> None:
        for name in PROBLEM:
            if name in problem:
                setattr(self, name, problem[name].values.tolist())
        self.lowest_price = lowest_price(problem).tolist()
        sizes = problem.sizes
        for letter, dim in zip("JKNHSTDQBRG", DIMS, strict=True):
            setattr(self, letter, range(sizes[dim]))
        self._jobs(problem)
        self._members()
        self._terminal_value()

    def __getattr__(self, name: str) -> Any:
        """Only for type checkers: every array of the schema is an attribute."""
        raise AttributeError(name)

    def _jobs(self, problem: xr.Dataset) -> None:
        speed, pool_class = problem["speed"].values, problem["pool_class"].values
        self.window = [np.flatnonzero(row).tolist() for row in problem["open"].values]
        self.classes = [np.flatnonzero(row).tolist() for row in speed]
        self.class_pools = [
            {c: np.flatnonzero((row >= 0) & (row <= c)).tolist() for c in cs}
            for row, cs in zip(pool_class, self.classes, strict=True)
        ]
        self.group_pools = [np.flatnonzero(row >= 0).tolist() for row in pool_class]
        self.speed_step = [
            {c: row[c] - slower for c, slower in zip(cs, [*row[cs[1:]], 0.0], strict=True)}
            for row, cs in zip(speed, self.classes, strict=True)
        ]
        self.jobs_in: dict[tuple[int, int], list[int]] = defaultdict(list)
        for j, k in enumerate(self.job_group):
            for t in self.window[j]:
                self.jobs_in[k, t].append(j)

    def _members(self) -> None:
        self.pools_in = [[n for n in self.N if self.pool_hall[n] == h] for h in self.H]
        self.halls_in = [[h for h in self.H if self.hall_site[h] == s] for s in self.S]
        self.groups_at: dict[tuple[int, int], list[int]] = defaultdict(list)
        for k, t in sorted(self.jobs_in):
            for n in self.group_pools[k]:
                self.groups_at[n, t].append(k)

    def _terminal_value(self) -> None:
        self.fastest = [max(self.speed[k]) for k in self.job_group]
        waits = [j for j in self.J if self.deferred_max[j] > 0]
        self.deferred_in = [
            [j for j in waits if self.due_after[j] <= until and k in (-1, self.job_group[j])]
            for until, k in zip(self.post_horizon_until, self.post_horizon_group, strict=True)
        ]
