"""A broken piece - a day, a week, a month, a station - costs that piece, says why, and never the whole source."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from werkzeug import Request, Response

from energy.sources.client import windows
from energy.sources.client.answer import SourceError
from energy.sources.providers import (
    carbon_intensity,
    elexon,
    energy_charts,
    entsoe,
    frost,
    hvakosterstrommen,
    nasa_power,
    open_meteo,
)
from tests.sources.test_hygiene import series
from tests.sources.times import at

DAYS = ["Mo", "Tu", "We", "Th", "Fr"]
Get = Callable[[Any], xr.Dataset]
#: Name -> source, fetch, texts in the address of one piece alone, and what only that piece has: neighbours may overlap.
PIECES: dict[str, tuple[str, Get, str, str, str]] = {
    "hvakosterstrommen": (
        "hvakosterstrommen", lambda c: hvakosterstrommen.get_prices(c, "NO4", at("2026-11-20T23:00"), at("2026-11-23T23:00")),
        "2026/11-22", "2026-11-21T23:00", "2026-11-22T23:00"),
    "energy_charts": (
        "energy_charts", lambda c: energy_charts.get_prices(c, "FR", at("2026-08-31T22:00"), at("2026-11-20T23:00")),
        "start=2026-10-02", "2026-10-01T22:00", "2026-11-01T23:00"),
    "elexon": (
        "elexon", lambda c: elexon.get_prices(c, "GB", at("2026-11-01"), at("2026-11-22")),
        "from=2026-11-08", "2026-11-08", "2026-11-15"),
    "carbon_intensity": (
        "carbon_intensity", lambda c: carbon_intensity.get_carbon(c, "GB", at("2026-10-01"), at("2026-11-10")),
        "intensity/2026-10-15", "2026-10-15", "2026-10-28T23:30"),
    "entsoe": (
        "entsoe", lambda c: entsoe.get_prices(c, "NO4", at("2024-11-20"), at("2026-11-20")),
        "periodStart=202411200000", "2024-11-20", "2025-11-19T23:00"),
    "entsoe hydro": (
        "entsoe", lambda c: entsoe.get_generation(c, "NO2", at("2026-10-30"), at("2026-11-03")),
        "psrType=B12&periodEnd=202611030000", "2026-11-01", "2026-11-03"),
    "frost": (
        "frost", lambda c: frost.get_observations(c, "SN84700", at("2024-11-20"), at("2026-11-20")),
        "referencetime=2024-11-20", "2024-11-20", "2025-11-20"),
    "nasa_power": (
        "nasa_power", lambda c: nasa_power.get_weather(c, 52.5, 13.4, at("2024-11-10"), at("2026-11-10")),
        "start=20241110", "2024-11-10", "2025-11-10"),
    "open_meteo": (
        "open_meteo_archive", lambda c: open_meteo.get_weather(c, [(52.5, 13.4)], at("2026-08-01"), at("2026-11-20"))[0],
        "archive", "2026-08-01", "2026-08-25"),
}  # fmt: skip


def broken(asked: str) -> Callable[[Request], Response | None]:
    def answer(request: Request) -> Response | None:
        address = request.full_path
        return Response("<html>", 503) if all(part in address for part in asked.split("&")) else None

    return answer


#: Their retries wait; `make test-sources` has them.
PATIENT = ("entsoe", "nasa_power", "frost")


@pytest.mark.parametrize(
    "name", [*(p for p in PIECES if p not in PATIENT), *(pytest.param(p, marks=pytest.mark.slow) for p in PATIENT)]
)
def test_one_broken_piece_costs_that_piece_only(world, name):
    source, get, asked, start, end = PIECES[name]
    whole = get(world.client(ttl_s=0))
    world.contracts[source].always = broken(asked)
    ds = get(world.client(ttl_s=0))
    time = whole["time"].values
    outside = (time < at(start)) | (time >= at(end))
    assert 0 < outside.sum() < len(time)
    assert ds["time"].values.tolist() == time[outside].tolist()
    assert "HTTP 503" in ds.attrs["note"]
    assert str(at(start))[:10] in ds.attrs["note"] or source == "hvakosterstrommen"


def test_the_newest_days_come_first_and_two_failures_in_a_row_are_enough(world):
    def only_new(request: Request) -> Response | None:
        return None if "11-25" in request.path or "11-24" in request.path else Response(status=503)

    world.hvakosterstrommen.always = only_new
    ds = hvakosterstrommen.get_prices(world.client(tries=1), "NO4", at("2026-11-14T23:00"), at("2026-11-25T23:00"))
    assert ds.sizes["time"] == 48
    assert world.hvakosterstrommen.count == 4
    assert ds.attrs["note"] == "2026-11-23: HTTP 503; 2026-11-22: HTTP 503; given up, 7 more not asked for"


@pytest.mark.parametrize("name", ["energy_charts", "elexon", "carbon_intensity"])
def test_pieces_that_fail_in_the_far_past_keep_nothing_newer_back(world, name):
    """The newest piece is asked for first, so two broken ones behind it cost themselves alone."""
    source, get, *_ = PIECES[name]
    whole = get(world.client(ttl_s=0))["time"].values
    addresses: list[str] = []

    def only_the_first(request: Request) -> Response | None:
        addresses.append(request.full_path)
        return None if len(addresses) == 1 else Response(status=503)

    world.contracts[source].always = only_the_first
    ds = get(world.client(tries=1, ttl_s=0))
    assert ds.sizes["time"] > 0
    assert ds["time"].values[-1] == whole[-1]
    assert ds["time"].values[0] > whole[0]


@pytest.mark.parametrize(("broken_host", "first", "last"), [
    ("open_meteo_archive", "2026-08-25", "2026-11-20"), ("open_meteo", "2026-08-01", "2026-08-25"),
])  # fmt: skip
def test_a_key_that_one_host_refuses_keeps_the_other_from_nothing(world, broken_host, first, last):
    world.contracts[broken_host].always = lambda _: Response(json.dumps({"reason": "API key invalid"}), 401)
    ds = PIECES["open_meteo"][1](world.client(ttl_s=0))
    assert str(ds["time"].values[0])[:10] == first
    assert ds["time"].values[-1] < at(last)
    assert "401" in ds.attrs["note"] or "key" in ds.attrs["note"]


def part(day: str) -> xr.Dataset:
    return series([1.0], f"2026-11-{16 + DAYS.index(day)}T00:00")


def failing(kinds: dict[str, str], asked: list[str]) -> Callable[[str], xr.Dataset | None]:
    def fetch(day: str) -> xr.Dataset | None:
        asked.append(day)
        if day in kinds:
            raise SourceError("x", kinds[day], f"bad {day}")  # type: ignore[arg-type]
        return part(day)

    return fetch


@pytest.mark.parametrize(
    ("kinds", "asked", "note"),
    [
        ({}, 5, ""),
        ({"Tu": "retry", "Th": "fatal"}, 5, "Tu: bad Tu; Th: bad Th"),
        ({"Tu": "retry", "We": "retry"}, 3, "Tu: bad Tu; We: bad We; given up, 2 more not asked for"),
        ({"Tu": "quota"}, 2, "Tu: bad Tu; given up, 3 more not asked for"),
        ({"Tu": "auth"}, 2, "Tu: bad Tu; given up, 3 more not asked for"),
        ({"Th": "retry", "Fr": "retry"}, 5, "Th: bad Th; Fr: bad Fr"),
    ],
)
def test_good_pieces_are_kept_and_failures_are_reasons(kinds, asked, note):
    seen: list[str] = []
    ds = windows.fetch_windows(series([]), DAYS[::-1], failing(kinds, seen))
    assert seen == DAYS[:asked]
    assert ds.sizes["time"] == len(set(seen) - set(kinds))
    assert ds.attrs["note"] == note


def test_without_any_good_piece_the_last_failure_is_the_sources():
    with pytest.raises(SourceError, match="bad Tu") as caught:
        windows.fetch_windows(series([]), DAYS[::-1], failing({"Mo": "retry", "Tu": "quota"}, []))
    assert caught.value.kind == "quota"
    nothing = windows.fetch_windows(series([]), DAYS[::-1], lambda day: None)
    assert (nothing.sizes["time"], nothing.attrs["note"]) == (0, "")


def test_the_next_station_is_asked_where_the_nearest_fails(world):
    nearest = json.dumps({"data": [{"id": "SN84700", "distance": 2.0}, {"id": "SN84701", "distance": 1.0}]})

    def answer(request: Request) -> Response | None:
        if "sources/" in request.path:
            return Response(nearest, content_type="application/json")
        return Response(status=500) if request.args["sources"] == "SN84701" else None

    world.frost.always = answer
    ds = frost.get_weather(world.client(), 68.4, 17.5, at("2026-11-20"), at("2026-11-21"))
    assert (ds.sizes["time"], ds.attrs["station"]) == (24, "SN84700")
    assert ds.attrs["note"] == "SN84701: HTTP 500"


def test_terms_of_pieces_are_named_once():
    one, two = series([1.0]).assign_attrs(licence="A; B"), series([2.0], "2026-11-21T00:00").assign_attrs(licence="A")
    whole = windows.join_windows(series([]).assign_attrs(licence="stated in each answer"), [one, two], "")
    assert whole.attrs["licence"] == "A; B", "a source that gave no interval names no terms"
    assert np.isfinite(whole["price"].values).all()
