"""The job table as frozen jobs."""

import random
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from energy.errors import SeriesError
from energy.inputs.jobs import read_jobs
from tests.cases import GONE


def test_row_order_never_matters(case):
    expected = case.problem()
    rows = case.rows("jobs.csv")
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        assert case.put("jobs.csv", rows).problem().identical(expected)


def test_column_order_never_matters(case):
    expected = case.problem()
    assert case.each("jobs.csv", lambda r: dict(reversed(r.items()))).problem().identical(expected)


@pytest.mark.parametrize(
    ("release", "deadline"),
    [
        ("2024-03-05T10:00Z", "2024-03-06T23:00Z"),
        ("2024-03-05 10:00", "2024-03-06T23:00:00.000"),
        ("2024-03-05T11:00+01:00", "2024-03-07T00:00:00+01:00"),
        ("20240305T100000Z", "+47h"),
        ("+ 10.0 h", "+47.0h"),
    ],
)
def test_offsets_and_absolute_times_mean_the_same(case, release, deadline):
    expected = case.problem()
    case.cell("jobs.csv", "j4", "release", release).cell("jobs.csv", "j4", "deadline", deadline)
    assert case.problem().identical(expected)


def test_offsets_count_from_the_first_local_midnight(case):
    case.edit("case.yaml", "horizon.time_zone", "Europe/Oslo")
    [j4] = [j for j in case.inputs().jobs if j.id == "j4"]
    assert j4.release == pd.Timestamp("2024-03-05T09:00")


def test_window_in_parts_of_an_hour(case):
    is_open = case.problem()["open"].sel(job="j5").values
    assert is_open[:3].tolist() == [0, 0.5, 1]
    assert is_open[19:22].tolist() == [1, 0.25, 0]
    assert is_open.sum() == 18.75


@pytest.mark.parametrize("as_text", [True, False])
def test_parquet_table_is_the_same(case, as_text):
    expected = case.problem()
    frame = pd.read_csv(case.folder / "jobs.csv")
    if not as_text:  # what a data pipeline would write
        start = pd.Timestamp("2024-03-05", tz="UTC")
        for name in ("release", "deadline"):
            frame[name] = start + pd.to_timedelta(frame[name].str.strip("+h").astype(float), unit="h")
    frame.sample(frac=1, random_state=1).to_parquet(case.folder / "jobs.parquet")
    assert case.edit("case.yaml", "jobs", "jobs.parquet").problem().identical(expected)


def test_ids_and_labels_are_text(case):
    """007 is not 7, NA and null are names like any other."""
    for old, new in (("j1", "007"), ("j2", "7"), ("j3", "NA"), ("j4", "null")):
        case.cell("jobs.csv", old, "label", "2024").cell("jobs.csv", old, "id", new)
    jobs = {j.id: j.label for j in case.inputs().jobs}
    assert jobs == {"007": "2024", "7": "2024", "NA": "2024", "null": "2024", "j5": "evaluation", "j6": "evaluation"}


def test_empty_cells_are_defaults(case):
    for column in ("label", "jurisdictions", "home_site", "value_eur_per_gpu_hour"):
        case.cell("jobs.csv", "j6", column, GONE)
    j6 = case.inputs().jobs[-1]
    assert (j6.label, j6.jurisdictions, j6.home_site, j6.value_eur_per_gpu_hour) == ("", frozenset(), None, None)


def test_kinds_with_and_without_speed(case):
    case.cell("jobs.csv", "j4", "gpu_kinds", " h200 ; a100 = 0.4 ;")
    [j4] = [j for j in case.inputs().jobs if j.id == "j4"]
    assert j4.gpu_kinds == {"h200": 1.0, "a100": 0.4}


def test_reserved_columns_are_read_and_left_alone(case):
    expected = case.problem()
    case.each("jobs.csv", lambda r: r | {"gang_gpus": 8, "min_run_h": 2, "movable": "yes"})
    assert case.problem().identical(expected)


def test_a_column_submitted_changes_no_plan_of_all_that_is_known(case):
    expected = case.problem()
    case.each("jobs.csv", lambda r: r | {"submitted": "" if r["id"] == "j1" else "2024-03-01T06:00Z"})
    assert case.problem().identical(expected)


def test_what_was_submitted_later_is_not_known_as_of_a_moment(case, tmp_path):
    case.each(
        "jobs.csv", lambda r: r | {"submitted": {"j1": "2024-03-09T00:00Z", "j2": "2024-03-08T23:59Z"}.get(r["id"], "")}
    )
    path, start = case.folder / "jobs.csv", np.datetime64("2024-03-04")
    moment = datetime.fromisoformat("2024-03-08T23:59")
    every = [j.id for j in read_jobs(path, start)]
    assert [j.id for j in read_jobs(path, start, as_of=moment)] == [n for n in every if n != "j1"]


def test_a_bad_submitted_names_its_row(case):
    case.each("jobs.csv", lambda r: r | {"submitted": "soon" if r["id"] == "j2" else ""})
    with pytest.raises(SeriesError, match=r"jobs.csv: row 3: submitted: 'soon' is not a time"):
        case.inputs()


def test_jobs_outside_the_horizon_are_left_out_and_named(case):
    for job, release, deadline in (
        ("j1", "2024-03-01", "2024-03-05T00:00Z"),
        ("j2", "2024-03-07T00:00Z", "2024-03-09"),
    ):
        case.cell("jobs.csv", job, "release", release).cell("jobs.csv", job, "deadline", deadline)
    inputs = case.inputs()
    assert inputs.left_out == ("j1", "j2")
    assert [j.id for j in inputs.jobs] == ["j3", "j4", "j5", "j6"]


def test_a_value_of_its_own_replaces_the_default_penalty(case):
    penalty = case.problem()["penalty"]
    assert float(penalty.sel(job="j6")) == 5.5
    assert float(penalty.sel(job="j5")) > 0
    case.cell("jobs.csv", "j6", "value_eur_per_gpu_hour", 0)
    assert float(case.problem()["penalty"].sel(job="j6")) == 0
