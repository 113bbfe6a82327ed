"""Expected arrivals: the mean of the weekday, by kind and slack, as rows of a job table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.forecast import expected_arrivals
from energy.inputs.jobs import read_expected

BOUNDED = settings(max_examples=4, deadline=None, derandomize=True, database=None)
MONDAY = np.datetime64("2024-06-10T00:00")  # a Monday


def jobs(*rows):
    """(days before MONDAY, hour, GPU-hours, GPUs, window [h], kinds)."""
    at = [pd.Timestamp(MONDAY) - pd.Timedelta(days=d) + pd.Timedelta(hours=h) for d, h, *_ in rows]
    length = [pd.Timedelta(hours=r[4]) for r in rows]
    return pd.DataFrame({
        "id": [f"j{i}" for i in range(len(rows))], "gpu_hours": [float(r[2]) for r in rows],
        "max_gpus": [float(r[3]) for r in rows], "release": at,
        "deadline": [a + w for a, w in zip(at, length, strict=True)], "gpu_kinds": [r[5] for r in rows],
    })  # fmt: skip


def random_jobs(seed, count=60):
    rng = np.random.default_rng(seed)
    return jobs(*[(int(rng.integers(1, 29)), float(rng.uniform(0, 24)), float(rng.uniform(1, 500)),
                   float(rng.integers(1, 64)), float(rng.uniform(12, 200)), ["h200=1", "gb300=2;h200=1"][rng.integers(2)])
                  for _ in range(count)])  # fmt: skip


def days_after(days):
    return MONDAY + np.timedelta64(days, "D")


def test_mean_of_the_weekday():
    """On two of four Mondays 400 GPU-hours came at 10:00 and 14:00, due in 72 h: 200 are expected, at noon."""
    got = expected_arrivals(
        jobs((7, 10, 400, 40, 72, "h200=1"), (14, 14, 400, 40, 72, "h200=1")), MONDAY, days_after(7)
    )
    assert got["id"].tolist() == ["expected-2024-06-10-00"]
    row = got.iloc[0]
    assert (row["gpu_hours"], row["max_gpus"], row["gpu_kinds"]) == (200, 20, "h200=1")
    assert row["release"] == pd.Timestamp("2024-06-10T12:00")
    assert row["deadline"] == pd.Timestamp("2024-06-13T12:00")


def test_kinds_and_slack_classes_stay_apart():
    """Same kind, slack of one and five days; another kind: three pseudo jobs."""
    seen = jobs((7, 10, 40, 40, 20, "h200=1"), (7, 10, 40, 40, 110, "h200=1"), (7, 10, 40, 40, 20, "a100=1"))
    assert len(expected_arrivals(seen, MONDAY, days_after(1))) == 3


@BOUNDED
@given(seed=st.integers(0, 999), zone=st.sampled_from(["UTC", "Europe/Oslo"]))
def test_a_week_brings_a_quarter_of_four(seed, zone):
    seen = random_jobs(seed)
    week = expected_arrivals(seen, MONDAY, days_after(7), time_zone=zone)
    month = seen["gpu_hours"].sum()
    assert week["gpu_hours"].sum() == pytest.approx(month / 4, rel=0.02, abs=0.2)
    least = week["gpu_hours"] / week["max_gpus"]
    assert ((week["deadline"] - week["release"]).dt.total_seconds() / 3600 >= 0.99 * least.clip(upper=12)).all()


@BOUNDED
@given(seed=st.integers(0, 999))
def test_order_of_rows_does_not_matter_nor_what_came_later(seed):
    seen = random_jobs(seed)
    later = jobs((-1, 3, 9999, 50, 40, "h200=1"))
    mixed = pd.concat([later, seen]).sample(frac=1.0, random_state=seed)
    plain = expected_arrivals(seen, MONDAY, days_after(7))
    pd.testing.assert_frame_equal(plain, expected_arrivals(mixed, MONDAY, days_after(7)))


def test_submitted_says_when_a_job_became_known():
    """Known on Thursday for a release on Monday: such work is expected to be announced on Thursdays."""
    seen = jobs((7, 10, 400, 40, 72, "h200=1")).assign(submitted=pd.Timestamp("2024-05-30T10:00"))
    got = expected_arrivals(seen, MONDAY, days_after(14))
    assert got["release"].tolist() == [pd.Timestamp("2024-06-17T10:00")]
    assert got["gpu_hours"].tolist() == [100]


def test_rest_of_the_day_counts_what_comes_late():
    """Known at 13:00: of the day's arrivals at 10 and 18 the second is still to come; tomorrow both."""
    known = MONDAY + np.timedelta64(13, "h")
    seen = jobs(*[(d, h, 100, 10, 72, "h200=1") for d in range(1, 29) for h in (10, 18)])
    got = expected_arrivals(seen, known, days_after(2)).groupby(lambda i: i)["gpu_hours"].sum()
    assert got.tolist() == pytest.approx([100, 200])


