"""Jobs that are alike are one job to the solver: the same optimum, prices and proof as each for itself."""

import numpy as np
import pytest
import xarray as xr

from benchmarks.enrich import enriched
from benchmarks.instances import Size, random_problem
from energy.audit.certificate import certify
from energy.optimize import solve_problem
from energy.schedule.disaggregate import disaggregate
from energy.schedule.dispatch import done
from energy.solve import merge_equal_jobs
from tests.program.test_program import solved


def repeated(problem, shares):
    """The Problem with each job cut into parts of its GPUs and work."""
    count, jobs = len(shares), problem.sizes["job"]
    out = problem.isel(job=np.repeat(np.arange(jobs), count))
    out = out.assign_coords(job=[f"{j}.{i}" for j in problem["job"].values for i in range(count)])
    share = np.tile(shares, jobs)
    return out.assign({k: out[k].copy(data=out[k].values * share) for k in ("max_gpus", "work_left", "deferred_max")})


@pytest.fixture(scope="module", params=range(4))
def problem(request):
    """A random one with all kinds of tariffs, work that may wait, and two speed classes."""
    size = Size(jobs=7, sites=2, periods=18, groups=2, speeds=2, utilisation=0.9, bands=True, demand_rate=50.0)
    return enriched(random_problem(size, request.param), request.param, share=1.0)


def test_parts_of_a_job_are_merged_and_no_others(problem):
    parts = repeated(problem, [0.5, 0.2, 0.3])
    merged = merge_equal_jobs(parts)
    assert merged.problem.sizes["job"] == problem.sizes["job"]
    for name in ("max_gpus", "work_left", "deferred_max", "penalty", "open", "job_group"):
        np.testing.assert_allclose(merged.problem[name].values, problem[name].values, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(np.bincount(merged.of, weights=merged.share), 1.0)
    alone = merge_equal_jobs(problem)
    assert alone.problem is problem
    assert (alone.share == 1).all()


@pytest.mark.parametrize(
    "name", ["open", "penalty", "expected", "terminal_price", "due_after", "work_left", "deferred_max", "job_group"]
)
def test_a_difference_in_anything_but_size_keeps_jobs_apart(problem, name):
    pair = repeated(problem.isel(job=[0]), [0.5, 0.5])
    values = pair[name].values.astype(float)
    values[0] = 1 - values[0] if name in ("expected", "job_group") else values[0] * 0.5 + 0.377
    assert merge_equal_jobs(pair).problem.sizes["job"] == 1
    assert merge_equal_jobs(pair.assign({name: pair[name].copy(data=values)})).problem.sizes["job"] == 2


def test_jobs_without_gpus_stay_alone(problem):
    pair = repeated(problem.isel(job=[0]), [0.5, 0.5])
    nothing = pair.assign(max_gpus=pair["max_gpus"] * 0, work_left=pair["work_left"] * 0)
    merged = merge_equal_jobs(nothing)
    assert merged.problem.sizes["job"] == 2
    assert np.isfinite(merged.share).all()


def test_the_optimum_of_the_parts_is_proven_and_that_of_the_whole(problem):
    """The certificate knows nothing of merging: rows, duals and the bound are those of every part."""
    shares = [0.5, 0.2, 0.3]
    parts = repeated(problem, shares)
    whole, (found, _) = solved(problem)[0], solve_problem(parts)
    proof = certify(parts, found)
    assert proof.passed, proof
    assert proof.primal_eur == pytest.approx(whole.attrs["objective_eur"], rel=1e-9)
    assert found["job"].values.tolist() == parts["job"].values.tolist()
    for name in ("cumulative_gpus", "unserved", "deferred"):
        of_first = found[name].values[:: len(shares)]
        for i, share in enumerate(shares):
            np.testing.assert_allclose(found[name].values[i :: len(shares)], of_first * share / shares[0], atol=1e-9)
    work = done(parts, disaggregate(parts, found))
    left = (found["unserved"] + found["deferred"]).values
    np.testing.assert_allclose(work + left, parts["work_left"].values, rtol=1e-6, atol=1e-5)


def test_a_thousand_equal_jobs_cost_the_solver_one():
    problem = random_problem(Size(jobs=3, sites=2, periods=24), 1)
    parts = repeated(problem, np.full(1000, 0.001))
    assert merge_equal_jobs(parts).problem.sizes["job"] == 3
    found, _ = solve_problem(parts)
    assert found.attrs["objective_eur"] == pytest.approx(solved(problem)[0].attrs["objective_eur"], rel=1e-9)
    assert isinstance(found, xr.Dataset)
    assert found.sizes["job"] == 3000
