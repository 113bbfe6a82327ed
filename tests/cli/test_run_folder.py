"""Run folders: written whole or not at all; an older one stays as it is until the new one is complete."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from energy import errors
from energy.inputs.provenance import hashes
from energy.optimize import optimize
from energy.report.page import render
from energy.runs import folder as runs
from tests.cases import SmallCase
from tests.few import few

#: A report that takes no time to draw.
PAGE = "<html></html>"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """One finished run, not yet published."""
    return runs.record_of(optimize(SmallCase(tmp_path_factory.mktemp("case")).path))


@pytest.fixture(scope="module")
def template(record, tmp_path_factory):
    """It, published."""
    return runs.publish(record, tmp_path_factory.mktemp("runs"), PAGE)


@pytest.fixture
def published(template, tmp_path):
    """A copy of the published run, alone in its folder."""
    return Path(shutil.copytree(template, tmp_path / "runs" / template.name))


@pytest.fixture(autouse=True)
def quick_page(monkeypatch):
    """The pictures of the page take half a second and are tested elsewhere."""
    monkeypatch.setattr("energy.report.page.render", lambda record: f"<html>{record.manifest['run_id']}</html>")


def content(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def fail_with(error):
    def fail(*_, **__):
        raise error

    return fail


def test_folder_is_complete_and_the_manifest_has_a_hash_per_file(record, tmp_path):
    folder = runs.publish(record, tmp_path / "deep" / "runs", PAGE)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files_sha256"]) == set(content(folder)) - {"manifest.json"}
    kept = {sha for name, sha in manifest["files_sha256"].items() if name.startswith("inputs/")}
    assert set(manifest["inputs_sha256"].values()) <= kept, "an input was read and not kept"
    assert set(manifest["inputs_sha256"]) >= {"case.yaml", "fleet.yaml", "tariff.yaml", "jobs.csv", "prices.csv"}
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_files_of_one_name_in_two_folders_have_a_hash_each(tmp_path):
    case = SmallCase(tmp_path)
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet.yaml").rename(tmp_path / "fleet" / "case.yaml")
    (tmp_path / "tariff.yaml").rename(tmp_path / "fleet" / "tariff.yaml")
    manifest = runs.manifest_of(optimize(case.edit("case.yaml", "fleet", "fleet/case.yaml").path))
    assert manifest["inputs_sha256"]["case.yaml"] != manifest["inputs_sha256"]["fleet/case.yaml"]


def test_same_inputs_give_the_same_id_wherever_they_lie(tmp_path):
    ids = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        ids.append(runs.run_id(optimize(SmallCase(tmp_path / name).path)))
    assert ids[0] == ids[1]
    case = SmallCase(tmp_path / "b").cell("jobs.csv", "j4", "gpu_hours", 601)
    assert runs.run_id(optimize(case.path)) != ids[0]


def test_new_run_of_the_same_id_replaces_the_older(record, published):
    (published / "note.txt").write_text("mine")
    assert runs.publish(record, published.parent, PAGE) == published
    assert not (published / "note.txt").exists()
    assert list(published.parent.iterdir()) == [published]


FULL = OSError(errno.ENOSPC, "No space left on device")


STEPS = ["write", "sha256", "write_json", "os.fsync", "_rename"]
ERRORS = {"full disk": FULL, "Ctrl-C": KeyboardInterrupt(), "bug": RuntimeError("a bug")}
#: Every step with every error; the first five have each step once and each error at least once.
FAILURES = [(step, list(ERRORS)[(k + turn) % 3]) for turn in range(3) for k, step in enumerate(STEPS)]


@pytest.mark.parametrize(("step", "error"), few(FAILURES, 5))
def test_older_run_survives_whatever_goes_wrong(record, published, monkeypatch, step, error):
    error = ERRORS[error]
    before = content(published.parent)
    monkeypatch.setattr(f"energy.runs.folder.{step}", fail_with(error))
    expected = errors.RunFolderError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        runs.publish(record, published.parent, PAGE)
    if isinstance(error, OSError):
        assert (
            str(caught.value)
            == f"{published}: the run folder cannot be written (No space left on device); older ones are untouched"
        )
    assert content(published.parent) == before
    assert list(published.parent.iterdir()) == [published]


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
def test_older_run_comes_back_when_the_new_one_cannot_take_its_place(record, published, monkeypatch, error):
    before, rename = content(published.parent), Path.rename

    def only_away(self, target):
        if self.name.startswith(".writing-"):
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", only_away)
    with pytest.raises((errors.RunFolderError, KeyboardInterrupt)):
        runs.publish(record, published.parent, PAGE)
    assert content(published.parent) == before
    assert list(published.parent.iterdir()) == [published]


#: Places that nobody can write to, not even root.
def below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "runs"


@pytest.mark.parametrize(("place", "reason"),
    [(below_a_file, "Not a directory"), (lambda _: Path("/dev/full/runs"), "Not a directory"),
                                               (lambda _: Path("/proc/runs"),
                                               "No such file or directory")])  # fmt: skip
def test_folder_that_cannot_be_written_is_named_before_the_solve(case, tmp_path, energy, place, reason):
    out = place(tmp_path)
    code, printed, err = energy("optimize", case.path, "--out", out)
    assert (code, printed) == (2, "")
    assert err == f"energy: {out}: run folders cannot be written there ({reason}); choose another with --out\n"


def test_read_only_file_system_is_named_before_the_solve(case, energy, monkeypatch):
    error = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr("energy.runs.folder.tempfile.TemporaryFile", fail_with(error))
    code, _, err = energy("optimize", case.path, "--out", case.folder / "runs")
    assert code == 2
    assert "cannot be written there (Read-only file system); choose another with --out" in err


@pytest.mark.slow
def test_older_run_is_untouched_by_a_run_whose_inputs_fail(case, energy):
    out = case.folder / "runs"
    assert energy("optimize", case.path, "--out", out).code == 0
    before = content(out)
    assert energy("optimize", case.cell("jobs.csv", "j4", "gpu_hours", "NaN").path, "--out", out).code == 3
    assert content(out) == before


def test_files_that_change_during_the_solve_are_hashed_as_they_were_read(case, monkeypatch):
    from energy import optimize as module

    sha = hashes(case.inputs())[case.folder / "prices.csv"]
    solve = module.solve_problem

    def meanwhile(*args):
        (case.folder / "prices.csv").unlink()
        return solve(*args)

    monkeypatch.setattr(module, "solve_problem", meanwhile)
    manifest = runs.manifest_of(optimize(case.path))
    assert manifest["inputs_sha256"]["prices.csv"] == sha


# energy report --run


@pytest.mark.slow
def test_report_is_drawn_again_from_the_folder_alone(record, tmp_path, energy, monkeypatch):
    monkeypatch.setattr("energy.report.page.render", render)
    folder = runs.publish(record, tmp_path / "runs", render(record))
    page = (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    code, out, err = energy("report", "--run", folder)
    assert (code, out, err) == (0, f"{folder}/report.html\n", "")
    assert (folder / "report.html").read_text() == page


def test_report_into_another_file(published, tmp_path, energy):
    before = content(published)
    code, out, _ = energy("report", "--run", published, "--output", tmp_path / "other.html")
    assert (code, out) == (0, f"{tmp_path}/other.html\n")
    assert (tmp_path / "other.html").read_text() == f"<html>{published.name}</html>"
    assert content(published) == before


def test_report_of_no_run(tmp_path, energy):
    code, out, err = energy("report", "--run", tmp_path)
    assert (code, out) == (2, "")
    assert f"{tmp_path}: is no finished run folder" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("damage", ["missing", "changed", "cut"])
def test_report_of_a_damaged_run(published, energy, damage):
    file = published / "solution.nc"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-100] if damage == "cut" else b"x" + file.read_bytes())
    page = (published / "report.html").read_bytes()
    code, _, err = energy("report", "--run", published)
    assert code == 2
    assert "solution.nc" in err
    assert err.count("\n") == 1
    assert (published / "report.html").read_bytes() == page


@pytest.mark.slow
def test_older_page_survives_a_full_disk(published, energy, monkeypatch):
    before = content(published)
    monkeypatch.setattr(Path, "write_text", fail_with(FULL))
    code, _, err = energy("report", "--run", published)
    assert code == 2
    assert "report.html: cannot be written (No space left on device)" in err
    assert content(published) == before


@pytest.mark.slow
def test_page_cannot_be_written_below_a_file(published, tmp_path, energy):
    code, _, err = energy("report", "--run", published, "--output", below_a_file(tmp_path) / "page.html")
    assert code == 2
    assert "page.html: cannot be written (Not a directory)" in err
