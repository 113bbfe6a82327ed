"""The Problem as a whole: money, files, provenance, saving and loading."""

import hashlib

import numpy as np
import pytest
import xarray as xr

from energy.inputs.provenance import hashes, series_origins
from energy.problem import assemble
from energy.runs.record import _encoding
from energy.schema import arrays, validate


def test_money_becomes_eur_once(case):
    expected = case.problem()
    case.each("prices.csv", lambda r: r | {"NO4": round(float(r["NO4"]) * 10, 1)})
    spec = case.yaml("case.yaml")["prices"][0]
    case.edit("case.yaml", "prices", [spec | {"zones": ["NO4"], "currency": "NOK"}, spec | {"zones": ["DE-LU"]}])
    problem = case.problem()
    xr.testing.assert_allclose(problem, expected, rtol=1e-12)
    assert problem["energy_charge"].sel(site="north").values == pytest.approx(np.full(48, 80 * 0.1))
    assert problem["price"].values == pytest.approx((problem["spot"] + problem["energy_charge"]).values)


def test_rate_of_exchange_scales_what_is_in_that_currency_only(case):
    one = case.problem()
    two = case.edit("case.yaml", "fx.NOK.eur_per_unit", 0.2).problem()
    assert two["energy_charge"].sel(site="north").values == pytest.approx(
        2 * one["energy_charge"].sel(site="north").values
    )
    doubled = [p["charge_rate"].sel(charge="north:peak@2024-03", rate_band=0).values for p in (one, two)]
    assert doubled[1] == pytest.approx(2 * doubled[0])
    assert two["spot"].identical(one["spot"])
    assert two["price"].sel(site="south").identical(one["price"].sel(site="south"))


def test_order_of_keys_in_the_case_never_matters(case):
    expected = case.problem()
    content = case.yaml("case.yaml")
    case.edit("case.yaml", "weather", dict(reversed(content["weather"].items())))
    case.edit("case.yaml", "prices.0.zones", ["DE-LU", "NO4"])
    assert case.problem().identical(expected)


def test_every_file_that_was_read_is_named_with_its_hash(case):
    case.edit("case.yaml", "state", "state.yaml").edit("state.yaml", "work_done", {})
    case.put("carbon.csv", [{"utc": r["utc"], "SE": 30} for r in case.rows("prices.csv")])
    case.edit(
        "case.yaml",
        "carbon.NO4",
        {"file": "carbon.csv", "column": "SE", "unit": "g_per_kwh", "quality": "proxy", "source": "made up"},
    )
    files = hashes(case.inputs())
    own = {p.name for p in files if p.parent == case.folder}
    assert own == {p.name for p in case.folder.iterdir()}
    assert {p.name for p in files} - own == {
        "de_regional.yaml",
        "dlc_dry_cooler.yaml",
        "airside_economizer.yaml",
        "gb300.yaml",
        "h200.yaml",
        "a100.yaml",
    }
    assert all(sha == hashlib.sha256(path.read_bytes()).hexdigest() for path, sha in files.items())


def test_provenance_of_every_series(case):
    rows = series_origins(case.inputs())
    assert [(r["kind"], r["name"], r["file"], r["quality"]) for r in rows] == [
        ("price", "NO4", "prices.csv", {"auction": 48}),
        ("price", "DE-LU", "prices.csv", {"auction": 48}),
        ("weather", "north", "weather_north.csv", {"measured": 48}),
        ("weather", "south", "weather_south.csv", {"forecast": 48}),
    ]


def test_groups_are_jobs_with_the_same_pools_and_speeds(case):
    problem = case.problem()
    group = dict(zip(problem["job"].values.tolist(), problem["job_group"].values.tolist(), strict=True))
    assert group["j1"] == group["j2"]
    assert group["j5"] == group["j6"]
    assert len(set(group.values())) == problem.sizes["group"] == 4
    k = group["j1"]
    assert problem["speed"].values[k].tolist() == [2, 1]
    assert problem["pool_class"].values[k].tolist() == [0, 1, -1]


def test_undone_work_costs_ten_times_the_dearest_way_to_run_it(case):
    problem = case.problem()
    power = (problem["busy_mw"] - problem["idle_mw"]).values * (
        1 + problem["slope"].max(("time", "segment")).values[problem["pool_hall"].values]
    )
    site = problem["hall_site"].values[problem["pool_hall"].values]
    peak = np.bincount(problem["charge_site"].values, problem["charge_rate"].max("rate_band").values, minlength=2)
    dearest = power * (problem["price"].max("time").values[site] + peak[site])
    assert float(problem["penalty"].sel(job="j5")) == pytest.approx(10 * dearest[2])
    assert float(problem["penalty"].sel(job="j1")) == pytest.approx(10 * max(dearest[0] / 2, dearest[1]))


# Saving and loading


@pytest.fixture
def saved(case):
    """A Problem and the file it was saved to."""
    problem = case.edit("case.yaml", "horizon.market_time_unit_min", 15).problem()
    problem.to_netcdf(case.folder / "problem.nc", engine="h5netcdf", encoding=_encoding(problem))
    return problem, case.folder / "problem.nc"


def test_netcdf_round_trip_keeps_values_and_attributes(saved):
    problem, path = saved
    loaded = validate.check(xr.load_dataset(path, engine="h5netcdf"), arrays.PROBLEM)
    assert loaded.equals(problem)
    for name, array in arrays.PROBLEM.items():
        assert loaded[name].attrs["units"] == array.unit
        assert loaded[name].attrs["long_name"] == array.meaning
        assert loaded[name].dtype == problem[name].dtype
    assert loaded.attrs["Conventions"] == "CF-1.11"


def test_file_is_cf_time_in_utc_with_flags_and_without_fill_values(saved):
    raw = xr.open_dataset(saved[1], engine="h5netcdf", decode_cf=False)
    assert raw["time"].attrs["units"].startswith("minutes since 1970-01-01")
    assert raw["time"].attrs["calendar"] == "standard"
    assert raw["price_quality"].attrs["flag_meanings"].split() == list(arrays.QUALITY)
    assert raw["price_quality"].attrs["flag_values"].tolist() == list(range(len(arrays.QUALITY)))
    assert not [n for n in raw.variables if "_FillValue" in raw[n].attrs]
    raw.close()


def test_assembling_again_is_identical(case):
    inputs = case.inputs()
    first = assemble(inputs)
    assert assemble(inputs).identical(first)
    assert case.problem().identical(first)
