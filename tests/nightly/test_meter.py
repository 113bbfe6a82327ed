"""Meter readings: of any length up to a day, each hour once; what is silently wrong elsewhere is refused here."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from energy.errors import SeriesError
from energy.inputs.load import read_inputs
from energy.nightly.database import open_store
from energy.nightly.metering import meter_of, on_grid, read_meter, read_progress

QUARTERS = np.arange("2024-03-12", "2024-03-13", np.timedelta64(15, "m"), dtype="datetime64[ns]")
DT = np.full(96, 0.25)


def readings(*rows):
    table = pd.DataFrame(rows, columns=["utc", "hours", "import_mwh"])
    return table.assign(utc=pd.to_datetime(table["utc"]))


def hourly(mwh):
    return readings(*((t, 1.0, mwh) for t in pd.date_range("2024-03-12", periods=24, freq="h")))


def test_hourly_readings_fill_their_quarters():
    read = on_grid(hourly(2.0), "import_mwh", QUARTERS, DT, np.ones(96))
    assert read == pytest.approx(np.full(96, 2.0))


def test_a_reading_is_shared_out_like_the_replay_within_it():
    shape = np.tile([1.0, 1.0, 1.0, 3.0], 24)
    read = on_grid(hourly(2.0), "import_mwh", QUARTERS, DT, shape)
    assert read[:4] * DT[:4] == pytest.approx([2 / 6, 2 / 6, 2 / 6, 6 / 6])
    day = on_grid(readings(("2024-03-12", 24.0, 48.0)), "import_mwh", QUARTERS, DT, shape)
    assert day == pytest.approx(read)


def test_a_reading_where_the_replay_draws_nothing_is_even():
    read = on_grid(readings(("2024-03-12", 24.0, 48.0)), "import_mwh", QUARTERS, DT, np.zeros(96))
    assert read == pytest.approx(np.full(96, 2.0))


def test_of_a_reading_beyond_the_day_its_share_counts():
    rows = readings(("2024-03-11T12:00", 24.0, 24.0), ("2024-03-12T12:00", 24.0, 48.0))
    read = on_grid(rows, "import_mwh", QUARTERS, DT, np.ones(96))
    assert read == pytest.approx(np.repeat([1.0, 2.0], 48))


@pytest.mark.parametrize("rows", [hourly(1.0).iloc[1:], hourly(1.0).iloc[:-1], readings(("2024-03-12", 23.5, 1.0))])
def test_readings_that_leave_a_unit_open_replace_nothing(rows):
    assert on_grid(rows, "import_mwh", QUARTERS, DT, np.ones(96)) is None


def test_lengths_with_few_digits_cover_the_day():
    five = pd.date_range("2024-03-12", periods=288, freq="5min")
    read = on_grid(readings(*((t, 0.0833, 0.1) for t in five)), "import_mwh", QUARTERS, DT, np.ones(96))
    assert read.sum() * 0.25 == pytest.approx(28.8)


def ingest(nights, tmp_path, text, read=read_meter):
    path = tmp_path / "meter.csv"
    path.write_text(text)
    return read(nights.place, path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2024-03-12T00:00Z,north,inf,1", r"row 2.*import_mwh is .*inf.*a finite number"),
        ("2024-03-12T00:00Z,north,1,1\n2024-03-12T01:00Z,north,1,-inf", "row 3.*hours"),
        ("2024-03-12T00:00Z,north,1,0", "row 2.*0 h"),
        ("2024-03-12T00:00Z,north,1,26", "row 2.*26 h.*at most 25"),
        ("2024-03-12T00:00Z,north,1,24\n2024-03-12T05:00Z,north,1,1", "row 3.*overlap.*each hour of a site once"),
    ],
)
def test_what_no_day_can_use_is_refused_with_its_row(rows, words, nights, tmp_path):
    with pytest.raises(SeriesError, match=words):
        ingest(nights, tmp_path, f"utc,site,import_mwh,hours\n{rows}\n")
    with open_store(nights.place.database) as store:
        assert store.rows("SELECT * FROM meter") == []


def test_a_daily_reading_over_hourly_ones_is_refused_and_the_old_ones_stay(nights, tmp_path):
    ingest(nights, tmp_path, "utc,site,import_mwh\n2024-03-12T00:00Z,north,1\n2024-03-12T01:00Z,north,1\n")
    with pytest.raises(SeriesError, match=r"row 2.*overlap"):
        ingest(nights, tmp_path, "utc,site,import_mwh,hours\n2024-03-12T00:00Z,north,9,24\n")
    assert ingest(nights, tmp_path, "utc,site,import_mwh\n2024-03-12T01:00Z,north,3\n").readings == 1, "again replaces"
    with open_store(nights.place.database) as store:
        assert [r["import_mwh"] for r in store.rows("SELECT * FROM meter ORDER BY utc")] == [1.0, 3.0]


def test_overlaps_of_old_are_not_the_new_file_s_fault(nights, tmp_path):
    """Two readings that were taken long ago overlap; a file that touches neither is taken, and one that does names its row."""
    with open_store(nights.place.database) as store:
        for utc in ("2024-03-01T00:00:00", "2024-03-01T00:30:00"):
            store.put("meter", {"site": "north", "utc": utc, "hours": 1.0, "import_mwh": 1.0})
    assert ingest(nights, tmp_path, "utc,site,import_mwh\n2024-03-12T00:00Z,north,1\n").readings == 1
    assert ingest(nights, tmp_path, "utc,site,import_mwh\n2024-03-01T00:00Z,south,2\n").readings == 1
    with pytest.raises(SeriesError, match=r"row 3: readings of north .* overlap, the other one ingested before"):
        ingest(nights, tmp_path, "utc,site,import_mwh\n2024-03-12T01:00Z,north,1\n2024-03-01T01:00Z,north,2\n")


def test_readings_of_settled_days_are_told_to_be_too_late(nights, tmp_path):
    """Days of Oslo: 23:00 UTC on the 8th is the 9th, the first of two that are settled."""
    with open_store(nights.place.database) as store:
        for day in ("2024-03-09", "2024-03-10"):
            store.put("settled_days", {"policy": "plan", "day": day, "realised_cost_eur": 1.0, "energy_mwh": 1.0, "gpu_hours": 1.0,
                               "metered": 0, "state": "{}"})  # fmt: skip
    rows = [f"2024-03-{8 + k:02d}T{h:02d}:00Z,north,1" for k in range(4) for h in range(24)]
    text = "utc,site,import_mwh\n" + "\n".join(rows) + "\n"
    taken = ingest(nights, tmp_path, text)
    assert taken.late == {date(2024, 3, 9): 24, date(2024, 3, 10): 24}
    assert "96 readings; 48 of them came too late" in taken.message()
    assert "(2024-03-09 to 2024-03-10)" in taken.message()
    assert ingest(nights, tmp_path, text).message() == "96 readings", "the same again changes nothing"


def test_progress_without_end_is_refused(nights, tmp_path):
    with pytest.raises(SeriesError, match=r"row 2.*gpu_hours"):
        ingest(nights, tmp_path, "at,job,gpu_hours\n2024-03-12T00:00Z,j1,inf\n", read_progress)


def test_readings_of_a_day_are_those_that_touch_it(nights, tmp_path):
    text = "utc,site,import_mwh,hours\n2024-03-04T01:00Z,north,24,23\n2024-03-04T12:00Z,south,24,24\n2024-03-07T00:00Z,north,1,1\n"
    ingest(nights, tmp_path, text)
    inputs = read_inputs(
        nights.edit("case.yaml", "horizon.start", "2024-03-05").edit("case.yaml", "horizon.end", "2024-03-06").path
    )
    with open_store(nights.place.database) as store:
        assert list(meter_of(store, inputs)["site"]) == ["south"]
