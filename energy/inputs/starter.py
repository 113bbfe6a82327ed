"""A folder to start from: the reference case as plain files to edit, with schemas for the editor."""

from __future__ import annotations

import shutil
from pathlib import Path

from energy.inputs import jsonschema
from energy.inputs.errors import ConfigError
from energy.inputs.resources import root


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
    jsonschema.write_all(folder / "schemas")
    for name, target, kind in (("cases", "case.yaml", "case"), ("fleets", "fleet.yaml", "fleet")):
        text = (source / "models" / name / "reference.yaml").read_text(encoding="utf-8")
        text = text.replace("../fleets/reference.yaml", "fleet.yaml").replace("../../data/reference/", "")
        hint = f"# yaml-language-server: $schema=schemas/{kind}.schema.json\n"
        (folder / target).write_text(hint + text, encoding="utf-8")
    return folder / "case.yaml"
