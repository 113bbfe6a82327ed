"""How much the clear model costs over the bare one: ``python -m benchmarks.speed`` (make bench).

In one process and run: build + hand-over + solve of the Pyomo program, against HiGHS with the same method and
options on the certificate's own arrays (same rows, same columns). Only the ratio carries over to other machines.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from dataclasses import dataclass

from benchmarks.instances import Size, random_problem
from energy.audit.array_model import array_model
from energy.program import build
from energy.solve import Options, compile_model, solve

#: The bar: build + hand-over + solve at most this many times the bare solve.
MOST = 1.6


@dataclass(frozen=True)
class Timing:
    """Seconds of one pair."""

    build: float
    hand_over: float
    solve: float
    bare: float

    @property
    def ratio(self) -> float:
        """Whole over bare."""
        return (self.build + self.hand_over + self.solve) / self.bare


def pair(size: Size, seed: int) -> tuple[Timing, tuple[int, int, int]]:
    """Time one instance both ways, alternating which goes first, and compare the optima."""
    problem = random_problem(size, seed)
    twin = array_model(problem)
    bare_first = seed % 2 == 0
    bare = _bare(twin) if bare_first else None
    gc.collect()
    t0 = time.perf_counter()
    model = build(problem)
    t1 = time.perf_counter()
    form = compile_model(model)
    t2 = time.perf_counter()
    raw = solve(form)
    t3 = time.perf_counter()
    seconds, objective = bare or _bare(twin)
    if abs(raw.objective - objective) > 1e-7 * abs(objective):
        sys.exit(f"the two models disagree: {raw.objective} and {objective}")
    return Timing(t1 - t0, t2 - t1, t3 - t2, seconds), form.shape


def _bare(twin: object) -> tuple[float, float]:
    began = time.perf_counter()
    raw = solve(twin, Options())
    return time.perf_counter() - began, raw.objective


def main() -> None:
    """Print every pair and the median ratio; exit 1 above the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("jobs", 500), ("sites", 5), ("periods", 168), ("groups", 7), ("pairs", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    size = Size(args.jobs, args.sites, args.periods, args.groups, segments=8)
    pair(Size(), 0)  # imports and first-time work of both ways, not counted
    timings = []
    for seed in range(args.pairs):
        timing, shape = pair(size, seed)
        timings.append(timing)
        print(f"{args.jobs} jobs x {args.sites} sites x {args.periods} h, {args.groups} groups, rows x columns x nonzeros "
              f"{shape}: build {timing.build:.2f} + hand-over {timing.hand_over:.2f} + solve {timing.solve:.2f} s, "
              f"bare HiGHS {timing.bare:.2f} s, ratio {timing.ratio:.2f}")  # fmt: skip
    ratio = statistics.median(t.ratio for t in timings)
    print(f"median ratio {ratio:.2f} (bar {MOST})")
    sys.exit(ratio > MOST)


if __name__ == "__main__":
    main()
