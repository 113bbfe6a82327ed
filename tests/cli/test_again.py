"""Bill, attribution and solution computed anew from a run folder alone, when the original files are gone."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from energy.inputs.provenance import DIGITS
from energy.nightly import publish
from energy.nightly.plan import NightPlan
from energy.runs import recompute
from energy.runs.folder import read_run
from tests.cases import SmallCase
from tests.nightly.nights import night

SECRET = "token-that-nobody-may-see"
STATE = {"north": {"peak_so_far_mw": {"2024-03": 1.2}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of files in several folders, two of one name, with gaps filled, a state, rates by day and another day;
    its originals are gone."""
    from energy.cli.app import main

    place = tmp_path_factory.mktemp("again")
    (place / "case").mkdir()
    case = SmallCase(place / "case", days=3)
    (case.folder / "fleet").mkdir()
    for name in ("fleet.yaml", "tariff.yaml"):
        (case.folder / name).rename(case.folder / "fleet" / name)
    case.edit("case.yaml", "fleet", "fleet/fleet.yaml")
    (case.folder / "south").mkdir()
    (case.folder / "weather_south.csv").rename(case.folder / "south" / "weather_north.csv")
    case.edit("case.yaml", "weather.south.file", str(case.folder / "south" / "weather_north.csv"))
    case.put("fx.csv", [{"utc": "2024-02-26T00:00:00Z", "nok": 0.1}, {"utc": "2024-03-06T00:00:00Z", "nok": 0.09}])
    case.edit("case.yaml", "fx.NOK", {"file": "fx.csv", "column": "nok", "source": "made up"})
    case.edit("state.yaml", "sites", STATE).edit("case.yaml", "state", "state.yaml")
    case.edit("fleet/fleet.yaml", "sites.south.limits", ["own_targets"])
    case.edit("fleet/fleet.yaml", "sites.south.commissioned", "2020-01-01")
    case.drop("prices.csv", "2024-03-05T06")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENTSOE_TOKEN", SECRET)
        args = ["--fill", "--end", "2024-03-06", "--attribute", "--out", str(place / "runs")]
        with pytest.raises(SystemExit) as done:
            main(["optimize", str(case.path), *args])
    assert done.value.code == 0
    shutil.rmtree(case.folder)
    return next((place / "runs").iterdir())


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the run folder that a test may damage."""
    return shutil.copytree(folder, tmp_path / folder.name)


def test_inputs_are_named_by_their_content_and_the_manifest_stays_readable(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    names = {p.name for p in (folder / "inputs").iterdir()}
    assert {"case.yaml", "fleet.yaml"} <= names
    for name, sha in manifest["inputs_sha256"].items():
        assert f"{sha[:DIGITS]}-{name.rpartition('/')[2]}" in names
        assert manifest["files_sha256"][f"inputs/{sha[:DIGITS]}-{name.rpartition('/')[2]}"] == sha
    assert sum(name.endswith("weather_north.csv") for name in names) == 2
    assert manifest["arguments"] == {
        "case": "case.yaml", "start": "2024-03-05", "end": "2024-03-06", "fill": True, "attribute": True,
            "as_of": "",
    }  # fmt: skip
    assert (folder / "manifest.json").stat().st_size < 16_000


def test_nothing_of_the_environment_is_kept(folder):
    for path in folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def test_the_kept_inputs_are_an_ordinary_case(folder, energy):
    out = energy("check", folder / "inputs" / "case.yaml", "--fill").out
    assert "48 periods" in out
    assert "persistence 1" in out
    text = (folder / "inputs" / "fleet.yaml").read_text()
    assert re.findall(r"(?:tariff|plant|gpu): (?![0-9a-f]{12}-)\S+", text) == []


@pytest.mark.slow
def test_bill_is_computed_anew(folder, energy):
    code, out, err = energy("bill", "--run", folder)
    assert (code, err) == (0, "")
    summary = json.loads((folder / "summary.json").read_text())
    assert f"{summary['bill_eur']:,.2f}" in out


@pytest.mark.slow
def test_bill_that_is_not_the_run_s_is_exit_code_6(copy, energy):
    """As after an update that bills otherwise: the folder's own figures are others, and hashed so."""
    lines = (copy / "bill.csv").read_text().replace(",spot,", ",spat,", 1).splitlines()
    lines[1] = lines[1].rsplit(",", 2)[0] + ",1.000000,0.000000"
    rewrite(copy, "bill.csv", "\n".join(lines) + "\n")
    code, out, err = energy("bill", "--run", copy)
    assert code == 6
    assert "Invoice lines" in out
    assert "does not agree with the run folder: bill" in err


