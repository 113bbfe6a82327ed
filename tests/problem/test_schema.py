"""The table of arrays: its messages name the array, the first bad coordinate, the value and what is allowed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.schema import PROBLEM, Array, SchemaError, validate
from energy.schema import arrays as arrays_module
from tests.cases import SmallCase


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """One good Problem; tests copy it."""
    return SmallCase(tmp_path_factory.mktemp("case")).problem()


def refused(ds, *words):
    with pytest.raises(SchemaError) as caught:
        validate.check(ds, PROBLEM)
    assert [w for w in words if w not in str(caught.value)] == [], caught.value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 9000.0])
def test_value_that_is_not_allowed(problem, value):
    bad = problem.copy(deep=True)
    bad["spot"].values[1, 7] = value
    bad["spot"].values[1, 9] = value
    refused(
        bad,
        f"spot[site=south, time=2024-03-05T07:00Z] = {value:g} [EUR MWh-1]",
        "allowed: -5000 … 8000, finite",
        "day-ahead price",
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_array_any_place(problem, data):
    """Whatever array goes wrong wherever, the message says which and where."""
    name = data.draw(
        st.sampled_from(sorted(n for n in PROBLEM if problem[n].dtype.kind == "f" and problem[n].size and n != "dt"))
    )
    at = tuple(data.draw(st.integers(0, n - 1)) for n in problem[name].shape)
    value = data.draw(st.sampled_from([np.nan, np.inf, PROBLEM[name].low - 1]))
    bad = problem.copy(deep=True)
    bad[name].values[at] = value
    labels = [
        validate.check.__globals__["_label"](problem[name], dim, i)
        for dim, i in zip(problem[name].dims, at, strict=True)
    ]
    where = ", ".join(f"{dim}={label}" for dim, label in zip(problem[name].dims, labels, strict=True))
    refused(
        bad,
        f"{name}[{where}] = {value:g} [{PROBLEM[name].unit}]",
        f"allowed: {PROBLEM[name].low:g} …",
        PROBLEM[name].meaning,
    )


def test_unknown_array(problem):
    refused(problem.assign(spots=problem["spot"]), "spots: not in the table of arrays", "spot")


def test_missing_array(problem):
    refused(problem.drop_vars("spot"), "spot: missing", "('site', 'time')", "EUR MWh-1")


def test_missing_array_with_a_default(problem):
    """An array that a file lacks says that the thing is not there, with the attributes of the table."""
    there = validate.check(problem.drop_vars(["solar_mw", "heat_share"]), PROBLEM)
    for name in ("solar_mw", "heat_share"):
        assert there[name].dims == PROBLEM[name].dims
        assert there[name].shape == problem[name].shape
        assert there[name].dtype == float
        assert not there[name].values.any()
        assert there[name].attrs["units"] == PROBLEM[name].unit


def test_default_that_does_not_bind(problem, monkeypatch):
    """A new limit touches no Problem that was made before it, in memory or in a file."""
    limit = Array("ramp", ("site", "time"), "MW h-1", 0, 1e5, "largest ramp", "parameter", default=1e5)
    table = PROBLEM | {"ramp": limit}
    there = validate.check(problem, table)
    assert (there["ramp"].values == 1e5).all()
    assert "ramp" not in problem
    assert validate.check(there, table) is there


def test_axis_of_what_the_fleet_has_none_of(problem):
    """Without its axis, every array of it is empty; positions stay whole numbers, so that they index."""
    none = problem.drop_dims("cap")
    there = validate.check(none, PROBLEM)
    assert there.sizes["cap"] == 0
    assert there["cap_site"].dtype == np.int64
    assert there["cap_limit"].dtype == float


def test_some_of_an_axis_is_not_enough(problem):
    """With caps there, a cap's limit must be given: nothing says what it would be."""
    assert problem.sizes["cap"]
    refused(problem.drop_vars("cap_limit"), "cap_limit: missing", "('cap',)")


def test_default_over_an_axis_that_is_not_there_stays_away():
    """A Schedule without sites says nothing of solar limits; with sites, there are none."""
    held = {name: np.zeros(0, int) for name in ("entry_job", "entry_pool", "entry_time")}
    arrays = held | {"entry_gpus": np.zeros(0), "dt": np.ones(2)}
    time = np.datetime64("2024-03-05", "ns") + np.arange(2) * np.timedelta64(1, "h")
    assert "solar_limit_mw" not in validate.dataset(arrays, {"time": time}, arrays_module.SCHEDULE)
    made = validate.dataset(arrays, {"time": time, "site": ["a"]}, arrays_module.SCHEDULE)
    assert made["solar_limit_mw"].values.tolist() == [[arrays_module.UNLIMITED_MW] * 2]


def test_other_dimensions(problem):
    refused(
        problem.assign(spot=problem["spot"].transpose()), "spot: dimensions ('time', 'site'); allowed: ('site', 'time')"
    )


def test_time_that_does_not_rise(problem):
    time = problem["time"].values.copy()
    time[5] = time[4]
    refused(problem.assign_coords(time=time), "time: not rising after 2024-03-05T04:00Z")


def test_period_that_does_not_end_where_the_next_begins(problem):
    dt = problem["dt"].values.copy()
    dt[5] = 0.5
    refused(problem.assign(dt=("time", dt)), "dt: period at 2024-03-05T05:00Z does not end at the next start")


def test_table_is_complete_and_plain():
    for name, table in arrays_module.TABLES.items():
        for array in table.values():
            assert array.low <= array.high, (name, array.name)
            assert array.unit, (name, array.name)
            assert array.meaning, (name, array.name)
    assert "| `spot` | site, time | EUR MWh-1 | -5000 … 8000 |" in validate.markdown()
