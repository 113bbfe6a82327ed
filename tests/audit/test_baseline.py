"""Run-now: first come first served, home first, within every physical limit, for equal work."""

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.audit.verdict import late
from energy.schedule.dispatch import done, run_now
from tests.schedule.test_placement import dense

SIZES = [Size(), Size(jobs=40, utilisation=0.9), Size(speeds=3, jobs=20), Size(hours=0.25, periods=96, jobs=6)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_obeys_physics_and_does_the_work(size, seed):
    problem = random_problem(size, seed)
    work = problem["work_left"].values
    schedule = run_now(problem, work, [None] * len(work))
    held = dense(schedule)
    assert (held.sum(axis=0) <= (problem["available"] - problem["firm"]).values + 1e-6).all()
    assert (held.sum(axis=1) <= problem["max_gpus"].values[:, None] + 1e-6).all()
    added = (problem["busy_mw"] - problem["idle_mw"]).values[:, None] * held.sum(axis=0)
    assert (problem["base_it"].values + added <= problem["hall_mw"].values + 1e-6).all()
    first = np.argmax(problem["open"].values > 0, axis=1)
    assert all((held[j, :, : first[j]] == 0).all() for j in range(len(work)))
    finished = done(problem, schedule)
    assert (finished <= work * (1 + 1e-9)).all()
    if size.utilisation < 0.9 and size.speeds == 1:  # fuller or slower fleets cannot finish without looking ahead
        np.testing.assert_allclose(finished, work, rtol=1e-6)


def test_runs_at_home_at_once_when_there_is_room():
    """One job of 10 GPUs, 25 GPU-hours: 10, 10 and 5 GPUs in the three hours after its release."""
    problem = random_problem(Size(jobs=1, groups=1), 3)
    open_at_four = np.zeros((1, 24))
    open_at_four[0, 4:20] = 1.0
    problem = problem.assign(open=(("job", "time"), open_at_four), max_gpus=("job", [10.0]), work_left=("job", [25.0]))
    held = dense(run_now(problem, np.array([25.0]), ["s0"]))
    np.testing.assert_allclose(held[0, 0, 4:8], [10, 10, 5, 0])
    assert held.sum() == pytest.approx(25)


def test_spills_to_the_next_eligible_site_when_home_is_full():
    problem = random_problem(Size(jobs=1, groups=1), 3)
    eligible = np.zeros((1, 3), int)
    room = problem["available"].values.copy()
    room[0] = problem["firm"].values[0] + 6
    problem = problem.assign(
        pool_class=(("group", "pool"), eligible), max_gpus=("job", [10.0]), available=(("pool", "time"), room)
    )
    held = dense(run_now(problem, problem["work_left"].values, ["s0"]))
    first = int(np.argmax(problem["open"].values[0] > 0))
    assert held[0, 0, first] == pytest.approx(6)
    assert held[0, 1, first] == pytest.approx(4)


def test_late_work_goes_on_and_is_counted():
    """Work that does not fit its window continues behind the deadline: 2 h of 10 GPUs late."""
    problem = random_problem(Size(jobs=1, groups=1), 3)
    window = np.zeros((1, 24))
    window[0, 2:5] = 1.0
    problem = problem.assign(open=(("job", "time"), window), max_gpus=("job", [10.0]), work_left=("job", [30.0]))
    schedule = run_now(problem, np.array([50.0]), ["s0"])
    assert done(problem, schedule)[0] == pytest.approx(50)
    assert late(problem, schedule) == pytest.approx(20)
