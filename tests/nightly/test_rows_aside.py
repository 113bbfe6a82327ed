"""Rows of the queue that cannot be planned are set aside by name; the night plans the rest."""

from __future__ import annotations

import random
import re

import pytest

from tests.nightly.nightcase import QUEUE, NightCase

HEADER, *ROWS = [line + "," for line in QUEUE.splitlines()]
HEADER += "value_eur_per_gpu_hour"
GOOD = {
    "id": "v", "label": "pretrain", "gpu_hours": "100", "max_gpus": "64", "release": "2024-03-11T00:00Z",
    "deadline": "2024-03-14T00:00Z", "gpu_kinds": "h200=1", "jurisdictions": "EU", "home_site": "south",
    "submitted": "2024-03-11T00:00Z", "value_eur_per_gpu_hour": "",
}  # fmt: skip
#: One cell that once failed the whole night -> what its reason says; "": it can be planned.
ONCE = [
    ("value_eur_per_gpu_hour", "10000", ""), ("gpu_kinds", "h200=1000", ""),
    ("value_eur_per_gpu_hour", "1000000", "value_eur_per_gpu_hour 1e+06"), ("gpu_kinds", "h200=0.000001;a100=1", "speed 1e-06"),
    ("gpu_hours", "1e8", "GPU-hours take"), ("release", "+5h", "counts hours from a horizon's start"),
    ("max_gpus", "0.0000001", "GPU-hours take"), ("gpu_hours", "1e18", "gpu_hours"), ("id", "", "id"),
    ("id", "x" * 131_072, "row"), ("deadline", "9999-12-31T00:00Z", "not a time"), ("gpu_hours", "nan", "gpu_hours"),
]  # fmt: skip


def queue_of(*rows):
    return "\n".join([HEADER, *ROWS, *(",".join(r[k] for k in GOOD) for r in rows), ""])


def test_rows_that_failed_a_night_are_set_aside_and_the_rest_is_planned(tmp_path, record_property):
    case = NightCase(tmp_path)
    rows = [GOOD | {"id": f"v{i}"} | {key: cell} for i, (key, cell, _) in enumerate(ONCE)]
    (case.folder / "queue.csv").write_text(queue_of(*rows), encoding="utf-8")
    night = case.night()
    record_property("attacks", len(rows))
    assert (night.status, night.method) == ("DEGRADED", "lp")
    refused = night.night["jobs"]["refused"]
    bad = [(i, why) for i, (_, _, why) in enumerate(ONCE) if why]
    assert len(refused) == len(bad)
    for i, why in bad:
        mine = [r for r in refused if why in r and (f"job v{i}:" in r or f"row {i + 7} " in r)]
        assert mine, (ONCE[i], refused)
    for i, (_, _, why) in enumerate(ONCE):
        if not why:
            assert not any(re.search(rf"job v{i}\b", r) for r in refused)


#: Cells that a spreadsheet, a script or a stranger could leave.
CELLS = (
    "", "0", "-1", "1e-300", "1e300", "1e18", "inf", "nan", "NaN", "0x10", "1,000", "1.5", "64", "+1h", "2024-03-12",
    "2024-13-45T99:99Z", "0001-01-01T00:00Z", "2024-03-12T00:00+14:00", "h200", "h200=", "=1", "h200=1;h200=2", "a100=-1",
    "EU;EU;;", "\u202e", "💣", "{}", "[1]*9", "=cmd()", "x" * 300, "north", "nowhere", "true", "None", "1e5", "0.001",
)  # fmt: skip


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow) for seed in range(3)])
def test_random_cells_never_fail_the_night(seed, tmp_path, record_property):
    """Forty rows with one or two cells from the list above: the five good jobs are planned, the others named or planned."""
    rng, rows = random.Random(seed), []
    for i in range(40):
        row = GOOD | {"id": f"v{i}"}
        for key in rng.sample(sorted(GOOD), rng.randint(1, 2)):
            row[key] = '"' + rng.choice(CELLS).replace('"', "") + '"'
        rows.append(row)
    case = NightCase(tmp_path)
    (case.folder / "queue.csv").write_text(queue_of(*rows), encoding="utf-8")
    night = case.night()
    record_property("attacks", len(rows))
    assert night.folder is not None, night.reasons
    assert night.method == "lp", night.reasons
    assert night.night["jobs"]["refused"]
