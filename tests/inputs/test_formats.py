"""The same series in another file format, unit or measure of humidity is the same Problem."""

import gzip

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from energy.errors import SeriesError
from energy.plant import psychrometrics as moist
from energy.plant import weather_from
from energy.schema import QUALITY
from tests.cases import SmallCase

INSIDE = "2024-03-05T06:00"
SOUTH = "weather_south.csv"


def table(case, file):
    return pd.read_csv(case.folder / file)


def as_gzip(case, file):
    (case.folder / "other.csv.gz").write_bytes(gzip.compress((case.folder / file).read_bytes()))
    return "other.csv.gz"


def as_parquet(case, file):
    table(case, file).to_parquet(case.folder / "other.parquet")
    return "other.parquet"


def as_parquet_with_index(case, file):
    frame = table(case, file)
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.pop("utc")), name="time").as_unit("ms")
    frame.to_parquet(case.folder / "other.pq")
    return "other.pq"


def as_netcdf(case, file):
    frame = table(case, file)
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.pop("utc")).dt.tz_localize(None), name="time")
    xr.Dataset.from_dataframe(frame).to_netcdf(case.folder / "other.nc", engine="h5netcdf")
    return "other.nc"


def as_netcdf_matrix(case, file):
    frame = table(case, file)
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.pop("utc")).dt.tz_localize(None), name="time")
    matrix = xr.DataArray(frame.to_numpy(), {"time": frame.index, "zone": list(frame)}, name="price")
    matrix.to_dataset().assign(note=0.0).to_netcdf(case.folder / "other.nc4", engine="h5netcdf")
    return "other.nc4"


def with_offsets(case, file):
    frame = table(case, file)
    frame["time"] = pd.to_datetime(frame.pop("utc")).dt.tz_convert("Europe/Oslo").map(lambda t: t.isoformat())
    frame.to_csv(case.folder / "other.csv", index=False)
    return "other.csv"


def without_offsets(case, file):
    frame = table(case, file)
    frame["timestamp"] = frame.pop("utc").str.replace("T", " ").str.removesuffix("Z")
    frame.to_csv(case.folder / "OTHER.CSV", index=False)
    return "OTHER.CSV"


def columns_in_another_order(case, file):
    frame = table(case, file)
    frame[frame.columns[::-1]].to_csv(case.folder / "other.csv", index=False)
    return "other.csv"


WAYS = [
    as_gzip,
    as_parquet,
    as_parquet_with_index,
    as_netcdf,
    as_netcdf_matrix,
    with_offsets,
    without_offsets,
    columns_in_another_order,
]


@pytest.mark.parametrize("way", WAYS)
def test_prices_in_another_format(case, way):
    expected = case.problem()
    assert case.edit("case.yaml", "prices.0.file", way(case, "prices.csv")).problem().identical(expected)


@pytest.mark.parametrize("way", WAYS)
def test_weather_in_another_format(case, way):
    expected = case.problem()
    assert case.edit("case.yaml", "weather.south.file", way(case, SOUTH)).problem().identical(expected)


def test_netcdf_needs_dates(case):
    xr.Dataset({"NO4": ("time", np.ones(99))}, {"time": np.arange(99)}).to_netcdf(
        case.folder / "p.nc", engine="h5netcdf"
    )
    case.edit("case.yaml", "prices.0.file", "p.nc").refused(
        SeriesError, "p.nc", "no coordinate time with dates", "hours since"
    )


def test_column_of_a_zone_may_have_another_name(case):
    expected = case.problem()
    case.text("prices.csv", "NO4", "Tromsø").edit("case.yaml", "prices.0.columns", {"NO4": "Tromsø"})
    assert case.problem().identical(expected)


# EPW

HEADER = """\
LOCATION,Nowhere,-,XXX,made up,000000,50.1,8.7,{tz},110
DESIGN CONDITIONS,0
TYPICAL/EXTREME PERIODS,0
GROUND TEMPERATURES,0
HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0
COMMENTS 1,made up
COMMENTS 2,
DATA PERIODS,1,1,Data,Sunday,1/1,12/31
"""