@pytest.mark.slow
def test_attribution_is_solved_anew(folder, energy):
    code, out, err = energy("attribute", "--run", folder)
    assert code == 0
    steps = json.loads((folder / "summary.json").read_text())["attribution"]["steps"]
    assert [line.split("  ")[-1].strip() for line in err.splitlines()] == [s["name"] for s in steps[1:-1]]
    for s in steps:
        assert f"{s['cost_eur']:,.0f}" in out
    assert out.count("yes") == len(steps) - 1


def test_replay_agrees(folder, energy):
    code, out, _ = energy("replay", folder)
    assert code == 0, out
    assert "problem from the kept inputs: the same as problem.nc" in out
    assert "passed then" in out
    assert out.endswith("objective and certificate agree\n")


def as_night(run, out, fallback, reason):
    """The run folder as a published night that its data, or a fallback method, made DEGRADED."""
    summary = night(status="DEGRADED", method=fallback, reasons=[reason])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "record_of", read_run)
        return publish.publish_night(
            NightPlan(f"small_2024-03-05_{fallback}", fallback, run, 0.0, summary), out, page=False
        )


BY_DATA, BY_SIMPLEX = "price of NO4: 24 h of the delivery day are not known", "lp: time limit"


@pytest.mark.parametrize(("fallback", "reason", "method"), [("lp", BY_DATA, "ipx"), ("simplex", BY_SIMPLEX, "simplex")])
def test_a_night_is_compared_by_the_status_of_its_plan_and_its_method(folder, tmp_path, monkeypatch, fallback, reason, method):  # fmt: skip
    """The solver's answer is the run's own; the next test solves."""
    methods = []

    def same(*_, options, **__):
        methods.append(options.method)
        proof = json.loads((folder / "manifest.json").read_text())["certificate"]
        certificate = SimpleNamespace(primal_eur=proof["primal_eur"], passed=proof["pass"])
        return SimpleNamespace(certificate=certificate, outcome=SimpleNamespace(status="OK"))

    monkeypatch.setattr(recompute, "optimize", same)
    published = as_night(folder, tmp_path, fallback, reason)
    assert json.loads((published / "manifest.json").read_text())["status"] == "DEGRADED"
    replayed = recompute.replay_run(published)
    assert replayed.differences() == []
    assert methods == [method]
    other = replace(replayed.before, manifest=replayed.before.manifest | {"plan_status": "DEGRADED"})
    assert replace(replayed, before=other).differences() == ["status DEGRADED then, OK now"]


@pytest.mark.slow
@pytest.mark.parametrize(("fallback", "reason"), [("lp", BY_DATA), ("simplex", BY_SIMPLEX)])
def test_a_night_degraded_by_its_data_or_by_simplex_agrees_with_itself(folder, tmp_path, fallback, reason):
    replayed = recompute.replay_run(as_night(folder, tmp_path, fallback, reason))
    assert replayed.now.outcome.status == "OK"
    assert replayed.differences() == []


@pytest.mark.slow
def test_replay_that_finds_another_objective_says_so(copy, energy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["certificate"]["primal_eur"] *= 1 + 1e-6
    (copy / "manifest.json").write_text(json.dumps(manifest))
    code, out, err = energy("replay", copy)
    assert code == 6
    assert "does not agree with the run folder: objective" in err
    assert "objective and certificate agree" not in out


@pytest.mark.parametrize("command", [("bill", "--run"), ("attribute", "--run"), ("replay",)])
def test_inputs_that_have_changed_are_refused(copy, energy, command):
    path = next((copy / "inputs").glob("*-tariff.yaml"))
    path.write_text(path.read_text().replace("31000", "32000"))
    code, out, err = energy(*command, copy)
    assert (code, out) == (2, "")
    assert f"inputs/{path.name}: has changed since the run was written" in err


@pytest.mark.slow
def test_folder_of_an_older_version_without_inputs(copy, energy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files_sha256"] = {k: v for k, v in manifest["files_sha256"].items() if not k.startswith("inputs/")}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(copy / "inputs")
    for command in (("bill", "--run"), ("attribute", "--run"), ("replay",)):
        code, _, err = energy(*command, copy)
        assert code == 2, command
        assert "no case.yaml, the run was made before inputs were kept; run energy optimize again" in err
    assert energy("report", "--run", copy).code == 0


def rewrite(folder, name, text):
    """Another content of a file, with its hash."""
    (folder / name).write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files_sha256"][name] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.slow
def test_replay_of_a_plan_that_no_solver_made(folder, energy, tmp_path):
    """The greedy plan on the same inputs: its placement is priced and judged once more, not replaced by a better one."""
    code, *_ = energy("optimize", folder / "inputs" / "case.yaml", "--plan", "greedy", "--fill", "--out", tmp_path)
    assert code == 6
    run = next(tmp_path.iterdir())
    (tmp_path / "nights").mkdir()
    for made in (run, as_night(run, tmp_path / "nights", "greedy", "simplex: time limit")):
        code, out, _ = energy("replay", made)
        assert code == 0
        assert "objective and certificate agree" in out
