"""The commands: output, exit codes, one clear line for what is expected to fail."""

import json
import re
from pathlib import Path

import pytest

from energy.schema import SchemaError
from energy.solve import SolverError
from tests.cases import SmallCase

ANSI = "\x1b["


def test_check_says_what_a_case_holds(case, energy):
    code, out, err = energy("check", case.path)
    assert (code, err) == (0, "")
    assert "OK: small: 2 sites, 2 halls, 3 pools, 6 jobs, 4 groups, 48 periods; 0 jobs outside the horizon" in out
    for words in ("price", "NO4", "auction 48", "prices.csv", "weather", "north", "measured 48", "formula"):
        assert words in out
    assert ANSI not in out


def test_square_brackets_in_a_source_are_text(case, energy):
    out = energy("check", case.edit("case.yaml", "prices.0.source", "normals [mem] [/b]").path).out
    assert "normals [mem] [/b]" in out


def test_optimize_prints_the_plan_and_where_it_is(case, energy):
    code, out, err = energy("optimize", case.path, "--out", case.folder / "runs")
    assert code == 0
    assert re.search(r"^OK: 2024-03-05T00:00Z … 2024-03-06T23:00Z: saves \d+ EUR", out)
    assert "Certificate: passed" in out
    assert ANSI not in out + err
    [folder] = (case.folder / "runs").iterdir()
    assert f"Run folder: {folder}" in out
    assert {p.name for p in folder.iterdir()} >= {
        "problem.nc",
        "solution.nc",
        "schedule.parquet",
        "schedule.csv",
        "summary.json",
        "report.html",
        "manifest.json",
    }
    stages = [
        "read",
        "assemble",
        "build",
        "hand over",
        "solve",
        "read back",
        "place",
        "check the schedule",
        "replay and bill",
        "certify",
        "baseline",
        "write the run folder",
    ]
    assert [line.split(maxsplit=2)[2] for line in err.splitlines()] == stages
    assert all(re.match(r" *\d+\.\d\d s  ", line) for line in err.splitlines())


def test_json_is_the_summary_and_nothing_else(case, energy):
    code, out, err = energy("optimize", case.path, "--json", "--out", case.folder / "runs")
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert {"objective_eur", "baseline_eur", "saving_eur", "saving_share", "pue", "status"} <= set(summary)
    [folder] = (case.folder / "runs").iterdir()
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert json.loads((folder / "manifest.json").read_text())["status"] == "OK"


def test_json_leaves_stdout_empty_when_it_fails(case, energy):
    code, out, err = energy(
        "optimize", case.edit("case.yaml", "fleet", "no.yaml").path, "--json", "--out", case.folder / "runs"
    )
    assert (code, out) == (2, "")
    assert err.startswith("energy: ")


def test_horizon_from_the_command_line(case, energy):
    assert "72 periods" in energy("check", case.path, "--start", "2024-03-04", "--end", "20240306").out
    assert "48 periods" in energy("check", case.path, "--start", "2024-03-04").out


def test_fill_from_the_command_line(case, energy):
    case.drop("prices.csv", "2024-03-05T06")
    code, out, err = energy("check", case.path)
    assert (code, out) == (3, "")
    assert "prices.csv: NO4: 1 of 48 periods" in err
    code, out, _ = energy("check", case.path, "--fill")
    assert code == 0
    assert "auction 47" in out
    assert "persistence 1" in out


def test_formulation_and_arrays(energy):
    for option, words in (((), "grid_import"), (("--arrays",), "| `spot` | site, time |")):
        code, out, err = energy("formulation", *option)
        assert (code, err) == (0, "")
        assert out.startswith("# ")
        assert words in out


def test_schemas(tmp_path, energy):
    code, out, _ = energy("schemas", tmp_path / "s")
    assert code == 0
    assert out.splitlines() == [str(p) for p in sorted((tmp_path / "s").iterdir())]


def test_new_writes_a_case_that_holds(tmp_path, energy):
    assert energy("new", tmp_path / "mine").code == 0
    assert "6 sites" in energy("check", tmp_path / "mine" / "case.yaml").out
    code, _, err = energy("new", tmp_path / "mine")
    assert code == 2
    assert "is not empty; nothing was written" in err


# Exit codes

