"""Weather ahead: carries the last days on, fades into the season, keeps dew point below dry bulb."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.forecast import weather_ahead
from energy.forecast.weather import FADES_H
from tests.forecast.series import hours, noise

BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, database=None)
ORIGIN = np.datetime64("2024-06-10T00:00", "ns")
FUTURE = hours(ORIGIN, 10 * 24)


def before(days):
    return hours(ORIGIN - np.timedelta64(days, "D"), days * 24)


def test_short_history_goes_on():
    """Ten days: the mean day of the last two, for ever."""
    day, odd = np.arange(24.0), np.full(24, 3.0)
    got = weather_ahead(before(10), np.concatenate([np.tile(odd, 8), day, day + 2]), ORIGIN, FUTURE)
    np.testing.assert_allclose(got.values, np.tile(day + 1, 10))
    assert got.method == "persistence"
    assert "no season" in got.notes[-1]


def test_fades_into_the_last_month():
    """28 days of 10 degrees, the last two of them at 24: season 11; 13 above it at first, fading to 1/e in FADES_H."""
    values = np.full(28 * 24, 10.0)
    values[-48:] = 24.0
    got = weather_ahead(before(28), values, ORIGIN, FUTURE)
    lead = np.arange(240.0)
    np.testing.assert_allclose(got.values, 11.0 + 13.0 * np.exp(-lead / FADES_H))
    assert (got.method, got.notes) == ("persistence to season", ())


def test_season_of_earlier_years_where_there_are_some():
    """Two years in which the date alone says how warm it is: far ahead the forecast is the mean about the same date."""
    time = before(800)
    day_of_year = (time - time.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    values = 10 * np.sin(2 * np.pi * day_of_year / 365.25)
    values[-48:] += 8
    got = weather_ahead(time, values, ORIGIN, hours(ORIGIN, 60 * 24))
    late = 10 * np.sin(2 * np.pi * (161 + 59.5) / 365.25)
    assert got.values[-24:].mean() == pytest.approx(late, abs=0.3)
    assert got.values[0] == pytest.approx(values[-48:].mean(), abs=0.5)


@BOUNDED
@given(seed=st.integers(0, 999), days=st.integers(2, 60), share=st.floats(0, 0.9))
def test_dew_point_stays_below_dry_bulb_and_inside_what_was(seed, days, share):
    rng = np.random.default_rng(seed)
    time, air = before(days), noise(days * 24, seed, level=5.0)
    dew = air - rng.uniform(0, 6, len(air))
    gone = rng.random(len(air)) < share
    gone[:2] = False
    air, dew = (np.where(gone, np.nan, v) for v in (air, dew))
    ahead = [weather_ahead(time, v, ORIGIN, FUTURE).values for v in (air, dew)]
    assert (ahead[1] <= ahead[0] + 1e-9).all()
    assert (ahead[0] <= np.nanmax(air) + 1e-9).all()
    assert (ahead[0] >= np.nanmin(air) - 1e-9).all()


@BOUNDED
@given(seed=st.integers(0, 99), step=st.sampled_from([15, 30]))
def test_market_time_unit_does_not_matter(seed, step):
    time, air = before(40), noise(960, seed)
    parts = 60 // step
    fine = weather_ahead(hours(time[0], 960 * parts, step), np.repeat(air, parts), ORIGIN, FUTURE).values
    coarse = weather_ahead(time, air, ORIGIN, FUTURE).values
    np.testing.assert_allclose(fine, coarse)


def test_nothing_of_the_future_is_known():
    time, air = before(40), noise(960)
    alone = weather_ahead(time, air, ORIGIN, FUTURE).values
    longer = weather_ahead(np.append(time, FUTURE), np.append(air, np.full(240, 99.0)), ORIGIN, FUTURE).values
    np.testing.assert_array_equal(alone, longer)


def test_last_days_missing_are_said():
    air = noise(960)
    air[-72:] = np.nan
    got = weather_ahead(before(40), air, ORIGIN, FUTURE)
    assert "nothing is known of the last 2 days" in got.notes[0]
    with pytest.raises(ValueError, match="no value before"):
        weather_ahead(before(40), np.full(960, np.nan), ORIGIN, FUTURE)
