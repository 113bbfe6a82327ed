"""`energy fetch` and `energy optimize --live` from a fleet to files, a case, a plan and a report."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ruamel.yaml import YAML
from werkzeug import Response

from energy import fetch as fetching
from energy.errors import ConfigError, SeriesError
from energy.fetch import _reference_jobs, live_case
from energy.inputs import fleet as fleet_module
from energy.inputs.load import read_inputs
from energy.optimize import optimize
from energy.problem import assemble
from energy.report.page import render
from energy.runs.folder import publish, record_of
from energy.series.files import columns, one_place, read_series, write
from energy.sources.catalogue import SOURCES
from energy.sources.client.http import Client
from tests.sources.conftest import empty_file
from tests.sources.test_hygiene import series, wave, weather
from tests.sources.test_secrets import leaks
from tests.sources.times import at, moments
from tests.sources.truth import price, quarter, temp_air

NORWAY = Path(fetching.__file__).parents[1] / "models" / "fleets" / "norway.yaml"
TOMORROW = date(2026, 11, 25)


@pytest.mark.slow
def test_a_norwegian_user_without_any_key_gets_tomorrow(world):
    said: list[str] = []
    got = fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.keyless(), world.folder / "out", said.append)
    assert got.missing() == []
    for zone in ("NO4", "NO2"):
        ds = got.series["price", zone].ds
        assert ds["price"].values.tolist() == pytest.approx([price(zone, t) for t in moments(ds)])
        assert set(ds["source"].values) == {"hvakosterstrommen"}
    for site in ("narvik", "glomfjord", "skien"):
        ds = got.series["weather", site].ds
        assert ds["temp_air"].values.tolist() == [temp_air(t) for t in moments(ds)]
        assert set(ds["source"].values) == {"met_norway"}
    assert set(got.rates) == {"NOK"}
    assert [p.name for p in got.files] == [
        "prices_eur.nc", "weather_narvik.nc", "weather_glomfjord.nc", "weather_skien.nc", "hydro.nc", "reservoirs.nc",
        "fetch.json",
    ]  # fmt: skip
    assert world.entsoe.count == world.frost.count == world.open_meteo.count == world.energy_charts.count == 0
    assert said[0] == "[1/9] price NO4"
    assert "24 h secondary" in said[1]
    assert "entsoe: skipped (no HYDROCOOL_ENTSOE_TOKEN); hvakosterstrommen: 24 h" in said[1]
    assert got.lines()[-1].startswith("exchange rates: NOK 0.08696 EUR (ecb, 2026-11-24)")


@pytest.mark.slow
def test_inputs_read_the_files_as_they_are(world):
    got = fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.client(), world.folder / "out")
    table = read_series(got.folder / "prices_eur.nc")
    assert table["NO4"].to_numpy().tolist() == pytest.approx([quarter("NO4", t) for t in table.index.to_pydatetime()])
    assert set(table["NO4_quality"]) == {"auction"}
    assert set(table["NO2_source"]) == {"entsoe"}
    weather = read_series(got.folder / "weather_narvik.nc")
    assert set(weather["quality"]) == {"forecast"}
    assert {"temp_air", "relative_humidity", "temp_dew", "pressure"} <= set(weather.columns)
    hydro = read_series(got.folder / "hydro.nc")
    assert {"NO4_filling", "NO4_deviation", "NO2_filling", "NO4_quality"} <= set(hydro.columns)
    weeks = read_series(got.folder / "reservoirs.nc")
    assert len(weeks) in (52, 53)
    assert (weeks["NO4_minimum"] < weeks["NO4_median"]).all()
    assert (weeks["NO4_filling"] - weeks["NO4_median"]).to_numpy() == pytest.approx(weeks["NO4_deviation"].to_numpy())
    with xr.open_dataset(got.folder / "prices_eur.nc", engine="h5netcdf") as ds:
        assert ds.attrs["Conventions"].startswith("CF-")
        assert ds["NO4"].attrs["units"] == "EUR MWh-1"
        assert "ENTSO-E" in ds.attrs["attribution"]
        assert ds.attrs["licence"]
        assert ds["time"].attrs["long_name"].startswith("start of the interval")


def test_a_file_with_zones_of_different_steps_and_a_hole(tmp_path):
    hourly, quarters = series(wave(24)), series(np.repeat(wave(24), 4), dt=0.25).isel(time=slice(0, 80))
    table = read_series(write(columns({"NO4": hourly, "FR": quarters}, "price"), tmp_path / "x" / "prices.nc"))
    assert table["NO4"].to_numpy().tolist() == np.repeat(wave(24), 4).tolist(), "an hour's price is each quarter's"
    assert table["FR"].isna().sum() == 16
    assert set(table["FR_source"][-16:]) == {"missing"}
    assert set(table["FR_source"][:80]) == {"hvakosterstrommen"}
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["prices.nc"], "nothing half-written stays"
    one = read_series(write(one_place(weather([0, 1, 2])), tmp_path / "w.nc"))
    assert one["quality"].tolist() == ["forecast"] * 3


@pytest.mark.slow
def test_an_interrupted_fetch_resumes_where_it_was(world):
    class Interrupted(KeyboardInterrupt):
        pass

    def stop(text: str) -> None:
        if text.startswith("[4/9]"):
            raise Interrupted

    with pytest.raises(Interrupted):
        fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.client(), world.folder / "out", stop)
    before = {n: c.count for n, c in world.contracts.items()}
    assert before["entsoe"] == 2
    assert before["met_norway"] == 1
    fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.client(), world.folder / "out")
    prices = [r for r in world.entsoe.requests if r.args["documentType"] == "A44"]
    assert len(prices) == 2, "both zones' prices were there already"
    assert world.met_norway.count == 3, "one site was there already"
    again = {n: c.count for n, c in world.contracts.items()}
    fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.client(), world.folder / "out")
    assert {n: c.count for n, c in world.contracts.items()} == again, "nothing is asked twice"


def test_the_record_of_a_fetch_says_everything(world):
    world.entsoe.always = Response("<h1>Maintenance</h1>", 503)
    got = fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.client(), world.folder / "out")
    said = json.loads((got.folder / "fetch.json").read_text())
    assert said["at"] == "2026-11-24T14:30:00"
    assert said["rates"]["NOK"][1:] == ["2026-11-24", "ecb"]
    no4 = said["series"]["price NO4"]
    assert no4["hours"] == {"secondary": 24.0}
    assert no4["chain"] == ["entsoe: retry (HTTP 503: Maintenance)", "hvakosterstrommen: 24 h"]
    assert no4["missing"] == []


def test_a_night_is_replayed_from_what_was_known_then(world, time):
    first = fetching.fetch(NORWAY, TOMORROW, TOMORROW, world.client(), world.folder / "one")
    time.now += timedelta(days=3)
    counts = {n: c.count for n, c in world.contracts.items()}
    then = world.client(as_of=datetime(2026, 11, 24, 14, 31))
    again = fetching.fetch(NORWAY, TOMORROW, TOMORROW, then, world.folder / "two")
    assert {n: c.count for n, c in world.contracts.items()} == counts
    for key, filled in first.series.items():
        assert again.series[key].ds.drop_attrs().equals(filled.ds.drop_attrs()), key


@pytest.mark.slow
def test_optimize_live_from_fetch_to_report(world):
    client = world.client()
    said: list[str] = []
    case = live_case(NORWAY, client, out=world.folder / "fetched", tell=said.append)
    assert any("INVENTED reference jobs" in line for line in said)
    run = optimize(case)
    assert run.outcome.status in ("OPTIMAL", "DEGRADED"), run.outcome
    hours = [t.astype("datetime64[s]").item() for t in run.problem["time"].values[:24]]
    quarters = [np.mean([quarter("NO4", t + timedelta(minutes=m)) for m in (0, 15, 30, 45)]) for t in hours]
    assert run.problem["spot"].sel(site="narvik").values[:24] == pytest.approx(np.array(quarters))
    quality = run.problem["price_quality"].sel(site="narvik").values
    assert set(quality[:24]) == {0}
    assert set(quality[24:]) == {5}, "the days after tomorrow are carried over and say so"
    record = record_of(run)
    folder = publish(record, world.folder / "runs", render(record))
    page = (folder / "report.html").read_text()
    for name in ("entsoe", "met_norway", "nve", "ecb"):
        assert SOURCES[name].attribution in page, f"the licence of {name} asks for it"
    assert "Strømpriser" not in page, "nobody is thanked for what was not used"
    assert "<h2>Reservoirs</h2>" in page
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {s["name"] for s in manifest["series"]} >= {"NO4", "NO2", "narvik"}
    assert "met_norway" in str(manifest["series"])
    client.close()
    assert leaks(world.folder) == [], "no canary in caches, fetched files, run folder or report"


def test_a_live_case_without_any_key_assembles(world):
    case = live_case(NORWAY, world.keyless(), out=world.folder / "fetched")
    problem = assemble(read_inputs(case))
    hours = [t.astype("datetime64[s]").item() for t in problem["time"].values[:24]]
    assert problem["spot"].sel(site="skien").values[:24] == pytest.approx([price("NO2", t) for t in hours])
    assert set(problem["price_quality"].sel(site="skien").values[:24]) == {3}
    assert set(problem["weather_quality"].sel(site="skien").values) <= {2, 4}


@pytest.mark.slow
def test_live_without_prices_or_with_own_jobs(world, tmp_path):
    for name in ("hvakosterstrommen", "entsoe", "energy_charts"):
        world.contracts[name].always = Response(status=500)
    with pytest.raises(SeriesError, match="no source has price NO4, price NO2"):
        live_case(NORWAY, world.client(), out=tmp_path)
    for name in ("hvakosterstrommen", "entsoe", "energy_charts"):
        world.contracts[name].always = None
    jobs = tmp_path / "mine.csv"
    jobs.write_text("id,gpu_hours,max_gpus,release,deadline,gpu_kinds\nj1,100,64,+0h,+20h,gb300=1\n")
    case = live_case(NORWAY, world.client(), jobs, TOMORROW, TOMORROW, tmp_path / "out")
    data = YAML(typ="safe", pure=True).load(case.read_text())
    assert data["jobs"] == str(jobs)
    assert data["horizon"] == {"start": "2026-11-25", "end": "2026-11-25", "time_zone": "Europe/Oslo",
                               "market_time_unit_min": 60}  # fmt: skip
    with pytest.raises(ConfigError, match="none of the reference jobs fits this fleet within 1 h; allowed: more days"):
        _reference_jobs(fleet_module.load_fleet(NORWAY), 1.0, tmp_path / "jobs.csv", lambda _: None)


@pytest.mark.slow
def test_a_british_site_gets_pounds_carbon_and_a_proxy(world, tmp_path):
    fleet = (
        NORWAY.read_text()
        .replace("bidding_zone: NO2", "bidding_zone: GB")
        .replace("time_zone: Europe/Oslo", "time_zone: Europe/London")
    )
    path = tmp_path / "mixed.yaml"
    path.write_text(fleet)
    day = date(2026, 11, 23)
    got = fetching.fetch(path, day, day, world.client(), tmp_path / "out")
    assert {p.name for p in got.files} >= {"prices_eur.nc", "prices_gbp.nc", "carbon.nc"}
    assert set(got.rates) == {"GBP", "NOK"}
    assert got.series["price", "GB"].by_quality() == {"proxy": 24.0}
    carbon = read_series(got.folder / "carbon.nc")
    assert carbon["GB"].between(0.1, 0.4).all()
    measured = got.series["weather", "narvik"]
    assert set(measured.ds["source"].values) == {"frost"}


def test_the_client_of_the_commands(tmp_path, monkeypatch, world):
    monkeypatch.setenv("HYDROCOOL_LOOPBACK_HTTP", "1")
    monkeypatch.setenv("HYDROCOOL_CREDENTIALS", empty_file(tmp_path))
    for name, source in SOURCES.items():
        monkeypatch.setenv(source.url_variable, world.urls[name])
    with fetching.open_client(tmp_path / "cache") as client:
        assert isinstance(client, Client)
        assert client.get("hvakosterstrommen", "2026/11-24_NO4.json").kind == "ok"
        fleet = fleet_module.load_fleet(NORWAY)
        assert fetching.tomorrow(fleet, at("2026-11-24T22:30")) == TOMORROW
        assert fetching.tomorrow(fleet, at("2026-11-24T23:30")) == date(2026, 11, 26)
