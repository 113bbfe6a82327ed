"""A folder of nights: the active plan is handed over until the next one begins, and what is gone gets nothing."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from ruamel.yaml import YAML

from energy.errors import RunFolderError
from energy.handover import Group, exports, kueue, quotas, slurm
from energy.handover.quota import groups_of, joined
from energy.nightly import active_plans as handed
from energy.runs.folder import publish
from energy.runs.record import read
from tests.cli.conftest import energy  # noqa: F401
from tests.handover.plans import START, plan
from tests.handover.test_outputs import fake, limits, run  # noqa: F401
from tests.report.build import small

HOUR = np.timedelta64(1, "h")
GONE = Group("g9999cccc", {"narvik/n1/gb300": 1.0}, ("old",))
OTHER = Group("g8888dddd", {"bergen/b1/a100": 1.0}, ("older",))


def later(hours: int, **other):
    """The plan so many hours later, with 40 GPUs for a group of its own in place of the second."""
    p = plan(**other)
    groups = (p.groups[0], Group("g3333eeee", {p.pools[0]: 1.0}, ("j9",)))
    gpus = p.gpus.copy()
    gpus[1, 0] = 40
    return replace(p, run_id="night-2", groups=groups, gpus=gpus, start=p.start + hours * HOUR)


def test_a_plan_holds_until_the_next_one_begins():
    both = joined([plan(), later(2)])
    assert both.start.tolist() == (START + np.arange(5) * HOUR).tolist()
    assert both.dt.tolist() == [1.0] * 5
    assert both.run_id == "night-1 and night-2"
    assert {g.key: both.gpus[k, 0].tolist() for k, g in enumerate(both.groups)} == {
        "g1111aaaa": [100] * 5, "g2222bbbb": [28, 28, 0, 0, 0], "g3333eeee": [0, 0, 40, 40, 40],
    }  # fmt: skip


def test_a_plan_that_begins_within_a_period_cuts_it():
    both = joined([plan(hours=(2.0, 2.0)), later(3)])
    assert both.dt.tolist() == [2.0, 1.0, 1.0, 1.0, 1.0]
    assert both.end == START + 6 * HOUR


def test_plans_with_a_hole_between_them_are_not_joined():
    assert joined([plan(), later(4)]).run_id == "night-1"
    assert joined([plan(), later(3)]).run_id == "night-1 and night-2"


def test_a_script_of_two_nights_sets_the_limits_of_the_one_in_force(fake):  # noqa: F811
    script = slurm.script(joined([plan(), later(2)]))
    (fake / "known").write_text("\n".join(slurm.qos_names(joined([plan(), later(2)]))) + "\n")
    for moment, ours, theirs in (("202605010730", 28, 0), ("202605010830", 0, 40)):
        assert run(script, moment).returncode == 0
        found = limits(fake)
        assert (found["hc.narvik.n1.gb300.g2222bbbb"], found["hc.narvik.n1.gb300.g3333eeee"]) == (ours, theirs)


def test_groups_of_older_plans_get_nothing(fake):  # noqa: F811
    """Their queues and QOS would keep what they were last told; QOS that were taken away are not missed."""
    found = joined([plan()], [GONE, OTHER, plan().groups[0]])
    assert found.gone == ("bergen/b1/a100",)
    queues = {q["metadata"]["name"]: q for q in YAML(typ="safe").load_all(kueue.manifest(found, 0))}
    flavors = [
        f for q in ("g9999cccc", "g8888dddd") for f in queues[f"hydrocool-{q}"]["spec"]["resourceGroups"][0]["flavors"]
    ]
    assert [(f["name"], f["resources"][0]["nominalQuota"]) for f in flavors] == [
        ("narvik.n1.gb300", 0),
        ("bergen.b1.a100", 0),
    ]
    names = slurm.qos_names(found)
    assert names == slurm.qos_names(plan())
    (fake / "known").write_text("\n".join([*names, "hc.narvik.n1.gb300.g9999cccc", "hc.bergen.b1.a100"]) + "\n")
    assert run(slurm.script(found), "202605010630").returncode == 0
    told = limits(fake)
    assert (told["hc.narvik.n1.gb300.g9999cccc"], told["hc.bergen.b1.a100"]) == (0, 0)
    assert "hc.bergen.b1.a100.g8888dddd" not in told
    assert told["hc.narvik.n1.gb300.g1111aaaa"] == 100
    assert exports.calendar_text(found) == exports.calendar_text(plan())
    assert json.loads(exports.json_text(found))["groups"][-1]["jobs"] == []


@pytest.fixture
def out(tmp_path, monkeypatch):
    """Nights of the first to the fourth of May that begin at 06:00, the fourth one the newest; each has three days."""
    folder, made = tmp_path / "nights", {}

    def night(day: int, name: str = "", at: int | None = None) -> str:
        name = name or f"small_2026-05-0{day}_aaaa"
        (folder / name).mkdir(parents=True)
        (folder / name / "manifest.json").write_text(json.dumps({"night": f"2026-05-0{day}"}))
        stamp = 1_000_000 + 86_400 * day if at is None else at
        os.utime(folder / name / "manifest.json", (stamp, stamp))
        made[name] = replace(
            plan(hours=(24.0,) * 3), run_id=name, start=START + np.arange(24 * day - 24, 24 * day + 48, 24) * HOUR
        )
        return name

    for day in (1, 2, 3, 4):
        night(day)
    (folder / "latest").symlink_to("small_2026-05-04_aaaa")
    (folder / "inputs").mkdir()
    monkeypatch.setattr(handed, "_whole", lambda f: made[f.name])
    monkeypatch.setattr(handed, "_former", lambda f: (replace(GONE, key=f"g{f.name[14:16]}"),))
    return folder, night


def run_at(folder, day: int, hour: int, follow: bool = False) -> str:
    return handed.plan_at(folder, datetime(2026, 5, day, hour, tzinfo=UTC), follow).run_id


def test_the_night_in_force_is_the_newest_whose_day_has_begun(out):
    folder, _ = out
    assert handed.folder_of_nights(folder) == handed.folder_of_nights(folder / "latest") == folder
    assert handed.folder_of_nights(folder / "small_2026-05-04_aaaa") is None
    assert handed.folder_of_nights(folder / "inputs") is None
    assert run_at(folder, 3, 13) == "small_2026-05-03_aaaa", "the newest begins tomorrow"
    assert run_at(folder, 3, 5) == "small_2026-05-02_aaaa"
    assert run_at(folder, 3, 13, follow=True) == "small_2026-05-03_aaaa and small_2026-05-04_aaaa"
    assert run_at(folder, 9, 0) == "small_2026-05-04_aaaa", "nothing is younger, and it says itself how far it reaches"
    assert run_at(folder, 1, 0) == "small_2026-05-01_aaaa", "none has begun"
    found = handed.plan_at(folder, datetime(2026, 5, 4, 13, tzinfo=UTC), False)
    assert [g.key for g in found.groups if not g.jobs] == ["g01", "g02", "g03"]


def test_a_night_that_covers_nothing_any_more_gives_way_to_the_next(out):
    folder, night = out
    night(9)
    assert run_at(folder, 8, 13, follow=True) == "small_2026-05-09_aaaa"


def test_a_night_made_again_on_file_is_not_in_force(out):
    """By its time where there is no database: it came when a later night was there already. The database knows best."""
    folder, night = out
    night(3, "small_2026-05-03_bbbb", at=2_000_000)
    assert run_at(folder, 3, 13) == "small_2026-05-03_aaaa"
    night(4, "small_2026-05-04_bbbb", at=2_000_001)
    assert run_at(folder, 4, 13) == "small_2026-05-04_bbbb", (
        "of the newest night the younger: its inputs were corrected"
    )
    with sqlite3.connect(folder / "state.sqlite") as connection:
        connection.execute("CREATE TABLE plans (night TEXT, folder TEXT)")
        connection.execute("INSERT INTO plans VALUES ('2026-05-04', 'small_2026-05-04_aaaa')")
    assert run_at(folder, 4, 13) == "small_2026-05-04_aaaa"


def test_a_folder_without_a_whole_night_says_so(out, monkeypatch):
    monkeypatch.setattr(handed, "_whole", lambda _: None)
    with pytest.raises(RunFolderError, match="no whole night"):
        run_at(out[0], 3, 13)


def test_groups_of_an_older_night_are_read_as_they_were(tmp_path):
    problem = small().problem
    problem.to_netcdf(tmp_path / "problem.nc", engine="h5netcdf")
    assert handed._former(tmp_path) == groups_of(problem)
    assert groups_of(problem) == tuple(g for g in quotas(small()).groups if g.jobs)
    assert handed._former(tmp_path / "gone") == ()


@pytest.mark.slow
def test_between_publication_and_midnight_the_scheduler_gets_the_plan_in_force(energy, tmp_path, fake):  # noqa: F811
    """Two real run folders as nights of two days: the newest alone would refuse the moment."""
    first = small(periods=24)
    begin = first.problem["time"].values
    moved = {
        n: ds.assign_coords(time=ds["time"] + 12 * HOUR) if "time" in ds.coords else ds
        for n, ds in first.datasets.items()
    }
    second = replace(first, datasets=moved, manifest=first.manifest | {"run_id": "second"})
    for record, day in ((first, "2018-04-30"), (second, "2018-05-01")):
        publish(replace(record, manifest=record.manifest | {"night": day}), tmp_path / "nights")
    (tmp_path / "nights" / "latest").symlink_to("second")
    at = f"{begin[6].astype('datetime64[m]')}Z"
    assert energy("handover", tmp_path / "nights" / "second", "--to", "kueue", "--at", at).code == 2
    got = energy("handover", tmp_path / "nights" / "latest", "--to", "kueue", "--at", at)
    assert (got.code, got.err) == (0, "")
    assert got.out.count("kind: ClusterQueue") >= 1
    assert (
        energy("handover", tmp_path / "nights", "--to", "slurm", "--at", at, "--out", tmp_path / "limits.sh").code == 0
    )
    known = energy("handover", tmp_path / "nights", "--to", "json", "--at", at)
    assert len(json.loads(known.out)["periods"]) == 36
    (fake / "known").write_text(
        "\n".join(q["slurm_qos"] for q in json.loads(known.out)["pools"] + json.loads(known.out)["quota"]) + "\n"
    )
    digits = "".join(c for c in at if c.isdigit())
    assert run((tmp_path / "limits.sh").read_text(), digits).returncode == 0
    assert read(tmp_path / "nights" / "second").manifest["night"] == "2018-05-01"
