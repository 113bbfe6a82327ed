"""Plant files: every shipped one loads, every slip names file and key and what is allowed."""

import pytest
from pydantic import ValidationError

from energy.errors import ConfigError
from energy.inputs.plants import load_plant, read_plant_file
from tests.plant.conftest import PLANT_FILES

GOOD = next(path for path in PLANT_FILES if path.stem == "dlc_dry_cooler").read_text()


def test_every_archetype_ships_with_two_presets_and_sources():
    files = {path.stem: read_plant_file(path) for path in PLANT_FILES}
    assert {file.archetype for file in files.values()} == {
        "dlc_dry_cooler",
        "dlc_tower",
        "airside_economizer",
        "adiabatic_dry_chiller",
        "chiller_tower",
    }
    for path, file in zip(PLANT_FILES, files.values(), strict=True):
        assert set(file.electrical) == {"best", "typical"}
        best, typical = load_plant(path, "best"), load_plant(path)
        assert best.electrical != typical.electrical
        assert best.model_copy(update={"electrical": typical.electrical}) == typical
        assert all(len(constant.source) > 8 for constant in file.parameters.values())


def test_plants_are_frozen():
    plant = load_plant(PLANT_FILES[0])
    with pytest.raises(ValidationError, match="frozen"):
        plant.description = "other"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("liquid_share: ", "liquid_shar: ", r"parameters\.liquid_shar: unknown key; allowed: liquid_share$"),
        (
            "  liquid_share: ",
            "  # ",
            r"parameters\.liquid_share: missing; allowed: share of the heat carried by liquid \[1\]",
        ),
        ("value: 40.0,", "value: 90.0,", r"parameters: facility_supply: .*less than or equal to 60 \(found 90.0\)"),
        ("value: 40.0,", "value: .nan,", r"parameters\.facility_supply\.value: .*finite number"),
        ("value: 40.0,", 'value: "40",', r"parameters\.facility_supply\.value: .*valid number \(found '40'\)"),
        ("unit: K,", "unit: °C,", r"parameters\.facility_range\.unit: is '°C'; allowed: 'K'"),
        ("evidence: S", "evidence: Z", r"parameters\.facility_supply\.evidence: .*'R', 'M', 'S', 'G' or 'mem'"),
        (
            "archetype: dlc_dry_cooler",
            "archetype: ice_lake",
            "archetype: 'ice_lake' is not an archetype; allowed: adiabatic_dry_chiller, ",
        ),
        ("  air_water_range:", "  liquid_share:", 'duplicate key "liquid_share".*allowed: YAML 1.2, each key once'),
        ("value: 0.006,", "value: 0.6,", r"electrical\.best: ups_no_load: .*less than or equal to 0.3"),
        ("ups_square:", "ups_cube:", r"electrical\.best\.ups_cube: unknown key; allowed: ups_square"),
        ("value: 0.85,", "valeu: 0.85,", r"parameters\.liquid_share\.value: missing"),
        ("description: >-", "colour: blue\ndescription: >-", "colour: unknown key"),
    ],
)
def test_slips_are_named(tmp_path, old, new, message):
    path = tmp_path / "mine.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as error:
        load_plant(path, "best")
    assert str(path) in str(error.value)


def test_unknown_preset_and_impossible_chiller(tmp_path):
    with pytest.raises(ConfigError, match="preset 'gold' is not in the file; allowed: best, typical"):
        load_plant(PLANT_FILES[0], "gold")
    tower = next(path for path in PLANT_FILES if path.stem == "chiller_tower").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(tower.replace("value: 0.115,", "value: 0.9,", 1))
    with pytest.raises(ConfigError, match=r"chiller_part_load_constant 0\.9 above chiller_part_load_square 0\.779"):
        load_plant(path)
