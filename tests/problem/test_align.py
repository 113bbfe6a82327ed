"""Series onto the grid: laws of resampling."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.schema.calendar import horizon
from energy.series.resample import on_grid, worst_on_grid
from tests.few import few

START = np.datetime64("2024-03-31T00:00", "ns")
MINUTE = np.timedelta64(1, "m")
value = st.floats(-500, 500).map(lambda x: round(x, 3))


@st.composite
def series(draw):
    """A step series (values, starts) of uneven steps that covers the grid, and a grid (time, hours)."""
    minutes = draw(st.sampled_from([15, 30, 60]))
    count = draw(st.integers(1, 30))
    time = START + np.arange(count) * minutes * MINUTE
    lead = draw(st.integers(0, 90))
    steps = draw(st.lists(st.sampled_from([5, 10, 15, 30, 60, 180]), min_size=0, max_size=60))
    starts = START + (np.concatenate([[0], np.cumsum(steps, dtype=int)]) - lead) * MINUTE
    starts = starts[starts < time[-1] + minutes * MINUTE]
    values = np.array(draw(st.lists(value, min_size=len(starts), max_size=len(starts))))
    return values, starts, time, minutes / 60


def periods(time, hours):
    return horizon(time, np.full(len(time), hours))


def by_minute(values, starts, time, hours):
    """The series in every minute of every period, (T, minutes)."""
    minutes = time[:, None] + np.arange(round(hours * 60)) * MINUTE
    return values[np.searchsorted(starts, minutes, side="right") - 1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(series())
def test_time_weighted_mean_is_kept(drawn):
    values, starts, time, hours = drawn
    got = on_grid(values, starts, periods(time, hours))
    every = by_minute(*drawn)
    assert got == pytest.approx(every.mean(axis=1), abs=1e-9)
    assert got.mean() == pytest.approx(every.mean(), abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(series())
def test_no_value_is_invented(drawn):
    values, starts, time, hours = drawn
    every, got = by_minute(*drawn), on_grid(values, starts, periods(time, hours))
    assert (got >= every.min(axis=1) - 1e-9).all()
    assert (got <= every.max(axis=1) + 1e-9).all()
    step = by_minute(np.arange(len(values)), starts, time, hours)
    one = step[:, 0] == step[:, -1]
    assert got[one].tolist() == every[one, 0].tolist(), "exactly, where a period lies in one step"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(series(), st.randoms(use_true_random=False))
def test_worst_quality_of_the_period(drawn, random):
    _, starts, time, hours = drawn
    quality = np.array([random.randrange(7) for _ in starts], dtype=np.int8)
    assert (
        worst_on_grid(quality, starts, periods(time, hours)).tolist()
        == by_minute(quality, starts, time, hours).max(axis=1).tolist()
    )


def test_hours_on_quarter_hours_and_back():
    hourly = np.array([10.0, -5.0, 7.5])
    starts = START + np.arange(3) * 60 * MINUTE
    quarters = START + np.arange(12) * 15 * MINUTE
    fine = on_grid(hourly, starts, periods(quarters, 0.25))
    assert fine.tolist() == np.repeat(hourly, 4).tolist()
    assert on_grid(fine, quarters, periods(starts, 1.0)).tolist() == hourly.tolist()


@pytest.mark.parametrize(
    "room", few(["energy.optimize", "energy.inputs.series", "energy.audit.replay", "energy.report.page"], 1)
)
def test_series_that_do_not_share_their_hours_cannot_be_added(room):
    """In a process of its own: the option must come with the package, not with the tests."""
    code = f"""
import {room}, numpy as np, xarray as xr
hours = np.arange(3)
one, other = (xr.DataArray(np.ones(3), {{"time": hours + k}}, "time") for k in (0, 1))
assert (one + one).sum() == 6
one + other
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "AlignmentError" in done.stderr.splitlines()[-1] or "cannot be aligned" in done.stderr.splitlines()[-1]
