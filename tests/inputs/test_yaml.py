"""YAML 1.2 into frozen models."""

import pytest
from pydantic import ValidationError

from energy.inputs.fleet import load_fleet


def test_norway_stays_norway(case):
    """In YAML 1.1 an unquoted NO is False."""
    text = (case.folder / "fleet.yaml").read_text()
    assert "country: NO\n" in text
    fleet = load_fleet(case.folder / "fleet.yaml")
    assert fleet.sites["north"].country == "NO"
    assert fleet.sites["north"].tags() == {"NO", "EEA"}


def test_words_and_octal_numbers_of_yaml_1_1_are_plain_text_and_numbers(case):
    case.text("fleet.yaml", "jurisdictions: [EEA]", "jurisdictions: [EEA, yes, on, 'off', 12:30]")
    case.text("fleet.yaml", "altitude_m: 30", "altitude_m: 030")
    site = load_fleet(case.folder / "fleet.yaml").sites["north"]
    assert site.jurisdictions == ("EEA", "yes", "on", "off", "12:30")
    assert site.place.altitude_m == 30


def test_byte_order_mark_of_windows_editors(case):
    path = case.folder / "fleet.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_fleet(path).name == "small"


def test_models_are_frozen(case):
    fleet = load_fleet(case.folder / "fleet.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        fleet.name = "other"


def test_models_of_ones_own_are_found_beside_the_fleet(case):
    """A tariff, a plant or a GPU kind of one's own is a path ending in .yaml."""
    from energy.inputs.resources import model_path

    for kind, name in (("gpus", "gb300"), ("plants", "dlc_dry_cooler")):
        (case.folder / f"my_{name}.yaml").write_text(
            model_path(kind, name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    as_named = case.problem()
    case.edit("fleet.yaml", "sites.north.halls.liquid.plant", "my_dlc_dry_cooler.yaml")
    case.edit("fleet.yaml", "sites.north.halls.liquid.pools.gb300.gpu", "my_gb300.yaml")
    assert case.problem().identical(as_named), "jobs ask for the kind that the file states, not for the file's name"
