"""What a series can be found out in, and the two repairs there are."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from energy.series import quality_control
from energy.series.gap_filling import fill_from_earlier_days, fill_weather
from energy.series.labels import dataset, ends, join, touching
from energy.series.resample import held
from energy.sources.catalogue import SOURCES
from tests.sources.times import at, qualities

HVA = SOURCES["hvakosterstrommen"]


def series(values: object, start: str = "2026-11-20T00:00", dt: float = 1.0, name: str = "price") -> xr.Dataset:
    numbers = np.asarray(values, dtype=float)
    time = at(start) + np.arange(len(numbers)) * np.timedelta64(round(dt * 60), "m")
    return dataset(HVA, time, dt, {name: (numbers, "EUR MWh-1")}, "auction")


def wave(hours: int, level: float = 40.0) -> np.ndarray:
    return level + 20 * np.sin(np.arange(hours) / 3.0)


def kinds(found: list[quality_control.Finding]) -> list[tuple[str, str]]:
    return [(f.kind, f.level) for f in found]


def test_an_ordinary_week_has_no_findings():
    assert quality_control.check_prices(series(wave(168))) == []
    assert quality_control.flips(series(wave(168)), series(wave(168) + 1)) == []
    assert quality_control.check_prices(series([])) == []


@pytest.mark.parametrize(
    ("value", "level"),
    [(-499.0, None), (-501.0, "warn"), (4001.0, "warn"), (7999.0, "warn"), (8001.0, "refuse"), (-1001.0, "refuse"),
     (np.nan, "refuse"), (np.inf, "refuse")],
)  # fmt: skip
def test_the_band(value, level):
    prices = wave(48)
    prices[20] = value
    found = quality_control.check_prices(series(prices))
    assert kinds(found) == ([("band", level)] if level else [])
    if level:
        assert found[0].at == at("2026-11-20T20:00")
    assert bool(quality_control.refused(found)) == (level == "refuse")


def test_flat_runs_and_days_of_zeros():
    prices = wave(96)
    prices[10:36] = 31.0
    assert kinds(quality_control.check_prices(series(prices))) == [("flat run", "warn")]
    assert "31 for 26 h" in str(quality_control.check_prices(series(prices))[0])
    prices = wave(96)
    prices[24:48] = 0.0
    assert kinds(quality_control.check_prices(series(prices))) == [("zero day", "warn")], "24 h of one price may be"
    quarters = series(np.repeat(wave(24), 4), dt=0.25)
    assert quality_control.check_prices(quarters) == []


def test_duplicates_and_overlaps():
    ds = series(wave(24))
    twice = xr.concat([ds, ds.isel(time=[3])], "time").sortby("time")
    assert kinds(quality_control.duplicates(twice)) == [("duplicates", "refuse")]
    overlapping = ds.assign(dt=("time", np.full(24, 1.5)))
    assert kinds(quality_control.duplicates(overlapping)) == [("duplicates", "refuse")]


@pytest.mark.parametrize(
    ("factor", "kind"),
    [
        (-1.0, "sign"),
        (1e-3, "unit"),
        (1e3, "unit"),
        (0.1, "unit"),
        (100.0, "unit"),
        (11.4, "unit"),
        (1.3, None),
        (0.8, None),
    ],
)
def test_other_signs_and_units_than_the_reference(factor, kind):
    found = quality_control.flips(series(wave(48) * factor), series(wave(48)))
    assert kinds(found) == ([(kind, "refuse")] if kind else [])
    assert quality_control.flips(series(wave(8) * factor), series(wave(8))) == [], "too few to tell"


def test_a_month_of_tiny_prices_is_per_kwh():
    assert kinds(quality_control.check_prices(series(wave(30 * 24) / 1000))) == [("unit", "warn")]
    assert quality_control.check_prices(series(wave(7 * 24) / 1000)) == [], "a windy week may be"


@pytest.mark.parametrize(
    ("first", "hours", "step"),
    [("2026-03-27T23:00", [24, 23, 24], 1.0), ("2026-10-23T22:00", [24, 25, 24], 1.0), ("2026-03-27T23:00", [24, 23, 24], 0.25),
     ("2026-10-23T22:00", [24, 25, 24], 0.25)],
)  # fmt: skip
def test_local_days_of_23_24_and_25_hours(first, hours, step):
    count = round(sum(hours) / step) + round(24 / step)
    whole = series(wave(count), first, dt=step)
    assert quality_control.local_days(whole, "Europe/Oslo") == []
    lacking = whole.isel(time=np.delete(np.arange(count), round(30 / step)))
    found = quality_control.local_days(lacking, "Europe/Oslo")
    assert kinds(found) == [("local day", "warn")]
    assert f"of {hours[1]} h" in str(found[0])
    assert quality_control.local_days(series([]), "Europe/Oslo") == []


def test_gaps_as_stretches():
    ds = series(wave(48)).isel(time=[*range(5, 20), *range(24, 48)])
    assert quality_control.uncovered(ds["time"].values, ends(ds), at("2026-11-20T00:00"), at("2026-11-22T06:00")) == [
        (at("2026-11-20T00:00"), at("2026-11-20T05:00")),
        (at("2026-11-20T20:00"), at("2026-11-21T00:00")),
        (at("2026-11-22T00:00"), at("2026-11-22T06:00")),
    ]
    assert quality_control.uncovered(ds["time"].values, ends(ds), at("2026-11-20T06:00"), at("2026-11-20T10:00")) == []


def weather(hours: list[int], dt: object = 1.0) -> xr.Dataset:
    time = at("2026-11-20T00:00") + np.array(hours) * np.timedelta64(1, "h")
    values = {"temp_air": (np.array(hours, dtype=float), "degC"), "relative_humidity": (np.full(len(hours), 50.0), "%")}
    return dataset(SOURCES["met_norway"], time, dt, values, "forecast")


def test_weather_gaps_of_three_hours_are_bridged_and_labelled():
    ds = fill_weather(weather([0, 1, 5, 6]))
    assert ds["temp_air"].values.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert [int(q) for q in ds["quality"].values] == [2, 2, 4, 4, 4, 2, 2]
    assert qualities(ds) == {"forecast", "proxy"}
    longer = fill_weather(weather([0, 1, 6, 7]))
    assert longer["time"].values.tolist() == weather([0, 1, 6, 7])["time"].values.tolist(), "four hours are too many"
    assert fill_weather(weather([0])).sizes["time"] == 1


def test_six_hourly_forecasts_become_hours():
    ds = fill_weather(weather([0, 1, 7, 13], dt=[1, 6, 6, 6]))
    assert ds["temp_air"].values[:14].tolist() == list(range(14))
    assert ds.sizes["time"] == 19, "the last step holds for its six hours"
    assert (ds["dt"].values == 1).all()


def test_weather_that_is_none_is_refused():
    ds = weather(list(range(30)))
    assert quality_control.check_weather(ds) == []
    hot = ds.assign(temp_air=ds["temp_air"] + 280)
    assert kinds(quality_control.check_weather(hot)) == [("range", "refuse")], "kelvin"
    stuck = ds.assign(temp_air=ds["temp_air"] * 0 + 4)
    assert kinds(quality_control.check_weather(stuck)) == [("flat run", "warn")]


def test_earlier_days_are_carried_over_within_reach():
    known = series(wave(48), "2026-11-18T00:00")
    ds = fill_from_earlier_days(known, at("2026-11-20T00:00"), at("2026-11-23T00:00"), 1.0)
    assert ds.sizes["time"] == 72
    assert ds["price"].values[:24].tolist() == known["price"].values[24:].tolist()
    assert ds["price"].values[48:].tolist() == known["price"].values[24:].tolist(), "day after day"
    assert qualities(ds) == {"persistence"}
    assert set(ds["source"].values) == {"persistence (hvakosterstrommen)"}
    assert fill_from_earlier_days(series([]), at("2026-11-20"), at("2026-11-21"), 1.0).sizes["time"] == 0
    weekday = fill_from_earlier_days(series(wave(24), "2026-11-13T00:00"), at("2026-11-20"), at("2026-11-21"), 1.0)
    assert weekday.sizes["time"] == 24, "the same day of the week before"


def test_hours_held_over_quarters_and_first_come_first_kept():
    ds = held(series([1.0, 2.0]), 0.25)
    assert ds["price"].values.tolist() == [1.0] * 4 + [2.0] * 4
    assert (np.diff(ds["time"].values) == np.timedelta64(15, "m")).all()
    both = join([series([1.0, 2.0]), series([9.0, 9.0, 9.0])])
    assert both["price"].values.tolist() == [1.0, 2.0, 9.0]
    assert touching(series([1.0, 2.0, 3.0]), at("2026-11-20T00:30"), at("2026-11-20T01:30")).sizes["time"] == 2
