"""A Record written and read again is the same run, and gives the same page."""

from __future__ import annotations

import pytest

from energy.report.page import render
from energy.runs.record import read, write, write_json
from tests.report.build import small


@pytest.fixture(scope="module")
def record():
    return small(jobs=4, sites=2, groups=2)


@pytest.fixture(scope="module")
def folder(record, tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    write(record, path)
    write_json(record.manifest, path / "manifest.json")
    return path


@pytest.mark.slow
def test_the_page_of_a_folder_is_the_page_of_its_run(record, folder):
    assert render(read(folder)) == render(record)


def test_datasets_are_kept_exactly(record, folder):
    again = read(folder)
    for name, ds in record.datasets.items():
        assert again.datasets[name].equals(ds), name


def test_a_missing_file_is_named(record, folder):
    (folder / "prices.nc").unlink()
    with pytest.raises(FileNotFoundError, match=r"prices\.nc"):
        read(folder)


def test_unknown_datasets_are_no_attributes(record):
    with pytest.raises(AttributeError, match="forecast"):
        _ = record.forecast


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"x": float("nan")}, tmp_path / "x.json")
    with pytest.raises(TypeError, match="is not JSON"):
        write_json({"x": object()}, tmp_path / "x.json")
