"""Periods and the clock of a site, against figures calculated by hand."""

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from energy.schema.calendar import horizon, local_moment, month_axis, naive_utc, to_utc

OSLO, LONDON = "Europe/Oslo", "Europe/London"


def periods(first, count, hours=1.0):
    step = np.timedelta64(round(hours * 60), "m")
    return horizon(np.datetime64(first, "ns") + np.arange(count) * step, np.full(count, hours))


def test_lengths_may_differ():
    """Two hours in quarters, then an hour, then three: ends, and the hours of the month."""
    starts = ["00:00", "00:15", "00:30", "00:45", "01:00", "02:00"]
    mixed = horizon(np.array([f"2024-01-10T{s}" for s in starts], "datetime64[ns]"), np.array([0.25] * 4 + [1.0, 3.0]))
    assert mixed.ends.astype("datetime64[m]").astype(str).tolist() == [
        "2024-01-10T00:15", "2024-01-10T00:30", "2024-01-10T00:45", "2024-01-10T01:00", "2024-01-10T02:00", "2024-01-10T05:00",
    ]  # fmt: skip
    assert (mixed.start, mixed.end) == (np.datetime64("2024-01-10T00:00"), np.datetime64("2024-01-10T05:00"))
    assert mixed.on_clock(OSLO).months["2024-01"].covered_h == 5


def test_the_same_periods_are_the_same_horizon_with_one_calendar_per_zone():
    first, again = periods("2024-03-30T23:00", 24), periods("2024-03-30T23:00", 24)
    assert first is again
    assert first.on_clock(OSLO) is again.on_clock(OSLO)
    assert first is not periods("2024-03-30T23:00", 24, 0.5)
    assert first.on_clock(OSLO).zone != first.on_clock(LONDON).zone


@pytest.mark.parametrize(
    ("first", "hours", "whole"),
    [("2024-03-30T23:00", 23, 743), ("2024-10-26T22:00", 25, 745), ("2024-01-31T23:00", 24, 696)],
)
def test_days_and_months_with_a_clock_change(first, hours, whole):
    calendar = periods(first, hours).on_clock(OSLO)
    assert set(calendar.day_h) == {hours}
    [month] = calendar.months.values()
    assert (month.whole_h, month.covered_h) == (whole, hours)


def test_a_horizon_over_the_end_of_a_month():
    """22 hours of March from 2024-03-31 00:00 UTC in Oslo, then April; what is left of each at its first period."""
    march, april = periods("2024-03-31T00:00", 48).on_clock(OSLO).months.values()
    assert (march.label, march.covered_h, march.remaining_h) == ("2024-03", 22, 22)
    assert (april.label, april.covered_h, april.remaining_h, april.whole_h) == ("2024-04", 26, 720, 720)
    assert (march.first_day, april.first_day) == (date(2024, 3, 31), date(2024, 4, 1))
    assert (march.inside ^ april.inside).all()
    assert (march.spread_h(False), march.spread_h(True)) == (743, 22)


def test_years_begin_at_local_midnight():
    assert periods("2023-12-31T22:00", 3).on_clock(OSLO).years.tolist() == [2023, 2024, 2024]


def test_months_of_sites_on_different_clocks():
    both = periods("2024-03-31T21:00", 3)
    names, at = month_axis([both.on_clock(OSLO), both.on_clock(LONDON)])
    assert names == ["2024-03", "2024-04"]
    assert at.tolist() == [[0, 1, 1], [0, 0, 1]]


def test_single_moments():
    assert local_moment(np.datetime64("2024-07-01T22:30"), OSLO).isoformat() == "2024-07-02T00:30:00+02:00"
    assert to_utc(datetime(2024, 7, 2, 0, 30), OSLO) == np.datetime64("2024-07-01T22:30")  # noqa: DTZ001
    moment = datetime(2024, 7, 2, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert naive_utc(moment) == naive_utc(naive_utc(moment)) == datetime(2024, 7, 1, 22, 30)  # noqa: DTZ001