def write_epw(case, name, tz=1.0, leap=False):
    """Hours of a typical year: temperature = day of the year / 20 + hour of the day (local standard time)."""
    hours = pd.date_range("2000-01-01" if leap else "2001-01-01", periods=8784 if leap else 8760, freq="h")
    lines = [HEADER.format(tz=tz).rstrip()]
    for t in hours:
        air = round(t.day_of_year / 20 + t.hour, 2)
        cells = [
            1987,
            t.month,
            t.day,
            t.hour + 1,
            60,
            "?",
            air,
            air - 3,
            80,
            100000 + t.day_of_year,
            *[0] * 11,
            2.5,
            *[0] * 13,
        ]
        lines.append(",".join(str(c) for c in cells))
    (case.folder / name).write_text("\n".join(lines) + "\n", encoding="latin-1")
    return case.edit("case.yaml", "weather.south", {"file": name, "quality": "proxy", "source": "typical year"})


def test_epw_rows_are_local_standard_time_and_begin_their_hour(case):
    problem = write_epw(case, "south.epw").problem().sel(site="south")
    local = pd.DatetimeIndex(problem["time"].values) + pd.Timedelta(hours=1)
    day = np.array([t.day_of_year - (1 if t.is_leap_year and t.day_of_year > 59 else 0) for t in local])
    assert problem["temp_air"].values == pytest.approx(day / 20 + local.hour)
    assert problem["pressure"].values == pytest.approx(100000 + day)
    assert set(problem["weather_quality"].values) == {QUALITY.index("proxy")}


def test_epw_is_the_csv_of_its_numbers(case):
    write_epw(case, "south.epw")
    expected = case.problem()
    rows = [{"utc": f"{t}Z", "temp_air": a, "temp_dew": round(a - 3, 6), "pressure": p}
            for t, a, p in zip(expected["time"].values.astype("datetime64[m]"),
            expected["temp_air"].sel(site="south").values,
                               expected["pressure"].sel(site="south").values, strict=True)]  # fmt: skip
    got = case.put("s.csv", rows).edit("case.yaml", "weather.south.file", "s.csv").problem()
    xr.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("leap", [False, True])
def test_epw_across_new_year_of_years_without_29_february(tmp_path, leap):
    case = SmallCase(tmp_path, "2022-12-31")
    air = write_epw(case, "south.epw", tz=5.5, leap=leap).problem().sel(site="south")["temp_air"].values
    last_day = (366 if leap else 365) / 20
    # Local hours begin at half past in UTC, so every period takes half of two of them.
    assert air[0] == pytest.approx(last_day + (5 + 6) / 2)
    assert air[18] == pytest.approx((last_day + 23 + 0.05) / 2)
    assert air[19] == pytest.approx(0.05 + (0 + 1) / 2)


def test_epw_of_365_days_lacks_29_february(tmp_path):
    case = SmallCase(tmp_path, "2024-02-28", days=3)
    write_epw(case, "south.epw").refused(SeriesError, "south.epw: weather", "24 of 72 periods", "2024-02-28 23:00:00Z")
    problem = case.problem(fill=True).sel(site="south")
    assert [QUALITY[q] for q in problem["weather_quality"].values] == ["proxy"] * 23 + ["persistence"] * 24 + [
        "proxy"
    ] * 25
    write_epw(case, "leap.epw", leap=True).problem()


def test_epw_without_a_value_is_refused(case):
    write_epw(case, "south.epw").text("south.epw", "1987,3,5,7,60,?,9.2,", "1987,3,5,7,60,?,99.9,")
    case.refused(SeriesError, "south.epw: temp_air at", "03-05 05:00:00Z", "99.9 °C")


# Humidity and pressure


def test_every_measure_of_humidity_gives_the_same_weather(case):
    frame = table(case, SOUTH)
    air = weather_from(frame["temp_air"], frame["pressure"], temp_dew=frame["temp_dew"])
    expected = case.problem()
    vapour = air.pressure * air.humidity_ratio / (moist.MASS_RATIO + air.humidity_ratio)
    measures = {
        "temp_wet_bulb": air.temp_wet_bulb,
        "relative_humidity": 100 * vapour / moist.saturation_pressure(air.temp_air),
    }
    for name, values in measures.items():
        other = frame.drop(columns="temp_dew").assign(**{name: values})
        other.to_csv(case.folder / f"{name}.csv", index=False)
        got = case.edit("case.yaml", "weather.south.file", f"{name}.csv").problem()
        xr.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


