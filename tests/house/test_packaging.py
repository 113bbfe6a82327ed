"""What ships: dependencies that are used, lock files without addresses, models and data in wheel and checkout."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import energy
from energy.cli.app import app
from energy.inputs.resources import model_path, root

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Distribution -> import name where they differ; h5netcdf and pyarrow are engines named by string.
IMPORT_NAME = {"ruamel.yaml": "ruamel", "ruamel-yaml": "ruamel", "requests-cache": "requests_cache"}
ENGINES = {"h5netcdf": 'engine="h5netcdf"', "pyarrow": "to_parquet"}


def yaml(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def names(requirements):
    return [re.split(r"[<>=!~;\[ ]", r)[0].lower() for r in requirements]


def test_every_dependency_is_used():
    sources = [p.read_text(encoding="utf-8") for p in (CHECKOUT / "energy").rglob("*.py")]
    used = set()
    for text in sources:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                used |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module.split(".")[0])
    for name in names(PROJECT["dependencies"]):
        by_import = IMPORT_NAME.get(name, name) in used
        assert by_import or any(ENGINES.get(name, "\0") in text for text in sources), f"{name} is not used"


def test_solver_and_modeller_are_pinned_exactly():
    pinned = [r for r in PROJECT["dependencies"] if "==" in r]
    assert {*names(pinned)} >= {"pyomo", "highspy"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_has_hashes_and_no_addresses(name):
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--(index-url|extra-index-url|find-links)|\s/\w+/", text)
    for block in re.split(r"\n(?=\S)", text):
        if "==" in block:
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_checkout_has_models_and_reference_data():
    assert (root() / "models" / "cases" / "reference.yaml").is_file()
    assert model_path("plants", "dlc_dry_cooler").is_file()
    with pytest.raises(FileNotFoundError, match=r"known: .*dlc_dry_cooler"):
        model_path("plants", "perpetuum_mobile")


def test_wheel_has_them_too(tmp_path):
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        tmp_path,
        CHECKOUT,
    ]
    subprocess.run(build, check=True, capture_output=True, env=os.environ | {"PIP_NO_INDEX": "1"})
    wheel = next(tmp_path.glob("hydrocool-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "from energy.inputs.resources import root; r = root(); print(r); assert (r / 'data/reference/jobs.csv').is_file()"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert str(tmp_path / "site") in done.stdout
    assert (tmp_path / "site/energy/_assets/models/cases/reference.yaml").is_file()
    assert (tmp_path / "site/energy/report/templates").is_dir()
    assert (tmp_path / "site/energy/py.typed").is_file()
    (licence,) = (tmp_path / "site").glob("hydrocool-*.dist-info/licenses/LICENSE")
    assert licence.read_text(encoding="utf-8") == (CHECKOUT / "LICENSE").read_text(encoding="utf-8")


def test_every_file_states_the_same_version():
    citation, cronjob = (yaml(CHECKOUT / name) for name in ("CITATION.cff", "deploy/kubernetes/cronjob.yaml"))
    (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    containerfile = (CHECKOUT / "Containerfile").read_text(encoding="utf-8")
    assert {energy.__version__, citation["version"]} == {PROJECT["version"]}
    assert container["image"].endswith(f":{PROJECT['version']}")
    assert container["image"] in containerfile


def test_version_names_the_pinned_solver_and_modeller():
    pins = dict(r.split("==") for r in PROJECT["dependencies"] if "==" in r)
    shown = CliRunner().invoke(app, ["--version"])
    assert shown.exit_code == 0
    assert shown.output == f"hydrocool {PROJECT['version']} (HiGHS {pins['highspy']}, Pyomo {pins['pyomo']})\n"


def test_licence_author_and_summary_are_the_same_in_the_citation():
    citation = yaml(CHECKOUT / "CITATION.cff")
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]
    assert citation["abstract"] == PROJECT["description"]


def test_commit_hooks_are_commands_of_make_check():
    """Local hooks alone: a commit asks no other host, and no second version of a tool judges it."""
    recipes = (CHECKOUT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin")
    repositories = yaml(CHECKOUT / ".pre-commit-config.yaml")["repos"]
    assert [r["repo"] for r in repositories] == ["local"]
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].removesuffix(" --force-exclude") in recipes


def test_workflow_calls_what_every_submission_must_pass():
    (job,) = yaml(CHECKOUT / ".github/workflows/ci.yml")["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert os.access(CHECKOUT / ".ci/run", os.X_OK)


def test_every_make_target_is_phony_has_a_rule_and_a_line_of_help():
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    helped = re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)
    assert sorted(helped) == sorted(phony.split())
    assert set(re.findall(r"^([a-z-]+):(?!=)", text, re.MULTILINE)) == set(helped)


def test_lock_keeps_extras():
    """pip before 23.3 resolves a package with an extra apart from the pin without it, and takes the newest."""
    assert "--no-strip-extras" in (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert re.search(
        r"^coverage\[toml\]==", (CHECKOUT / "requirements-dev.lock").read_text(encoding="utf-8"), re.MULTILINE
    )
