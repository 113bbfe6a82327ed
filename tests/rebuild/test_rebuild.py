"""A reader who has the docs and a `problem.nc` finds the same optimum."""

import ast
from pathlib import Path

import pytest

from benchmarks.enrich import enriched
from benchmarks.instances import Size, random_problem
from energy.inputs.resources import root
from energy.optimize import optimize, solve_problem
from energy.runs.folder import publish, record_of
from tests.rebuild.reader import optimum

#: Agreement of two optima of the same program, relative: each is exact to the solver's tolerance.
SAME = 1e-7


def test_the_reader_uses_nothing_of_the_package():
    tree = ast.parse(Path(__file__).with_name("reader.py").read_text(encoding="utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= {
        "__future__",
        "collections",
        "pathlib",
        "highspy",
        "numpy",
        "xarray",
    }


@pytest.mark.parametrize("seed", range(6))
def test_random_problems_with_every_kind_of_row(seed, tmp_path):
    """Bands, contracts, minimum bills, sun, heat, caps, work that waits, two speed classes, prices below zero."""
    size = Size(
        jobs=8,
        sites=2,
        periods=14,
        groups=2,
        speeds=2,
        utilisation=0.9,
        bands=True,
        negative_share=0.1,
        halls_per_site=2,
    )
    problem = enriched(random_problem(size, seed), seed, share=1.0)
    problem.to_netcdf(tmp_path / "problem.nc", engine="h5netcdf")
    found, _ = solve_problem(problem)
    assert optimum(tmp_path / "problem.nc") == pytest.approx(found.attrs["objective_eur"], rel=SAME)


def test_a_run_folder(case, tmp_path):
    run = optimize(case.path)
    folder = publish(record_of(run), tmp_path / "runs")
    assert optimum(folder / "problem.nc") == pytest.approx(run.certificate.primal_eur, rel=SAME)


@pytest.mark.slow
def test_the_reference_week(tmp_path):
    run = optimize(root() / "models" / "cases" / "reference.yaml", {"start": "2018-04-30"})
    folder = publish(record_of(run), tmp_path / "runs")
    assert optimum(folder / "problem.nc") == pytest.approx(run.certificate.primal_eur, rel=SAME)
