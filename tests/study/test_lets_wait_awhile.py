"""The published study: one month on every run of the slow tests, the year by its benchmark."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.lets_wait_awhile import DEADLINES, EXACT, MONTHS, NO_LIMIT, Carbon, intensity, jobs_of, solve_month

SERIES = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module", autouse=True)
def _series():
    if not (SERIES / "carbon").is_dir():
        pytest.skip("development series are not here (../shared/data/carbon)")


def by_sorting(month, deadline):
    """Planned and at-once carbon without a program: each job takes the lowest half-hours of its window."""
    values, at_once, planned = intensity(SERIES), 0.0, 0.0
    for _, job in jobs_of(SERIES, month).iterrows():
        window = values[job["submitted_utc"] : job[DEADLINES[deadline]]].to_numpy()[:-1]
        halves = round(job["duration_h"] * 2)
        at_once += 0.5 * window[:halves].sum()
        planned += 0.5 * np.sort(window)[:halves].sum()
    return at_once, planned


@pytest.mark.slow
@pytest.mark.parametrize("deadline", DEADLINES)
def test_a_month_is_the_sorted_optimum(deadline):
    run, carbon = solve_month(SERIES, 6, deadline)
    at_once, planned = by_sorting(6, deadline)
    assert run.outcome.status == "OK"
    assert carbon.unserved_gpu_hours < 1e-6
    assert carbon.at_once == pytest.approx(at_once, rel=1e-9)
    assert carbon.planned == pytest.approx(planned, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("deadline", DEADLINES)
def test_the_year_saves_what_the_study_could_at_best(deadline):
    total = sum((solve_month(SERIES, month, deadline)[1] for month in MONTHS), Carbon(0.0, 0.0, 0.0))
    assert total.saving == pytest.approx(EXACT[deadline], abs=0.01)


@pytest.mark.slow
def test_a_capacity_limit_costs_some_of_the_saving():
    free, limited = (solve_month(SERIES, 6, "semi-weekly", gpus)[1] for gpus in (NO_LIMIT, 30))
    assert limited.unserved_gpu_hours < 1e-6
    assert limited.planned > free.planned * 1.001
    assert limited.planned < limited.at_once
