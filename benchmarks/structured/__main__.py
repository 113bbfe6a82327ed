"""Structured interior point beside HiGHS: ``python -m benchmarks.structured --jobs 300 2000``.

The fleet of the reference week with as many jobs, drawn with a seed from its own so that no two merge; CPU seconds of both
in one process, gap and infeasibility of the structured method, and the difference of the two objectives.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import xarray as xr

from benchmarks.structured.block_form import block_form
from benchmarks.structured.interior_point import NotSolved, optimum
from energy.audit.array_model import array_model
from energy.inputs.load import read_inputs
from energy.inputs.resources import root
from energy.problem import assemble
from energy.solve import Options, solve


def reference_with(jobs: int, seed: int = 0) -> xr.Dataset:
    """The reference week with `jobs` jobs and the work of its own, shared at random."""
    problem = assemble(read_inputs(root() / "models" / "cases" / "reference.yaml", {"start": "2018-04-30"}))
    rng, own = np.random.default_rng(seed), problem.sizes["job"]
    share = own / jobs * rng.uniform(0.7, 1.3, jobs)
    out = problem.isel(job=rng.integers(0, own, jobs)).assign_coords(job=[f"j{i}" for i in range(jobs)])
    work = share * rng.uniform(0.6, 1.0, jobs)
    return out.assign(
        max_gpus=out["max_gpus"] * share, work_left=out["work_left"] * work, deferred_max=out["deferred_max"] * share
    )


def main() -> None:
    """Print a line per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[300])
    for jobs in parser.parse_args().jobs:
        problem = reference_with(jobs)
        began = time.process_time()
        form = block_form(problem)
        try:
            answer = optimum(problem, form)
        except NotSolved as e:
            print(f"{jobs} jobs: {e}")
            continue
        structured = time.process_time() - began
        cost = float(form.cost @ answer.values) + form.offset
        began = time.process_time()
        exact = solve(array_model(problem), Options(crossover=False)).objective
        print(
            f"{jobs} jobs: structured {structured:.1f} s CPU ({answer.steps} steps, gap {answer.gap:.1e}, infeasibility "
            f"{answer.infeasibility:.1e}), HiGHS {time.process_time() - began:.1f} s; objectives {(cost - exact) / abs(exact):+.1e} apart"
        )


if __name__ == "__main__":
    main()
