"""The `shape` rule: its formula by hand, its laws, clock changes, gaps and short histories."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.forecast import shape
from tests.forecast.series import STARTS, ZONES, hours, noise

BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, database=None)
DAYS = 35


def history(start, seed=0, days=DAYS, step_min=60):
    """Series that ends where the forecast begins, and five days to forecast."""
    steps = days * 24 * 60 // step_min
    origin = np.datetime64(start, "ns")
    time = hours(origin - np.timedelta64(days, "D"), steps, step_min)
    return time, noise(steps, seed), origin, hours(origin, 5 * 24 * 60 // step_min, step_min)


def test_formula_by_hand():
    """Four weeks of 30, except that Mondays at 10:00 cost 100, then the last week 10 lower and its last day 4 higher."""
    time, _, origin, future = history("2024-06-10T00:00", days=28)  # a Monday
    monday_ten = (pd.DatetimeIndex(time).day_of_week == 0) & (pd.DatetimeIndex(time).hour == 10)
    price = np.where(monday_ten, 100.0, 30.0)
    price[-168:] -= 10
    price[-24:] += 4
    level = (24.0 + price[-168:].mean()) / 2
    got = shape(time, price, origin, future)
    assert got.values[10] == pytest.approx(level + price[monday_ten].mean() - price.mean())
    assert got.values[9] == pytest.approx(level + price[9::168].mean() - price.mean())
    assert (got.method, got.notes, got.history_days) == ("shape", (), 28.0)


@BOUNDED
@given(start=st.sampled_from(STARTS), zone=st.sampled_from(ZONES), a=st.floats(-3, 3), b=st.floats(-50, 50))
def test_follows_scale_and_shift(start, zone, a, b):
    time, price, origin, future = history(start)
    plain = shape(time, price, origin, future, zone).values
    np.testing.assert_allclose(shape(time, a * price + b, origin, future, zone).values, a * plain + b, atol=1e-9)


@BOUNDED
@given(start=st.sampled_from(STARTS), zone=st.sampled_from(ZONES), seed=st.integers(0, 99))
def test_knows_nothing_of_the_future(start, zone, seed):
    """What stands at or after the first unknown moment changes nothing, whether numbers, NaN or not there."""
    time, price, origin, future = history(start, seed)
    alone = shape(time, price, origin, future, zone).values
    longer = np.concatenate([time, future])
    for rest in (np.full(len(future), np.nan), np.full(len(future), 9e9)):
        np.testing.assert_array_equal(alone, shape(longer, np.append(price, rest), origin, future, zone).values)


@BOUNDED
@given(start=st.sampled_from(STARTS), zone=st.sampled_from(ZONES), seed=st.integers(0, 99))
def test_shape_of_the_local_week_is_kept_across_clock_changes(start, zone, seed):
    """A price that follows the local clock alone: differences between forecast hours are those of the clock's hours."""
    time, _, origin, future = history(start)
    week = np.random.default_rng(seed).normal(40, 10, 168)

    def by_clock(t):
        local = pd.DatetimeIndex(t).tz_localize("UTC").tz_convert(zone)
        return week[local.day_of_week * 24 + local.hour]

    got = shape(time, by_clock(time), origin, future, zone).values
    np.testing.assert_allclose(got - got[0], by_clock(future) - by_clock(future)[0], atol=1e-9)


@BOUNDED
@given(start=st.sampled_from(STARTS), seed=st.integers(0, 999), share=st.floats(0.0, 0.95))
def test_gaps_are_survived_and_absent_rows_are_nan(start, seed, share):
    time, price, origin, future = history(start, seed)
    gone = np.random.default_rng(seed).random(len(price)) < share
    gone[:2] = False  # neighbours, so that the step of what is left is an hour
    holes = shape(time, np.where(gone, np.nan, price), origin, future).values
    assert np.isfinite(holes).all()
    np.testing.assert_array_equal(holes, shape(time[~gone], price[~gone], origin, future).values)


@pytest.mark.parametrize("minutes", [15, 30])
@pytest.mark.parametrize("start", STARTS)
def test_finer_steps_of_an_hourly_price_give_the_same(start, minutes):
    """Hourly history told in quarters, forecast in quarters or hours; hourly history, forecast in quarters."""
    time, price, origin, future = history(start)
    parts = 60 // minutes
    fine_time, fine_price = history(start, step_min=minutes)[0], np.repeat(price, parts)
    fine_future = hours(origin, len(future) * parts, minutes)
    coarse = shape(time, price, origin, future, "Europe/Oslo").values
    for t, p in ((fine_time, fine_price), (time, price)):
        np.testing.assert_allclose(shape(t, p, origin, fine_future, "Europe/Oslo").values, np.repeat(coarse, parts))
    np.testing.assert_allclose(shape(fine_time, fine_price, origin, future, "Europe/Oslo").values, coarse)


@pytest.mark.parametrize(("days", "method", "note"), [
    (28, "shape", None), (27, "shape", "3 of 4 weeks"), (7, "shape", "1 of 4 weeks"), (6, "day shape", "shape of a day"),
    (1, "day shape", "shape of a day"), (0.5, "mean", "their mean"),
])  # fmt: skip
def test_short_history_is_said(days, method, note):
    time, price, origin, future = history("2024-06-10T00:00")
    steps = int(days * 24)
    got = shape(time[-steps:], price[-steps:], origin, future)
    assert (got.method, got.history_days) == (method, days)
    assert (got.notes == ()) if note is None else any(note in n for n in got.notes)
    assert np.isfinite(got.values).all()


def test_below_a_week_the_shape_of_the_day():
    """Three days of a price by hour: the forecast repeats it."""
    time, _, origin, future = history("2024-06-10T00:00", days=3)
    day = np.arange(24.0) ** 2
    np.testing.assert_allclose(shape(time, np.tile(day, 3), origin, future).values, np.tile(day, 5))


def test_missing_last_day_and_week_are_said():
    time, price, origin, future = history("2024-06-10T00:00")
    day, week = price.copy(), price.copy()
    day[-20:] = np.nan
    week[-170:] = np.nan
    assert "less than half of the last day" in shape(time, day, origin, future).notes[-1]
    assert "no value of the last week" in shape(time, week, origin, future).notes[-1]
    old = np.where(np.arange(len(price)) < 24, price, np.nan)  # known five weeks ago only
    assert np.isfinite(shape(time, old, origin, future).values).all()


def test_nothing_known_is_an_error():
    time, price, origin, future = history("2024-06-10T00:00")
    with pytest.raises(ValueError, match="no value before 2024-06-10T00:00Z"):
        shape(time, np.full(len(price), np.nan), origin, future)
