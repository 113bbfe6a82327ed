"""The cooling plant of each hall, from the files in ``models/plants/``."""

from __future__ import annotations

from pathlib import Path

from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet, Hall
from energy.inputs.resources import model_path
from energy.plant import Plant
from energy.problem.plant_files import load_plant


def load_plants(fleet: Fleet, fleet_path: Path) -> dict[str, Plant]:
    """Hall id -> plant, with the hall's electrical preset.

    Raises
    ------
    ConfigError : no such plant or preset, or a plant file that does not hold.
    """
    read: dict[tuple[str, str], Plant] = {}
    out = {}
    for name, (_, hall) in fleet.halls().items():
        key = hall.plant, hall.electrical
        read[key] = out[name] = read.get(key) or _plant(hall, f"{fleet_path}: hall {name}", fleet_path)
    return out


def _plant(hall: Hall, where: str, fleet_path: Path) -> Plant:
    try:
        path = model_path("plants", hall.plant, fleet_path)
    except FileNotFoundError as e:
        raise ConfigError(f"{where}: plant", str(e)) from None
    return load_plant(path, hall.electrical)
