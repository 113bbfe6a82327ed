"""Files that are damaged, hostile or far too large: one message with the file, in little time and memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from energy.errors import ConfigError, InputError, SeriesError
from energy.handover.job_table import Rules, job_table, read_queue
from energy.inputs.yaml_files import read_yaml
from energy.series.files import read_frame, read_series

#: Longest time that a reader may take to refuse a file [s]; what it costs on a busy machine.
LONGEST_S = 5.0
SEEDS = 40


def refused(reader, path, *words):
    began = time.monotonic()
    with pytest.raises(InputError) as caught:
        reader(path)
    assert time.monotonic() - began < LONGEST_S
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert [w for w in words if w not in message] == [], message


def table(rows=60):
    time_ = pd.date_range("2024-03-01", periods=rows, freq="h")
    return pd.DataFrame({"NO4": np.arange(rows, dtype=float), "quality": "auction"}, index=pd.Index(time_, name="utc"))


@pytest.fixture(scope="module")
def good():
    """A series as CSV, gzip, Parquet and NetCDF."""
    frame = table()
    text = frame.to_csv(date_format="%Y-%m-%dT%H:%M:%SZ").encode()
    parquet = io.BytesIO()
    frame.reset_index().to_parquet(parquet)
    ds = xr.Dataset({"NO4": ("time", frame["NO4"].to_numpy())}, coords={"time": frame.index.to_numpy()})
    return {
        ".csv": text,
        ".csv.gz": gzip.compress(text),
        ".parquet": parquet.getvalue(),
        ".nc": bytes(ds.to_netcdf(engine="h5netcdf")),
    }


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".nc"])
def test_damaged_bytes_are_read_or_refused_in_one_message(ending, good, tmp_path, record_property):
    """Cut off, overwritten, swapped: no other error than the reader's own."""
    path, bad = tmp_path / f"x{ending}", 0
    for seed in range(SEEDS):
        rng, content = random.Random(seed), bytearray(good[ending])
        match seed % 3:
            case 0:
                content = content[: rng.randrange(len(content))]
            case 1:
                at = rng.randrange(len(content))
                content[at : at + rng.randint(1, 64)] = rng.randbytes(rng.randint(1, 64))
            case _:
                for _ in range(rng.randint(1, 12)):
                    content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(bytes(content))
        try:
            read_series(path)
        except SeriesError as e:
            bad += 1
            said = str(e)
            assert said.startswith(str(path))
    record_property("attacks", SEEDS)
    assert bad > SEEDS / 10
    path.write_bytes(good[ending])
    assert len(read_series(path)) == 60


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, record_property, monkeypatch):
    monkeypatch.setattr("energy.series.content.MOST_BYTES", 4 * 1024**2)
    monkeypatch.setattr("energy.series.content.MOST_VALUES", 512 * 1024)
    zipped = tmp_path / "bomb.csv.gz"
    zipped.write_bytes(gzip.compress(b"utc,x\n" + bytes(64 * 1024**2)))
    refused(read_series, zipped, "unpacks to too much", "at most 4 MB")
    many = tmp_path / "many.csv.gz"  # many members, each small
    many.write_bytes(gzip.compress(b"1" * 100_000) * 100)
    refused(read_series, many, "unpacks to too much")
    wide = tmp_path / "bomb.parquet"
    pd.DataFrame({"utc": pd.date_range("2024", periods=1_000_000, freq="s"), "x": 0.0}).to_parquet(wide)
    refused(read_series, wide, "unpacks to too much")
    deep = tmp_path / "bomb.nc"
    zeros = xr.Dataset(
        {"x": ("time", np.zeros(1_000_000))}, coords={"time": pd.date_range("2024", periods=1_000_000, freq="s")}
    )
    zeros.to_netcdf(deep, engine="h5netcdf", encoding={"x": {"zlib": True, "complevel": 9}})
    refused(read_series, deep, "unpacks to too much")
    record_property("attacks", 4)


