"""Arrays of a run folder of format version 1 (`make_arrays.py` says how it was made) under the names of today."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from energy.audit.certificate import certify
from energy.runs import format_1
from energy.runs.folder import read_run
from energy.schema.arrays import TABLES
from tests.cli.conftest import energy  # noqa: F401

HERE = Path(__file__).parent
DIMENSIONS = {"guard": "post_horizon"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The run folder and what was said of it; not to be changed."""
    folder = tmp_path_factory.mktemp("arrays_1")
    with tarfile.open(HERE / "arrays_1.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def said(archive):
    """Objective, bill and sums of arrays, by the code of then."""
    return json.loads((archive / "said.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(archive):
    """The run folder."""
    return next((archive / "runs").iterdir())


@pytest.mark.parametrize("name", ["problem", "solution", "prices"])
def test_every_array_is_there_with_its_values(run, said, name):
    found = read_run(run).datasets[name]
    of_then = {format_1.ARRAYS.get(k, k): v for k, v in said["sums"][name].items()}
    assert set(of_then) == set(found.data_vars)
    assert {k: float(np.sum(v.values.astype(float))) for k, v in found.data_vars.items()} == of_then


def test_the_run_has_what_was_renamed(run, said):
    """Each old name is an array or dimension of the folder, and the plan waits, takes from contracts and leaves work undone."""
    then = {k for sums in said["sums"].values() for k in sums} | set(DIMENSIONS)
    assert set(format_1.ARRAYS) <= then
    x = read_run(run).solution
    assert all(
        float(x[k].sum()) > 1 for k in ("job_gpus", "group_gpus", "unserved", "deferred", "segment_load", "offtake")
    )
    assert read_run(run).problem.sizes["post_horizon"] > 0


def test_names_of_today_are_in_the_tables_and_names_of_then_are_not():
    today = {name for table in TABLES.values() for name in table} | {
        d for table in TABLES.values() for array in table.values() for d in array.dims
    }
    assert set(format_1.ARRAYS.values()) <= today
    assert set(format_1.ARRAYS) & today == set()


def test_the_certificate_holds_again(run, said):
    record = read_run(run)
    solution = record.solution.assign_attrs(objective_eur=said["objective_eur"])
    proof = certify(record.problem, solution)
    assert proof.passed
    assert proof.primal_eur == pytest.approx(said["objective_eur"], rel=1e-12)


def test_replay_gives_the_objective(energy, run, said):  # noqa: F811
    done = energy("replay", run)
    assert done.code == 0, done.err
    assert f"objective: {said['objective_eur']:.6f} EUR then" in done.out
    assert "objective and certificate agree" in done.out


def test_the_bill_is_the_same(energy, run, said):  # noqa: F811
    done = energy("bill", "--run", run)
    assert (done.code, done.out) == (0, said["bill"])


def test_the_report_draws(energy, run, tmp_path):  # noqa: F811
    done = energy("report", "--run", run, "--output", tmp_path / "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "wait for after the horizon" in page


def test_the_page_of_formats_names_every_rename():
    page = (HERE.parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [f"{a} -> {b}" for a, b in format_1.ARRAYS.items() if f"`{a}`" not in page or f"`{b}`" not in page] == []