def test_saturated_air_a_little_above_100_percent(case):
    case.each(SOUTH, lambda r: {"utc": r["utc"], "temp_air": r["temp_air"], "relative_humidity": 103})
    problem = case.problem().sel(site="south")
    assert problem["temp_wet_bulb"].values == pytest.approx(problem["temp_air"].values, abs=1e-6)


def test_dew_point_by_daily_minimum_is_labelled_proxy(case):
    case.each(SOUTH, lambda r: {"utc": r["utc"], "temp_air": r["temp_air"]})
    case.edit("case.yaml", "weather.south.humidity", "dew_point_daily_minimum")
    problem = case.problem().sel(site="south")
    assert set(problem["weather_quality"].values) == {QUALITY.index("proxy")}
    air, wet = problem["temp_air"].values, problem["temp_wet_bulb"].values
    coldest = [int(np.argmin(air[:24])), 24 + int(np.argmin(air[24:]))]
    assert wet[coldest] == pytest.approx(air[coldest], abs=1e-5), "saturated at the coldest hour of each day"
    assert (wet <= air + 1e-5).all()
    assert (wet < air - 1).any()


def test_dew_point_by_daily_minimum_across_days_without_values(case):
    case.each(SOUTH, lambda r: {"utc": r["utc"], "temp_air": "" if r["utc"] < "2024-03-02" else r["temp_air"]})
    problem = case.edit("case.yaml", "weather.south.humidity", "dew_point_daily_minimum").problem()
    assert (problem["temp_wet_bulb"] <= problem["temp_air"]).all()


@pytest.mark.parametrize("name", ["pressure_mbar", "pressure_hpa"])
def test_pressure_in_mbar(case, name):
    expected = case.problem()
    case.each(
        SOUTH,
        lambda r: {
            "utc": r["utc"],
            "temp_air": r["temp_air"],
            "temp_dew": r["temp_dew"],
            name: float(r["pressure"]) / 100,
        },
    )
    xr.testing.assert_allclose(case.problem(), expected, rtol=1e-12)


def test_bad_pressure_in_mbar_is_named_as_it_stands(case):
    case.each(
        SOUTH, lambda r: {"utc": r["utc"], "temp_air": r["temp_air"], "temp_dew": r["temp_dew"], "pressure_mbar": 1010}
    )
    case.cell(SOUTH, INSIDE, "pressure_mbar", "low").refused(
        SeriesError, f"{SOUTH}: pressure_mbar at 2024-03-05 06:00:00Z", "'low'"
    )


def test_pressure_of_the_altitude_where_there_is_none(case):
    case.each(SOUTH, lambda r: {"utc": r["utc"], "temp_air": r["temp_air"], "temp_dew": r["temp_dew"]})
    assert case.problem()["pressure"].sel(site="south").values == pytest.approx(
        101325 * (1 - 2.25577e-5 * 110) ** 5.2559
    )


# Carbon and quality


@pytest.mark.parametrize(("unit", "factor"), [("g_per_kwh", 1e-3), ("t_per_mwh", 1.0)])
def test_carbon_is_known_only_where_it_is_given(case, unit, factor):
    case.put("carbon.csv", [{"utc": r["utc"], "SE": 0.03 / factor} for r in case.rows("prices.csv")])
    case.edit(
        "case.yaml",
        "carbon.NO4",
        {"file": "carbon.csv", "column": "SE", "unit": unit, "quality": "proxy", "source": "made up"},
    )
    problem = case.problem()
    assert problem["carbon_known"].values.tolist() == [1, 0]
    assert problem["carbon_intensity"].values == pytest.approx(np.outer([0.03, 0], np.ones(48)))


def test_each_hour_carries_its_own_quality(case):
    case.each("prices.csv", lambda r: r | {"NO4_quality": "secondary" if r["utc"] < "2024-03-05T05" else ""})
    case.each(SOUTH, lambda r: r | {"quality": "scenario" if r["utc"] >= "2024-03-06" else "measured"})
    problem = case.problem()
    assert problem["price_quality"].sel(site="north").values.tolist() == [QUALITY.index("secondary")] * 5 + [0] * 43
    assert (
        problem["weather_quality"].sel(site="south").values.tolist()
        == [QUALITY.index("measured")] * 24 + [QUALITY.index("scenario")] * 24
    )
