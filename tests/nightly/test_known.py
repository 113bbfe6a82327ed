"""What is known at a night's moment, and what the rest is imputed with, labelled."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from energy.errors import ConfigError, SeriesError
from energy.forecast import same_hour_last_week, shape
from energy.inputs.load import read_inputs
from energy.nightly.config import due, load_nightly
from energy.nightly.database import open_store
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.nightly.queue import slack_days
from energy.nightly.snapshot import read_series_snapshot, require_real_price
from tests.nightly.nightcase import DAY


def known(nights, days=3, older=None):
    found = read_series_snapshot(nights.place, DAY, days, older)
    require_real_price(nights.place.config, found)
    return found


def test_prices_are_known_to_the_end_of_the_day_and_weather_to_the_auction(nights):
    found = known(nights)
    price, air = found.tables["NO4"], found.tables["north"]
    assert price.index[price["quality"] == "auction"].max() == pd.Timestamp("2024-03-12T22:00")
    assert set(price.loc["2024-03-12T23:00":, "quality"]) == {"forecast"}
    assert air.index[air["quality"] == "measured"].max() == pd.Timestamp("2024-03-11T11:00")
    assert set(air.loc["2024-03-11T12:00":, "quality"]) == {"persistence"}
    assert found.reasons == []


def test_nothing_of_the_future_is_looked_at(nights):
    before = known(nights)
    change = lambda row: row | {k: 999 for k in ("NO4", "DE-LU") if row["utc"] >= "2024-03-12T23"}  # noqa: E731
    nights.each("prices.csv", change)
    after = known(nights)
    assert before.forecast_error == after.forecast_error
    for name, table in before.tables.items():
        pd.testing.assert_frame_equal(table, after.tables[name])


def test_the_error_of_the_forecast_is_that_of_the_last_two_weeks(nights):
    """By hand: at each of the last fourteen midnights, the days that are known by now, both zones in one mean."""
    walk = np.random.default_rng(3).normal(0, 4, 42 * 24).cumsum() + 60
    at = iter(np.concatenate([walk, walk]))
    nights.each("prices.csv", lambda r: r | {"NO4": str(next(at)), "DE-LU": str(100 + float(r["DE-LU"]))})
    found = known(nights, days=3)
    assert set(found.forecast_error) == {"1", "2", "3", "5", "7"}
    own = last = 0.0
    for zone in ("NO4", "DE-LU"):
        table = found.tables[zone]
        table = table[table["quality"] == "auction"]
        for k in range(14, 1, -1):
            origin = np.datetime64("2024-03-12T23", "ns") - k * np.timedelta64(1, "D")
            day = table[
                (table.index >= origin + np.timedelta64(1, "D")) & (table.index < origin + np.timedelta64(2, "D"))
            ]
            args = (table.index.to_numpy(), table["value"].to_numpy(), origin, day.index.to_numpy())
            own += np.abs(shape(*args, time_zone="Europe/Oslo").values - day["value"]).sum()
            last += np.abs(same_hour_last_week(*args).values - day["value"]).sum()
    assert found.forecast_error["2"] == pytest.approx(own / last)


def test_perfect_foresight_has_no_forecast_to_judge(nights):
    nights.edit("nightly.yaml", "foresight", "perfect")
    assert known(nights).forecast_error == {}


def test_perfect_foresight_looks_at_all(nights):
    nights.edit("nightly.yaml", "foresight", "perfect")
    assert all(table["real"].all() for table in known(nights).tables.values())


def test_a_missing_price_of_the_day_is_forecast_and_said(nights):
    nights.each("prices.csv", lambda r: r | ({"NO4": ""} if "2024-03-12T05" <= r["utc"] < "2024-03-12T09" else {}))
    found = known(nights)
    assert found.imputed_hours["price"] == {"NO4": 4.0}
    assert found.reasons == ["price of NO4: 4 h of the delivery day are not known: imputed by the shape rule"]
    gap = found.tables["NO4"].loc["2024-03-12T05":"2024-03-12T08"]
    assert set(gap["quality"]) == {"forecast"}
    assert np.isfinite(gap["value"]).all()


def test_a_site_without_weather_for_days(nights):
    nights.each("weather_north.csv", lambda r: r | ({"temp_air": ""} if r["utc"] >= "2024-03-09" else {}))
    found = known(nights)
    assert found.reasons == ["weather of north: nothing measured for 61 h; the last days are carried on"]
    assert found.imputed_hours["weather"] == {"north": 24.0}
    assert found.tables["south"]["real"].sum() > 0


def test_a_forecast_row_of_the_source_is_kept(nights):
    nights.each(
        "weather_south.csv", lambda r: r | {"quality": "forecast" if r["utc"] >= "2024-03-11T12" else "measured"}
    )
    assert set(known(nights).tables["south"].loc["2024-03-11T12:00":, "quality"]) == {"forecast"}


@pytest.mark.slow
def test_a_source_that_answers_with_an_error_page(nights, solved):
    kept = solved.case.place.snapshots / solved.night.run_id
    (nights.folder / "prices.csv").write_text("<html>503 Service Unavailable</html>\n")
    with pytest.raises(SeriesError, match="no earlier night kept"):
        known(nights)
    found = read_series_snapshot(nights.place, DAY + timedelta(days=1), 2, kept)
    assert [
        r
        for r in found.reasons
        if r.startswith("price of NO4: the source cannot be read; replaced by the snapshot of night small_")
    ]
    real = found.tables["NO4"]["real"]
    assert real[real].index.max() == pd.Timestamp("2024-03-12T22:00")
    assert found.imputed_hours["price"]["NO4"] == 24.0


def test_forecast_hours_are_those_of_the_horizon_that_is_planned(nights):
    """Not those of gaps in the history, nor those behind a horizon that came out shorter than it could be."""
    nights.each("prices.csv", lambda r: r | ({"NO4": ""} if r["utc"].startswith("2024-03-01") else {}))
    nights.edit("nightly.yaml", "horizon", {"least_days": 2, "most_days": 9, "margin_days": 0})
    nights.each("queue.csv", lambda r: r | {"deadline": "2024-03-13T12:00Z", "gpu_hours": "10"})
    with open_store(nights.place.database) as store:
        night = prepare(NightContext(nights.place, store, DAY))
    assert night.series.forecast_hours == 24


@pytest.fixture
def carbon(nights):
    """A carbon column with a name of its own."""
    nights.put("carbon.csv", [{"utc": r["utc"], "grid": "0.02"} for r in nights.rows("prices.csv")])
    nights.edit(
        "nightly.yaml",
        "carbon",
        {
            "NO4": {
                "file": "carbon.csv",
                "column": "grid",
                "unit": "t_per_mwh",
                "quality": "measured",
                "source": "made up",
            }
        },
    )
    return nights


def test_carbon_of_a_source_that_cannot_be_read_is_what_was_kept(carbon):
    with open_store(carbon.place.database) as store:
        kept = prepare(NightContext(carbon.place, store, DAY)).case.parent
    (carbon.folder / "carbon.csv").unlink()
    found = read_series_snapshot(carbon.place, DAY + timedelta(days=1), 2, kept)
    assert [r for r in found.notes if r.startswith("carbon of NO4: the source cannot be read")]
    assert found.reasons == [], "no plan depends on carbon"
    real = found.tables["carbon NO4"]
    assert real.loc[real["real"], "value"].unique() == pytest.approx([0.02])


def test_rates_of_two_currencies_in_files_of_one_name_stay_apart(nights):
    for folder, currency, rate in (("a", "NOK", 0.1), ("b", "SEK", 0.2)):
        (nights.folder / folder).mkdir()
        nights.put(
            f"{folder}/rates.csv",
            [{"utc": "2024-01-01T00:00:00Z", "eur": rate}, {"utc": "2024-03-01T00:00:00Z", "eur": rate}],
        )
        nights.edit(
            "nightly.yaml", f"fx.{currency}", {"file": f"{folder}/rates.csv", "column": "eur", "source": "made up"}
        )
    with open_store(nights.place.database) as store:
        inputs = read_inputs(prepare(NightContext(nights.place, store, DAY)).case)
    assert [float(inputs.fx.at(c, inputs.horizon.time[:1])[0]) for c in ("NOK", "SEK")] == [0.1, 0.2]


def test_a_night_of_guesses_only_is_refused(nights):
    nights.put("prices.csv", [r for r in nights.rows("prices.csv") if r["utc"] < "2024-03-01"])
    with pytest.raises(SeriesError, match="none is known of the week before"):
        known(nights)


def test_slack_sets_the_horizon(nights):
    begin = np.datetime64("2024-03-12")
    jobs = pd.DataFrame({"left": [240.0, 24.0], "max_gpus": [10.0, 1.0],
                         "deadline": pd.to_datetime(["2024-03-14T00:00", "2024-03-16T12:00"])})  # fmt: skip
    assert slack_days(jobs, begin) == pytest.approx(3.5)
    days = nights.place.config.horizon.model_copy(update={"days": None})
    assert [days.of(s) for s in (0.0, 3.5, 30.0)] == [3, 6, 14]


@pytest.mark.parametrize(
    ("utc", "day"),
    [("2024-03-11T12:00", 12), ("2024-03-11T11:59", 11), ("2024-03-12T00:30", 12), ("2024-03-11T23:30", 12),
     ("2024-07-01T11:00", 2), ("2024-07-01T10:59", 1)],
)  # fmt: skip
def test_the_night_that_is_due_is_the_newest_whose_auction_is_known(utc, day, nights, monkeypatch):
    """After a missed timer, at one o'clock in Oslo: the day that has just begun, whose prices are known."""
    monkeypatch.setenv("HYDROCOOL_NOW", f"{utc}:00+00:00")
    assert due(nights.place.config).day == day


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("auction.known_at", "25:00", "auction.known_at"), ("horizon.most_days", 2, "most_days 2 is below least_days 3"),
     ("foresight", "luck", "foresight"), ("live", True, "not for a live night"), ("lively", True, "unknown key")],
)  # fmt: skip
def test_a_bad_nightly_file_names_its_key(key, value, words, nights):
    nights.edit("nightly.yaml", key, value)
    with pytest.raises(ConfigError, match=words):
        load_nightly(nights.folder / "nightly.yaml")