#: What goes wrong -> (file, key or row and column, value, exit code, words).
FAILURES = {
    "unknown key": ("fleet.yaml", "sites.north.x", 1, 2, "unknown key"),
    "zone NO": ("fleet.yaml", "sites.north.bidding_zone", "NO", 2, "NO1, NO2"),
    "PUE below 1": ("fleet.yaml", "sites.north.pue_caps.0.limit", 0.9, 2, "pue_caps.0.limit"),
    "cap out of reach": ("fleet.yaml", "sites.north.pue_caps.0.limit", 1.01, 4, "PUE cap north:contract"),
    "hall limit below idle load": ("fleet.yaml", "sites.north.halls.liquid.limit_mw", 0.1, 4, "hall north/liquid"),
    "firm load above the grid limit": ("fleet.yaml", "sites.north.grid_limit_mw", 0.1, 4, "site north"),
    "firm GPUs": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.firm_gpus", 900, 4, "pool north/liquid/gb300"),
    "price": ("prices.csv", ("2024-03-05T06", "NO4"), "inf", 3, "prices.csv: NO4 at"),
    "price above what the market allows": (
        "prices.csv",
        ("2024-03-05T06", "NO4"),
        9999,
        3,
        "spot[site=north, time=2024-03-05T06:00Z] = 9999",
    ),
    "job cell": ("jobs.csv", ("j4", "gpu_hours"), "inf", 3, "jobs.csv: row 5 (job j4)"),
    "job too long": ("jobs.csv", ("j4", "gpu_hours"), 1e6, 4, "jobs.csv: job j4"),
    "job too large": ("jobs.csv", ("j4", "max_gpus"), 9999, 4, "larger than every pool"),
    "jurisdiction": ("jobs.csv", ("j4", "jurisdictions"), "UK", 4, "no site carries UK"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("command", ["check", "optimize"])
def test_failure_is_one_line_and_its_exit_code(case, energy, name, command):
    file, where, value, expected, words = FAILURES[name]
    case.edit(file, where, value) if isinstance(where, str) else case.cell(file, *where, value)
    code, out, err = energy(
        command, case.path, *(["--out", case.folder / "runs", "--json"] if command == "optimize" else [])
    )
    assert (code, out) == (expected, ""), err
    assert err.startswith("energy: ")
    assert words in err
    assert err.count("\n") == 1
    assert not list(case.folder.glob("runs/*"))


@pytest.mark.parametrize("args", [
    ["optimise"], ["optimize", "--strat", "2024-01-01"], ["optimize", "--fill=maybe"], ["optimize", "a.yaml", "b.yaml"],
        ["report"],
    ["check", "--start", "yesterday"], ["check", "--end", "2024-02-30"], ["check", "no.yaml"],
        ["report", "--run", "nowhere"], [],
])  # fmt: skip
def test_usage_errors_are_2(energy, args):
    code, _, err = energy(*args)
    assert code == 2
    assert "Traceback" not in err


def test_days_that_are_none(case, energy):
    assert (
        energy("check", case.path, "--start", "2024-3-5").err
        == "energy: --start '2024-3-5' is not a day; allowed: YYYY-MM-DD\n"
    )
    code, _, err = energy("check", case.path, "--start", "2024-03-06", "--end", "2024-03-05")
    assert code == 2
    assert "case.yaml: horizon: end 2024-03-05 is before start 2024-03-06" in err
    assert energy("check", case.path, "--start", "9999-12-31").code == 2


@pytest.mark.parametrize("error", [SolverError("no plan"), SchemaError("run: bad")])
def test_failures_of_the_solver_and_of_arrays(case, energy, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("energy.optimize.gate", fail)
    code, out, err = energy("optimize", case.path, "--json", "--out", case.folder / "runs")
    assert (code, out, err) == (5 if isinstance(error, SolverError) else 3, "", f"energy: {error}\n")


def test_plan_without_proof_is_no_plan(case, energy, monkeypatch):
    from energy.audit.verdict import Outcome

    monkeypatch.setattr("energy.optimize.judge", lambda *_: Outcome("FAILED", ("certificate: gap 1",)))
    code, out, err = energy("optimize", case.path, "--json", "--out", case.folder / "runs")
    assert (code, out, err) == (5, "", "energy: no plan: certificate: gap 1\n")
    assert list((case.folder / "runs").iterdir()) == []


@pytest.mark.parametrize(
    "error", [RuntimeError("a bug"), FileNotFoundError("a bug"), ValueError("a bug"), OSError("a bug")]
)
def test_what_nobody_expected_is_one_line_and_a_file_with_the_traceback(case, monkeypatch, capsys, error):
    from energy.cli.app import main

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("energy.inputs.load.read_inputs", fail)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(case.path)])
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.count("\n") == 1
    assert f"a fault of this program, {type(error).__name__}: " in said
    kept = Path(said.split("please report it with ")[1].strip())
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    assert "Traceback" in text
    assert "a bug" in text


# Degraded: exit 6, published


def degraded(case, energy):
    code, out, _ = energy("optimize", case.path, "--out", case.folder / "runs")
    assert code == 6
    assert out.startswith("DEGRADED: ")
    [folder] = (case.folder / "runs").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "DEGRADED"
    return out


def test_work_worth_less_than_its_power_is_left_undone(case, energy):
    out = degraded(case.cell("jobs.csv", "j6", "value_eur_per_gpu_hour", 0.0001), energy)
    assert "80.0 GPU-hours of 1 jobs left undone, most of job j6 (80.0)" in out


def test_too_little_capacity_leaves_work_undone(case, energy):
    """Each job fits alone, not all of them together."""
    case.cell("jobs.csv", "j5", "gpu_hours", 590).cell("jobs.csv", "j6", "release", "+4h").cell(
        "jobs.csv", "j6", "deadline", "+20h"
    )
    out = degraded(case.edit("fleet.yaml", "sites.south.halls.air.pools.a100.count", 32), energy)
    assert re.search(r"GPU-hours of [12] jobs left undone", out)


def test_cap_that_only_a_breach_can_meet(tmp_path, energy):
    """Reachable at full load, but there is not that much work."""
    case = SmallCase(tmp_path).edit("fleet.yaml", "sites.north.pue_caps.0.limit", 1.12)
    assert "PUE cap north:contract exceeded by" in degraded(case, energy)
