"""Keys of the fleet file that a row of the table of arrays names: read, checked and put on the grid without more code."""

import json

import numpy as np
import pytest

from energy.errors import ConfigError
from energy.inputs.fleet import Site, keys_of, with_keys_of
from energy.inputs.yaml_files import validate
from energy.problem.sites import fleet_arrays
from energy.schema import PROBLEM, Array
from tests.cases import SmallCase

ROW = Array(
    "ramp", ("site", "time"), "MW h-1", 0.0, 50.0, "largest change of power drawn", "parameter", default=50.0,
    fleet_key="sites.*.ramp_mw_per_h",
)  # fmt: skip


@pytest.fixture
def model(monkeypatch):
    """Site with the key of a row that is in no table yet."""
    monkeypatch.setitem(PROBLEM, "ramp", ROW)
    return with_keys_of("sites.*")(Site)


@pytest.fixture
def raw(tmp_path):
    return SmallCase(tmp_path).yaml("fleet.yaml")["sites"]["north"]


def test_row_makes_a_key_with_its_meaning_unit_range_and_default(model):
    schema = model.model_json_schema()
    key = schema["properties"]["ramp_mw_per_h"]
    assert list(schema["properties"])[-1] == "ramp_mw_per_h"
    assert key["description"] == "largest change of power drawn [MW h-1]"
    assert {"maximum": 50.0, "minimum": 0.0, "type": "number"} in key["anyOf"]
    assert [step["value"] for step in key["default"]] == [50.0]
    assert "ramp_mw_per_h" not in schema["required"]
    assert schema["title"] == "Site"
    assert json.dumps(schema)


def test_value_out_of_range_is_refused(model, raw):
    for value, found in ((51, "found 51"), ([{"from": "2024-01-01", "value": 51}], "")):
        with pytest.raises(ConfigError, match=r"ramp_mw_per_h: must be from 0 to 50 MW h-1, always") as caught:
            validate("fleet.yaml", raw | {"ramp_mw_per_h": value}, model)
        assert found in str(caught.value)


def test_dated_values_reach_the_array(model, raw, tmp_path):
    """On the site's own clock: midnight in Oslo is an hour earlier in UTC."""
    dated = [{"from": "1900-01-01", "value": 3}, {"from": "2024-03-06", "value": 4}]
    sites = {name: model.model_validate(raw | more) for name, more in (("a", {"ramp_mw_per_h": dated}), ("b", {}))}
    fleet = SmallCase(tmp_path).inputs().fleet.model_copy(update={"sites": sites})
    time = np.datetime64("2024-03-05T22:00", "ns") + np.arange(3) * np.timedelta64(1, "h")
    np.testing.assert_array_equal(fleet_arrays(fleet, time)["ramp"], [[3, 4, 4], [50, 50, 50]])
    steps = {key: steps for key, _, steps in fleet.dated()}
    assert steps["sites.a.grid_limit_mw"] == sites["a"].grid_limit_mw


def test_keys_of_rows_are_keys_of_the_file():
    """First dimension of a row is the owner of its key, second is time."""
    owners = {"sites.*": "site", "sites.*.halls.*": "hall"}
    keyed = [row for row in PROBLEM.values() if row.fleet_key]
    assert {row.name for row in keyed} == {r.name for owner in owners for r in keys_of(owner).values()}
    assert {"grid_limit_mw", "other_site_mw"} <= {row.name for row in keyed}
    for row in keyed:
        assert row.dims == (owners[row.fleet_key.rpartition(".")[0]], "time"), row.name


def test_row_without_a_default_makes_a_key_that_must_be_given(monkeypatch, raw):
    needed = Array(
        "need", ("site", "time"), "MW", 0.0, 50.0, "what must be told", "parameter", fleet_key="sites.*.need_mw"
    )
    monkeypatch.setitem(PROBLEM, "need", needed)
    with pytest.raises(ConfigError, match="need_mw: missing"):
        validate("fleet.yaml", raw, with_keys_of("sites.*")(Site))
