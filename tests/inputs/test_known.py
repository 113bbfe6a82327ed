"""Series as they were known at a moment: blanked by what a value is and when it could have been read."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from energy.errors import SeriesError
from energy.inputs.load import read_inputs
from energy.inputs.resources import root
from energy.problem import assemble
from energy.schema import QUALITY
from energy.series.vintage import as_known, rates_known


def known_until(quality, as_of, price, start="2019-06-10T22:00", hours=96, step="1h"):
    """First moment that is blanked."""
    index = pd.date_range(start, periods=hours, freq=step)
    out = as_known(pd.DataFrame({"x": np.arange(float(hours))}, index=index), quality, as_of, price)
    kept = out["x"].notna()
    assert not kept[kept.idxmin() :].any() or kept.all(), "what is known is known up to one moment"
    assert (out["x"][kept] == np.arange(float(hours))[kept]).all()
    return None if kept.all() else str(kept.idxmin())


@pytest.mark.parametrize(
    ("as_of", "until"),
    [
        (datetime(2019, 6, 12, 10, 59), "2019-06-12 22:00:00"),  # 12:59 in Brussels: not yet out
        (datetime(2019, 6, 12, 11, 0), "2019-06-13 22:00:00"),
        (datetime(2019, 6, 12, 21, 59), "2019-06-13 22:00:00"),
        (datetime(2019, 6, 12, 22, 1), "2019-06-13 22:00:00"),  # the next day, before its auction
    ],
)
def test_auction_prices_are_known_from_one_oclock_the_day_before(as_of, until):
    assert known_until("auction", as_of, price=True) == until
    assert known_until("secondary", as_of, price=True) == until


@pytest.mark.parametrize(
    ("start", "as_of", "until"),
    [
        ("2019-03-30T23:00", datetime(2019, 3, 31, 10, 59), "2019-03-31 22:00:00"),  # 12:59 on the day of 23 hours
        ("2019-03-30T23:00", datetime(2019, 3, 31, 11, 0), "2019-04-01 22:00:00"),
        ("2019-10-26T22:00", datetime(2019, 10, 27, 11, 59), "2019-10-27 23:00:00"),  # on the day of 25 hours
        ("2019-10-26T22:00", datetime(2019, 10, 27, 12, 0), "2019-10-28 23:00:00"),
    ],
)
def test_the_auction_keeps_brussels_time_when_clocks_change(start, as_of, until):
    assert known_until("auction", as_of, True, start) == until


def test_measurements_are_known_when_they_are_over_and_forecasts_always():
    noon = datetime(2019, 6, 12, 12, 0)
    for quality in ("measured", "secondary", "proxy"):
        assert known_until(quality, noon, price=False) == "2019-06-12 12:00:00"
    assert known_until("measured", datetime(2019, 6, 12, 12, 59), price=False) == "2019-06-12 12:00:00"
    assert known_until("proxy", noon, price=True) == "2019-06-12 12:00:00", "an index of the day is no auction"
    assert known_until("measured", noon, False, hours=400, step="15min") == "2019-06-12 12:00:00"
    for quality in ("forecast", "persistence", "scenario"):
        assert known_until(quality, noon, price=False) is None
    assert known_until("measured", None, price=False) is None


def test_each_row_by_its_own_quality():
    index = pd.date_range("2019-06-12T10:00", periods=4, freq="1h")
    labels = pd.Series(["measured", "forecast", "measured", "forecast"], index=index)
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [5.0, 6, 7, 8]}, index=index)
    out = as_known(frame, labels, datetime(2019, 6, 12, 11, 0), price=False)
    assert out["a"].tolist()[:2] + out["b"].tolist()[3:] == [1.0, 2.0, 8.0]
    assert out.loc[index[2]].isna().all()


def test_rates_from_four_oclock_on_their_day():
    days = pd.DatetimeIndex(["2019-06-11", "2019-06-12"])
    assert rates_known(days, datetime(2019, 6, 12, 13, 59)).tolist() == [True, False]
    assert rates_known(days, datetime(2019, 6, 12, 14, 0)).tolist() == [True, True]
    assert rates_known(days, None).tolist() == [True, True]


def test_the_reference_case_as_known_in_its_middle():
    """Hours after what was known are carried over and labelled; those before are what they were."""
    path = root() / "models" / "cases" / "reference.yaml"
    whole = read_inputs(path)
    start, end = whole.case.horizon.bounds()
    middle = start + (end - start) / 2
    as_of = middle.astype("datetime64[s]").astype(object)
    then = read_inputs(path, fill=True, as_of=as_of)
    assert then.as_of == as_of
    persistence = QUALITY.index("persistence")
    changed = 0
    for kind in ("prices", "weather"):
        for name, ds in getattr(whole.series, kind).items():
            seen, flags = getattr(then.series, kind)[name], getattr(then.series, kind)[name]["quality"].values
            same = flags != persistence
            for variable in ds.data_vars:
                assert (seen[variable].values[same] == ds[variable].values[same]).all(), (kind, name, variable)
            changed += int((~same).sum())
            assert not (~same)[ds["time"].values < middle - np.timedelta64(1, "D")].any(), "the past is known"
    assert changed, "something of the reference case was measured"
    assert assemble(then)["price_quality"].values.max() >= persistence
    with pytest.raises(SeriesError, match="missing or NaN"):
        read_inputs(path, as_of=as_of)
