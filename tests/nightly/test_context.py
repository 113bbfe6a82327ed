"""Context of a night's report: prices against the weeks before, reservoirs and hydropower of a live night."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from energy.nightly.case import keep_water
from energy.nightly.config import load_nightly
from energy.nightly.summary import price_context
from energy.runs.record import HYDRO, RESERVOIRS, read_water
from energy.series.files import read_series

DAY = date(2024, 3, 12)
NIGHTLY = """\
name: n
fleet: f.yaml
jobs: q.csv
prices: [{file: p.csv, zones: [NO4], quality: auction, source: formula, currency: NOK}]
weather: {north: {file: w.csv, quality: measured, source: formula}}
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "nightly.yaml").write_text(NIGHTLY, encoding="utf-8")
    return load_nightly(tmp_path / "nightly.yaml")


def prices(folder, real):
    """Thirty days of 40 but for the last week of 20; the day itself 0 … 23 less 2; then a forecast of 500."""
    time = pd.date_range("2024-02-11", "2024-03-14", freq="h", inclusive="left")
    value = np.where(time < pd.Timestamp("2024-03-05"), 40.0, 20.0)
    at = (time >= pd.Timestamp(DAY)) & (time < pd.Timestamp("2024-03-13"))
    value = np.where(at, time.hour - 2.0, np.where(time >= pd.Timestamp("2024-03-13"), 500.0, value))
    label = np.where(time < pd.Timestamp(real), "auction", "forecast")
    table = pd.DataFrame({"utc": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "NO4": value, "NO4_quality": label})
    table.to_csv(folder / "prices.csv", index=False)
    return read_series(folder / "prices.csv")


def test_the_day_against_the_weeks_before_by_real_hours_alone(place, tmp_path):
    """28 days: 21 of 40 and 7 of 20 make 35; the day's 24 hours -2 … 21 make 9.5."""
    assert price_context(place.config, prices(tmp_path, "2024-03-13"), DAY) == [{
        "zone": "NO4", "currency": "NOK", "mean": 9.5, "mean_7_days": 20.0, "mean_28_days": 35.0, "lowest": -2.0,
        "lowest_at": "2024-03-12T00:00:00Z", "highest": 21.0, "highest_at": "2024-03-12T23:00:00Z", "hours": 24.0,
        "hours_below_zero": 2.0,
    }]  # fmt: skip


def test_a_day_without_its_auction_is_not_known(place, tmp_path):
    [found] = price_context(place.config, prices(tmp_path, DAY), DAY)
    assert (found["mean"], found["lowest"], found["highest_at"], found["hours"]) == (None, None, None, 0.0)
    assert found["mean_7_days"] == 20.0


def test_water_of_a_live_night_is_kept_with_its_inputs_in_the_same_bytes(place, tmp_path):
    """A year of weeks as it is, of the signals by hour the week before the day."""
    fetched, kept, again = (tmp_path / n for n in ("fetched", "snapshot", "again"))
    for folder in (fetched, kept, again):
        folder.mkdir()
    weeks = pd.date_range("2023-03-12", "2024-03-10", freq="7D").to_numpy()
    hours = pd.date_range("2024-01-20", "2024-03-12", freq="h", inclusive="left").to_numpy()
    for name, time, column in ((RESERVOIRS, weeks, "NO4_filling"), (HYDRO, hours, "NO4_hydro_mw")):
        ds = xr.Dataset({column: ("time", np.linspace(0.0, 1.0, len(time)))}, {"time": time})
        (fetched / name).write_bytes(ds.to_netcdf(engine="h5netcdf"))
    keep_water(place, kept, DAY)
    assert list(kept.iterdir()) == [], "a night from files has none"
    for folder in (kept, again):
        keep_water(place.model_copy(update={"water": fetched}), folder, DAY)
    assert read_water(kept, RESERVOIRS).sizes["time"] == len(weeks)
    assert read_water(kept, HYDRO).sizes["time"] == 7 * 24
    for name in (RESERVOIRS, HYDRO):
        assert (kept / name).read_bytes() == (again / name).read_bytes()
