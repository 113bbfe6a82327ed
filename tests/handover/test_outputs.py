"""Slurm script, Kueue manifests, JSON and calendar: right figures, harmless for every name, applied only on request."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from energy.handover import exports, kueue, slurm
from energy.handover.apply import ApplyError, apply
from tests.handover.plans import hostile, plan

FAKE = """#!/bin/sh
if [ "$3" = show ]; then cat "$KNOWN"; exit 0; fi
printf '%s|' "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
case $* in *refuse*) echo "sacctmgr: no" >&2; exit 1 ;; esac
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A folder of fake commands that write down how they were called, and the QOS that exist."""
    (tmp_path / "bin").mkdir()
    for name in ("sacctmgr", "kubectl"):
        (tmp_path / "bin" / name).write_text(
            FAKE if name == "sacctmgr" else '#!/bin/sh\nprintf "%s|" "$@" > "$CALLS"; cat >> "$CALLS"\n'
        )
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("KNOWN", str(tmp_path / "known"))
    (tmp_path / "known").write_text("")
    (tmp_path / "calls").write_text("")
    return tmp_path


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-s", "--", *args], input=script, capture_output=True, text=True, check=False, timeout=60
    )


def limits(fake: Path) -> dict[str, int]:
    """QOS -> GPUs as sacctmgr was asked for."""
    calls = (fake / "calls").read_text().splitlines()
    found = [
        re.fullmatch(r"--immediate\|--quiet\|modify\|qos\|where\|name=(\S+)\|set\|GrpTRES=gres/gpu=(-?\d+)\|", c)
        for c in calls
    ]
    assert all(found), calls
    return {m[1]: int(m[2]) for m in found if m}


def test_script_sets_the_limits_of_the_period(fake):
    script = slurm.script(plan())
    (fake / "known").write_text("\n".join(slurm.qos_names(plan())) + "\n")
    assert run(script, "202605010730").returncode == 0
    assert limits(fake) == {
        "hc.narvik.n1.gb300": 128, "hc.malmo.m1.h200": 1, "hc.narvik.n1.gb300.g1111aaaa": 100, "hc.malmo.m1.h200.g1111aaaa": 1,
        "hc.narvik.n1.gb300.g2222bbbb": 28,
    }  # fmt: skip


def test_script_makes_missing_qos_lifts_limits_and_leaves_them_outside_the_plan(fake):
    script, names = slurm.script(plan()), slurm.qos_names(plan())
    missing = run(script, "202605010700")
    assert missing.returncode == 4
    assert "sh limits.sh setup" in missing.stderr
    assert run(script, "setup").returncode == 0
    assert [c.split("|")[4] for c in (fake / "calls").read_text().splitlines()] == names
    (fake / "known").write_text("normal\n" + "\n".join(names) + "\n")
    (fake / "calls").write_text("")
    for moment in ("202605010559", "202605010900", "now"):
        outside = run(script, moment)
        assert outside.returncode == 3, outside
        assert "limits stay as they are" in outside.stderr
    assert run(script, "tomorrow").returncode == 2
    assert (fake / "calls").read_text() == ""
    assert run(script, "lift").returncode == 0
    assert limits(fake) == dict.fromkeys(names, -1)


def test_a_limit_that_slurm_refuses_fails_the_script(fake):
    script = slurm.script(plan()).replace("GrpTRES=gres/gpu=$2", "GrpTRES=refuse=$2")
    (fake / "known").write_text("\n".join(slurm.qos_names(plan())) + "\n")
    assert run(script, "202605010600").returncode != 0


def test_hostile_names_do_nothing_in_the_script(fake):
    script = slurm.script(hostile())
    assert script.isascii()
    calm = slurm.script(plan())
    added = set(script.splitlines()) - set(calm.splitlines())
    assert all(
        re.fullmatch(r"\d{12} \d{12} hc\.[a-z0-9.-]+ \d+|every='[a-z0-9. -]+'|# [\x20-\x7e]*", line) for line in added
    )
    assert max(map(len, script.splitlines())) < 10_000
    (fake / "known").write_text("\n".join(slurm.qos_names(hostile())) + "\n")
    done = run(script, "202605010600")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(limits(fake)) == set(slurm.qos_names(hostile()))
    assert all(re.fullmatch(r"hc\.[a-z0-9.-]+", q) for q in slurm.qos_names(hostile()))


def test_script_passes_a_shell_check():
    for shell in filter(shutil.which, ("sh", "dash", "bash")):
        assert subprocess.run([shell, "-n"], input=slurm.script(hostile()), text=True, check=False).returncode == 0


def test_kueue_has_one_queue_per_group_and_a_flavor_per_pool():
    docs = list(YAML(typ="safe").load_all(kueue.manifest(plan(), 2)))
    assert [d["metadata"]["name"] for d in docs] == ["hydrocool-g1111aaaa", "hydrocool-g2222bbbb"]
    assert docs[0]["metadata"]["annotations"]["hydrocool.dev/from"] == "2026-05-01T08:00Z"
    assert docs[0]["spec"] == {"resourceGroups": [{
        "coveredResources": ["nvidia.com/gpu"],
        "flavors": [
            {"name": "malmo.m1.h200", "resources": [{"name": "nvidia.com/gpu", "nominalQuota": 2}]},
            {"name": "narvik.n1.gb300", "resources": [{"name": "nvidia.com/gpu", "nominalQuota": 100}]},
        ],
    }]}  # fmt: skip
    assert [f["name"] for f in docs[1]["spec"]["resourceGroups"][0]["flavors"]] == ["narvik.n1.gb300"]


def test_hostile_names_are_names_of_kubernetes():
    text = kueue.manifest(hostile(), 0)
    assert "!!" not in text
    subdomain = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
    for doc in YAML(typ="safe").load_all(text):
        assert set(doc) == {"apiVersion", "kind", "metadata", "spec"}
        names = [doc["metadata"]["name"], *(f["name"] for f in doc["spec"]["resourceGroups"][0]["flavors"])]
        assert all(subdomain.fullmatch(n) and len(n) <= 63 for n in names)
        assert len(names) == len(set(names))


def test_json_says_everything_with_the_fleet_s_own_names():
    found = json.loads(exports.json_text(hostile()))
    assert [p["pool"] for p in found["pools"]] == list(hostile().pools)
    assert found["groups"][0]["jobs"] == list(hostile().groups[0].jobs)
    assert exports.json_text(hostile()).isascii()
    quota = {(q["pool"], q["group"]): q["gpus"] for q in json.loads(exports.json_text(plan()))["quota"]}
    assert quota[("malmo/m1/h200", "g1111aaaa")] == [0, 1, 2]
    assert "start_time" not in exports.json_text(plan())


def events(text: str) -> list[dict[str, str]]:
    """Content lines, unfolded, of each VEVENT."""
    assert text.endswith("\r\n")
    assert all(len(line.encode()) <= exports.LINE for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert all(re.match(r"[A-Z-]+[:;]", line) and "\n" not in line for line in lines)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    out: list[dict[str, str]] = []
    for line in lines:
        key, _, value = line.partition(":")
        out += [{}] if line == "BEGIN:VEVENT" else []
        if out and key not in ("BEGIN", "END"):
            out[-1][key] = value
    return out


def test_calendar_has_an_event_per_stretch_with_gpus():
    found = events(exports.calendar_text(plan()))
    assert [(e["SUMMARY"], e["DTSTART"], e["DTEND"]) for e in found] == [
        ("128 GPUs in narvik/n1/gb300", "20260501T060000Z", "20260501T090000Z"),
        ("1 GPUs in malmo/m1/h200", "20260501T070000Z", "20260501T080000Z"),
        ("2 GPUs in malmo/m1/h200", "20260501T080000Z", "20260501T090000Z"),
    ]
    assert found[0]["DESCRIPTION"] == "g1111aaaa: 100 GPUs\\; g2222bbbb: 28 GPUs"
    assert len({e["UID"] for e in found}) == 3


def test_hostile_names_stay_inside_their_event():
    found = events(exports.calendar_text(hostile()))
    assert len(found) == 1 + 2  # the first pool, and two stretches of the last
    assert all(set(e) == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP"} for e in found)


@pytest.mark.parametrize("text", ["a;b,c\\d", "ü" * 100, "x" * 300])
def test_folding_and_escaping_come_back(text):
    lines = exports.folded(f"SUMMARY:{exports.escaped(text)}")
    assert all(len(line.encode()) <= exports.LINE for line in lines)
    whole = lines[0] + "".join(line[1:] for line in lines[1:])
    assert re.sub(r"\\([\\;,])", r"\1", whole) == f"SUMMARY:{text}"


def test_apply_runs_the_script_and_kubectl(fake):
    (fake / "known").write_text("\n".join(slurm.qos_names(plan())) + "\n")
    apply("slurm", slurm.script(plan()), "202605010600")
    assert limits(fake)["hc.narvik.n1.gb300"] == 128
    apply("kueue", kueue.manifest(plan(), 0))
    called = (fake / "calls").read_text()
    assert called.startswith("apply|--server-side|--field-manager=hydrocool|--filename=-|---\napiVersion: kueue")


def test_apply_says_what_the_scheduler_said(fake, monkeypatch):
    with pytest.raises(ApplyError, match=r"sacctmgr refused \(4\): no such QOS: hc\.narvik"):
        apply("slurm", slurm.script(plan()), "202605010600")
    monkeypatch.setenv("PATH", str(fake / "empty"))
    with pytest.raises(ApplyError, match="kubectl is not on the path"):
        apply("kueue", "")
