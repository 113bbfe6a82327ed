"""Plant files of ``models/plants/``: every constant with value, unit, source and evidence tag, and the plant of each hall."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from energy.errors import ConfigError
from energy.inputs.fleet import Fleet
from energy.inputs.resources import named_model
from energy.inputs.yaml_files import Frozen, load_model, validate
from energy.plant import ARCHETYPES, Plant
from energy.plant.parameters import Electrical, Numbers, Unit

#: How well a constant is known: read at the source, measured or computed for this project, quoted by a second
#: source, engineering judgement, from memory and unverified.
Evidence = Literal["R", "M", "S", "G", "mem"]
Text = Annotated[str, Field(min_length=3)]


class Constant(Frozen):
    """One number of a plant file with where it comes from."""

    value: Annotated[float, Field(strict=True)]
    unit: Annotated[str, Field(min_length=1)]
    source: Text
    evidence: Evidence


class PlantFile(Frozen):
    """One file of ``models/plants/``; what its `parameters` must be is up to the archetype."""

    archetype: str
    description: Text
    parameters: dict[str, Constant]
    electrical: Annotated[dict[str, dict[str, Constant]], Field(min_length=1)]


#: Keys of the electrical and head parts of a plant, which a file states outside `parameters`.
_HEAD = {"archetype", "description", "electrical"}


def load_plant(path: Path, preset: str = "typical") -> Plant:
    """Read a plant file and choose one of its electrical presets.

    Parameters
    ----------
    path : YAML 1.2 file
    preset : key under `electrical`, usually "typical" or "best"

    Raises
    ------
    ConfigError : not readable, unknown archetype, key or preset, missing key, wrong unit, value out of range or
        not finite; names file and key and what is allowed.
    """
    file = read_plant_file(path)
    if preset not in file.electrical:
        raise ConfigError(path, f"electrical preset {preset!r} is not in the file", ", ".join(file.electrical))
    archetype = ARCHETYPES[file.archetype]
    where = f"{path}: electrical.{preset}"
    electrical = validate(where, _values(where, file.electrical[preset], Electrical, set()), Electrical)
    where = f"{path}: parameters"
    head = {"archetype": file.archetype, "description": file.description, "electrical": electrical}
    return validate(where, head | _values(where, file.parameters, archetype, _HEAD), archetype)


def read_plant_file(path: Path) -> PlantFile:
    """A plant file with its sources, archetype checked; what reports and documentation print.

    Raises
    ------
    ConfigError : as `load_plant`, except for what depends on the archetype.
    """
    file = load_model(path, PlantFile)
    if file.archetype not in ARCHETYPES:
        raise ConfigError(f"{path}: archetype", f"{file.archetype!r} is not an archetype", ", ".join(ARCHETYPES))
    return file


def _values(where: str, given: dict[str, Constant], model: type[Numbers], head: set[str]) -> dict[str, float]:
    """Bare values of `given`, keys and units checked against `model`."""
    fields = {name: field for name, field in model.model_fields.items() if name not in head}
    units = {name: next(str(x) for x in field.metadata if isinstance(x, Unit)) for name, field in fields.items()}
    for name in sorted(set(given) - set(units)):
        allowed = ", ".join(sorted(set(units) - set(given))) or "no more keys"
        raise ConfigError(f"{where}.{name}", "unknown key", allowed)
    for name in sorted(set(units) - set(given)):
        raise ConfigError(f"{where}.{name}", "missing", f"{fields[name].description} [{units[name]}]")
    for name, constant in given.items():
        if constant.unit != units[name]:
            raise ConfigError(f"{where}.{name}.unit", f"is {constant.unit!r}", repr(units[name]))
    return {name: constant.value for name, constant in given.items()}


def load_plants(fleet: Fleet, fleet_path: Path) -> dict[str, Plant]:
    """Hall id -> plant, with the hall's electrical preset.

    Raises
    ------
    ConfigError : no such plant or preset, or an invalid plant file.
    """
    read: dict[tuple[str, str], Plant] = {}
    out = {}
    for name, (_, hall) in fleet.halls().items():
        key = hall.plant, hall.electrical
        if key not in read:
            path = named_model(f"{fleet_path}: hall {name}: plant", "plants", hall.plant, fleet_path)
            read[key] = load_plant(path, hall.electrical)
        out[name] = read[key]
    return out
