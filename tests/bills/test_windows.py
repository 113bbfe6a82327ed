"""Windows: months, weekdays, hours and public holidays on the site's clock."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from energy.inputs.dated import ALWAYS, Window, is_holiday
from energy.schema.calendar import horizon

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def hours(start, end, zone="Europe/Berlin"):
    """Local hours from one day to before another."""
    return calendar(pd.date_range(start, end, freq="h", tz=zone, inclusive="left"))


def calendar(local, hours=1.0):
    """Periods that start at local moments."""
    time = local.tz_convert("UTC").tz_localize(None).to_numpy()
    return horizon(time, np.full(len(time), hours)).on_clock(str(local.tz))


def count(window, start, end, country="DE"):
    """Hours that count."""
    return int(Window.model_validate(window).holds(hours(start, end), country).sum())


#: A holiday of each country, one of its neighbours' that it does not have, in 2024.
HOLIDAYS = {
    "NO": ("2024-05-17", "2024-06-06"),
    "SE": ("2024-06-06", "2024-05-17"),
    "FI": ("2024-12-06", "2024-06-06"),
    "DK": ("2024-12-26", "2024-05-17"),
    "DE": ("2024-10-03", "2024-07-14"),
    "FR": ("2024-07-14", "2024-10-03"),
    "NL": ("2024-04-27", "2024-05-01"),
    "GB": ("2024-05-06", "2024-05-01"),
    "PT": ("2024-04-25", "2024-12-26"),
}


@pytest.mark.parametrize(("country", "days"), HOLIDAYS.items())
def test_holidays_by_country(country, days):
    mine, other = days
    assert is_holiday(pd.DatetimeIndex([mine, f"{mine} 23:45"]), country).all()
    assert not is_holiday(pd.DatetimeIndex([other]), country).any()


@pytest.mark.parametrize("country", HOLIDAYS)
def test_easter_moves(country):
    """Good Friday 2024 and 2025 (Easter Monday for France), and not on the other year's date."""
    day = {2024: "2024-04-01", 2025: "2025-04-21"} if country == "FR" else {2024: "2024-03-29", 2025: "2025-04-18"}
    if country == "NL":  # Good Friday is no day off there
        day = {2024: "2024-04-01", 2025: "2025-04-21"}
    assert is_holiday(pd.DatetimeIndex(list(day.values())), country).all()
    assert not is_holiday(pd.DatetimeIndex([day[2024].replace("2024", "2025")]), country).any()


def test_ordinary_days_are_no_holidays():
    assert not any(is_holiday(pd.date_range("2024-02-05", "2024-02-11"), c).any() for c in HOLIDAYS)


def test_a_country_without_a_calendar_is_refused():
    with pytest.raises(ValueError, match="'XX'"):
        is_holiday(pd.DatetimeIndex(["2024-01-01"]), "XX")


def test_always():
    assert ALWAYS.holds(hours("2024-01-01", "2024-01-03"), "DE").all()


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"months": [2]}, 29 * 24),
        ({"weekdays": ["sun"]}, 4 * 24 + 4 * 24),  # four Sundays in January and in February 2024
        ({"hours": [[7, 9]]}, (31 + 29) * 2),
        ({"hours": [[0, 6], [22, 24]]}, (31 + 29) * 8),
        ({"months": [1], "weekdays": list(WEEKDAYS), "hours": [[16, 19]]}, 23 * 3),
        ({"months": [1], "weekdays": list(WEEKDAYS), "hours": [[16, 19]], "holidays": "excluded"}, 22 * 3),
        ({"holidays": "only"}, 24),  # 1 January
        ({"weekdays": ["sun"], "holidays": "included"}, 9 * 24),
        ({"weekdays": ["sun"], "holidays": "only"}, 0),
        ({"months": [2], "weekdays": ["sun"], "holidays": "included"}, 4 * 24),  # 1 January is outside
    ],
)
def test_january_and_february_2024_in_germany(window, expected):
    """60 days; 1 January is a Monday and a holiday."""
    assert count(window, "2024-01-01", "2024-03-01") == expected


@pytest.mark.parametrize(("day", "expected"), [("2024-03-31", 5), ("2024-10-27", 7), ("2024-10-28", 6)])
def test_the_night_on_days_of_23_and_25_hours(day, expected):
    after = str((pd.Timestamp(day) + pd.Timedelta(days=1)).date())
    assert count({"hours": [[0, 6]]}, day, after) == expected


def test_a_quarter_hour_belongs_to_the_hour_it_starts_in():
    quarters = pd.DatetimeIndex(
        ["2024-01-02 06:45", "2024-01-02 07:00", "2024-01-02 08:45", "2024-01-02 09:00"], tz="Europe/Berlin"
    )
    assert list(Window(hours=((7, 9),)).holds(calendar(quarters, 0.25), "DE")) == [False, True, True, False]


@pytest.mark.parametrize("hours", [[9, 7], [7, 7], [22, 25], [-1, 5]])
def test_hours_run_forward_within_a_day(hours):
    with pytest.raises(ValidationError):
        Window.model_validate({"hours": [hours]})


@pytest.mark.parametrize("months", [[0], [13]])
def test_months_are_months(months):
    with pytest.raises(ValidationError):
        Window.model_validate({"months": months})
