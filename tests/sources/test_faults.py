"""Every fault that a server can have: classified rightly, replaced by the next source, labelled, nothing else lost."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from werkzeug import Response

from energy.schema import QUALITY
from energy.sources import catalogue
from tests.sources.contracts.entsoe import acknowledgement, period, series
from tests.sources.raw import HEAD, RawServer
from tests.sources.times import at, moments
from tests.sources.truth import price, quarter, temp_air

START, END = at("2026-11-23T23:00"), at("2026-11-25T23:00")
TWO_DAYS = 48
XML = "text/xml"


def page(body: str | bytes, status: int = 200, kind: str = XML, **headers: str) -> Response:
    return Response(body, status, {k.replace("_", "-"): v for k, v in headers.items()}, content_type=kind)


def truncated(length: int, body: bytes = b"<a>") -> list[Any]:
    return [HEAD + f"Content-Length: {length}\r\nConnection: close\r\n\r\n".encode() + body]


DOCUMENT = "<Publication_MarketDocument>{}</Publication_MarketDocument>"
BOMB = '<!DOCTYPE b [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + DOCUMENT.format("&b;")
EXTERNAL = '<!DOCTYPE b SYSTEM "file:///etc/passwd">' + DOCUMENT.format("")
DEEP = DOCUMENT.format("<a>" * 99 + "</a>" * 99)
FOREIGN = DOCUMENT.format(
    series(
        "<currency_Unit.name>PLN</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>",
        period(datetime(2026, 11, 23, 23), datetime(2026, 11, 24, 23), "PT60M", [250.0] * 24, "price.amount"),
    )
)
CUT = '<?xml version="1.0"?><Publication_MarketDocument><TimeSeries><mRID>1</mRID>'
EMPTY = '<?xml version="1.0"?><Publication_MarketDocument></Publication_MarketDocument>'

#: Name -> what the first source answers (a response, or a script for a raw socket) and what it is to be called.
FAULTS: dict[str, tuple[Any, str]] = {
    "bad token": (page(acknowledgement("Unauthorized"), 401), "auth"),
    "token not yet active": (page(acknowledgement("security token not active"), 400), "auth"),
    "forbidden": (page("<html>forbidden</html>", 403, "text/html"), "auth"),
    "no data in a 200": (page(acknowledgement("No matching data found for Data item X")), "empty"),
    "no data in a 400": (page(acknowledgement("No matching data found"), 400), "empty"),
    "a document without series": (page(EMPTY), "empty"),
    "range over a year": (page(acknowledgement("is larger than maximum allowed period 'P1Y'"), 400), "fatal"),
    "unknown parameter": (page(acknowledgement("Input parameter does not exist: x"), 400), "fatal"),
    "too much data": (page(acknowledgement("amount of requested data exceeds allowed limit"), 400), "fatal"),
    "acknowledgement cut off": (page(acknowledgement("No matching data found")[:-50]), "retry"),
    "HTML 503": (page("<!DOCTYPE html><h1>Maintenance</h1>", 503, "text/html"), "retry"),
    "503 with short Retry-After": (page("", 503, Retry_After="2"), "retry"),
    "503 with long Retry-After": (page("", 503, Retry_After="900"), "retry"),
    "503 with nonsense in Retry-After": (page("", 503, Retry_After="tomorrow"), "retry"),
    "500": (page("oops", 500), "retry"),
    "502": (page("", 502), "retry"),
    "504": (page("", 504), "retry"),
    "404 in plain text": (page("404 page not found", 404, "text/plain"), "retry"),
    "maintenance page in a 200": (page("<!DOCTYPE html><h1>Back soon</h1>", 200, "text/html"), "retry"),
    "empty body in a 200": (page(""), "retry"),
    "JSON where XML belongs": (page('{"uuAppErrorMap": {}}', 200, "application/json"), "retry"),
    "a zip where XML belongs": (page(b"PK\x03\x04" + bytes(40), 200, "application/zip"), "retry"),
    "XML cut off by the server": (page(CUT), "retry"),
    "429 as HTML": (page("<p>Max allowed requests per minute</p>", 429, "text/html"), "quota"),
    "429 with Retry-After": (page("", 429, Retry_After="3"), "quota"),
    "entity bomb": (page(BOMB), "fatal"),
    "external entity": (page(EXTERNAL), "fatal"),
    "nested without end": (page(DEEP), "fatal"),
    "another currency": (page(FOREIGN), "fatal"),
    "gzip bomb": (page(gzip.compress(bytes(6_000_000)), Content_Encoding="gzip"), "fatal"),
    "gzip cut off": (page(gzip.compress(CUT.encode() * 99)[:-30], Content_Encoding="gzip"), "retry"),
    "gzip that is none": (page(b"not gzip at all", Content_Encoding="gzip"), "retry"),
    "unknown encoding": (page(CUT, Content_Encoding="br"), "retry"),
    "redirect to another host": (page("", 302, Location="https://evil.example/"), "fatal"),
    "redirect to this host by another name": (page("", 302, Location="http://localhost:1/"), "fatal"),
    "redirect in a circle": (page("", 302, Location="/entsoe"), "fatal"),
    "418": (page("", 418), "fatal"),
    "slow drip": ([HEAD + b"Content-Length: 99\r\n\r\n", *[b"<", 0.2] * 20], "retry"),
    "silence": ([3.0], "retry"),
    "body shorter than promised": (truncated(900), "retry"),
    "chunks that break off": ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n<a>\r\n99\r\nx"], "retry"),
    "hangs up at once": ([b""], "retry"),
    "noise": ([b"\xff\xfe\x00 no http \r\n\r\n"], "retry"),
    "header without end": ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"], "retry"),
    "hundreds of headers": ([b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 300 + b"\r\n"], "retry"),
}


def test_there_are_at_least_thirty():
    assert len(FAULTS) >= 30


@pytest.mark.parametrize("name", FAULTS)
def test_the_next_source_steps_in(world, name):
    fault, expected = FAULTS[name]
    urls = dict(world.urls)
    raw = RawServer([fault]) if isinstance(fault, list) else None
    if raw:
        urls["entsoe"] = raw.url
    else:
        world.entsoe.always = fault
    client = world.client(urls=urls, read_s=0.5, total_s=1.0, tries=2, most_bytes=1_000_000)
    filled = catalogue.prices(client, "NO4", START, END)
    if raw:
        raw.close()
    outcomes = [(s.name, s.outcome) for s in filled.steps]
    assert outcomes[0][0] == "entsoe"
    assert outcomes[0][1] == expected, filled.steps[0]
    assert outcomes[1:] == [("hvakosterstrommen", "ok")], "exactly one more source was asked"
    assert filled.missing == ()
    assert filled.by_quality() == {"secondary": TWO_DAYS}
    assert set(filled.ds["source"].values) == {"hvakosterstrommen"}
    assert filled.ds["price"].values.tolist() == pytest.approx([price("NO4", t) for t in moments(filled.ds)])


def test_a_fault_on_one_day_costs_that_day_only(world):
    def only_today(request: Any) -> Response | None:
        return Response("<html>", 503) if "11-24" in request.path else None

    world.entsoe.always = page(acknowledgement("No matching data found"))
    world.hvakosterstrommen.always = only_today
    filled = catalogue.prices(world.client(private_use=True), "NO4", START, END)
    assert [(s.name, s.outcome) for s in filled.steps] == [
        ("entsoe", "empty"), ("hvakosterstrommen", "ok"), ("energy_charts", "ok"),
    ]  # fmt: skip
    assert str(filled.steps[1]) == "hvakosterstrommen: 24 h (2026-11-24: HTTP 503)"
    assert filled.missing == ()
    today = filled.ds["time"].values < at("2026-11-24T23:00")
    assert set(filled.ds["source"].values[today]) == {"energy_charts"}
    assert set(filled.ds["source"].values[~today]) == {"hvakosterstrommen"}
    truth = [(quarter if t else price)("NO4", m) for t, m in zip(today, moments(filled.ds), strict=True)]
    assert filled.ds["price"].values.tolist() == pytest.approx(truth)


def test_holes_are_filled_hour_by_hour_and_each_hour_says_by_whom(world):
    """ENTSO-E lacks tomorrow; the file has it; both are in one series with their own labels."""
    world.entsoe.published = timedelta(hours=9)
    filled = catalogue.prices(world.client(), "NO4", START, END)
    assert filled.by_quality() == {"auction": 24.0, "secondary": 24.0}
    today = filled.ds["time"].values < at("2026-11-24T23:00")
    assert set(filled.ds["source"].values[today]) == {"entsoe"}
    assert set(filled.ds["source"].values[~today]) == {"hvakosterstrommen"}
    truth = [(quarter if t else price)("NO4", m) for t, m in zip(today, moments(filled.ds), strict=True)]
    assert filled.ds["price"].values.tolist() == pytest.approx(truth)
    assert {"entsoe", "hvakosterstrommen"} == set(filled.ds.attrs["source"].split("; "))


@pytest.mark.parametrize(("factor", "words"), [(-1.0, "sign"), (0.1, "cents per kWh"), (11.4, "NOK")])
def test_a_source_that_says_otherwise_at_the_seam_is_refused(world, factor, words):
    """ENTSO-E has today, the next source today and tomorrow in another unit: only today's hours can tell."""
    world.entsoe.published = timedelta(hours=9)

    def otherwise(request: Any) -> Response:
        world.hvakosterstrommen.always = None
        rows = json.loads(world.hvakosterstrommen(request).data)
        world.hvakosterstrommen.always = otherwise
        rows = [r | {"EUR_per_kWh": r["EUR_per_kWh"] * factor} for r in rows]
        return Response(json.dumps(rows), content_type="application/json")

    world.hvakosterstrommen.always = otherwise
    filled = catalogue.prices(world.client(private_use=True), "NO4", START, END)
    assert [(s.name, s.outcome) for s in filled.steps] == [
        ("entsoe", "ok"), ("hvakosterstrommen", "refused"), ("energy_charts", "ok"),
    ]  # fmt: skip
    assert words in filled.steps[1].reason
    assert filled.by_quality() == {"auction": 24.0, "secondary": 24.0}
    assert set(filled.ds["source"].values) == {"entsoe", "energy_charts"}
    assert filled.ds["price"].values.tolist() == pytest.approx([quarter("NO4", t) for t in moments(filled.ds)])


