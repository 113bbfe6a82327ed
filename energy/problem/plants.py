"""The cooling plant of each hall, from the files in ``models/plants/``."""

from __future__ import annotations

from pathlib import Path

from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet
from energy.inputs.plants import load_plant
from energy.inputs.resources import model_path
from energy.plant import Plant


def load_plants(fleet: Fleet, fleet_path: Path) -> dict[str, Plant]:
    """Hall id -> plant, with the hall's electrical preset.

    Raises
    ------
    ConfigError : no such plant or preset, or a plant file that does not hold.
    """
    out = {}
    for name, (_, hall) in fleet.halls().items():
        try:
            out[name] = load_plant(model_path("plants", hall.plant, fleet_path), hall.electrical)
        except FileNotFoundError as e:
            raise ConfigError(f"{fleet_path}: hall {name}", str(e)) from None
    return out
