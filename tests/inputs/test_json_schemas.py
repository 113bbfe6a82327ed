"""The JSON Schemas that editors complete YAML files with: in step with the code, and right about our own files."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from energy.cli import templates
from tests.cases import SmallCase

CHECKOUT = Path(__file__).parents[2]
FOLDERS = {"cases": "case", "fleets": "fleet", "gpus": "gpu", "tariffs": "tariff", "plants": "plant",
           "limits": "limits"}  # fmt: skip
FILES = sorted((CHECKOUT / "models").rglob("*.yaml"))


def load(path):
    """A YAML file as JSON: dates are text."""
    text = json.dumps(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")), default=_text)
    return json.loads(text)


def _text(value):
    assert isinstance(value, (date, datetime)), value
    return value.isoformat()


def errors(kind, value):
    """Places at which a value does not fit the committed schema."""
    schema = json.loads((CHECKOUT / "docs" / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return [e.json_path for e in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("kind", templates.FILES)
def test_committed_schema_is_in_step(kind):
    committed = (CHECKOUT / "docs" / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert committed == templates.text(kind), "run make docs"


def test_no_other_schemas_lie_about(tmp_path):
    written = {p.name for p in templates.write_all(tmp_path / "new")}
    assert {p.name for p in (CHECKOUT / "docs" / "schemas").iterdir()} == written


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_our_own_files_fit(path):
    assert errors(FOLDERS[path.parent.name], load(path)) == []


def test_small_case_fits(case):
    for file, kind in (("case.yaml", "case"), ("fleet.yaml", "fleet"), ("tariff.yaml", "tariff")):
        assert errors(kind, load(case.folder / file)) == []


#: Mistakes that an editor should mark: (file, key, value).
MISTAKES = [
    ("fleet.yaml", "sites.north.bidding_zone", "NO"),
    ("fleet.yaml", "sites.north.country", "Norway"),
    ("fleet.yaml", "sites.north.pue_caps.0.limit", 0.9),
    ("fleet.yaml", "sites.north.grid_limit", 3),
    ("fleet.yaml", "sites.north.grid_limit_mw", [{"from": "soon", "value": 3}]),
    ("fleet.yaml", "sites.north.grid_limit_mw", "3 MW"),
    ("fleet.yaml", "sites.north.halls", {}),
    ("case.yaml", "horizon.market_time_unit_min", 20),
    ("case.yaml", "prices.0.quality", "good"),
    ("case.yaml", "prices.0.zones", ["NO"]),
    ("tariff.yaml", "currency", "kroner"),
]


@pytest.mark.parametrize(("file", "key", "value"), MISTAKES)
def test_editor_marks_mistakes(tmp_path, file, key, value):
    case = SmallCase(tmp_path).edit(file, key, value)
    assert len(errors(file.removesuffix(".yaml"), load(case.folder / file))) == 1


def test_dates_and_moments_fit(case):
    for moment in ("2018-05-03", "2018-05-03T06:00", "2018-05-03T06:00:00", "2018-05-03 06:00"):
        case.edit("fleet.yaml", "sites.north.grid_limit_mw", [{"from": moment, "value": 3}])
        assert errors("fleet", load(case.folder / "fleet.yaml")) == []
        case.problem()