def test_pipes_and_folders_are_no_files(tmp_path, record_property):
    """A pipe that nobody writes to would be waited for without end."""
    for name, reader in (
        ("x.csv", read_series),
        ("jobs.csv", read_frame),
        ("fleet.yaml", read_yaml),
        ("squeue.json", read_queue),
    ):
        path = tmp_path / name
        os.mkfifo(path)
        refused(reader, path, "is no regular file")
        path.unlink()
        path.mkdir()
        refused(reader, path)
    record_property("attacks", 8)


YAML = {
    "aliases": "a: &a [1]\nb: [" + ", ".join(["*a"] * 20_000) + "]\n",
    "billion laughs": "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 200)),
    "brackets": "a: " + "[" * 5_000 + "]" * 5_000 + "\n",
    "braces": "a: " + "{b: " * 3_000 + "1" + "}" * 3_000 + "\n",
    "open brackets": "a: " + "[" * 100_000,
    "long": "a: " + "x" * (6 * 1024**2) + "\n",
    "null byte": "a: \0\n",
    "tag": "a: !!python/object/apply:os.system [echo]\n",
    "indentation": "".join(" " * i + f"a{i}:\n" for i in range(1_500)) + " " * 1_500 + "x: 1\n",
    "list": "[1, 2]\n", "text": "just words\n", "empty": "", "date": "a: 2024-13-45\n", "tab": "a:\n\tb: 1\n",
}  # fmt: skip


@pytest.mark.parametrize("name", YAML)
def test_hostile_yaml(name, tmp_path, record_property):
    path = tmp_path / "fleet.yaml"
    path.write_text(YAML[name], encoding="utf-8")
    record_property("attacks", 1)
    began = time.monotonic()
    try:
        found = read_yaml(path)
    except ConfigError as e:
        found, said = None, str(e)
        assert str(path) in said
    assert time.monotonic() - began < LONGEST_S
    assert found is None or name in ("tag", "indentation", "date")


JOB = {
    "job_id": 1, "name": "a", "job_state": ["PENDING"], "tres_req_str": "gres/gpu:h200=4", "time_limit": {"set": True, "number": 60},
    "submit_time": {"set": True, "number": 1_709_000_000}, "user_name": "u", "partition": "p",
}  # fmt: skip
QUEUES = {
    "nested": "[" * 100_000, "closed nesting": '{"jobs": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "1e18": json.dumps({"jobs": [JOB | {"time_limit": {"set": True, "number": 10**18}}]}),
    "1e400": '{"jobs": [{"job_id": 1, "time_limit": 1e400, "submit_time": 1e400}]}',
    "far": json.dumps({"jobs": [JOB | {"submit_time": 10**17}], "last_update": 10**17}),
    "negative": json.dumps({"jobs": [JOB | {"submit_time": -(10**12), "tres_req_str": "gres/gpu=-5"}]}),
    "array": json.dumps({"jobs": [JOB | {"array_task_string": "0-9:0"}]}),
    "array of all": json.dumps({"jobs": [JOB | {"array_task_string": "0-999999999999999999%9999999999"}]}),
    "long name": json.dumps({"jobs": [JOB | {"name": "x" * 131_072}]}),
    "many GPUs": json.dumps({"jobs": [JOB | {"tres_req_str": "gres/gpu:h200=" + "9" * 400}]}),
    "not a list": '{"jobs": 5}', "numbers": '{"jobs": [1, null, "x"]}', "null": "null", "list": "[]", "bytes": "\x00\x01\x02",
    "half": json.dumps({"jobs": [JOB]})[:-9], "wrong types": json.dumps({"jobs": [{key: {"set": [], "number": {}} for key in JOB}]}),
    "surrogate": '{"jobs": [{"job_id": 1, "name": "\\ud800"}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", QUEUES)
def test_hostile_queues(name, tmp_path, record_property):
    """Read, left out by name, or refused in one message; the table that comes of it can be written."""
    from datetime import UTC, datetime

    path = tmp_path / "squeue.json"
    path.write_text(QUEUES[name], encoding="utf-8")
    record_property("attacks", 1)
    try:
        made = job_table(read_queue(path), Rules(datetime(2024, 3, 1, tzinfo=UTC)))
        text = made.csv()
        text.encode("utf-8", "strict")
    except SeriesError as e:
        text = str(e)
        assert text.startswith(str(path))
