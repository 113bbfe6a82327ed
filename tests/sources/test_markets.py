"""energy-charts and its licence gate, Elexon's index, carbon intensity of GB."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from werkzeug import Request, Response

from energy.series.labels import ends
from energy.series.quality_control import uncovered
from energy.sources.client.answer import LicenceError, SourceError
from energy.sources.providers import carbon_intensity, elexon, energy_charts
from tests.sources.times import at, moments, qualities
from tests.sources.truth import price, quarter

WEEK = (at("2026-11-16T23:00"), at("2026-11-23T23:00"))


def test_energy_charts_of_an_open_zone(world):
    ds = energy_charts.get_prices(world.client(), "DE-LU", *WEEK)
    assert ds["price"].values.tolist() == pytest.approx([quarter("DE-LU", t) for t in moments(ds)])
    assert ds.sizes["time"] == 7 * 96
    assert qualities(ds) == {"secondary"}
    assert ds.attrs["licence"].startswith("CC BY 4.0")
    assert world.energy_charts.last.args["end"] == "2026-11-23", "the end day is included"


def test_energy_charts_days_are_berlins(world):
    for start, end, hours in (
        ("2026-03-28T23:00", "2026-03-29T22:00", 23),
        ("2026-10-24T22:00", "2026-10-25T23:00", 25),
    ):
        ds = energy_charts.get_prices(world.client(), "FR", at(start), at(end))
        assert ds["dt"].values.sum() == hours
        assert ds.sizes["time"] == 4 * hours


def test_the_licence_gate(world):
    with pytest.raises(LicenceError, match="private and internal use only") as caught:
        energy_charts.get_prices(world.client(), "NO4", *WEEK)
    assert caught.value.kind == "fatal"
    ds = energy_charts.get_prices(world.client(private_use=True), "NO4", *WEEK)
    assert ds.sizes["time"] == 7 * 96
    assert "private and internal use only" in ds.attrs["licence"], "the terms stay with the data"


def test_a_response_without_a_licence_is_refused_too():
    body = json.dumps({"unix_seconds": [1781906400], "price": [1.0], "unit": "EUR / MWh"}).encode()
    with pytest.raises(LicenceError, match="none stated"):
        energy_charts._allowed(energy_charts.parse_prices(body), private_use=False)


def test_energy_charts_keeps_its_distance_and_knows_no_data_from_failure(world, time):
    ds = energy_charts.get_prices(world.client(), "FR", at("2026-09-01"), at("2026-11-20"))
    assert ds["dt"].values.sum() == 80 * 24
    assert world.energy_charts.count == 3
    assert sum(time.slept) >= 2.0, "a request a second"
    late = energy_charts.get_prices(world.client(), "FR", at("2026-12-10"), at("2026-12-12"))
    assert late.sizes["time"] == 0
    with pytest.raises(SourceError, match="bzn not valid") as caught:
        energy_charts.get_prices(world.client(), "XX", *WEEK)
    assert caught.value.kind == "fatal"


def test_nulls_are_absent_and_hourly_zones_stay_hourly():
    seconds = [1781906400 + 3600 * n for n in range(4)]
    body = {"license_info": "CC BY 4.0", "unix_seconds": seconds, "price": [1.0, None, 3.0, 4.0], "unit": "EUR / MWh"}
    ds = energy_charts.parse_prices(json.dumps(body).encode())
    assert ds["price"].values.tolist() == [1.0, 3.0, 4.0]
    assert ds["dt"].values.tolist() == [1.0] * 3, "a gap is no longer step"
    with pytest.raises(SourceError, match="prices in 'EUR / kWh'"):
        energy_charts.parse_prices(json.dumps(body | {"unit": "EUR / kWh"}).encode())
    with pytest.raises(SourceError, match="not as documented"):
        energy_charts.parse_prices(json.dumps(body | {"price": [1.0]}).encode())


def of_seconds(seconds: list[int]) -> xr.Dataset:
    body = {"license_info": "CC BY 4.0", "unix_seconds": seconds, "price": [float(n) for n in range(len(seconds))],
            "unit": "EUR / MWh"}  # fmt: skip
    return energy_charts.parse_prices(json.dumps(body).encode())


@pytest.mark.parametrize("day", ["2026-03-28T23:00", "2026-10-24T22:00", "2026-11-19T23:00"])
@pytest.mark.parametrize("absent", [[5], [5, 6, 7], [0], [91], [*range(3, 40)], [*range(1, 92, 4)]])
def test_absent_quarters_are_gaps_not_longer_steps(day, absent):
    begin = int(at(day).astype("datetime64[s]").astype(int))
    there = [n for n in range(92) if n not in absent]
    ds = of_seconds([begin + 900 * n for n in there])
    assert set(ds["dt"].values) == {0.25}
    end = at(day) + np.timedelta64(23, "h")
    lacking = uncovered(ds["time"].values, ends(ds), at(day), end)
    assert sum((b - a) / np.timedelta64(15, "m") for a, b in lacking) == len(absent)


def test_the_step_is_the_days_own():
    """Hours until the market goes over to quarters at midnight in Berlin, one of each absent."""
    begin = int(at("2025-09-29T22:00").astype("datetime64[s]").astype(int))
    ds = of_seconds([begin + 3600 * n for n in range(24) if n != 7] + [begin + 86_400 + 900 * n for n in range(96) if n != 7])  # fmt: skip
    assert ds["dt"].values.tolist() == [1.0] * 23 + [0.25] * 95
    assert of_seconds([begin])["dt"].values.tolist() == [1.0]


def test_an_absent_quarter_of_an_answer_is_not_covered(world):
    whole = world.energy_charts

    def without_one(request: Request) -> Response:
        whole.always = None
        data = json.loads(whole(request).data)
        del data["unix_seconds"][9], data["price"][9]
        return Response(json.dumps(data), content_type="application/json")

    whole.always = without_one
    ds = energy_charts.get_prices(world.client(), "DE-LU", at("2026-11-22T23:00"), at("2026-11-23T23:00"))
    assert ds.sizes["time"] == 95
    assert ds["dt"].values.sum() == 23.75


def test_elexon_in_weeks_without_the_zero_rows(world):
    ds = elexon.get_prices(world.client(), "GB", at("2026-11-01"), at("2026-11-24"))
    assert ds.sizes["time"] == 23 * 48
    assert ds["price"].values.tolist() == pytest.approx([price("GB", t) for t in moments(ds)])
    assert qualities(ds) == {"proxy"}
    assert ds["price"].attrs["units"] == "GBP MWh-1"
    assert ds.attrs["currency"] == "GBP"
    assert world.elexon.count == 4
    params = {"from": "2026-11-01T00:00Z", "to": "2026-11-08T00:00Z", "format": "json"}
    with pytest.raises(SourceError, match="must not exceed 7 days") as caught:
        world.client().get("elexon", "balancing/pricing/market-index", params)
    assert caught.value.kind == "fatal"


def test_rows_without_volume_and_of_other_providers_are_not_prices():
    row = {"startTime": "2026-11-20T00:00:00Z", "dataProvider": "APXMIDP", "price": 70.0, "volume": 5.0}
    others = [{"price": 0.0, "volume": 0.0}, {"dataProvider": "N2EXMIDP", "price": 1.0, "volume": 9.0}]
    rows = [row | {"startTime": f"2026-11-20T0{n}:00:00Z"} | change for n, change in enumerate([{}, *others])]
    assert elexon.parse_prices(json.dumps({"data": rows}).encode())["price"].values.tolist() == [70.0]


def test_elexon_days_of_46_and_50_periods(world):
    for start, end, count in (
        ("2026-03-29T00:00", "2026-03-29T23:00", 46),
        ("2026-10-24T23:00", "2026-10-26T00:00", 50),
    ):
        assert elexon.get_prices(world.client(), "GB", at(start), at(end)).sizes["time"] == count


def test_carbon_measured_then_forecast(world):
    ds = carbon_intensity.get_carbon(world.client(), "GB", at("2026-11-01"), at("2026-11-25"))
    assert ds.sizes["time"] == 24 * 48
    assert ds["time"].values[0] == at("2026-11-01"), "the half hour that ends at `from` is not ours"
    assert world.carbon_intensity.count == 2
    past = ds["time"].values < at("2026-11-24T14:30")
    assert set(ds["quality"].values[past]) == {1}
    assert set(ds["quality"].values[~past]) == {2}
    noon = ds.sel(time=at("2026-11-02T12:00"))
    assert float(noon["carbon_intensity"]) == pytest.approx(0.210)
    assert ds["carbon_intensity"].attrs["units"] == "t MWh-1"


def test_carbon_errors(world):
    with pytest.raises(SourceError, match="range over 14 days"):
        world.client().get("carbon_intensity", "intensity/2026-11-01T00:00Z/2026-11-20T00:00Z")
    world.carbon_intensity.always = Response('{"data": [{"from": "2026-11-01T00:00Z"}]}')
    with pytest.raises(SourceError, match="KeyError"):
        carbon_intensity.get_carbon(world.client(), "GB", *WEEK)
    rows = [{"from": "2026-11-01T00:00Z", "to": "2026-11-01T00:30Z", "intensity": {"actual": None, "forecast": None}}]
    ds = carbon_intensity.parse_carbon(json.dumps({"data": rows}).encode())
    assert ds.sizes["time"] == 0
    assert np.isfinite(ds["carbon_intensity"].values).all()
