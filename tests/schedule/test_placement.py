"""Placement: totals re-add to the program, sites change little, every figure about it is honest."""

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.schedule.disaggregate import disaggregate, gpus_by_class
from energy.schedule.table import frame, shape_of
from energy.schema import as_schedule
from tests.program.test_program import solved

SIZES = [
    Size(),
    Size(speeds=2, jobs=20),
    Size(jobs=30, groups=2, utilisation=0.9),
    Size(hours=0.25, periods=96, jobs=6),
]


def dense(schedule):
    """GPUs by (job, pool, time)."""
    out = np.zeros([schedule.sizes[d] for d in ("job", "pool", "time")])
    at = tuple(schedule[f"entry_{d}"].values for d in ("job", "pool", "time"))
    np.add.at(out, at, schedule["entry_gpus"].values)
    return out


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_totals_re_add_to_the_program(size):
    problem = random_problem(size, 2)
    found, _, _ = solved(problem)
    held = dense(disaggregate(problem, found))
    group, pool_class = problem["job_group"].values, problem["pool_class"].values
    for k in range(problem.sizes["group"]):
        np.testing.assert_allclose(held[group == k].sum(axis=0), found["group_gpus"].values[k], atol=1e-5)
        for c in range(problem.sizes["speed_class"]):
            in_class = held[group == k][:, pool_class[k] == c].sum(axis=1)
            np.testing.assert_allclose(in_class, gpus_by_class(problem, found)[group == k, c], atol=1e-5)
            assert (held[group == k][:, pool_class[k] < 0] == 0).all()


def test_work_is_kept():
    problem = random_problem(Size(speeds=2, jobs=20), 4)
    found, _, _ = solved(problem)
    from energy.schedule.dispatch import done

    work = done(problem, disaggregate(problem, found))
    np.testing.assert_allclose(work + found["unserved"].values, problem["work_left"].values, rtol=1e-6)


def test_is_deterministic_and_moves_less_than_a_fresh_start_each_hour():
    problem = random_problem(Size(jobs=30, groups=2, utilisation=0.8), 5)
    found, _, _ = solved(problem)
    first, second = disaggregate(problem, found), disaggregate(problem, found)
    assert first.identical(second)
    backwards = problem.isel(job=slice(None, None, -1))
    mirrored = disaggregate(backwards, found.isel(job=slice(None, None, -1)))
    assert abs(shape_of(mirrored)["moves_per_job"] - shape_of(first)["moves_per_job"]) < 3
    forgetful = shape_of(_without_memory(problem, found))
    assert shape_of(first)["moves_per_job"] <= forgetful["moves_per_job"]


def _without_memory(problem, found):
    """Every hour placed on its own."""
    parts = []
    for t in range(problem.sizes["time"]):
        only = found.copy(deep=True)
        keep = np.arange(problem.sizes["time"]) == t
        only["cumulative_gpus"] = only["cumulative_gpus"] * keep
        only["group_gpus"] = only["group_gpus"] * keep
        entry = disaggregate(problem, only)
        parts.append(np.array([entry[f"entry_{k}"].values for k in ("job", "pool", "time", "gpus")]))
    return as_schedule(problem, *np.concatenate(parts, axis=1))


def test_shape_counts_by_hand():
    """Two jobs over 24 hours: one whole on one site with a pause, one split and moved."""
    problem = random_problem(Size(jobs=2), 0)
    rows = [(0, 0, 0, 8.0), (0, 0, 1, 8.0), (0, 0, 5, 8.0), (1, 0, 2, 1.5), (1, 1, 2, 1.0), (1, 1, 3, 2.0)]
    schedule = as_schedule(problem, *np.array(rows).T)
    assert shape_of(schedule) == {
        "active_job_periods": 5, "fractional_share": 1 / 5, "two_sites_share": 1 / 5,
        "starts_per_job": 3 / 2, "moves_per_job": 1 / 2,
    }  # fmt: skip
    assert list(frame(schedule)["site"]) == ["s0", "s0", "s0", "s0", "s1", "s1"]


def test_an_empty_schedule_has_a_shape():
    problem = random_problem(Size(jobs=2), 0)
    empty = as_schedule(problem, *np.zeros((4, 0)))
    assert shape_of(empty)["active_job_periods"] == 0
