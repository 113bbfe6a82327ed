"""Every file of deploy/: right by the checker of its own system where that is at hand, and by strict rules here."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from ruamel.yaml import YAML

from energy.nightly.metrics import METHODS, NAMES, STATES

DEPLOY = Path(__file__).parents[2] / "deploy"
SCHEMA = json.loads((Path(__file__).parent / "cronjob.schema.json").read_text(encoding="utf-8"))
COMMAND = "energy nightly /etc/hydrocool/nightly.yaml"
METRIC = re.compile(r"\bhydrocool_[a-z_]+")
#: Least hardening (systemd-analyze security): 10 is none; 2 and less is what its authors call OK.
MOST_EXPOSED = 2.0


def yaml(name: str):
    return YAML(typ="safe").load((DEPLOY / name).read_text(encoding="utf-8"))


def unit(name: str) -> configparser.ConfigParser:
    """A unit file; keys may repeat (the last counts here), names keep their case."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string((DEPLOY / "systemd" / name).read_text(encoding="utf-8"))
    return parser


def test_every_file_has_its_test():
    names = {
        p.relative_to(DEPLOY).as_posix() for p in DEPLOY.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    }
    assert names == {
        "README.md", "systemd/hydrocool-nightly.service", "systemd/hydrocool-nightly.timer", "cron/hydrocool", "kubernetes/cronjob.yaml",
        "sysusers.d/hydrocool.conf", "tmpfiles.d/hydrocool.conf", "airflow/hydrocool_nightly.py", "prometheus/alerts.yaml", "grafana/hydrocool.json",
    }  # fmt: skip


def test_readme_names_every_file():
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for path in DEPLOY.rglob("*.*"):
        if path.is_file() and path.name != "README.md" and "__pycache__" not in path.parts:
            assert path.suffix in text
            assert path.parent.name in text


def test_service_and_timer_say_what_they_must():
    service, timer = unit("hydrocool-nightly.service"), unit("hydrocool-nightly.timer")
    assert service["Service"]["ExecStart"].endswith(f"/{COMMAND}")
    assert service["Service"]["SuccessExitStatus"] == "6"
    assert service["Service"]["RestartPreventExitStatus"] == "2 3"
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["Unit"] == "hydrocool-nightly.service"
    assert timer["Timer"]["Persistent"] == "yes" or timer["Timer"]["Persistent"] == "true"
    found = re.fullmatch(r"\*-\*-\* (\d\d):(\d\d):00 (\S+)", timer["Timer"]["OnCalendar"])
    assert found
    assert (int(found[1]), int(found[2])) > (13, 0)
    ZoneInfo(found[3])


