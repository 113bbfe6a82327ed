"""Job tables that cannot be used: file, row, job, column and what is allowed (exit code 3)."""

import pytest

from energy.errors import SeriesError
from tests.cases import GONE

#: What is wrong -> (column, cell of job j4 in row 5, words of the message).
CELLS = {
    "NaN": ("gpu_hours", "NaN", ["gpu_hours: must be a finite number (found 'NaN')"]),
    "inf": ("gpu_hours", "inf", ["gpu_hours: must be a finite number (found inf)"]),
    "NaN where empty is allowed": ("value_eur_per_gpu_hour", "NaN",
        ["value_eur_per_gpu_hour: must be a finite number"]),
    "text": ("max_gpus", "many", ["max_gpus: must be a valid number", "'many'"]),
    "missing": ("gpu_hours", GONE, ["gpu_hours: missing"]),
    "no id": ("id", GONE, ["row 5 (job ?)", "id: missing"]),
    "no work": ("gpu_hours", "0", ["gpu_hours: must be greater than 0"]),
    "negative work": ("gpu_hours", "-5", ["gpu_hours: must be greater than 0"]),
    "deadline before release": ("deadline", "+9h",
        ["deadline 2024-03-05 09:00:00Z is not after release 2024-03-05 10:00:00Z", "after the release"]),
    "no moment": ("deadline", "soon", ["deadline: 'soon' is not a time", "2018-05-01T06:00Z", "+36h"]),
    "NaT": ("deadline", "NaT", ["deadline: 'NaT' is not a time"]),
    "now": ("release", "now", ["release: 'now' is not a time"]),
    "a bare number": ("release", "5", ["release: '5' is not a time"]),
    "a negative offset": ("release", "-5h", ["release: '-5h' is not a time"]),
    "an endless offset": ("deadline", "+9999999h", ["deadline: '+9999999h' is not a time"]),
    "no such day": ("deadline", "2024-02-30", ["deadline: '2024-02-30' is not a time"]),
    "year 9999": ("deadline", "9999-12-31", ["deadline: '9999-12-31' is not a time between 1678 and 2262"]),
    "speed in words": ("gpu_kinds", "h200=fast", ["gpu_kinds: 'h200=fast' is not kind=speed", "gb300=2.5;h200=1"]),
    "speed 0": ("gpu_kinds", "h200=0", ["gpu_kinds: speeds must lie above 0"]),
    "speed NaN": ("gpu_kinds", "h200=nan", ["gpu_kinds.h200: must be a finite number"]),
    "a kind twice": ("gpu_kinds", "h200=1;h200=2", ["gpu_kinds: 'h200' stands twice"]),
    "no kind": ("gpu_kinds", ";", ["gpu_kinds: must have at least 1 item"]),
    "duplicate id": ("id", "j2", ["row 5: id 'j2' already stands in row 3", "each id once"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_bad_cell(case, name):
    column, value, words = CELLS[name]
    case.cell("jobs.csv", "j4", column, value).refused(SeriesError, "jobs.csv: row 5", *words)


def test_no_jobs(case):
    text = (case.folder / "jobs.csv").read_text().splitlines()[0]
    (case.folder / "jobs.csv").write_text(text + "\n")
    case.refused(SeriesError, "jobs.csv", "has no jobs", "at least one row")


def test_no_job_inside_the_horizon(case):
    case.each("jobs.csv", lambda r: r | {"release": "2023-01-01", "deadline": "2023-02-01"})
    case.refused(SeriesError, "jobs.csv", "none of its jobs touches the horizon 2024-03-05T00:00Z … 2024-03-07T00:00Z")


def test_unknown_and_missing_columns(case):
    case.text("jobs.csv", ",max_gpus,", ",gpus,").refused(
        SeriesError, "jobs.csv: header", "unknown columns ['gpus']", "missing columns ['max_gpus']", "home_site"
    )


def test_rows_keep_their_numbers_across_blank_lines(case):
    case.text("jobs.csv", "j4,", "\nj4,").refused(SeriesError, "jobs.csv: row 5 (job ?)", "id: missing")


def test_blank_lines_at_the_end_are_nothing(case):
    path = case.folder / "jobs.csv"
    path.write_text(path.read_text() + "\n\n")
    assert len(case.inputs().jobs) == 6


def test_missing_table(case):
    (case.folder / "jobs.csv").unlink()
    case.refused(SeriesError, "jobs.csv", "cannot be read (No such file or directory)")


def test_home_site_outside_the_fleet(case):
    case.cell("jobs.csv", "j4", "home_site", "east").refused(
        SeriesError, "jobs.csv: job j4", "home_site 'east' is not in the fleet", "north, south"
    )
