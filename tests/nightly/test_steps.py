"""Series whose step changes: any mix of steps is the same series as its quarter hours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.inputs.load import read_inputs
from energy.nightly.case import merged
from energy.nightly.database import open_store
from energy.nightly.inputs import SeriesSnapshot
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.nightly.snapshot import fill_prices
from energy.schema.calendar import horizon
from energy.series.resample import even, on_grid
from tests.nightly.nightcase import DAY

START = pd.Timestamp("2025-09-01")
MIN = pd.Timedelta(minutes=1)


def table(starts, values) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "quality": "auction"}, index=pd.DatetimeIndex(starts, name="time"))


@st.composite
def mixed(draw):
    """Stretches of one step each, three rows at least, some with a gap behind them; and the same at quarter hours."""
    starts, lengths, at = [], [], START
    for _ in range(draw(st.integers(1, 5))):
        step, rows = draw(st.sampled_from([15, 30, 60])), draw(st.integers(3, 12))
        starts += [at + k * step * MIN for k in range(rows)]
        lengths += [step] * rows
        at = starts[-1] + step * MIN + draw(st.sampled_from([0, 0, 0, 5])) * 60 * MIN
    values = np.round(np.random.default_rng(draw(st.integers(0, 2**32))).normal(50, 30, len(starts)), 2)
    quarters = [s + k * 15 * MIN for s, n in zip(starts, lengths, strict=True) for k in range(n // 15)]
    fine = np.repeat(values, np.array(lengths) // 15)
    return table(starts, values), table(quarters, fine), at


@settings(max_examples=25, deadline=None, derandomize=True)
@given(mixed(), st.integers(0, 2**32))
def test_any_mix_of_steps_prices_any_schedule_like_its_quarter_hours(drawn, seed):
    coarse, fine, end = drawn
    got = even(coarse, START.to_datetime64(), end.to_datetime64())
    step = (got.index[1:] - got.index[:-1]).min()
    assert step in (15 * MIN, 30 * MIN, 60 * MIN)
    units = pd.date_range(START, end, freq="15min", inclusive="left")
    load = np.random.default_rng(seed).uniform(0, 10, len(units))
    held = got.reindex(units, method="ffill", tolerance=step - MIN)["value"]
    truth = fine["value"].reindex(units)
    assert held.notna().tolist() == truth.notna().tolist(), "gaps stay gaps"
    assert np.nansum(held * load) == pytest.approx(np.nansum(truth * load), abs=1e-6)


@pytest.mark.parametrize("minutes", [15, 30, 60, 180])
def test_a_series_of_one_step_is_as_it_was(minutes):
    starts = pd.date_range(START, periods=400, freq=f"{minutes}min").delete([7, 8, 9, 50, 200])
    whole = table(starts, np.arange(float(len(starts))))
    pd.testing.assert_frame_equal(even(whole, starts[0], starts[-1]), whole)


def test_hours_before_the_window_are_held_and_a_stray_row_is_dropped():
    hours, quarters = (
        pd.date_range(START, periods=48, freq="h"),
        pd.date_range(START + 2880 * MIN, periods=96, freq="15min"),
    )
    stray = [START + 67 * MIN]
    starts = hours.append(quarters).append(pd.DatetimeIndex(stray)).sort_values()
    whole = table(starts, np.arange(float(len(starts))))
    got = even(whole, quarters[0], quarters[-1])
    assert len(got) == 48 * 4 + 96 - 4 + 1, "of the hour with the stray row its first quarter is left"
    assert (got.index[1:] - got.index[:-1]).value_counts().idxmax() == 15 * MIN
    assert not got.index.isin(stray).any()


def test_history_of_two_resolutions_forecasts_like_its_quarter_hours():
    """Twenty months by the hour and two by the quarter hour: the table, its labels and what is forecast beyond it."""
    switch, end = pd.Timestamp("2025-09-30T22:00"), pd.Timestamp("2025-10-20T22:00")
    hours = pd.date_range("2024-02-01", switch, freq="h", inclusive="left")
    quarters = pd.date_range(switch, end, freq="15min", inclusive="left")
    rng = np.random.default_rng(1)
    by_hour, by_quarter = rng.normal(60, 20, len(hours)), rng.normal(60, 20, len(quarters))
    coarse = table(hours.append(quarters), np.append(by_hour, by_quarter))
    every = pd.date_range("2024-02-01", end, freq="15min", inclusive="left")
    fine = table(every, np.append(np.repeat(by_hour, 4), by_quarter))
    begin, last = end - pd.Timedelta(days=1), end + pd.Timedelta(days=3)
    since = begin - pd.Timedelta(days=42)
    got, wanted = (
        fill_prices(
            SeriesSnapshot(begin.to_datetime64(), end.to_datetime64()),
            "NO2",
            values,
            *(t.to_datetime64() for t in (since, begin, last)),
            "Europe/Oslo",
        )
        for values in (coarse, fine)
    )
    pd.testing.assert_frame_equal(got, wanted, check_freq=False)
    assert got.loc[: end - MIN, "real"].all()
    assert len(got) == 46 * 96


def test_a_night_over_the_change_reads_its_own_case(nights):
    """NO4 by the quarter hour since the first of March, DE-LU by the hour to the end, in files of their own."""
    rows = nights.rows("prices.csv")
    fine = [
        {"utc": f"{pd.Timestamp(r['utc']) + k * 15 * MIN:%Y-%m-%dT%H:%M:%SZ}", "NO4": float(r["NO4"]) + k}
        for r in rows for k in range(4 if r["utc"] >= "2024-03-01" else 1)
    ]  # fmt: skip
    nights.put("north.csv", fine)
    spec = {"quality": "auction", "source": "formula"}
    nights.edit("nightly.yaml", "prices", [
        {"file": "north.csv", "zones": ["NO4"]} | spec, {"file": "prices.csv", "zones": ["DE-LU"]} | spec,
    ])  # fmt: skip
    with open_store(nights.place.database) as store:
        night = prepare(NightContext(nights.place, store, DAY))
    known = night.series
    assert set(known.forecast_error) == {"1", "2", "3", "5", "7"}
    assert known.reasons == []
    assert known.imputed_hours["price"] == {}
    both = merged([known.tables[z][["value"]].rename(columns={"value": z}) for z in ("NO4", "DE-LU")])
    assert both.notna().all(axis=None)
    inputs = read_inputs(night.case)
    price = inputs.series.prices["NO4"]
    got = on_grid(price["value"].values, price["time"].values, horizon(inputs.horizon.time[:24], np.ones(24)))
    hours = pd.Series({pd.Timestamp(r["utc"]).tz_localize(None): float(r["NO4"]) for r in rows})
    assert got == pytest.approx(hours[inputs.horizon.time[:24]].to_numpy() + 1.5), "the mean of four quarters"
