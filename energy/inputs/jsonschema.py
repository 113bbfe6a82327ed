"""JSON Schemas of the YAML files, committed so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from energy.inputs.case import Case
from energy.inputs.fleet import Fleet
from energy.inputs.gpus import GpuKind
from energy.inputs.limits import Preset
from energy.inputs.nightly import Nightly
from energy.inputs.plant_file import PlantFile
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff

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
    out = []
    for name in FILES:
        path = folder / f"{name}.schema.json"
        path.write_text(text(name), encoding="utf-8")
        out.append(path)
    return out