def daily(clock: str, first: str, days: int) -> pd.DataFrame:
    """100 GPU-hours a day at one hour of Oslo's clocks."""
    stamps = [pd.Timestamp(f"{day:%Y-%m-%d}T{clock}", tz="Europe/Oslo") for day in pd.date_range(first, periods=days)]
    at = [t.tz_convert("UTC").tz_localize(None) for t in stamps]
    rows = jobs(*[(1, 0, 100, 10, 72, "h200=1")] * days)
    return rows.assign(release=at, deadline=[t + pd.Timedelta(hours=72) for t in at])


@pytest.mark.parametrize(
    ("first", "known", "clock", "expected"),
    [
        ("2024-03-01", "2024-03-29T23:00", "09:00", ["30T08:00", "31T07:00", "01T07:00"]),  # 23 h on the 31st
        ("2024-09-27", "2024-10-25T22:00", "09:00", ["26T07:00", "27T08:00", "28T08:00"]),  # 25 h on the 27th
        ("2024-03-01", "2024-03-29T23:00", "02:30", ["30T01:30", "31T01:00", "01T00:30"]),  # no half past two
        ("2024-09-27", "2024-10-25T22:00", "02:30", ["26T00:30", "27T00:30", "28T01:30"]),  # the first of two
    ],
)
def test_arrivals_keep_their_local_hour_over_a_clock_change(first, known, clock, expected):
    known_at = np.datetime64(known)
    until = known_at + np.timedelta64(71, "h")
    got = expected_arrivals(daily(clock, first, 29), known_at, until, time_zone="Europe/Oslo")
    assert [f"{t:%dT%H:%M}" for t in got["release"]] == expected
    assert ((got["deadline"] - got["release"]) == pd.Timedelta(hours=72)).all(), "windows are hours, not clock hands"


def test_a_window_over_a_clock_change_has_whole_local_days():
    """Fourteen days back from half past nine: the ninth hour of the first day is not in it."""
    known_at = np.datetime64("2024-04-10T07:30")
    seen = daily("09:00", "2024-03-20", 22)
    got = expected_arrivals(seen, known_at, known_at + np.timedelta64(7, "D"), 14, "Europe/Oslo")
    assert got["gpu_hours"].tolist() == [100.0] * 7


def test_short_window_takes_the_mean_of_all_days():
    seen = jobs((1, 10, 700, 40, 72, "h200=1"))
    got = expected_arrivals(seen, MONDAY, days_after(3), window_days=7)
    assert got["gpu_hours"].tolist() == [100, 100, 100]


def test_nothing_seen_nothing_expected_and_bad_windows():
    assert expected_arrivals(jobs((40, 10, 700, 40, 72, "h200=1")), MONDAY, days_after(7)).empty
    for bad in ({"window_days": 0}, {"until": MONDAY}):
        with pytest.raises(ValueError, match="at least one day"):
            expected_arrivals(jobs((1, 1, 1, 1, 9, "a=1")), **({"known_at": MONDAY, "until": days_after(1)} | bad))


def test_is_a_job_table(tmp_path):
    """What is written is read again as expected arrivals of a case."""
    table = expected_arrivals(random_jobs(3), MONDAY, days_after(7))
    table.to_csv(tmp_path / "expected.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    back = read_expected(tmp_path / "expected.csv", MONDAY)
    assert [j.id for j in back] == table["id"].tolist()
    assert sum(j.gpu_hours for j in back) == pytest.approx(table["gpu_hours"].sum())
