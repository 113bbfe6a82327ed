"""The JSON Schemas that editors complete YAML files with: in step with the code, and right about our own files.

`Validator` knows the few keywords that the schemas use, so that no further library is needed.
"""

import json
import re
from datetime import date, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from energy.inputs import jsonschema
from tests.cases import SmallCase

CHECKOUT = Path(__file__).parents[2]
FOLDERS = {"cases": "case", "fleets": "fleet", "gpus": "gpu", "tariffs": "tariff", "plants": "plant"}
FILES = sorted((CHECKOUT / "models").rglob("*.yaml"))


def load(path):
    """A YAML file as JSON: dates are text."""
    text = json.dumps(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")), default=_text)
    return json.loads(text)


def _text(value):
    assert isinstance(value, (date, datetime)), value
    return value.isoformat()


class Validator:
    """Errors of an instance against a JSON Schema, as paths."""

    KNOWN = frozenset({
        "$schema", "$ref", "$defs", "title", "description", "default", "type", "properties", "required",
        "additionalProperties", "patternProperties", "propertyNames", "minProperties", "items", "minItems",
        "maxItems", "anyOf", "enum", "const", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength", "maxLength", "format", "uniqueItems", "prefixItems",
    })  # fmt: skip
    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}

    def __init__(self, schema):
        self.schema = schema

    def errors(self, value, node=None, path="$"):
        """Paths at which the value does not fit."""
        node = self.schema if node is None else node
        assert set(node) <= self.KNOWN, f"{path}: keywords {set(node) - self.KNOWN}"
        if "$ref" in node:
            return self.errors(value, self.schema["$defs"][node["$ref"].rpartition("/")[2]], path)
        if "anyOf" in node:
            found = [self.errors(value, choice, path) for choice in node["anyOf"]]
            return [] if [] in found else min(found, key=len)
        bad = [path] if not (self._type(value, node) and self._scalar(value, node)) else []
        return bad or self._children(value, node, path)

    def _type(self, value, node):
        if "type" not in node:
            return True
        if node["type"] in ("number", "integer"):
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, self.TYPES[node["type"]])

    def _scalar(self, value, node):
        return all((
            "enum" not in node or value in node["enum"], "const" not in node or value == node["const"],
            "pattern" not in node or re.search(node["pattern"], value),
            "minimum" not in node or value >= node["minimum"], "maximum" not in node or value <= node["maximum"],
            "exclusiveMinimum" not in node or value > node["exclusiveMinimum"],
            "minLength" not in node or len(value) >= node["minLength"],
            "minItems" not in node or len(value) >= node["minItems"],
            "minProperties" not in node or len(value) >= node["minProperties"],
        ))  # fmt: skip

    def _children(self, value, node, path):
        if isinstance(value, list) and "items" in node:
            return [e for i, v in enumerate(value) for e in self.errors(v, node["items"], f"{path}.{i}")]
        if not isinstance(value, dict):
            return []
        out = [f"{path}.{key}" for key in node.get("required", []) if key not in value]
        for key, inner in value.items():
            out += self.errors(key, node.get("propertyNames", {}), f"{path}.{key}")
            out += self._child(key, inner, node, f"{path}.{key}")
        return out

    def _child(self, key, value, node, path):
        named = node.get("properties", {}).get(key)
        by_pattern = [s for p, s in node.get("patternProperties", {}).items() if re.search(p, key)]
        for candidate in ([named] if named is not None else []) + by_pattern:
            return self.errors(value, candidate, path)
        other = node.get("additionalProperties", True)
        return [] if other is True else [path] if other is False else self.errors(value, other, path)


def validator(kind):
    return Validator(json.loads((CHECKOUT / "docs" / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("kind", jsonschema.FILES)
def test_committed_schema_is_in_step(kind):
    committed = (CHECKOUT / "docs" / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert committed == jsonschema.text(kind), "run make docs"


def test_no_other_schemas_lie_about(tmp_path):
    written = {p.name for p in jsonschema.write_all(tmp_path / "new")}
    assert {p.name for p in (CHECKOUT / "docs" / "schemas").iterdir()} == written


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_our_own_files_fit(path):
    assert validator(FOLDERS[path.parent.name]).errors(load(path)) == []


def test_small_case_fits(case):
    for file, kind in (("case.yaml", "case"), ("fleet.yaml", "fleet"), ("tariff.yaml", "tariff")):
        assert validator(kind).errors(load(case.folder / file)) == []


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
    assert len(validator(file.removesuffix(".yaml")).errors(load(case.folder / file))) == 1


def test_dates_and_moments_fit(case):
    for moment in ("2018-05-03", "2018-05-03T06:00", "2018-05-03T06:00:00", "2018-05-03 06:00"):
        case.edit("fleet.yaml", "sites.north.grid_limit_mw", [{"from": moment, "value": 3}])
        assert validator("fleet").errors(load(case.folder / "fleet.yaml")) == []
        case.problem()
