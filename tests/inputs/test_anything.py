"""Whatever stands in whatever key or cell: a Problem, or one clear line. Never a traceback, a warning or a NaN."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.errors import InputError
from energy.schema import SchemaError
from tests.cases import GONE, SmallCase

JUNK = [
    None, "", 0, -1, 0.5, 2, 1e9, 1e308, -1e308, math.nan, math.inf, True, [], {}, [1], {"a": 1}, "x", "NO", "-", "1e400", "0x10",
    "2024-03-05", "2024-03-05T10:30", "9999-12-31", date(2024, 3, 5), "../x", "\x00", "+5h", "h200=1", "EEA", "Europe/Oslo",
    "gb300", "dlc_dry_cooler", "jobs.csv", "fleet.yaml", 10**30, GONE,
]  # fmt: skip
STATE = {"north": {"peak_so_far_mw": {"2024-03": 1.0}, "year_to_date": {"facility_mwh": 10, "it_mwh": 9},
                   "history": [{"start": "2024-03-04T20:00:00Z", "hours": 1, "facility_mwh": 1, "it_mwh": 0.9}]}}  # fmt: skip
CAPS = [{"name": "r", "limit": 1.25, "period": "rolling", "window_h": 3},
        {"name": "h", "limit": 1.3, "period": "hour", "above_it_mw": 0.3}]  # fmt: skip
COUNT = [{"from": "2020-01-01", "value": 700}, {"from": "2024-03-06", "value": 800}]
REPAIR = [{"from": "2024-03-05T08:00", "to": "2024-03-05T10:30", "gpus": 50}]


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """A small case with every kind of key in it, and the content of its files."""
    case = SmallCase(tmp_path_factory.mktemp("case")).edit("case.yaml", "state", "state.yaml")
    case.edit("state.yaml", "sites", STATE).edit("state.yaml", "work_done", {"j1": 5})
    case.edit("fleet.yaml", "sites.north.pue_caps", CAPS).edit(
        "fleet.yaml", "fleet_pue_caps", [{"name": "f", "limit": 1.3}]
    )
    for key, value in (("count", COUNT), ("maintenance", REPAIR)):
        case.edit("fleet.yaml", f"sites.north.halls.liquid.pools.gb300.{key}", value)
    case.problem()
    return case, {p: p.read_bytes() for p in case.folder.iterdir()}


def keys(node, way=""):
    """All dotted keys of a YAML file."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield f"{way}{key}"
        yield from keys(value, f"{way}{key}.")


def spoil(case, data):
    file = data.draw(
        st.sampled_from(
            ["case.yaml", "fleet.yaml", "tariff.yaml", "state.yaml", "jobs.csv", "prices.csv", "weather_south.csv"]
        )
    )
    value = data.draw(st.sampled_from(JUNK))
    if file.endswith(".yaml"):
        case.edit(file, data.draw(st.sampled_from(sorted(keys(case.yaml(file))))), value)
    else:
        rows = case.rows(file)[-70:]
        row = data.draw(st.sampled_from([next(iter(r.values())) for r in rows]))
        case.cell(file, row, data.draw(st.sampled_from(sorted(rows[0]))), value)


def outcome(case, fill):
    """The Problem, or the message instead of it."""
    try:
        return case.problem(fill), ""
    except (InputError, SchemaError) as e:
        return None, str(e)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_anything(rich, data):
    case, good = rich
    for path, content in good.items():
        path.write_bytes(content)
    spoil(case, data)
    problem, message = outcome(case, data.draw(st.booleans()))
    assert "\n" not in message
    assert len(message) < 1000
    if not message:
        assert all(np.isfinite(problem[n].values).all() for n in problem.data_vars if problem[n].dtype.kind == "f")
