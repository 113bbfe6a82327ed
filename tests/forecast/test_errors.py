"""Errors by days ahead: whoever knows all is never wrong, last week's hour is the measure."""

import numpy as np
import pytest

from energy.forecast import Forecast, errors, same_hour_last_week, shape
from tests.forecast.series import hours, noise

TIME = hours("2024-01-01T00:00", 60 * 24)
PRICE = noise(len(TIME), 7)
ORIGINS = [TIME[24 * d] for d in (30, 35, 40)]


def test_last_week_is_the_measure():
    found = errors(TIME, PRICE, same_hour_last_week, ORIGINS, (1, 7, 8))
    assert found.relative == pytest.approx((1.0, 1.0, 1.0))
    assert found.hours == (72, 72, 72)
    by_hand = np.mean([np.abs(PRICE[h : h + 24] - PRICE[h - 168 : h - 144]).mean() for h in (720, 840, 960)])
    assert found.last_week[0] == pytest.approx(by_hand)


def test_last_week_behind_a_week_is_the_one_that_is_known():
    got = same_hour_last_week(TIME, PRICE, ORIGINS[0], TIME[720:1080]).values
    np.testing.assert_array_equal(got[:168], PRICE[552:720])
    np.testing.assert_array_equal(got[168:336], PRICE[552:720])


def test_perfect_foresight_has_no_error():
    def oracle(time, values, origin, future):
        return Forecast(values[np.searchsorted(time, future)], "oracle", 1.0)

    assert errors(TIME, PRICE, oracle, ORIGINS, (1, 2)).error == (0.0, 0.0)


def test_missing_truth_does_not_count():
    holes = PRICE.copy()
    holes[720:730] = np.nan
    assert errors(TIME, holes, shape, ORIGINS, (1,)).hours == (62,)


def test_constant_price_has_no_relative_error():
    assert np.isnan(errors(TIME, np.full(len(TIME), 30.0), shape, ORIGINS, (1,)).relative[0])
