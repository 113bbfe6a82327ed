"""Folders, nights and a database that the last code of format version 1 made (`make.py` says how) are read as today's."""

import hashlib
import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from energy.errors import NewerFormat, OlderLayout, StoreError
from energy.nightly.config import load_nightly
from energy.nightly.database import open_state, open_store
from energy.nightly.doctor import check_health
from energy.nightly.history import last_nights
from energy.nightly.inputs import load_snapshot
from energy.nightly.run import run_night
from energy.runs import older_formats
from energy.runs.folder import read_run
from energy.runs.record import FORMAT, read_manifest, read_night, read_setpoints
from tests.cli.conftest import energy  # noqa: F401

ARCHIVE = Path(__file__).with_name("format_1.tar.xz")
LAYOUT_2 = {"days": "settled_days", "work": "settled_work"}
FIRST, THIRD, FOURTH = "2024-03-12", "2024-03-14", date(2024, 3, 15)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Everything, as it was; not to be changed."""
    folder = tmp_path_factory.mktemp("format_1")
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def said(archive):
    """What the commands of then said."""
    return json.loads((archive / "said.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(archive):
    """The run folder."""
    return next((archive / "runs").iterdir())


@pytest.fixture
def workspace(archive, tmp_path, monkeypatch):
    """A copy of the three nights, in the evening before the fourth."""
    monkeypatch.setenv("HYDROCOOL_NOW", "2024-03-14T13:00:00+00:00")
    shutil.copytree(archive / "case", tmp_path / "case", symlinks=True)
    return load_nightly(tmp_path / "case" / "nightly.yaml")


def folder_of(workspace, day):
    return next(workspace.out.glob(f"small_{day}_*"))


def bytes_of(folder):
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def keys_of(value):
    """Every key of a document."""
    if isinstance(value, dict):
        return set(value) | {k for v in value.values() for k in keys_of(v)}
    return {k for v in value for k in keys_of(v)} if isinstance(value, list) else set()


def test_a_run_is_read_with_the_names_of_today(run):
    before = bytes_of(run)
    record = read_run(run)
    assert record.manifest["format"] == 1
    [unserved] = record.summary["binding_limits"]
    assert (unserved["kind"], unserved["job"], record.summary["unserved_gpu_hours"]) == ("unserved", "j8", 1400.0)
    assert unserved["remedies"][0]["saving_eur"] > 0
    assert unserved["message"].startswith("job j8: 1400.0 GPU-hours")
    assert record.summary["expected"]["due_gpu_hours"] == 0
    assert record.schedule["device"].values.tolist() == ["north/solar", "south/solar"]
    held = read_setpoints(run)
    assert set(held["device"]) == {"south/solar"}
    assert (len(held), held["setpoint_mw"].sum()) == (6, 0)
    assert bytes_of(run) == before


def test_no_name_of_then_is_left(run, workspace):
    """Keys of the documents that the reader gives are none that it renames."""
    gone = {
        path.rpartition(".")[2]
        for names in (older_formats.NIGHT, older_formats.SUMMARY, older_formats.MANIFEST)
        for path in names
    }
    still_used = {"due", "plan", "year_to_date"}
    record = read_run(run)
    night = read_night(folder_of(workspace, THIRD))
    for document in (record.summary, read_manifest(folder_of(workspace, THIRD)), night):
        assert keys_of(document) & (gone - still_used) == set()


def test_report_draws_it(energy, run, tmp_path):  # noqa: F811
    done = energy("report", "--run", run, "--output", tmp_path / "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Binding limits" in page
    assert "At south the plan holds the solar array back for 6" in page


def test_report_draws_a_night(energy, workspace, tmp_path):  # noqa: F811
    done = energy("report", "--run", folder_of(workspace, FIRST), "--output", tmp_path / "page.html")
    assert done.code == 0, done.err
    assert "cannot meet its deadline any more: late" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_replay_agrees_with_the_objective(energy, run, said):  # noqa: F811
    done = energy("replay", run)
    assert done.code == 0, done.err
    assert f"objective: {said['objective_eur']:.6f} EUR then" in done.out
    assert "objective and certificate agree" in done.out


def test_replay_of_a_night_by_the_greedy_method(energy, workspace):  # noqa: F811
    done = energy("replay", folder_of(workspace, "2024-03-13"))
    assert done.code == 0, done.err


def test_bill_and_attribution_are_computed_again(energy, run, said):  # noqa: F811
    done = energy("bill", "--run", run)
    assert (done.code, done.out) == (0, said["bill"])
    done = energy("attribute", "--run", run)
    assert done.code == 0, done.err
    steps = json.loads((run / "summary.json").read_text(encoding="utf-8"))["attribution"]["steps"]
    assert all(f"{step['cost_eur']:,.0f}" in done.out for step in steps)


def test_the_database_is_migrated_once_with_the_same_sums(workspace, said):
    path = workspace.database
    with open_state(workspace) as store:
        assert store.row("PRAGMA user_version") == {"user_version": 2}
        for then, table in said["tables"].items():
            columns = {c: new for new, c in older_formats.TABLES.get(LAYOUT_2.get(then, then), ("", {}))[1].items()}
            names = {c: columns.get(c, c) for c in table["sums"]}
            query = ", ".join(f"sum({new}) AS {old}" for old, new in names.items())
            found = store.row(f"SELECT count(*) AS n, {query} FROM {LAYOUT_2.get(then, then)}")
            assert found.pop("n") == table["rows"]
            assert found == table["sums"], then
        nights = [json.loads(r["night_json"]) for r in store.rows("SELECT night_json FROM runs ORDER BY night")]
        assert [n["method"] for n in nights] == ["lp", "greedy", "lp"]
    copy = path.with_name("state.sqlite.layout-1.old")
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT count(*) FROM days").fetchone() == (2,)
    before = copy.read_bytes()
    with open_state(workspace):
        assert copy.read_bytes() == before


def test_a_new_database_and_a_migrated_one_have_the_same_tables(workspace, tmp_path):
    def layout(path):
        with open_store(path) as store:
            names = [r["name"] for r in store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            return {n: sorted((r["name"], r["type"], r["notnull"], r["pk"]) for r in store.rows(f"PRAGMA table_info({n})"))
                    for n in names}  # fmt: skip

    assert layout(workspace.database) == layout(tmp_path / "new.sqlite")


def test_a_migration_that_fails_leaves_the_database_as_it_was(workspace, monkeypatch):
    monkeypatch.setattr(
        older_formats, "migration", lambda: iter(["ALTER TABLE days RENAME TO x", "ALTER TABLE nowhere RENAME TO y"])
    )
    with pytest.raises(StoreError, match="nowhere"), open_state(workspace):
        pass
    monkeypatch.undo()
    with pytest.raises(OlderLayout), open_state(workspace, migrate=False):
        pass
    with open_state(workspace) as store:
        assert store.row("SELECT count(*) AS n FROM settled_days") == {"n": 2}


def test_doctor_says_so_and_changes_nothing(workspace):
    before = workspace.database.read_bytes()
    found = {f.what: f for f in check_health(workspace)}
    assert found["database"].ok
    assert found["database"].warns
    assert "has layout 1; the next night makes it layout 2 and keeps a copy" in found["database"].message
    assert workspace.database.read_bytes() == before


def test_history_lists_the_same_nights(workspace, said):
    names = {"rung": "method", "fallback_hours": "imputed_hours", "undone_gpu_hours": "unserved_gpu_hours",
             "real_eur": "realised_cost_eur"}  # fmt: skip
    assert last_nights(workspace, 9) == [{names.get(k, k): v for k, v in row.items()} for row in said["history"]]


def test_handover_gives_the_same_limits(energy, workspace, said):  # noqa: F811
    args = ("--to", "kueue", "--at")
    assert energy("handover", workspace.out, *args, "2024-03-13T10:00Z").out == said["kueue"]
    assert energy("handover", folder_of(workspace, FIRST), *args, "2024-03-12T10:00Z").out == said["kueue_of_first"]


def test_the_next_night_plans_from_the_old_state(workspace):
    """It settles a day whose plan and snapshot are of version 1, with its setpoints; both formats then stand together."""
    night = run_night(workspace, FOURTH)
    assert night.folder is not None, night.reasons
    assert night.method == "lp"
    manifest, summary = read_manifest(night.folder), read_night(night.folder)
    assert manifest["format"] == summary["format"] == FORMAT == 3
    assert summary["last_settled_day"]["date"] == "2024-03-13"
    assert summary["changes"]
    with open_state(workspace) as store:
        own = store.rows("SELECT * FROM settled_days WHERE policy = 'plan' ORDER BY day")
        plan = store.row("SELECT ex_ante_cost_eur FROM plans WHERE night = '2024-03-13'")
    assert [r["day"] for r in own] == ["2024-03-12", "2024-03-13"]
    assert own[1]["ex_ante_cost_eur"] == plan["ex_ante_cost_eur"]
    variance = sum(own[1][f"{cause}_variance_eur"] for cause in ("price", "weather", "load", "other"))
    assert own[1]["ex_ante_cost_eur"] + variance == pytest.approx(own[1]["realised_cost_eur"], abs=1e-9)
    assert [r["method"] for r in last_nights(workspace, 9)] == ["lp", "greedy", "lp", "lp"]


def test_a_night_from_its_old_snapshot_is_the_night_that_was_published(workspace):
    """The snapshot has the bytes of then, so that its run has the same name."""
    snapshots = workspace.out / "inputs"
    known, queue, left, late = load_snapshot(snapshots / folder_of(workspace, THIRD).name)
    assert known.imputed_hours == {"price": {}, "weather": {}}
    assert (set(late), late["late"]) == ({"late", "wider"}, left["late"])
    assert queue.refused == ["job nowhere: no pool may run it"]
    night = run_night(workspace, date(2024, 3, 14), from_snapshot=True)
    assert (night.unchanged, night.run_id) == (True, folder_of(workspace, THIRD).name)


def test_rebuild_takes_rows_and_plans_of_version_1(energy, workspace, said):  # noqa: F811
    with closing(sqlite3.connect(workspace.database)) as db, db:
        db.execute("DELETE FROM plans WHERE night = ?", (THIRD,))
    done = energy("doctor", workspace.path, "--rebuild")
    assert "3 plans, 3 runs, 2 settled days, 13 settled work" in done.out.replace("\n", " "), done.out + done.err
    with open_state(workspace) as store:
        assert store.row("PRAGMA user_version") == {"user_version": 2}
        found = store.row("SELECT sum(ex_ante_cost_eur) AS x FROM plans")["x"]
        assert found == pytest.approx(said["tables"]["plans"]["sums"]["promised_eur"], rel=1e-12)
        assert json.loads(store.rows("SELECT night_json FROM runs")[0]["night_json"])["method"] == "lp"


def test_a_changed_file_of_then_is_found(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "solar_limit.csv").write_text("site,start,hours,solar_limit_mw\n", encoding="utf-8")
    with pytest.raises(OSError, match=r"solar_limit\.csv: has changed since"):
        read_run(copy)


def test_a_newer_folder_is_refused_in_one_message(energy, run, workspace, tmp_path):  # noqa: F811
    copy = shutil.copytree(run, tmp_path / "run")
    newer(copy)
    with pytest.raises(NewerFormat, match=r"has format version 4, this program reads up to 3; update hydrocool"):
        read_run(copy)
    newer(folder_of(workspace, "2024-03-13"))
    done = energy("handover", workspace.out, "--to", "kueue", "--at", "2024-03-13T10:00Z")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "update hydrocool" in done.err


def newer(folder):
    path = folder / "manifest.json"
    text = json.loads(path.read_text(encoding="utf-8")) | {"format": FORMAT + 1}
    path.write_text(json.dumps(text), encoding="utf-8")


def test_a_newer_database_is_refused(workspace):
    with closing(sqlite3.connect(workspace.database)) as db, db:
        db.execute("PRAGMA user_version = 3")
    with (
        pytest.raises(StoreError, match=r"newer layout \(3, this program's is 2\); update hydrocool"),
        open_state(workspace),
    ):
        pass


def test_the_first_nights_had_fewer_keys():
    """Jobs were counted and not named, caps had a year alone."""
    night = {"rung": "lp", "jobs": {"done": 1, "late": 2, "refused": 3}, "pue": [{"cap": "c", "year_to_date": 1.1}],
             "yesterday": {"real_eur": 1.0}}  # fmt: skip
    found = older_formats.night(night)
    assert found["jobs"] == {"done": 1, "late": [], "at_risk": [], "refused": []}
    assert found["pue"] == [{"status": "", "period": "year", "cap": "c", "so_far": 1.1}]
    assert found["last_settled_day"] == {"backlog_gpu_hours": 0.0, "backlog_eur": 0.0, "realised_cost_eur": 1.0}
    assert older_formats.night(night | {"yesterday": None})["last_settled_day"] is None


def test_the_page_of_formats_names_every_rename():
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    renamed = [
        p.rpartition(".")[2].removesuffix("[]")
        for n in (older_formats.NIGHT, older_formats.SUMMARY, older_formats.MANIFEST)
        for p in n
    ]
    renamed += [*older_formats.LABELS, *older_formats.FILES.values()]
    renamed += [old for _, columns in older_formats.TABLES.values() for old in columns.values()]
    assert [word for word in renamed if f"{word}`" not in page] == []


def test_the_nightly_file_of_then_is_one_of_today(archive):
    assert YAML(typ="safe").load(archive / "case" / "nightly.yaml")["name"] == "small"
    assert load_nightly(archive / "case" / "nightly.yaml").config.name == "small"
