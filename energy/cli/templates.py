"""Files of `energy new` and `energy schemas`: the reference case as plain files to edit, and JSON Schemas for editors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pydantic import BaseModel

from energy.errors import ConfigError
from energy.inputs.case import Case, Nightly
from energy.inputs.fleet import Fleet
from energy.inputs.gpus import GpuKind
from energy.inputs.limits import Preset
from energy.inputs.plants import PlantFile
from energy.inputs.resources import root
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff


def write_starter(folder: Path) -> Path:
    """Copy the reference case into `folder` and return its case file.

    Raises
    ------
    ConfigError : the folder exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(folder, "is not empty; nothing was written", "a new or empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    source = root()
    for path in sorted((source / "data" / "reference").glob("*.csv")):
        shutil.copyfile(path, folder / path.name)
    write_all(folder / "schemas")
    for name, target, kind in (("cases", "case.yaml", "case"), ("fleets", "fleet.yaml", "fleet")):
        text = (source / "models" / name / "reference.yaml").read_text(encoding="utf-8")
        text = text.replace("../fleets/reference.yaml", "fleet.yaml").replace("../../data/reference/", "")
        hint = f"# yaml-language-server: $schema=schemas/{kind}.schema.json\n"
        (folder / target).write_text(hint + text, encoding="utf-8")
    return folder / "case.yaml"


FILES: dict[str, type[BaseModel]] = {
    "case": Case, "fleet": Fleet, "gpu": GpuKind, "limits": Preset, "nightly": Nightly,
    "plant": PlantFile, "state": State, "tariff": Tariff,
}  # fmt: skip


def text(name: str) -> str:
    """The JSON Schema of one kind of file."""
    schema = FILES[name].model_json_schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def write_all(folder: Path) -> list[Path]:
    """Write ``<name>.schema.json`` for every kind of file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.schema.json" for name in FILES}
    for name, path in paths.items():
        path.write_text(text(name), encoding="utf-8")
    return list(paths.values())
