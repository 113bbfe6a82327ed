"""The queue of a night: a bad row is set aside by name, never the night."""

import numpy as np
import pytest

from energy.errors import SeriesError
from energy.nightly.queue import Queue, read_queue

NOW = np.datetime64("2024-03-11T12:00", "ns")
HEADER = "id,label,gpu_hours,max_gpus,release,deadline,gpu_kinds,submitted\n"


def queue_of(tmp_path, *rows):
    path = tmp_path / "queue.csv"
    path.write_text(HEADER + "".join(f"{r}\n" for r in rows), encoding="utf-8")
    return read_queue(path, NOW)


def row(name, submitted, release="2024-03-10T00:00Z"):
    return f"{name},train,10,8,{release},2024-03-20T00:00Z,h200=1,{submitted}"


def test_a_job_is_known_from_its_submission_or_else_its_release(tmp_path):
    found = queue_of(tmp_path, row("a", "2024-03-11T11:59Z"), row("b", "2024-03-11T12:01Z"), row("c", ""),
                     row("d", "", release="2024-03-12T00:00Z"), row("e", "2024-03-11T14:00+02:00"))  # fmt: skip
    assert {k: str(v) for k, v in found.submitted.items()} == {
        "a": "2024-03-11 11:59:00", "c": "2024-03-10 00:00:00", "e": "2024-03-11 12:00:00",
    }  # fmt: skip
    assert found.refused == []


def test_a_submission_that_is_no_time_sets_its_row_aside(tmp_path):
    found = queue_of(tmp_path, row("a", "soon"), row("b", ""))
    assert list(found.jobs) == ["b"]
    assert len(found.refused) == 1
    assert "queue.csv: row 2 (job a): submitted: 'soon' is not a time" in found.refused[0]


def test_hours_from_a_start_have_no_meaning_in_a_table_of_many_nights(tmp_path):
    with pytest.raises(SeriesError, match="submitted: counts hours from a horizon's start"):
        queue_of(tmp_path, row("a", "+3h"))


def test_a_job_whose_work_is_done_is_not_set_aside_any_more():
    """Its pool has gone; of the other one a tenth is left."""
    queue = Queue(refused=["row 7: no number", "job a: no pool may run it", "job b: no pool may run it"])
    queue.aside = {n: (f"job {n}: no pool may run it", 10.0) for n in "ab"}
    queue.drop_done({"a": 10.0, "b": 9.0})
    assert queue.refused == ["row 7: no number", "job b: no pool may run it"]