def test_a_source_is_asked_over_the_seam_only_inside_the_hours_wanted_and_only_for_prices(world):
    world.entsoe.published = timedelta(hours=9)
    catalogue.prices(world.client(), "NO4", START, END)
    assert sorted(r.path[-15:] for r in world.hvakosterstrommen.requests) == ["/11-24_NO4.json", "/11-25_NO4.json"]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"EUR_per_kWh": 99.0}, "refused"),  # 99 000 EUR/MWh
        ({"EUR_per_kWh": None}, "fatal"),
        ({"time_end": "2026-11-25T05:00:00+01:00"}, "fatal"),
        ({"EUR_per_kWh": "NaN"}, "ok"),  # that hour only
    ],
)
def test_prices_that_are_none_are_not_taken(world, changes, outcome):
    world.entsoe.always = page("", 500)

    def broken(request: Any) -> Response | None:
        world.hvakosterstrommen.always = None
        answer = world.hvakosterstrommen(request)
        world.hvakosterstrommen.always = broken
        rows = json.loads(answer.data)
        return Response(json.dumps([rows[0] | changes, *rows[1:]]), content_type="application/json")

    world.hvakosterstrommen.always = broken
    filled = catalogue.prices(world.client(private_use=True), "NO4", START, END)
    assert filled.steps[1].outcome == outcome
    assert filled.missing == ()
    assert abs(filled.ds["price"].values).max() < 1000
    assert QUALITY.index("persistence") not in filled.ds["quality"].values, "energy-charts had the hour"
    sources = set(filled.ds["source"].values)
    assert sources == ({"energy_charts"} if outcome != "ok" else {"hvakosterstrommen", "energy_charts"})


