"""Rules of gap filling: which fills what, how it is labelled, and that files and fetches fill alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.inputs.case import HorizonDays, WeatherFile
from energy.inputs.series import read_weather
from energy.schema import QUALITY
from energy.series.gap_filling import Rule, earlier_day, fill, fill_weather, forecast, hold_last, interpolate
from energy.series.labels import dataset, to_table
from energy.sources.catalogue import SOURCES

HOURS = pd.date_range("2025-03-01", periods=24 * 9, freq="h").as_unit("ns")


def table(values: np.ndarray, index: pd.DatetimeIndex = HOURS) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "quality": "auction"}, index=index)


def filled(values: np.ndarray, *rules: Rule) -> tuple[pd.DataFrame, np.ndarray]:
    return fill(table(values), np.isnan(values), rules)


def lacking(*hours: int) -> np.ndarray:
    values = np.arange(len(HOURS), dtype=float)
    values[list(hours)] = np.nan
    return values


def test_the_first_rule_that_can_fills_and_labels():
    out, gaps = filled(lacking(0, 30, 31, 100, 101, 102, 103), interpolate(1.0), earlier_day())
    assert out["value"].iloc[[30, 31]].tolist() == [30, 31]
    assert out["quality"].iloc[[30, 31]].tolist() == ["proxy", "proxy"]
    assert out["value"].iloc[100:104].tolist() == [76, 77, 78, 79], "four hours are too many: yesterday"
    assert set(out["quality"].iloc[100:104]) == {"persistence"}
    assert np.flatnonzero(gaps).tolist() == [0], "nothing lies before the first hour"
    assert np.isnan(out["value"].iloc[0])
    assert set(out["quality"].drop(HOURS[[30, 31, 100, 101, 102, 103]])) == {"auction"}


def test_an_earlier_day_is_yesterday_then_last_week():
    out, gaps = filled(lacking(*range(168, 216)), earlier_day())
    assert out["value"].iloc[168:192].tolist() == list(range(144, 168)), "yesterday"
    assert out["value"].iloc[192:].tolist() == list(range(24, 48)), "yesterday was missing itself: a week before"
    assert not gaps.any()


@pytest.mark.parametrize(("step_h", "left"), [(1.0, [13, 14]), (0.5, []), (6.0, [11, 12, 13, 14])])
def test_the_value_before_is_held_for_three_hours_or_one_step(step_h, left):
    _, gaps = filled(lacking(10, 11, 12, 13, 14), hold_last(step_h))
    assert np.flatnonzero(gaps).tolist() == left


def test_a_forecast_is_asked_for_each_stretch_from_its_first_moment():
    asked = []

    def values(name: str, first: np.datetime64, times: np.ndarray) -> np.ndarray:
        asked.append((name, first, len(times)))
        return np.full(len(times), float(len(asked)))

    out, gaps = filled(lacking(3, 4, 9), forecast("forecast", values))
    assert asked == [("value", HOURS[3], 2), ("value", HOURS[9], 1)]
    assert out["value"].iloc[[3, 4, 9]].tolist() == [1, 1, 2]
    assert set(out["quality"].iloc[[3, 4, 9]]) == {"forecast"}
    assert not gaps.any()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.sets(st.integers(1, 94), max_size=60), st.integers(0, 2**32))
def test_a_file_and_a_fetch_bridge_the_same_gaps_with_the_same_values(tmp_path_factory, gone, seed):
    """Four days, whole at both ends: what a fetch interpolates, a file interpolates; what it leaves, the file takes elsewhere."""
    rng, hours = np.random.default_rng(seed), HOURS[24:120]
    kept = np.array([h for h in range(96) if h not in gone])
    air = np.round(rng.normal(0, 5, 96), 1)
    columns = {"temp_air": (air[kept], "degC"), "relative_humidity": (np.full(len(kept), 50.0), "%")}
    fetched = to_table(fill_weather(dataset(SOURCES["frost"], hours[kept].to_numpy(), 1.0, columns, "measured")))
    path = tmp_path_factory.mktemp("series") / "weather.csv"
    before = pd.DataFrame(
        {"temp_air": 1.0, "relative_humidity": 50.0}, index=pd.date_range("2025-02-21", HOURS[23], freq="h")
    )
    rows = pd.DataFrame({n: v for n, (v, _) in columns.items()}, index=hours[kept])
    pd.concat([before, rows]).rename_axis("utc").to_csv(path)
    spec = WeatherFile(file=path.name, quality="measured", source="test")
    ds = read_weather(path, spec, HorizonDays(start="2025-03-02", end="2025-03-05", time_zone="UTC"), fill=True)
    read = pd.DataFrame(
        {"temp_air": ds["temp_air"].values, "quality": np.array(QUALITY)[ds["quality"].values]}, index=hours
    )
    both = read.loc[fetched.index]
    assert both["temp_air"].tolist() == fetched["temp_air"].tolist()
    assert both["quality"].tolist() == fetched["quality"].tolist()
    assert set(read.drop(fetched.index)["quality"]) <= {"persistence"}
