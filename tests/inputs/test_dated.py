"""Quantities that change on given dates, in site-local time across daylight saving."""

from datetime import datetime

import numpy as np
import pytest
from pydantic import TypeAdapter

from energy.inputs.dated import Dated, at, constant
from energy.schema.calendar import to_utc
from tests.cases import SmallCase

OSLO = "Europe/Oslo"
POOL = "sites.north.halls.liquid.pools.gb300"


READER = TypeAdapter(Dated)


def steps(*pairs):
    """A dated quantity as it stands in a file."""
    return READER.validate_python([{"from": day, "value": value} for day, value in pairs])


def hours(first, count):
    return np.datetime64(first, "ns") + np.arange(count) * np.timedelta64(1, "h")


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2024-01-15T00:00", "2024-01-14T23:00"),
        ("2024-07-15T00:00", "2024-07-14T22:00"),
        ("2024-03-31T02:30", "2024-03-31T01:00"),  # the clock jumps from 2 to 3: the first moment after
        ("2024-10-27T02:30", "2024-10-27T00:30"),  # shown twice: the first time
    ],
)
def test_site_local_moments(local, utc):
    assert to_utc(datetime.fromisoformat(local), OSLO) == np.datetime64(utc)


def test_steps_begin_at_local_midnight_on_both_sides_of_the_clock_change():
    phases = steps(("2024-01-01", 1), ("2024-03-31", 2), ("2024-04-01", 3))
    got = at(phases, hours("2024-03-30T22:00", 26), OSLO)
    assert got.tolist() == [1] + [2] * 23 + [3] * 2  # the 31st has 23 hours: 23:00Z to 22:00Z


def test_a_period_that_begins_before_a_step_keeps_the_old_value():
    phases = steps(("2024-01-01", 1), ("2024-06-01T12:30", 2))
    assert at(phases, hours("2024-06-01T09:00", 4), OSLO).tolist() == [1, 1, 2, 2]


def test_a_number_always_held():
    assert at(constant(7.0), hours("1950-01-01", 2), OSLO).tolist() == [7, 7]
    assert at(READER.validate_python(7), hours("1950-01-01", 2), OSLO).tolist() == [7, 7]


def test_dates_moments_and_texts_mean_the_same():
    moment = datetime(2024, 1, 1)  # noqa: DTZ001 - site-local
    ways = (moment, moment.date(), "2024-01-01", "2024-01-01T00:00", "2024-01-01 00:00:00")
    assert len({steps((way, 1.0)) for way in ways}) == 1


def test_phases_that_arrive_mid_week(case):
    case.edit(
        "fleet.yaml", f"{POOL}.count", [{"from": "2020-01-01", "value": 600}, {"from": "2024-03-06", "value": 800}]
    )
    case.edit(
        "fleet.yaml",
        "sites.south.grid_limit_mw",
        [{"from": "2020-01-01", "value": 2}, {"from": "2024-03-05T06:00", "value": 1.8}],
    )
    problem = case.problem()
    assert problem["available"].sel(pool="north/liquid/gb300").values.tolist() == [600] * 23 + [800] * 25
    assert problem["grid_limit_mw"].sel(site="south").values.tolist() == [2] * 5 + [1.8] * 43


@pytest.mark.parametrize(
    ("begin", "end", "lost"),
    [
        ("2024-03-05T08:00", "2024-03-05T10:00", {7: 100, 8: 100}),  # Oslo is an hour ahead
        ("2024-03-05T08:15", "2024-03-05T10:45", {7: 75, 8: 100, 9: 75}),
        ("2024-03-05T08:20", "2024-03-05T08:32", {7: 20}),
        ("2024-03-04T12:00", "2024-03-05T01:30", {0: 50}),
    ],
)
def test_maintenance_takes_the_share_of_each_hour_that_it_covers(case, begin, end, lost):
    case.edit("fleet.yaml", f"{POOL}.maintenance", [{"from": begin, "to": end, "gpus": 100}])
    gone = 800 - case.problem()["available"].sel(pool="north/liquid/gb300").values
    assert {int(t): round(float(gone[t]), 9) for t in np.flatnonzero(gone)} == lost


def test_gpus_in_maintenance_draw_their_power_switched_off(case):
    case.edit(
        "fleet.yaml", f"{POOL}.maintenance", [{"from": "2024-03-05T08:00", "to": "2024-03-05T09:00", "gpus": 100}]
    )
    firm = case.problem()["firm_it_mw"].sel(hall="north/liquid").values
    assert firm[7] - firm[6] == pytest.approx(100 * 0.03e-3)


def test_maintenance_across_a_clock_change_has_its_true_length(tmp_path):
    case = SmallCase(tmp_path, "2024-03-30")
    window = [{"from": "2024-03-31T01:30", "to": "2024-03-31T03:30", "gpus": 60}]  # one hour by the sun
    gone = (
        800
        - case.edit("fleet.yaml", f"{POOL}.maintenance", window)
        .problem()["available"]
        .sel(pool="north/liquid/gb300")
        .values
    )
    assert gone[23:28].tolist() == [0, 30, 30, 0, 0]
