"""Price, weather and carbon series that cannot be used: file, column, time and what is allowed (exit code 3)."""

import gzip

import pytest

from energy.errors import ConfigError, SeriesError

INSIDE = "2024-03-05T06:00"
SOUTH = "weather_south.csv"

#: What is wrong -> (file, row, column, cell, words of the message).
CELLS = {
    "price inf": ("prices.csv", INSIDE, "NO4", "inf",
        ["prices.csv: NO4 at 2024-03-05 06:00:00Z", "'inf' is no number", "a finite number"]),
    "price -inf outside": ("prices.csv", "2024-02-28T00", "NO4", "-inf", ["NO4 at 2024-02-28 00:00:00Z", "'-inf'"]),
    "price NaN": ("prices.csv", INSIDE, "DE-LU", "NaN",
        ["prices.csv: DE-LU", "1 of 48 periods of 60 min are missing or NaN", "2024-03-05 06:00:00Z",
        "--fill"]),
    "price empty": ("prices.csv", INSIDE, "DE-LU", "",
        ["prices.csv: DE-LU", "1 of 48 periods", "2024-03-05 06:00:00Z"]),
    "price text": ("prices.csv", INSIDE, "NO4", "-", ["prices.csv: NO4 at 2024-03-05 06:00:00Z", "'-' is no number"]),
    "decimal comma": ("prices.csv", INSIDE, "NO4", "26,33", ["NO4 at 2024-03-05 06:00:00Z", "'26,33'"]),
    "weather NaN": (SOUTH, INSIDE, "temp_air", "nan", [f"{SOUTH}: weather", "1 of 48 periods", "2024-03-05 06:00:00Z"]),
    "weather inf": (SOUTH, INSIDE, "temp_dew", "inf", [f"{SOUTH}: temp_dew at 2024-03-05 06:00:00Z", "'inf'"]),
    "weather text": (SOUTH, INSIDE, "pressure", "high", [f"{SOUTH}: pressure at 2024-03-05 06:00:00Z", "'high'"]),
    "too hot": (SOUTH, INSIDE, "temp_air", "99.9",
        [f"{SOUTH}: temp_air at 2024-03-05 06:00:00Z", "is 99.9 °C", "-60 … 60 °C"]),
    "pressure in hPa": (SOUTH, INSIDE, "pressure", "1013",
        [f"{SOUTH}: pressure at", "is 1013 Pa", "50000 … 110000 Pa"]),
    "dew point above air": (SOUTH, INSIDE, "temp_dew", "30",
        [f"{SOUTH}: temp_dew at 2024-03-05 06:00:00Z", "30 °C lies above temp_air", "0.5 K"]),
    "no time": ("prices.csv", INSIDE, "utc", "yesterday",
        ["prices.csv: row 200", "'yesterday' is not a time", "ISO 8601"]),
    "now": ("prices.csv", INSIDE, "utc", "now", ["prices.csv: row 200", "'now' is not a time"]),
    "no time at all": ("prices.csv", INSIDE, "utc", "", ["prices.csv: row 200", "'' is not a time"]),
    "duplicated": ("prices.csv", INSIDE, "utc", "2024-03-05T05:00:00Z",
        ["prices.csv: row 200", "2024-03-05 05:00:00Z is duplicated", "each once"]),
    "backward": ("prices.csv", INSIDE, "utc", "2024-03-04T06:00:00Z",
        ["prices.csv: row 200", "2024-03-04 06:00:00Z goes backward", "rising"]),
    "weather backward": (SOUTH, INSIDE, "utc", "2024-03-04T06:00:00Z", [f"{SOUTH}: row 200", "goes backward"]),
    "off the grid": ("prices.csv", INSIDE, "utc", "2024-03-05T06:20:00Z",
        ["prices.csv: NO4 at 2024-03-05 06:20:00Z", "step of 60 min", "one step"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_bad_cell(case, name):
    file, row, column, value, words = CELLS[name]
    case.cell(file, row, column, value).refused(SeriesError, *words)


@pytest.mark.parametrize("file", ["prices.csv", "weather_north.csv"])
def test_missing_hours_inside_the_horizon(case, file):
    case.drop(file, "2024-03-05T06", "2024-03-06T2").refused(
        SeriesError, file, "5 of 48 periods of 60 min are missing", "first at 2024-03-05 06:00:00Z"
    )


def test_gaps_outside_the_horizon_do_not_matter(case):
    problem = case.drop("prices.csv", "2024-03-01").cell("prices.csv", "2024-03-02T05", "NO4", "").problem()
    assert problem["price"].notnull().all()


@pytest.mark.parametrize("days", [("2024-03-05T0",), ("2024-03-06T2", "2024-03-07", "2024-03-08")])
def test_series_that_begins_late_or_ends_early(case, days):
    rows = [r for r in case.rows(SOUTH) if r["utc"] >= "2024-03-05"]
    case.put(SOUTH, rows).drop(SOUTH, *days).refused(SeriesError, SOUTH, "of 48 periods of 60 min are missing")


def test_two_series_whose_time_axes_differ(case):
    """They are never joined on what they have in common: the one that lacks hours is named."""
    case.each(SOUTH, lambda r: r | {"utc": r["utc"].replace("2024-", "2028-")})
    case.refused(
        SeriesError,
        SOUTH,
        "no value inside the horizon 2024-03-05 00:00:00Z",
        "2028-02-26 00:00:00Z … 2028-03-08 23:00:00Z",
    )


def test_two_columns_whose_time_axes_differ(case):
    for hour in ("2024-03-05T07", "2024-03-05T08"):
        case.cell("prices.csv", hour, "DE-LU", "")
    case.refused(SeriesError, "prices.csv: DE-LU", "2 of 48 periods", "2024-03-05 07:00:00Z")


def test_horizon_in_a_hole_of_the_series_is_not_bridged(case):
    case.drop("prices.csv", "2024-03-04T2", "2024-03-05", "2024-03-06", "2024-03-07").refused(
        SeriesError, "prices.csv: NO4", "no value inside the horizon"
    )


def test_every_second_hour_is_not_taken_for_a_coarser_series(case):
    odd = [f"2024-03-0{d}T{h:02d}" for d in (5, 6) for h in range(1, 24, 2)]
    case.drop("prices.csv", *odd).refused(SeriesError, "24 of 48 periods of 60 min")


# Prices per kWh


def per_kwh(row):
    return row | {"NO4": float(row["NO4"]) / 1000, "DE-LU": float(row["DE-LU"]) / 1000}


def test_prices_per_kwh(case):
    case.each("prices.csv", per_kwh).refused(
        SeriesError, "prices.csv: NO4", "looks like a price per kWh", "prices per MWh", "unit: per_mwh in the case file"
    )


def test_unit_said_out_loud_switches_the_median_test_off(case):
    problem = case.each("prices.csv", per_kwh).edit("case.yaml", "prices.0.unit", "per_mwh").problem()
    assert float(problem["spot"].max()) < 0.2


def test_unit_is_per_mwh_or_nothing(case):
    case.edit("case.yaml", "prices.0.unit", "per_kwh").refused(ConfigError, "case.yaml: prices.0.unit", "'per_mwh'")


# Columns and files


def test_header_without_time(case):
    case.text("prices.csv", "utc,", "hour,").refused(
        SeriesError, "prices.csv: header", "no time column", "utc or time or timestamp"
    )


def test_header_without_the_zone(case):
    case.text("prices.csv", ",NO4", ",NO5").refused(SeriesError, "prices.csv: header", "no column 'NO4'", "NO5")


def test_header_without_humidity(case):
    case.text(SOUTH, "temp_dew", "dew").refused(
        SeriesError, f"{SOUTH}: header", "no humidity", "relative_humidity", "dew_point_daily_minimum"
    )


def test_rows_longer_than_the_header(case):
    case.text("prices.csv", "utc,NO4,DE-LU", "utc,NO4").refused(
        SeriesError, "prices.csv", "more cells than the 2 columns"
    )


def test_header_only(case):
    case.put("prices.csv", []).text("prices.csv", "\n", "utc,NO4,DE-LU\n").refused(
        SeriesError, "prices.csv", "has 0 rows"
    )


def test_humidity_above_the_range(case):
    case.each(SOUTH, lambda r: {"utc": r["utc"], "temp_air": r["temp_air"], "relative_humidity": 70})
    case.cell(SOUTH, INSIDE, "relative_humidity", 730).refused(
        SeriesError, f"{SOUTH}: relative_humidity at", "is 730 %", "0 … 105 %"
    )


def test_wet_bulb_that_no_air_has(case):
    case.each(SOUTH, lambda r: {"utc": r["utc"], "temp_air": 30, "temp_wet_bulb": 20})
    case.cell(SOUTH, INSIDE, "temp_wet_bulb", -20).refused(
        SeriesError, SOUTH, "weather of south", "humidity ratio", "[6]"
    )


def test_unknown_quality(case):
    case.each("prices.csv", lambda r: r | {"NO4_quality": "good"}).refused(
        SeriesError, "prices.csv: NO4_quality", "'good'", "auction, measured"
    )


@pytest.mark.parametrize(("value", "unit"), [(2300, "g_per_kwh"), (230, "t_per_mwh"), (-1, "g_per_kwh")])
def test_carbon_out_of_range(case, value, unit):
    spec = {"file": "carbon.csv", "column": "SE", "unit": unit, "quality": "proxy", "source": "made up"}
    case.put("carbon.csv", [{"utc": r["utc"], "SE": value} for r in case.rows("prices.csv")])
    case.edit("case.yaml", "carbon.NO4", spec).refused(SeriesError, "carbon.csv: SE at", "0 … 2 t/MWh")


#: Name of a damaged or foreign file -> (content, words of the message).
FILES = {
    "missing.csv": (None, ["missing.csv", "cannot be read (No such file or directory)"]),
    "missing.parquet": (None, ["missing.parquet", "cannot be read (No such file or directory)"]),
    "missing.nc": (None, ["missing.nc", "cannot be read (No such file or directory)"]),
    "missing.epw": (None, ["missing.epw", "cannot be read (No such file or directory)"]),
    "prices.xlsx": (b"PK", ["prices.xlsx", "unknown ending '.xlsx'", "Parquet, NetCDF, EPW"]),
    "empty.csv": (b"", ["empty.csv", "is not a table", "No columns"]),
    "latin.csv": ("utc,Malmö\n".encode("latin-1"), ["latin.csv", "is not a table", "utf-8"]),
    "ragged.csv": (b"utc,a\n2024-01-01,1\n2024-01-02,1,2\n", ["ragged.csv", "is not a table", "line 3"]),
    "cut.csv.gz": (gzip.compress(b"utc,NO4\n" * 99)[:-9], ["cut.csv.gz", "is damaged"]),
    "not.csv.gz": (b"utc,NO4\n", ["not.csv.gz", "is damaged"]),
    "not.parquet": (b"utc,NO4\n", ["not.parquet", "is not a table", "CSV"]),
    "not.nc": (b"utc,NO4\n", ["not.nc", "is not a NetCDF-4 file"]),
    "not.epw": (b"utc,NO4\n", ["not.epw", "is not an EPW file"]),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_cannot_be_read(case, name):
    content, words = FILES[name]
    if content is not None:
        (case.folder / name).write_bytes(content)
    key = "weather.north.file" if name.endswith("epw") else "prices.0.file"
    case.edit("case.yaml", key, name).refused(SeriesError, *words)


def test_a_folder_for_a_file(case):
    (case.folder / "series.csv").mkdir()
    case.edit("case.yaml", "prices.0.file", "series.csv").refused(SeriesError, "series.csv", "is no regular file")
