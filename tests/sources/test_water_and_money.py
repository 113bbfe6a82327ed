"""NVE reservoirs, exchange rates of both banks, hydropower signals as they were known."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import json
from datetime import date, datetime

import numpy as np
import pytest
from werkzeug import Response

from energy.sources import catalogue, hydro
from energy.sources.catalogue import SOURCES
from energy.sources.client.answer import SourceError
from energy.sources.providers import nve
from energy.sources.providers.central_banks import ECB, NORGES_BANK, get_rates, parse_ecb, rate_on
from tests.sources.contracts.entsoe import generation, reservoir
from tests.sources.contracts.money_water import PER_EURO, filling, median
from tests.sources.times import at, moments, qualities


def test_reservoirs_against_their_median(world):
    ds = nve.get_reservoirs(world.client(), "NO4", at("2026-10-20"), at("2026-11-24"))
    mondays = [date(2026, 10, 19), date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 9)]
    assert ds["filling"].values.tolist() == [filling(4, d) for d in mondays], "EL 4, not VASS 4"
    weeks = [d.isocalendar()[1] for d in mondays]
    assert ds["deviation"].values == pytest.approx(
        [filling(4, d) - median(4, w) for d, w in zip(mondays, weeks, strict=True)]
    )
    assert ds["dt"].values.tolist() == [169.0, 168.0, 168.0, 168.0]
    assert ds["time"].values[0] == at("2026-10-18T22:00"), "Monday in Oslo"
    assert ds["known_from"].values[0] == at("2026-10-28T12:00"), "Wednesday 13:00 in Oslo"
    assert (ds["capacity_twh"].values == 20).all()
    assert qualities(ds) == {"measured"}
    assert ds["minimum"].values[0] < ds["median"].values[0] < ds["maximum"].values[0]


def test_no_statistics_are_nothing_and_no_median_costs_the_deviation_only(world):
    span = (at("2026-10-20"), at("2026-11-24"))
    world.nve.always = lambda r: Response(status=404) if "MinMax" in r.path else None
    ds = nve.get_reservoirs(world.client(), "NO4", *span)
    assert np.isfinite(ds["filling"].values).all()
    assert np.isnan(ds["deviation"].values).all()
    assert ds.attrs["note"] == "no twenty-year median: HTTP 404"
    world.nve.always = Response(status=404)
    filled = hydro.reservoirs(world.client(folder=world.folder / "two"), "NO4", at("2026-11-24"))
    assert [(s.name, s.outcome) for s in filled.steps] == [("nve", "empty"), ("entsoe", "ok")]


def test_the_history_is_read_once_for_all_zones(world, monkeypatch):
    nve._by_area.cache_clear()
    read, loads = [], json.loads
    monkeypatch.setattr(nve.json, "loads", lambda body: read.append(len(body)) or loads(body))
    client = world.client()
    client.get("nve", "HentOffentligData", ttl_s=nve.TTL_S), client.get("nve", "HentOffentligDataMinMaxMedian", ttl_s=nve.TTL_S)  # fmt: skip
    read.clear()  # the verdict on a body needs a look into it, once
    for zone in ("NO1", "NO2", "NO4", "NO4"):
        nve.get_reservoirs(client, zone, at("2026-10-20"), at("2026-11-24"))
    assert len([n for n in read if n > 1000]) <= 2


def rows(**changes: object) -> tuple[bytes, bytes]:
    base = {"dato_Id": "2026-11-15", "omrType": "EL", "omrnr": 2, "iso_aar": 2026, "iso_uke": 46, "fyllingsgrad": 0.6,
            "kapasitet_TWh": 34.0, "fylling_TWh": 20.0}  # fmt: skip
    good = base | {"dato_Id": "2026-11-08", "iso_uke": 45}
    return json.dumps([base | changes, good]).encode(), b"[]"


@pytest.mark.parametrize(
    "changes",
    [{"fyllingsgrad": 0.0}, {"fyllingsgrad": None}, {"fyllingsgrad": 60.0}, {"fyllingsgrad": -0.1},
     {"dato_Id": "2026-11-16"}, {"iso_uke": 44}],
)  # fmt: skip
def test_impossible_rows_are_left_out_and_said(changes):
    ds = nve.parse_reservoirs(*rows(**changes), "NO2")
    assert ds.sizes["time"] == 1
    assert "1 rows of NO2 left out" in ds.attrs["note"]
    assert nve.parse_reservoirs(*rows(), "NO2").sizes["time"] == 2
    assert np.isnan(nve.parse_reservoirs(*rows(), "NO2")["deviation"].values).all(), "no median, no deviation"
    with pytest.raises(SourceError, match="no row of NO5"):
        nve.parse_reservoirs(*rows(), "NO5")


def test_week_53_and_new_year():
    body = json.dumps([
        {"dato_Id": d, "omrType": "EL", "omrnr": 1, "iso_aar": y, "iso_uke": w, "fyllingsgrad": 0.5}
        for d, y, w in (("2027-01-03", 2026, 53), ("2027-01-10", 2027, 1))
    ]).encode()  # fmt: skip
    ds = nve.parse_reservoirs(body, b"[]", "NO1")
    assert ds["time"].values.tolist() == [at("2026-12-27T23:00").astype(int), at("2027-01-03T23:00").astype(int)]


def test_signals_carry_only_what_was_known(world, time):
    time.now = datetime(2026, 11, 19, 12)
    filled = hydro.signals(world.client(), "NO4", at("2026-11-16"), at("2026-11-20"))
    ds = filled.ds
    before, after = filling(4, date(2026, 11, 2)), filling(4, date(2026, 11, 9))
    wednesday = ds["time"].values >= at("2026-11-18T12:00")
    assert set(ds["filling"].values[~wednesday]) == {before}
    assert set(ds["filling"].values[wednesday]) == {after}
    known = np.isfinite(ds["hydro_mw"].values)
    assert ds["time"].values[known][-1] == at("2026-11-18T19:00")
    assert ds["hydro_mw"].values[0] == 2 * generation(datetime(2026, 11, 16))
    assert [s.name for s in filled.steps] == ["nve", "entsoe"]


def test_signals_of_a_zone_that_nve_does_not_know(world):
    ds = hydro.signals(world.client(), "SE3", at("2026-11-23"), at("2026-11-24")).ds
    assert set(ds["reservoir_mwh"].values) == {reservoir(datetime(2026, 11, 8, 23))}
    keyless = hydro.signals(world.client(credentials={}), "SE3", at("2026-11-23"), at("2026-11-24"))
    assert not keyless.ds.sizes
    assert [str(s) for s in keyless.steps] == ["entsoe: skipped (no HYDROCOOL_ENTSOE_TOKEN)"] * 2


def terms(ds, name: str) -> list[str]:
    return ds.attrs[name].split("; ")


def test_signals_name_the_sources_that_each_hour_is_from(world, time):
    time.now = datetime(2026, 11, 19, 12)
    span = (at("2026-11-16"), at("2026-11-20"))
    both = hydro.signals(world.client(), "NO4", *span).ds
    known = np.isfinite(both["hydro_mw"].values)
    assert set(both["source"].values[known]) == {"nve; entsoe"}
    assert set(both["source"].values[~known]) == {"nve"}
    assert terms(both, "source") == ["nve", "entsoe"]
    assert nve.SOURCE.attribution in both.attrs["attribution"]
    assert "ENTSO-E" in both.attrs["attribution"]
    assert "terms of 29 March 2023" in both.attrs["licence"], "the licence of the generation is told too"
    world.nve.always = Response(status=500)
    other = hydro.signals(world.client(ttl_s=0, folder=world.folder / "two"), "NO4", *span)
    assert "reservoir_mwh" in other.ds
    assert terms(other.ds, "source") == ["entsoe"]
    assert "NVE" not in other.ds.attrs["attribution"], "what failed is not thanked"
    assert set(other.ds["source"].values) == {"entsoe"}


def test_hours_without_any_signal_are_absent_and_missing(world, time):
    time.now = datetime(2026, 11, 19, 12)
    world.nve.always = Response(status=500)
    world.entsoe.always = lambda r: Response(status=500) if r.args["documentType"] == "A72" else None
    filled = hydro.signals(world.client(), "NO4", at("2026-11-16"), at("2026-11-20"))
    assert set(filled.ds.data_vars) == {"hydro_mw", "dt", "quality", "source"}
    assert np.isfinite(filled.ds["hydro_mw"].values).all()
    assert filled.missing == ((at("2026-11-18T20:00"), at("2026-11-20")),)


def test_an_implausible_reservoir_is_refused(world, monkeypatch):
    monkeypatch.setattr("tests.sources.contracts.entsoe.reservoir", lambda begin: 10_176.0)
    filled = hydro.signals(world.client(), "SE3", at("2026-11-23"), at("2026-11-24"))
    assert "reservoir_mwh" not in filled.ds
    assert "10176 MWh in reservoirs, outside" in str(filled.steps[0])


def test_rates_of_the_ecb(world):
    ds = get_rates(world.client(), ECB, ["NOK", "SEK", "GBP"], date(2026, 11, 17), date(2026, 11, 24))
    assert ds.sizes["time"] == 6, "business days"
    assert ds["NOK"].values == pytest.approx(1 / PER_EURO["NOK"])
    assert rate_on(ds, "NOK", date(2026, 11, 22)) == (pytest.approx(1 / 11.5), date(2026, 11, 20)), "Friday's on Sunday"
    assert rate_on(ds, "NOK", date(2026, 11, 16)) is None, "never a later day's"
    assert rate_on(ds, "NOK", date(2026, 12, 3)) is None, "nor one older than a week"
    assert rate_on(ds, "DKK", date(2026, 11, 22)) is None


def test_an_empty_observation_is_no_rate(world):
    ds = get_rates(world.client(), ECB, ["NOK"], date(2026, 12, 21), date(2026, 12, 28))
    assert rate_on(ds, "NOK", date(2026, 12, 25)) == (pytest.approx(1 / 11.5), date(2026, 12, 24))


def test_norges_bank_quotes_per_hundred_and_is_crossed_through_the_krone(world):
    ds = get_rates(world.client(), NORGES_BANK, ["NOK", "SEK", "DKK", "GBP"], date(2026, 11, 17), date(2026, 11, 24))
    for currency, per_euro in PER_EURO.items():
        assert ds[currency].values == pytest.approx(1 / per_euro, rel=1e-5)
    assert world.norges_bank.last.path.endswith("EXR/B.DKK+EUR+GBP+SEK.NOK.SP")


def test_the_second_bank_steps_in(world):
    client = world.client()
    found, steps = catalogue.rates(client, ["NOK", "SEK"], date(2026, 11, 24))
    assert {c: v[2] for c, v in found.items()} == {"NOK": "ecb", "SEK": "ecb"}
    assert [str(s) for s in steps] == ["ecb: ok"]
    world.ecb.always = Response("<html>down</html>", 503)
    found, steps = catalogue.rates(client, ["NOK", "SEK"], date(2026, 11, 23))
    assert {c: v[2] for c, v in found.items()} == {"NOK": "norges_bank", "SEK": "norges_bank"}
    assert [str(s) for s in steps] == ["ecb: retry (HTTP 503: down)", "norges_bank: ok"]
    world.norges_bank.always = Response('<?xml version="1.0"?><message:Error>No data</message:Error>', 200)
    found, steps = catalogue.rates(client, ["NOK"], date(2026, 11, 22))
    assert found == {}
    assert [s.outcome for s in steps] == ["retry", "retry"]


@pytest.mark.parametrize("name", ["ecb", "norges_bank"])
@pytest.mark.parametrize(
    "body",
    [b"", b"\xef\xbb\xbf<?xml version='1.0'?><Error/>", b"<!doctype html>\nOBS_VALUE", b'{"errors": []}', b"\n\nno"],
)
def test_a_200_that_is_no_csv_is_to_be_retried(name, body):
    assert SOURCES[name].classify(200, body).kind == "retry"
    assert SOURCES[name].classify(304, b"").kind == "ok"
    assert SOURCES[name].classify(404, b"No results found.").kind == "empty"
    assert SOURCES[name].classify(200, b"\xef\xbb\xbfKEY;TIME_PERIOD;OBS_VALUE\r\n").kind == "ok"


@pytest.mark.parametrize(
    ("text", "match"), [("0", "not an exchange rate"), ("-1", "not an exchange"), ("x", "could not convert")]
)
def test_rates_that_are_none(text, match):
    body = f"KEY,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nK,NOK,EUR,2026-11-24,{text}\n".encode()
    with pytest.raises(SourceError, match=match):
        parse_ecb(body, ["NOK"])


def test_columns_go_by_name_and_thousands_by_number():
    body = b'KEY,OBS_VALUE,NEW,TIME_PERIOD,CURRENCY_DENOM,CURRENCY\nK,"1,145.56",x,2026-11-24,EUR,NOK\n'
    assert parse_ecb(body, ["NOK"])["NOK"].values == pytest.approx(1 / 1145.56)
    assert moments(parse_ecb(body, ["NOK"])) == [datetime(2026, 11, 24)]