@pytest.mark.parametrize(
    "fault",
    [page("<html>who are you</html>", 403, "text/html"), page("", 500), page("{", 200, "application/json"),
     page('{"type": "Feature"}', 200, "application/json"), page("", 429, Retry_After="999"), page("", 302, Location="//x/")],
)  # fmt: skip
def test_weather_goes_on_without_its_first_source(world, fault):
    world.met_norway.always = fault
    filled = catalogue.weather(world.client(), 52.5, 13.4, 34.0, START, END)
    assert filled.missing == ()
    assert filled.steps[0].name == "met_norway"
    assert filled.steps[0].outcome in ("fatal", "retry", "quota")
    assert set(filled.ds["source"].values) == {"open_meteo"}
    assert filled.ds["temp_air"].values.tolist() == pytest.approx([temp_air(t) for t in moments(filled.ds)])


def test_all_sources_down_is_said_not_filled(world):
    for name in ("entsoe", "hvakosterstrommen", "energy_charts"):
        world.contracts[name].always = page("", 500)
    filled = catalogue.prices(world.client(), "NO4", START, END)
    assert filled.missing == ((START, END),)
    assert "persistence: empty (no earlier day is known)" in str(filled)
    assert "MISSING 2026-11-23T23:00Z to 2026-11-25T23:00Z" in str(filled)
    assert not filled.ds.sizes


def test_persistence_is_the_last_link_and_says_so(world, time):
    time.now = datetime(2026, 11, 24, 9, 0)
    filled = catalogue.prices(world.keyless(), "NO4", START, END)
    assert filled.by_quality() == {"secondary": 24.0, "persistence": 24.0}
    late = filled.ds["time"].values >= at("2026-11-24T23:00")
    assert set(filled.ds["source"].values[late]) == {"persistence (hvakosterstrommen)"}
    assert filled.ds["price"].values[late].tolist() == filled.ds["price"].values[~late].tolist()
    assert np.isfinite(filled.ds["price"].values).all()
    assert [s.name for s in filled.steps] == ["entsoe", "hvakosterstrommen", "energy_charts", "persistence"]
    assert filled.steps[0].reason == "no HYDROCOOL_ENTSOE_TOKEN"
    assert "licence" in filled.steps[2].reason
