"""Grids: clock changes, quarter hours, months in site-local time."""

import numpy as np
import pandas as pd
import pytest

from energy.errors import SeriesError
from tests.cases import SmallCase

OSLO = "Europe/Oslo"


@pytest.mark.parametrize(("start", "hours", "first"), [
    ("2024-03-25", 167, "2024-03-24T23:00"),
    ("2024-10-21", 169, "2024-10-20T22:00"),
    ("2024-03-18", 168, "2024-03-17T23:00"),
])  # fmt: skip
@pytest.mark.parametrize("minutes", [60, 15])
def test_local_week_across_a_clock_change(tmp_path, start, hours, first, minutes):
    case = SmallCase(tmp_path, start, days=7, zone=OSLO, minutes=minutes)
    problem = case.problem()
    assert problem.sizes["time"] == hours * 60 // minutes
    assert problem["time"].values[0] == np.datetime64(first)
    local = pd.DatetimeIndex(problem["time"].values).tz_localize("UTC").tz_convert(OSLO)
    assert local[0] == pd.Timestamp(start, tz=OSLO)
    assert local[-1] + pd.Timedelta(minutes=minutes) == pd.Timestamp(start, tz=OSLO) + pd.DateOffset(days=7)
    assert float(problem["dt"].sum()) == hours


def test_quarter_hour_grid_with_hourly_prices_and_weather(tmp_path):
    (tmp_path / "h").mkdir()
    (tmp_path / "q").mkdir()
    hourly, quarter = SmallCase(tmp_path / "h").problem(), SmallCase(tmp_path / "q", minutes=15).problem()
    assert quarter.sizes["time"] == 4 * hourly.sizes["time"]
    assert set(quarter["dt"].values) == {0.25}
    for name in ("spot", "temp_air", "temp_wet_bulb", "pressure", "energy_charge"):
        assert quarter[name].values.tolist() == np.repeat(hourly[name].values, 4, axis=1).tolist(), name
    window = quarter["open"].sel(job="j5").values  # +1.5h … +20.25h
    assert window.tolist() == [0] * 6 + [1] * 75 + [0] * 111
    assert quarter["charge_rate"].values == pytest.approx(hourly["charge_rate"].values)


def test_quarter_hour_prices_on_an_hourly_grid(case):
    expected = case.problem()["spot"].values
    quarters = [
        {
            "utc": r["utc"].replace(":00:00Z", f":{15 * q:02d}:00Z"),
            "NO4": float(r["NO4"]) + (q - 1.5),
            "DE-LU": r["DE-LU"],
        }
        for r in case.rows("prices.csv")
        for q in range(4)
    ]
    assert case.put("prices.csv", quarters).problem()["spot"].values == pytest.approx(expected, rel=1e-12)


def test_file_that_changes_from_hours_to_quarter_hours(case):
    """The day-ahead market did on 2025-10-01; a horizon after the change sees quarter hours only."""
    quarters = []
    for r in case.rows("prices.csv"):
        parts = range(4) if r["utc"] >= "2024-03-05" else range(1)
        quarters += [r | {"utc": r["utc"].replace(":00:00Z", f":{15 * q:02d}:00Z")} for q in parts]
    expected = case.problem()["spot"].values
    case.put("prices.csv", quarters)
    assert case.problem()["spot"].values == pytest.approx(expected, rel=1e-12)
    case.drop("prices.csv", "2024-03-05T06:15")
    case.refused(SeriesError, "1 of 192 periods of 15 min")


def test_weather_at_half_past(case):
    """Stations that report at half past the hour: each period takes half of two values."""
    rows = case.rows("weather_south.csv")
    air = {r["utc"]: float(r["temp_air"]) for r in rows}
    case.put("weather_south.csv", [r | {"utc": r["utc"].replace(":00:00Z", ":30:00Z")} for r in rows])
    got = case.problem()["temp_air"].sel(site="south").values
    assert got[0] == pytest.approx((air["2024-03-04T23:00:00Z"] + air["2024-03-05T00:00:00Z"]) / 2)


def test_month_changes_at_local_midnight_of_each_site(tmp_path):
    case = SmallCase(tmp_path, "2024-03-31").edit("fleet.yaml", "sites.south.time_zone", "Europe/London")
    problem = case.problem()
    assert problem["month"].values.tolist() == ["2024-03", "2024-04"]
    changes = {s: int(np.argmax(problem["month_of"].sel(site=s).values)) for s in ("north", "south")}
    assert changes == {"north": 22, "south": 23}  # Oslo 00:00 CEST, London 00:00 BST
    rate = problem["charge_rate"].sel(charge=["north:peak@2024-03", "north:peak@2024-04"], rate_band=0).values
    # 3100 EUR per MW and month; March has 743 hours, April 720
    assert rate == pytest.approx([3100 * 22 / 743, 3100 * 26 / 720])


def test_month_of_the_horizon_in_full_bears_the_whole_demand_charge(tmp_path):
    case = SmallCase(tmp_path, "2024-02-01", days=29, zone=OSLO)
    assert float(case.problem()["charge_rate"].sel(charge="north:peak@2024-02", rate_band=0)) == pytest.approx(3100)


def test_tariff_changes_at_local_midnight(case):
    later = {
        "name": "tax",
        "kind": "energy",
        "valid_from": "2024-03-06",
        "value": 90,
        "unit": "NOK/MWh",
        "source": "made up",
        "confidence": "L",
    }
    components = [*case.yaml("tariff.yaml")["components"], later]
    charge = case.edit("tariff.yaml", "components", components).problem()["energy_charge"].sel(site="north").values
    assert charge == pytest.approx([8.0] * 23 + [9.0] * 25)


def test_start_alone_keeps_the_number_of_days(case):
    assert case.inputs(start="2024-03-04").horizon.time[[0, -1]].astype("datetime64[h]").astype(str).tolist() == [
        "2024-03-04T00",
        "2024-03-05T23",
    ]
    assert len(case.inputs(end="2024-03-07").horizon) == 72
