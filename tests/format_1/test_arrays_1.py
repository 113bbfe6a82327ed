"""Arrays of a run folder of format version 1 (`make_arrays.py` says how it was made) under the names of today."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from energy.audit.certificate import VIOLATION, certify
from energy.runs import older_formats
from energy.runs.folder import read_run
from energy.runs.recompute import reproduce
from energy.schema.arrays import TABLES
from tests.cli.conftest import energy  # noqa: F401

HERE = Path(__file__).parent
DIMENSIONS = {"guard": "post_horizon"}
#: Arrays of version 2 that counted GPUs class by class, and those of today that are computed from them.
THEN = {"job_gpus", "bound_job_gpus", "dual_job_limit", "dual_link"}
CUMULATED = {"cumulative_gpus", "bound_cumulative_gpus", "dual_link"}


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
    of_then = {older_formats.ARRAYS.get(k, k): v for k, v in said["sums"][name].items()}
    sums = {k: float(np.sum(v.values.astype(float))) for k, v in found.data_vars.items()}
    if name == "solution":
        assert set(of_then) - THEN == set(sums) - CUMULATED
        assert found["cumulative_gpus"].values[:, -1].sum() == pytest.approx(of_then["job_gpus"], rel=1e-12)
    assert {k: v for k, v in of_then.items() if k not in THEN} == {k: v for k, v in sums.items() if k not in CUMULATED}


def test_gpus_and_prices_class_by_class_are_cumulated():
    """One job, three classes: its gain in a class is the reduced cost of the class and of its limit."""
    gpus, reduced, price = [[3.0], [2.0], [1.0]], [[0.0], [0.5], [4.0]], [[9.0], [7.0], [2.0]]
    dims = ("job", "speed_class", "time")
    then = xr.Dataset({
        "job_gpus": (dims, [gpus]), "bound_job_gpus": (dims, [reduced]), "dual_job_limit": (("job", "time"), [[-1.0]]),
        "dual_link": (("group", "speed_class", "time"), [price]),
    })  # fmt: skip
    now = older_formats.dataset(then, 2)
    assert set(now.data_vars) == CUMULATED
    assert now["cumulative_gpus"].values.ravel().tolist() == [3, 5, 6]
    assert now["dual_link"].values.ravel().tolist() == [2, 5, 2]
    assert now["bound_cumulative_gpus"].values.ravel().tolist() == [-0.5, -3.5, 3]


def test_the_run_has_what_was_renamed(run, said):
    """Each old name is an array or dimension of the folder, and the plan waits, takes from contracts and leaves work undone."""
    then = {k for sums in said["sums"].values() for k in sums} | set(DIMENSIONS)
    assert set(older_formats.ARRAYS) <= then
    x = read_run(run).solution
    assert all(
        float(x[k].sum()) > 1
        for k in ("cumulative_gpus", "group_gpus", "unserved", "deferred", "segment_load", "offtake")
    )
    assert read_run(run).problem.sizes["post_horizon"] > 0


def test_names_of_today_are_in_the_tables_and_names_of_then_are_not():
    today = {name for table in TABLES.values() for name in table} | {
        d for table in TABLES.values() for array in table.values() for d in array.dims
    }
    assert set(older_formats.ARRAYS.values()) - THEN <= today
    assert set(older_formats.ARRAYS) & today == set()


def test_the_plan_is_one_of_today_s_program_and_the_proof_that_of_then(run, said):
    record, saved = reproduce(run)
    kept = record.manifest["certificate"]
    assert {k: v for k, v in saved.certificate.as_dict().items() if k in kept} == kept
    proof = certify(record.problem, record.solution)
    assert proof.max_violation <= VIOLATION, proof.worst_row
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
    assert [
        f"{a} -> {b}" for a, b in older_formats.ARRAYS.items() if f"`{a}`" not in page or f"`{b}`" not in page
    ] == []
