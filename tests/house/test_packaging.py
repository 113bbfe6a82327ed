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

from energy.inputs.resources import model_path, root

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Distribution -> import name where they differ; h5netcdf and pyarrow are engines named by string.
IMPORT_NAME = {"ruamel.yaml": "ruamel", "ruamel-yaml": "ruamel", "requests-cache": "requests_cache"}
ENGINES = {"h5netcdf": 'engine="h5netcdf"', "pyarrow": "to_parquet"}


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


def test_lock_keeps_extras():
    """pip before 23.3 resolves a package with an extra apart from the pin without it, and takes the newest."""
    assert "--no-strip-extras" in (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert re.search(
        r"^coverage\[toml\]==", (CHECKOUT / "requirements-dev.lock").read_text(encoding="utf-8"), re.MULTILINE
    )
