"""Reservoirs in the report: drawn where the run has them, absent without a trace where not."""

import re

import numpy as np
import pytest
import xarray as xr

from energy.report.page import render
from energy.runs import record as records
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
    again = records.read_water(tmp_path, records.RESERVOIRS)
    assert again is not None
    assert set(again.data_vars) == set(weeks().data_vars), "numbers only"
    assert records.read_water(tmp_path / "none", records.RESERVOIRS) is None
    assert records.read_water(tmp_path, records.HYDRO) is None


@pytest.mark.slow
def test_generation_of_the_days_before(plain):
    time = np.datetime64("2026-11-17T23:00", "ns") + np.arange(192) * np.timedelta64(1, "h")
    power = np.where(np.arange(192) < 150, 1000.0 + np.arange(192), np.nan)
    ds = xr.Dataset({"NO4_hydro_mw": ("time", power), "NO4_filling": ("time", np.full(192, 0.5))}, {"time": time})
    html = render(records.Record(**(plain.__dict__ | {"hydro": ds})))
    assert html.count("<h2>Reservoirs</h2>") == 1
    assert "NO4: hydro generation by hour" in html
    assert "1,000 to 1,149 MW" in html.replace("\u202f", ",").replace("\u00a0", " ").replace("\u2009", ",")
    nothing = records.Record(**(plain.__dict__ | {"hydro": ds.assign(NO4_hydro_mw=ds["NO4_hydro_mw"] * np.nan)}))
    assert "Reservoir" not in render(nothing)


def test_credits_of_series_rates_and_water(plain):
    series = [{"kind": "price", "name": "NO4", "attribution": "Prices <Inc>", "licence": "CC BY 4.0"}] * 2
    rates = [{"currency": "NOK", "source": "x", "attribution": "A bank"}, {"currency": "SEK", "source": "mine"}]
    water = weeks().assign_attrs(attribution="Water people", licence="NLOD 2.0")
    changes = {"reservoirs": water, "manifest": plain.manifest | {"series": series, "rates": rates}}
    html = render(records.Record(**(plain.__dict__ | changes)))
    assert "Credits: Prices &lt;Inc&gt; (CC BY 4.0); A bank; Water people (NLOD 2.0). The data were put" in html
    assert "Credits:" not in render(plain)