def test_user_state_and_metrics_fit_together():
    """One user for unit and cron, who may write where README has the metrics, and whose nights others may read."""
    service = unit("hydrocool-nightly.service")["Service"]
    lines = {
        kind: [x for x in (DEPLOY / kind / "hydrocool.conf").read_text(encoding="utf-8").splitlines() if x[:1] != "#"]
        for kind in ("sysusers.d", "tmpfiles.d")
    }
    assert [shlex.split(x)[:2] for x in lines["sysusers.d"]] == [["u", service["User"]]]
    assert shlex.split(lines["sysusers.d"][0])[4:] == ["/var/lib/hydrocool", "/usr/sbin/nologin"]
    assert re.search(rf" {service['User']} timeout ", (DEPLOY / "cron/hydrocool").read_text(encoding="utf-8"))
    assert "DynamicUser" not in service, "its state would lie under /var/lib/private, and no right could be given to it"
    assert (service["StateDirectoryMode"], service["UMask"]) == ("0755", "0022")
    (kind, folder, *none, right) = lines["tmpfiles.d"][0].split()
    assert (kind, none, right) == ("a+", ["-"] * 4, f"user:{service['User']}:rwx")
    assert service["ReadWritePaths"] == f"-{folder}"
    assert f"metrics: {folder}/hydrocool.prom" in (DEPLOY / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def units(tmp_path):
    """The units with a command that exists here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here; the units were read by the strict parser alone")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/hydrocool/.venv/bin/energy", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return sorted(tmp_path.iterdir())


def analyze(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *map(str, args)], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_verifies_both_units(units):
    done = analyze("verify", *units)
    mine = [line for line in done.stderr.splitlines() if "hydrocool" in line]
    assert (done.returncode, mine) == (0, [])


def test_service_is_hardened(units):
    done = analyze("security", "--offline=true", "--no-pager", units[0])
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a unit offline (before version 250)")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done
    assert float(found[1]) <= MOST_EXPOSED


def test_cron_line_has_time_user_and_fence():
    lines = [
        x for x in (DEPLOY / "cron/hydrocool").read_text(encoding="utf-8").splitlines() if x and not x.startswith("#")
    ]
    settings = dict(x.split("=", 1) for x in lines if re.match(r"^[A-Z_]+=", x))
    jobs = [x for x in lines if not re.match(r"^[A-Z_]+=", x)]
    ZoneInfo(settings["CRON_TZ"])
    assert len(jobs) == 1
    minute, hour, *days, user, command = jobs[0].split(maxsplit=6)
    assert (int(hour), int(minute)) > (13, 0)
    assert days == ["*", "*", "*"]
    assert user == "hydrocool"
    assert re.fullmatch(rf"timeout 35m /opt/hydrocool/\.venv/bin/{COMMAND}", command)
    assert "%" not in command  # cron ends a command there


def test_cronjob_obeys_the_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml("kubernetes/cronjob.yaml"))


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("spec", "schedule"), "ten past one"), (("spec", "concurencyPolicy"), "Forbid"), (("metadata", "name"), "Hydro_Cool"),
        (("spec", "jobTemplate", "spec", "template", "spec", "restartPolicy"), "Always"),
        (("spec", "jobTemplate", "spec", "backoffLimit"), "2"),
    ],
)  # fmt: skip
def test_the_schema_refuses_mistakes(way, value):
    doc = yaml("kubernetes/cronjob.yaml")
    node = doc
    for key in way[:-1]:
        node = node[key]
    node[way[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(doc)


def test_cronjob_mounts_what_it_has_and_may_do_nothing_else():
    spec = yaml("kubernetes/cronjob.yaml")["spec"]
    ZoneInfo(spec["timeZone"])
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert container["command"][:2] == ["/bin/sh", "-c"]
    assert container["command"][2] == "energy nightly /config/nightly.yaml || [ $? -eq 6 ]"
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["concurrencyPolicy"] == "Forbid"


def test_image_runs_as_the_user_of_the_cronjob():
    pod = yaml("kubernetes/cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    text = (DEPLOY.parent / "Containerfile").read_text(encoding="utf-8")
    steps = [x.split(maxsplit=1) for x in text.splitlines() if x and not x.startswith(("#", " "))]
    ids = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert ["USER", ids] in steps
    assert ["WORKDIR", pod["containers"][0]["workingDir"]] in steps
    assert steps[-1] == ["ENTRYPOINT", '["energy"]']
    assert "--require-hashes" in text


@pytest.mark.parametrize(("code", "counts"), [(0, 0), (6, 0), (3, 1), (5, 1)])
def test_degraded_counts_as_success_in_the_container(code, counts):
    command = yaml("kubernetes/cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0][
        "command"
    ][2]
    shell = command.replace("energy nightly /config/nightly.yaml", f"(exit {code})")
    assert subprocess.run(["/bin/sh", "-c", shell], check=False).returncode == counts


def calls(tree: ast.AST, name: str) -> list[dict[str, ast.expr]]:
    """Keyword arguments of the calls of a name."""
    found = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name
    ]
    return [{k.arg: k.value for k in call.keywords if k.arg} for call in found]


def test_airflow_dag_compiles_and_has_its_arguments():
    path = DEPLOY / "airflow/hydrocool_nightly.py"
    text = path.read_text(encoding="utf-8")
    compile(text, str(path), "exec")
    tree = ast.parse(text)
    (dag,) = calls(tree, "DAG")
    allowed = {
        "dag_id",
        "description",
        "schedule",
        "start_date",
        "catchup",
        "max_active_runs",
        "dagrun_timeout",
        "default_args",
        "tags",
    }
    assert set(dag) == allowed
    assert ast.literal_eval(dag["dag_id"]) == "hydrocool_nightly"
    assert ast.literal_eval(dag["schedule"]) == "10 13 * * *"
    assert ast.literal_eval(dag["catchup"]) is False
    assert ast.literal_eval(dag["max_active_runs"]) == 1
    (operator,) = calls(tree, "BashOperator")
    assert set(operator) == {"task_id", "bash_command", "env", "append_env"}
    assert COMMAND in ast.unparse(operator["bash_command"])
    assert "[ $? -eq 6 ]" in ast.unparse(operator["bash_command"])


RULES = [rule for group in yaml("prometheus/alerts.yaml")["groups"] for rule in group["rules"]]


def test_alert_groups_have_the_form_of_prometheus():
    data = yaml("prometheus/alerts.yaml")
    assert set(data) == {"groups"}
    for group in data["groups"]:
        assert set(group) <= {"name", "rules", "interval"}
    assert len({r["alert"] for r in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r["alert"])
def test_alert_rule(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert_expression(rule["expr"])
    for text in rule["annotations"].values():
        for inside in re.findall(r"\{\{(.*?)\}\}", text):
            assert re.fullmatch(r" \$(value( \| humanize(Duration)?)?|labels\.[a-z]+) ", inside), inside


def assert_expression(expr: str) -> None:
    """Brackets in balance, metrics and label values that the textfile really has, no other identifiers."""
    assert METRIC.findall(expr)
    assert set(METRIC.findall(expr)) <= set(NAMES), expr
    for left, right in ("()", "{}", "[]"):
        assert expr.count(left) == expr.count(right)
    for key, known in (
        ("state", {"done", "running", "left", "late", "at_risk", "refused", "missing"}),
        ("status", STATES),
        ("method", METHODS),
        ("period", {"last_settled_day", "month_to_date", "year_to_date"}),
    ):
        for values in re.findall(rf'{key}=~?"([^"]*)"', expr):
            assert set(values.split("|")) <= set(known)
    bare = re.sub(r'\{[^}]*\}|"[^"]*"', "", METRIC.sub("", expr))
    words = {"time", "absent", "sum", "max", "by", "on", "group_left", "fleet", "kind", "label_values"}
    assert set(re.findall(r"[A-Za-z_]+", bare)) <= words, expr


def test_promtool_agrees():
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed here; the rules were read by the strict parser alone")
    done = subprocess.run(
        ["promtool", "check", "rules", DEPLOY / "prometheus/alerts.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard_asks_for_metrics_that_exist():
    board = json.loads((DEPLOY / "grafana/hydrocool.json").read_text(encoding="utf-8"))
    variables = {v["name"] for v in board["templating"]["list"]}
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    seen: set[str] = set()
    for panel in board["panels"]:
        assert panel["type"] in ("stat", "timeseries")
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        for target in panel["targets"]:
            assert_expression(target["expr"])
            assert set(re.findall(r"\$\{?(\w+)", target["expr"] + json.dumps(target["datasource"]))) <= variables
            seen |= set(METRIC.findall(target["expr"]))
    for variable in board["templating"]["list"]:
        assert set(METRIC.findall(json.dumps(variable["query"]))) <= set(NAMES)
    unseen = set(NAMES) - seen
    assert unseen == {"hydrocool_last_run_timestamp_seconds", "hydrocool_delivery_day_timestamp_seconds"}


def test_panels_do_not_overlap():
    board = json.loads((DEPLOY / "grafana/hydrocool.json").read_text(encoding="utf-8"))
    cells: set[tuple[int, int]] = set()
    for p in board["panels"]:
        g = p["gridPos"]
        mine = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
        assert not cells & mine, p["title"]
        cells |= mine
