"""--fill fills exactly the hours that are missing, labels them, and refuses what it cannot fill."""

import numpy as np
import pytest

from energy.errors import SeriesError
from energy.inputs.provenance import series_origins
from energy.schema import QUALITY

SOUTH = "weather_south.csv"


def labels(problem, name, site):
    """Hours by quality, beside the series' own quality."""
    row = problem[name].sel(site=site).values
    own = "auction" if name == "price_quality" else "forecast"
    return {QUALITY[q]: np.flatnonzero(row == q).tolist() for q in sorted(set(row)) if QUALITY[q] != own}


def test_without_gaps_nothing_changes(case):
    assert case.problem(fill=True).identical(case.problem())


@pytest.mark.parametrize("way", ["dropped", "empty"])
def test_price_gap_takes_the_same_hour_of_the_day_before(case, way):
    whole = case.problem()
    for hour in ("2024-03-05T06", "2024-03-06T07", "2024-03-06T08"):
        case.drop("prices.csv", hour) if way == "dropped" else case.cell("prices.csv", hour, "NO4", "")
    filled = case.problem(fill=True)
    assert labels(filled, "price_quality", "north") == {"persistence": [6, 31, 32]}
    assert labels(filled, "price_quality", "south") == ({"persistence": [6, 31, 32]} if way == "dropped" else {})
    spot, before = filled["spot"].sel(site="north").values, whole["spot"].sel(site="north").values
    assert spot[[31, 32]].tolist() == before[[7, 8]].tolist()
    kept = np.delete(np.arange(48), [6, 31, 32])
    assert spot[kept].tolist() == before[kept].tolist()


def test_price_gap_of_days_takes_the_week_before(case):
    price = {r["utc"]: float(r["NO4"]) for r in case.rows("prices.csv")}
    case.drop("prices.csv", "2024-03-05", "2024-03-06T0", "2024-03-06T1").refused(SeriesError, "44 of 48 periods")
    spot = case.problem(fill=True)["spot"].sel(site="north").values
    assert spot[:24].tolist() == [price[f"2024-03-04T{h:02d}:00:00Z"] for h in range(24)]
    assert spot[24:44].tolist() == [price[f"2024-02-28T{h:02d}:00:00Z"] for h in range(20)]
    assert spot[44:].tolist() == [price[f"2024-03-06T{h:02d}:00:00Z"] for h in range(20, 24)]


def test_horizon_without_any_value_is_not_filled(case):
    case.drop("prices.csv", "2024-03-05", "2024-03-06").refused(SeriesError, "no value inside the horizon", fill=True)


def test_short_price_gap_without_earlier_days_holds_the_value_before(case):
    case.put("prices.csv", [r for r in case.rows("prices.csv") if r["utc"] >= "2024-03-05"])
    spot = case.drop("prices.csv", "2024-03-05T06", "2024-03-05T07").problem(fill=True)["spot"].sel(site="north").values
    assert spot[5] == spot[6] == spot[7]


@pytest.mark.parametrize(
    "gap", [("2024-03-05T00",), ("2024-03-05T06", "2024-03-05T07", "2024-03-05T08", "2024-03-05T09")]
)
def test_price_gap_that_cannot_be_filled(case, gap):
    case.put("prices.csv", [r for r in case.rows("prices.csv") if r["utc"] >= "2024-03-05"])
    case.drop("prices.csv", *gap).refused(SeriesError, "prices.csv: NO4", "cannot be filled at 2024-03-05 0", fill=True)


def test_short_weather_gap_is_a_straight_line_and_a_proxy(case):
    air = case.problem()["temp_air"].sel(site="south").values
    filled = case.drop(SOUTH, "2024-03-05T06", "2024-03-05T07", "2024-03-05T08").problem(fill=True)
    assert labels(filled, "weather_quality", "south") == {"proxy": [6, 7, 8]}
    assert filled["temp_air"].sel(site="south").values[5:10] == pytest.approx(np.linspace(air[5], air[9], 5))
    assert labels(filled, "weather_quality", "north") == labels(case.problem(fill=True), "weather_quality", "north")


def test_long_weather_gap_takes_whole_hours_of_the_day_before(case):
    """Also where only the dew point is missing: half an hour from another day could be no air at all."""
    hours = [f"2024-03-06T{h:02d}" for h in range(2, 9)]
    day_before = case.problem().sel(site="south").isel(time=slice(2, 9))
    for hour in hours:
        case.cell(SOUTH, hour, "temp_dew", "")
    filled = case.problem(fill=True).sel(site="south")
    got = filled.isel(time=slice(26, 33))
    assert set(got["weather_quality"].values) == {QUALITY.index("persistence")}
    for name in ("temp_air", "temp_wet_bulb", "pressure"):
        assert got[name].values.tolist() == day_before[name].values.tolist()
    assert set(filled["weather_quality"].values[:26]) == {QUALITY.index("forecast")}


def test_gap_at_the_edge_of_the_horizon_has_one_side_only(case):
    filled = case.drop(SOUTH, "2024-03-05T00", "2024-03-06T23").problem(fill=True)
    assert labels(filled, "weather_quality", "south") == {"persistence": [0, 47]}


def test_weather_gap_that_cannot_be_filled(case):
    case.put(SOUTH, [r for r in case.rows(SOUTH) if r["utc"] >= "2024-03-05"])
    case.drop(SOUTH, "2024-03-05T00", "2024-03-05T01").refused(
        SeriesError, f"{SOUTH}: weather", "cannot be filled at 2024-03-05 00:00:00Z", fill=True
    )


def test_fill_does_not_hide_other_faults(case):
    case.cell("prices.csv", "2024-03-05T06", "NO4", "inf").refused(SeriesError, "'inf'", fill=True)
    case.cell("prices.csv", "2024-03-05T06", "utc", "2024-03-05T05:00:00Z").refused(
        SeriesError, "duplicated", fill=True
    )


def test_carbon_gap(case):
    case.put("carbon.csv", [{"utc": r["utc"], "SE": 20 + i % 24} for i, r in enumerate(case.rows("prices.csv"))])
    spec = {"file": "carbon.csv", "column": "SE", "unit": "g_per_kwh", "quality": "measured", "source": "made up"}
    case.edit("case.yaml", "carbon.NO4", spec)
    whole = case.problem()["carbon_intensity"].values
    case.cell("carbon.csv", "2024-03-06T05", "SE", "").refused(SeriesError, "carbon.csv: SE", "1 of 48 periods")
    assert case.problem(fill=True)["carbon_intensity"].values.tolist() == whole.tolist()
    [carbon] = [row for row in series_origins(case.inputs(fill=True)) if row["kind"] == "carbon"]
    assert carbon["quality"] == {"measured": 47, "persistence": 1}
