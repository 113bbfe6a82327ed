"""Same inputs, same versions, same bytes in schedule.csv, whatever the order of rows and columns.

Tie-break, stated: the program's columns stand in the order of job id, speed class and period, then group, pool in the
order of the fleet file and period; among plans of equal cost the published one is the vertex that HiGHS's interior
point with crossover reaches from that order on one thread, and `disaggregate` splits it by fixed rules.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from energy.optimize import optimize
from energy.runs.folder import publish, record_of
from tests.cases import SmallCase
from tests.few import few

CHECKOUT = Path(__file__).parents[2]


def schedule_of(case, out):
    """Bytes of the schedule that a run publishes."""
    return (publish(record_of(optimize(case.path)), out) / "schedule.csv").read_bytes()


def small(folder):
    folder.mkdir()
    return SmallCase(folder)


def flat(case):
    """The same price in every hour and zone: countless plans cost the same."""
    return case.each("prices.csv", lambda row: row | {"NO4": "30.0", "DE-LU": "30.0"})


def shuffled(case, seed):
    """Job rows, the columns of jobs and prices, and the order inside cells, all mixed."""
    rng = random.Random(seed)
    jobs = [mixed(row, rng) for row in case.rows("jobs.csv")]
    rng.shuffle(jobs)
    order = list(jobs[0])
    case.put("jobs.csv", [{k: row[k] for k in order} for row in jobs])
    return case.put("prices.csv", [{k: row[k] for k in ("utc", "DE-LU", "NO4")} for row in case.rows("prices.csv")])


def mixed(row, rng):
    parts = {k: row[k].split(";") for k in ("gpu_kinds", "jurisdictions")}
    for values in parts.values():
        rng.shuffle(values)
    cells = list((row | {k: ";".join(v) for k, v in parts.items()}).items())
    rng.shuffle(cells)
    return dict(cells)


@pytest.mark.parametrize("prices", few([flat, lambda case: case], 1))
def test_order_of_rows_and_columns_leaves_the_bytes_as_they_are(prices, tmp_path):
    first = schedule_of(prices(small(tmp_path / "a")), tmp_path / "out_a")
    assert first.count(b"\n") > 50
    for seed in (1,):
        again = schedule_of(shuffled(prices(small(tmp_path / f"b{seed}")), seed), tmp_path / f"out_b{seed}")
        assert again == first


@pytest.mark.slow
def test_another_process_with_other_hashes_writes_the_same_bytes(tmp_path):
    """Sets and dictionaries of strings come in another order in every process unless the order is said."""
    case = flat(small(tmp_path / "case"))
    code = ("import sys; from pathlib import Path; from energy.optimize import optimize; "
            "from energy.runs.folder import publish, record_of; "
            "print(publish(record_of(optimize(Path(sys.argv[1]))), Path(sys.argv[2])) / 'schedule.csv')")  # fmt: skip
    written = []
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(case.path), str(tmp_path / f"out{seed}")], check=True, text=True,
            capture_output=True, cwd=CHECKOUT, env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
        written.append(Path(done.stdout.strip()).read_bytes())
    assert written[0] == written[1]


def test_a_series_out_of_order_is_refused_not_sorted(tmp_path):
    """Rows of a series are instants: one that goes backward is a clock that was read wrongly."""
    from energy.errors import SeriesError

    case = small(tmp_path / "case")
    rows = case.rows("prices.csv")
    rows[40], rows[41] = rows[41], rows[40]
    with pytest.raises(SeriesError, match="goes backward"):
        optimize(case.put("prices.csv", rows).path)
