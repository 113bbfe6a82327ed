"""The block form of the structured method is the product's program; where the method says it has solved it, it has."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.enrich import enriched
from benchmarks.instances import Size, random_problem
from benchmarks.structured.block_form import block_form
from benchmarks.structured.interior_point import STOP, NotSolved, optimum
from energy.audit.array_model import array_model
from energy.solve import solve


def mixed(seed):
    size = Size(jobs=9, sites=3, periods=20, groups=3, speeds=3, bands=True, negative_share=0.1)
    return enriched(random_problem(size, seed), seed, share=1.0)


def whole(form):
    """The block form with its columns of jobs' GPUs written out."""
    n = len(form.gpu_job)
    rows, columns = np.r_[form.finish[form.gpu_job], form.gpu_link], np.r_[np.arange(n), np.arange(n)]
    gpus = sp.csc_array((np.r_[form.gpu_rate, np.ones(n)], (rows, columns)), shape=(len(form.row_low), n))
    return SimpleNamespace(
        cost=form.cost, offset=form.offset, matrix=sp.csc_array(sp.hstack([form.sparse, gpus])), row_low=form.row_low,
        row_up=form.row_up, low=form.low, up=form.up,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_block_form_is_the_program(seed):
    """Every kind of row: the same optimum as the certificate's own arrays."""
    problem = mixed(seed)
    assert solve(whole(block_form(problem))).objective == pytest.approx(solve(array_model(problem)).objective, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_what_it_calls_solved_is_the_optimum(seed):
    """It may say that it has not solved a problem; a wrong optimum without saying so is a fault."""
    problem = random_problem(Size(jobs=60, sites=3, periods=24, groups=2), seed)
    form, exact = block_form(problem), solve(array_model(problem)).objective
    try:
        answer = optimum(problem, form)
    except NotSolved:
        pytest.skip("says that it has not solved it")
    found = float(form.cost @ answer.values) + form.offset
    assert abs(found - exact) <= 100 * STOP * abs(exact)
    matrix = whole(form).matrix
    activity, side = (
        matrix @ answer.values,
        np.maximum(1.0, np.abs(np.where(np.isfinite(form.row_up), form.row_up, 0.0))),
    )
    assert ((activity - form.row_up) / side).max() <= 1e-5
