"""Every shipped plant, and random weather over the range the physics bars name."""

from pathlib import Path

import numpy as np
import pytest

from energy.inputs.plants import load_plant
from energy.inputs.resources import root
from energy.plant import Plant, Weather, weather_from

PLANT_FILES = sorted((root() / "models" / "plants").glob("*.yaml"))
DRY = {"dlc_dry_cooler"}


@pytest.fixture(params=PLANT_FILES, ids=lambda path: path.stem)
def plant_file(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(params=["best", "typical"])
def plant(request: pytest.FixtureRequest, plant_file: Path) -> Plant:
    return load_plant(plant_file, request.param)


def named(name: str, preset: str = "typical", **changes: object) -> Plant:
    plant = load_plant(root() / "models" / "plants" / f"{name}.yaml", preset)
    return type(plant).model_validate(plant.model_dump() | changes)


def random_weather(hours: int, seed: int, low: float = -30.0, high: float = 42.0) -> Weather:
    draw = np.random.default_rng(seed)
    return weather_from(
        draw.uniform(low, high, hours),
        draw.uniform(80e3, 104e3, hours),
        relative_humidity=draw.uniform(5.0, 100.0, hours),
    )
