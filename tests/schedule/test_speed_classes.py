"""Speed classes counted cumulatively: the same optimum as counted one by one, and jobs that can hold what was counted."""

import highspy
import numpy as np
import pytest
import scipy.sparse as sp

from benchmarks.instances import Size, random_problem
from energy.audit.array_model import ArrayModel, array_model
from energy.audit.certificate import certify
from energy.schedule.disaggregate import _shared, gpus_by_class
from energy.schema import PROBLEM, values_of
from energy.schema.validate import SchemaError, check
from tests.program.test_program import solved

SEEDS = range(100)
#: Agreement of the two forms, relative (the bar of the cumulative form).
SAME = 1e-9


def one_by_one(problem):
    """The array model with GPUs by class and a row for each job's limit, from the cumulative one: y = (class sums) x."""
    model, p = array_model(problem), values_of(problem)
    columns, width = model.columns["cumulative_gpus"], len(model.cost)
    sums = sp.eye(width, format="lil")
    limits, sides = [], []
    for j, t in np.argwhere(p["open"] > 0):
        there = columns[j, :, t][columns[j, :, t] >= 0]
        for i, c in enumerate(there):
            sums[c, there[:i]] = 1.0
        limits.append(there)
        sides.append(p["max_gpus"][j] * p["open"][j, t])
    sums = sums.tocsr()
    extra = sp.vstack([sp.csr_array(([1.0] * len(a), ([0] * len(a), a)), shape=(1, width)) for a in limits])
    matrix = sp.vstack([model.matrix @ sums, extra]).tocsc()
    return ArrayModel(
        sums.T @ model.cost, model.offset, matrix, np.append(model.row_low, [-np.inf] * len(sides)),
        np.append(model.row_up, sides), model.low, model.up, model.columns, model.rows,
    )  # fmt: skip


def optimum(model):
    """Objective by HiGHS on plain arrays."""
    h, lp = highspy.Highs(), highspy.HighsLp()
    h.setOptionValue("output_flag", False)
    for side in ("primal", "dual"):
        h.setOptionValue(f"{side}_feasibility_tolerance", 1e-10)
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.row_low)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, model.low, model.up
    lp.row_lower_, lp.row_upper_, lp.offset_ = model.row_low, model.row_up, model.offset
    matrix = sp.csc_array(model.matrix)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    h.passModel(lp)
    h.run()
    assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return h.getInfo().objective_function_value


def several_classes(seed):
    """A random problem with two to four speed classes and jobs that compete for the fast ones."""
    rng = np.random.default_rng(seed)
    return random_problem(
        Size(
            jobs=int(rng.integers(2, 14)), groups=int(rng.integers(1, 4)), speeds=int(rng.integers(2, 5)),
            periods=int(rng.integers(4, 16)), utilisation=float(rng.uniform(0.3, 0.98)),
        ),
        seed,
    )  # fmt: skip


@pytest.mark.parametrize("block", range(10))
def test_optimum_is_that_of_classes_one_by_one(block):
    for seed in SEEDS[block::10]:
        problem = several_classes(seed)
        cumulative, plain = optimum(array_model(problem)), optimum(one_by_one(problem))
        assert abs(cumulative - plain) <= SAME * max(1.0, abs(plain)), seed


@pytest.mark.parametrize("block", range(5))
def test_jobs_hold_what_the_program_counted(block):
    """Work, limits and the GPUs of every class, in every period."""
    for seed in SEEDS[block:50:5]:
        problem = several_classes(seed)
        found, _, _ = solved(problem)
        p, held = values_of(problem), gpus_by_class(problem, found)
        _checked(p, found["cumulative_gpus"].values, found["group_gpus"].values, held)
        assert certify(problem, found).passed


def _checked(p, counted, group_gpus, held, tolerance=1e-6):
    scale = max(1.0, p["max_gpus"].max())
    speed = p["speed"][p["job_group"]]
    steps = np.diff(np.where(speed[:, :, None] > 0, counted, np.nan), axis=1, prepend=0.0)
    if not np.isnan(steps).any():
        np.testing.assert_allclose(
            np.einsum("jc,jct->jt", speed, held), np.einsum("jc,jct->jt", speed, steps), atol=tolerance * scale
        )
    assert (held >= 0).all()
    assert (held.sum(axis=1) <= p["max_gpus"][:, None] * p["open"] + tolerance * scale).all()
    for k in range(len(p["speed"])):
        for c in np.flatnonzero(p["speed"][k]):
            of_pools = group_gpus[k][p["pool_class"][k] == c].sum(axis=0)
            np.testing.assert_allclose(held[p["job_group"] == k, c].sum(axis=0), of_pools, atol=tolerance * scale)


def test_jobs_share_what_no_job_could_hold_alone():
    """By hand: a job counted with 4 fast GPUs and 2 in all, the other with none and 6; each does its work within 5."""
    speed, limit = np.array([2.0, 1.0]), np.array([[5.0], [5.0]])
    counted = np.array([[4.0, 2.0], [0.0, 6.0 - 1.0]])  # fast; fast and slow
    work = counted @ np.array([1.0, 1.0])
    gpus = np.diff(counted.sum(axis=0), prepend=0.0)[:, None]
    held = _shared(work[:, None], limit, gpus, speed)[:, :, 0]
    np.testing.assert_allclose(held @ speed, work, atol=1e-12)
    np.testing.assert_allclose(held.sum(axis=0), gpus[:, 0], atol=1e-12)
    assert (held >= 0).all()
    assert (held.sum(axis=1) <= 5 + 1e-12).all()


@pytest.mark.parametrize("seed", range(20))
def test_any_counts_within_the_limits_can_be_shared(seed):
    """Random counts of up to five classes, sorted or not, as long as a group's totals rise."""
    rng = np.random.default_rng(seed)
    jobs, classes, periods = int(rng.integers(2, 12)), int(rng.integers(2, 6)), 8
    limit = rng.uniform(0, 10, (jobs, periods))
    counted = rng.uniform(0, 1, (jobs, classes, periods)) * limit[:, None]
    totals = counted.sum(axis=0)
    rising = (np.diff(totals, axis=0) >= 0).all(axis=0)
    counted[:, :, ~rising] = np.sort(counted[:, :, ~rising], axis=1)
    speed = np.sort(rng.uniform(0.1, 3, classes))[::-1]
    held = np.diff(counted, axis=1, prepend=0.0)
    work, gpus = np.einsum("c,jct->jt", speed, held), held.sum(axis=0)
    found = _shared(work, limit, gpus, speed)
    np.testing.assert_allclose(np.einsum("c,jct->jt", speed, found), work, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=0), gpus, atol=1e-9)
    assert (found >= 0).all()
    assert (found.sum(axis=1) <= limit + 1e-9).all()


def test_classes_in_another_order_are_refused():
    problem = several_classes(3)
    with pytest.raises(SchemaError, match="fastest first"):
        check(problem.assign(speed=problem["speed"].copy(data=problem["speed"].values[:, ::-1])), PROBLEM)
