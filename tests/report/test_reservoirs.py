"""Reservoirs in the report: drawn where the run has them, absent without a trace where not."""

import re

import numpy as np
import pytest
import xarray as xr

from energy.report import record as records
from energy.report.page import render
from tests.report.build import small


def weeks(count: int = 53, **columns: float) -> xr.Dataset:
    time = np.datetime64("2025-11-16T23:00", "ns") + np.arange(count) * np.timedelta64(7, "D")
    wave = 0.2 * np.sin(np.arange(count) / 8)
    base = {"filling": 0.5, "minimum": 0.35, "median": 0.6, "maximum": 0.8} | columns
    return xr.Dataset({f"NO4_{n}": ("time", level + wave) for n, level in base.items()}, {"time": time})


@pytest.fixture(scope="module")
def plain():
    return small()


def with_weeks(record, ds):
    return records.Record(**(record.__dict__ | {"reservoirs": ds}))


def test_absent_without_a_trace(plain):
    assert "Reservoir" not in render(plain)


def test_a_zone_with_its_median(plain):
    html = render(with_weeks(plain, weeks()))
    assert html.count("<h2>Reservoirs</h2>") == 1
    assert 'href="#reservoirs"' in html
    assert "weekly reservoir filling against its twenty-year range" in html
    last = 100 * (0.5 + 0.2 * np.sin(52 / 8))
    assert f"{last:.1f}\u00a0% full in the week of 16 Nov, 10.0 points below the median" in html


def test_a_zone_without_a_median_and_with_holes(plain):
    ds = weeks().drop_vars(["NO4_median", "NO4_minimum", "NO4_maximum"])
    ds["NO4_filling"][5:9] = np.nan
    html = render(with_weeks(plain, ds))
    assert "full in the week of 16 Nov</span>" in html
    assert "nan" not in re.findall(r"[a-z]+", html.lower())


def test_it_survives_the_run_folder(plain, tmp_path):
    record = with_weeks(plain, weeks().assign(NO4_source=("time", ["nve"] * 53)))
    records.write(record, tmp_path)
    again = records.read_reservoirs(tmp_path)
    assert again is not None
    assert set(again.data_vars) == set(weeks().data_vars), "numbers only"
    assert records.read_reservoirs(tmp_path / "none") is None
