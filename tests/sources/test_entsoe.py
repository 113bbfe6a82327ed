"""ENTSO-E: curves, sequences, pages, acknowledgements, weeks, generation."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from werkzeug import Response

from energy.schema import QUALITY
from energy.sources.client.answer import SourceError
from energy.sources.providers import entsoe
from energy.sources.providers.entsoe import classify, parse_prices
from tests.sources.contracts.entsoe import acknowledgement, document, generation, period, reservoir, series
from tests.sources.truth import price, quarter

PUBLICATION, LOAD = "urn:x:publicationdocument:99:9", "urn:x:generationloaddocument:3:0"
EUR = "<currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>"
A03 = "<curveType>A03</curveType>"
SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "ns")


def moments(ds) -> list[datetime]:
    return [t.astype("datetime64[s]").item() for t in ds["time"].values]


def points(*pairs: tuple[int, float], tag: str = "price.amount") -> str:
    return "".join(f"<Point><position>{p}</position><{tag}>{v}</{tag}></Point>" for p, v in pairs)


def a44(*pairs: tuple[int, float], start: str = "2026-01-10T23:00Z", end: str = "2026-01-11T23:00Z",
        step: str = "PT60M", curve: str = A03, sequence: int | None = None) -> str:  # fmt: skip
    position = f"<{SEQUENCE}>{sequence}</{SEQUENCE}>" if sequence else ""
    inside = f"<timeInterval><start>{start}</start><end>{end}</end></timeInterval><resolution>{step}</resolution>"
    return f"<TimeSeries>{EUR}{position}{curve}<Period>{inside}{points(*pairs)}</Period></TimeSeries>"


def doc(*made: str) -> bytes:
    return document("Publication_MarketDocument", PUBLICATION, list(made)).encode()


def test_prices_of_tomorrow_in_quarter_hours(world):
    ds = entsoe.get_prices(world.client(), "NO4", day("2026-11-24T23:00"), day("2026-11-25T23:00"))
    assert ds.sizes["time"] == 96
    assert ds["price"].values.tolist() == pytest.approx([quarter("NO4", t) for t in moments(ds)])
    assert {QUALITY[q] for q in ds["quality"].values} == {"auction"}
    assert ds.attrs["currency"] == "EUR"
    assert "canary" not in world.entsoe.last.url
    assert world.entsoe.last.environ["raw.headers"]["security_token"].startswith("canary")


def test_years_are_cut_and_pages_turned(world):
    start, end = day("2024-06-30T22:00"), day("2026-01-31T23:00")
    ds = entsoe.get_prices(world.client(), "NO2", start, end)
    assert (ds["time"].values[0], ds["dt"].values.sum()) == (start, (end - start) / np.timedelta64(1, "h"))
    assert world.entsoe.count == 4 + 3, "365 and 215 days in pages of 100 days"
    truth = [(quarter if ds["dt"].values[i] < 1 else price)("NO2", t) for i, t in enumerate(moments(ds))]
    assert ds["price"].values.tolist() == pytest.approx(truth)
    fine = ds["time"].values >= day("2025-09-30T22:00")
    assert (ds["dt"].values == np.where(fine, 0.25, 1.0)).all(), "hours became quarters in 2025, in one series"


def test_a03_holds_to_the_end_of_its_period_and_a01_does_not():
    held = parse_prices(doc(a44((1, 5.0), (4, -2.5))))
    assert held["price"].values.tolist() == [5.0] * 3 + [-2.5] * 21
    gaps = parse_prices(doc(a44((1, 5.0), (4, -2.5), curve="<curveType>A01</curveType>")))
    assert gaps["time"].values.tolist() == held["time"].values[[0, 3]].tolist()
    assert parse_prices(doc(a44((1, 5.0), (4, -2.5), curve=""))).equals(gaps), "no curveType is A01"
    assert parse_prices(doc(a44((4, -2.5), (1, 5.0)))).equals(held), "points come in any order"
    late = parse_prices(doc(a44((3, 1.0))))
    assert late.sizes["time"] == 22, "before the first position there is nothing to hold"


def test_a03_never_reaches_into_the_next_period():
    two = doc(a44((1, 5.0)), a44((2, 7.0), start="2026-01-11T23:00Z", end="2026-01-12T23:00Z"))
    ds = parse_prices(two)
    assert ds.sizes["time"] == 24 + 23
    assert day("2026-01-11T23:00") not in ds["time"].values


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [("2026-03-28T23:00Z", "2026-03-29T22:00Z", 23 * 4), ("2026-10-24T22:00Z", "2026-10-25T23:00Z", 25 * 4)],
)
def test_days_with_a_clock_change(start, end, count):
    ds = parse_prices(doc(a44((1, 3.0), (count, 4.0), start=start, end=end, step="PT15M")))
    assert ds.sizes["time"] == count
    assert ds["price"].values[-2:].tolist() == [3.0, 4.0]


def test_mixed_resolutions_in_one_time_series():
    inside = "<timeInterval><start>{}</start><end>{}</end></timeInterval><resolution>{}</resolution>{}"
    first = inside.format("2024-10-05T22:00Z", "2024-10-06T22:00Z", "PT15M", points((1, 55.0), (5, 44.0)))
    second = inside.format("2024-10-06T22:00Z", "2024-10-07T22:00Z", "PT60M", points((1, 30.0)))
    periods = f"<Period>{first}</Period><Period>{second}</Period>"
    ds = parse_prices(doc(f"<TimeSeries>{EUR}{A03}{periods}</TimeSeries>"))
    assert ds["dt"].values.tolist() == [0.25] * 96 + [1.0] * 24
    assert ds["price"].values[[0, 3, 4, 95, 96]].tolist() == [55.0, 55.0, 44.0, 44.0, 30.0]


def test_sequences_are_never_mixed():
    both = doc(a44((1, 40.0), sequence=1), a44((1, 99.0), sequence=2, step="PT15M"))
    assert set(parse_prices(both)["price"].values) == {40.0}
    tomorrow = a44((1, 88.0), start="2026-01-11T23:00Z", end="2026-01-12T23:00Z", sequence=2)
    ds = parse_prices(doc(a44((1, 40.0), sequence=1), tomorrow))
    assert (ds.sizes["time"], set(ds["price"].values)) == (24, {40.0}), "a gap of one is not filled with the other"
    only = parse_prices(doc(tomorrow))
    assert only.sizes["time"] == 0
    assert "only auction sequence 2" in only.attrs["note"]


def test_the_auctions_own_step_stands_where_both_are_published():
    def overlap(start: str, end: str) -> set[float]:
        quarters = a44((1, 2.0), start=start, end=end, step="PT15M")
        return {float(v) for v in parse_prices(doc(quarters, a44((1, 1.0), start=start, end=end)))["dt"].values}

    assert overlap("2025-09-28T22:00Z", "2025-09-29T22:00Z") == {1.0}
    assert overlap("2025-10-01T22:00Z", "2025-10-02T22:00Z") == {0.25}


def test_de_lu_of_the_platform_is_the_coupled_auction(world):
    ds = entsoe.get_prices(world.client(), "DE-LU", day("2026-11-22T23:00"), day("2026-11-25T23:00"))
    assert ds["price"].values.max() < 500
    assert ds["dt"].values.sum() == 72
    world.entsoe.sequences = lambda zone: [2]
    with_two = entsoe.get_prices(world.client(ttl_s=0), "DE-LU", day("2026-11-22T23:00"), day("2026-11-25T22:00"))
    assert with_two.sizes["time"] == 0
    assert "sequence 2" in with_two.attrs["note"]


def test_no_data_is_an_acknowledgement_in_a_200_and_is_not_cached(world, time):
    time.now = datetime(2026, 11, 24, 6)
    span = (day("2026-11-25T23:00"), day("2026-11-26T23:00"))
    client = world.client()
    assert entsoe.get_prices(client, "NO4", *span).sizes["time"] == 0
    time.now += timedelta(days=1, hours=9)
    assert entsoe.get_prices(client, "NO4", *span).sizes["time"] == 96


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, acknowledgement("No matching data found for Data item X [A] (B, C) and interval a/b."), "empty"),
        (400, acknowledgement("No matching data found for Data item X"), "empty"),
        (400, acknowledgement("Provided time interval (a - b) is larger than maximum allowed period 'P1Y'"), "fatal"),
        (400, acknowledgement("Input parameter does not exist: curveType"), "fatal"),
        (400, acknowledgement("The number of instances (400) exceeds the allowed maximum (200)"), "fatal"),
        (401, acknowledgement("Unauthorized. Missing or invalid security token"), "auth"),
        (400, acknowledgement("Authentication failed: security token not yet active"), "auth"),
        (401, "", "auth"),
        (429, "<html><p>Max allowed requests per minute</p></html>", "quota"),
        (503, "<!DOCTYPE html><html>maintenance</html>", "retry"),
        (404, "404 page not found", "retry"),
        (200, "<!DOCTYPE html><html>maintenance</html>", "retry"),
        (200, "", "retry"),
        (200, '{"uuAppErrorMap":{"URI_FORMAT_ERROR":{"message":"no"}}}', "retry"),
        (200, "PK\x03\x04 a zip", "retry"),
        (200, doc(a44((1, 5.0))).decode()[:-40], "retry"),
        (200, acknowledgement("No matching data found")[:-60], "retry"),
        (200, doc(a44((1, 5.0))).decode(), "ok"),
        (400, '{"uuAppErrorMap":{"URI_FORMAT_ERROR":{"message":"no"}}}', "fatal"),
        (200, '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Publication_MarketDocument/>', "fatal"),
    ],
)
def test_what_answers_mean(status, body, kind):
    assert classify(status, body.encode()).kind == kind


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(97 + i)} "{f"&{chr(96 + i)};" * 10}">' for i in range(1, 9))
    + "]><Publication_MarketDocument>&i;</Publication_MarketDocument>"
)


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><Publication_MarketDocument/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]><Publication_MarketDocument>&e;</Publication_MarketDocument>',
        f"<Publication_MarketDocument>{'<a>' * 100}{'</a>' * 100}</Publication_MarketDocument>",
        "<Publication_MarketDocument><TimeSeries></Publication_MarketDocument>",
    ],
)
def test_xml_made_to_harm_is_refused_at_once(body):
    with pytest.raises(SourceError) as caught:
        parse_prices(body.encode())
    assert caught.value.kind == "fatal"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (("MWH</price", "KWH</price"), "prices in EUR per KWH"),
        ((">EUR<", ">NOK<"), "prices in NOK per MWH"),
        (("<position>4<", "<position>25<"), "do not fit 24 steps"),
        (("<position>4<", "<position>1<"), "do not fit 24 steps, each once"),
        (("<position>4<", "<position>0<"), "do not fit"),
        (("PT60M", "PT7M"), "resolution PT7M"),
        (("PT60M", "P1M"), "resolution P1M"),
        (("11T23:00Z</end>", "11T22:30Z</end>"), "no whole number of PT60M"),
        (("5.0<", "five<"), "could not convert"),
        (("<resolution>PT60M</resolution>", ""), "has no <resolution>"),
        (("2026-01-11T23:00Z</end>", "2926-01-11T23:00Z</end>"), "not as documented"),
    ],
)
def test_documents_that_contradict_themselves_are_refused(change, match):
    body = doc(a44((1, 5.0), (4, -2.5))).decode()
    assert change[0] in body
    with pytest.raises(SourceError, match=match):
        parse_prices(body.replace(*change).encode())


def test_keys_and_zones(world):
    keyless = world.client(credentials=type(world.settings().credentials)({}))
    with pytest.raises(SourceError, match="no token in HYDROCOOL_ENTSOE_TOKEN") as caught:
        entsoe.get_prices(keyless, "NO4", day("2026-11-24"), day("2026-11-25"))
    assert (caught.value.kind, world.entsoe.count) == ("auth", 0)
    with pytest.raises(SourceError, match="GB is not served"):
        entsoe.get_prices(world.client(), "GB", day("2026-11-24"), day("2026-11-25"))
    world.entsoe.always = Response(acknowledgement("Unauthorized"), 401)
    with pytest.raises(SourceError) as caught:
        entsoe.get_prices(world.client(), "NO4", day("2026-11-24"), day("2026-11-25"))
    assert (caught.value.kind, world.entsoe.count) == ("auth", 1)


def weeks(start: str, end: str, *values: float) -> bytes:
    made = f"<timeInterval><start>{start}</start><end>{end}</end></timeInterval><resolution>P7D</resolution>"
    made += points(*enumerate(values, start=1), tag="quantity")
    about = "<quantity_Measure_Unit.name>MWH</quantity_Measure_Unit.name>"
    return document("GL_MarketDocument", LOAD, [f"<TimeSeries>{about}<Period>{made}</Period></TimeSeries>"]).encode()


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [("2026-03-08T23:00Z", "2026-04-19T22:00Z", [168, 168, 167, 168, 168, 168]),
     ("2026-10-11T22:00Z", "2026-11-08T23:00Z", [168, 169, 168, 168]),
     ("2026-12-27T23:00Z", "2027-01-10T23:00Z", [168, 168])],
)  # fmt: skip
def test_weeks_begin_on_local_mondays_across_clock_changes_and_new_year(start, end, hours):
    ds = entsoe.parse_reservoirs(weeks(start, end, *range(1, len(hours) + 1)), clock="Europe/Oslo")
    assert ds["dt"].values.tolist() == hours
    assert ds["reservoir_mwh"].values.tolist() == list(range(1, len(hours) + 1))
    local = pd.DatetimeIndex(ds["time"].values).tz_localize("UTC").tz_convert("Europe/Oslo")
    assert set(zip(local.day_of_week, local.hour, strict=True)) == {(0, 0)}


def test_weeks_that_are_none_are_refused():
    body = weeks("2026-03-08T23:00Z", "2026-03-15T23:00Z", 1.0).replace(b">MWH<", b">GWH<")
    with pytest.raises(SourceError, match="reservoir filling in GWH"):
        entsoe.parse_reservoirs(body)
    with pytest.raises(SourceError, match="generation in MWH, not in MAW"):
        entsoe.parse_generation(weeks("2026-03-08T23:00Z", "2026-03-15T23:00Z", 1.0))
    with pytest.raises(SourceError, match="no whole number of P7D"):
        entsoe.parse_reservoirs(weeks("2026-03-08T23:00Z", "2026-03-20T23:00Z", 1.0), clock="Europe/Oslo")


def test_reservoirs_of_a_single_day_are_the_weeks_that_touch_it(world):
    client = world.client()
    ds = entsoe.get_reservoirs(client, "SE3", day("2026-11-10T23:00"), day("2026-11-11T23:00"))
    assert ds["time"].values.tolist() == [day("2026-11-08T23:00").astype(int)]
    assert ds["reservoir_mwh"].values.tolist() == [reservoir(datetime(2026, 11, 8, 23))]
    spring = entsoe.get_reservoirs(client, "SE3", day("2026-03-01"), day("2026-05-01"))
    assert [reservoir(t) for t in moments(spring)] == spring["reservoir_mwh"].values.tolist()
    assert spring["dt"].values.sum() == 10 * 168 - 1


def test_hydro_generation_by_type_with_pumps_apart(world):
    ds = entsoe.get_generation(world.client(), "NO2", day("2026-10-30T00:00"), day("2026-11-24T14:00"))
    one = np.array([generation(t) for t in moments(ds)])
    assert ds["hydro_reservoir_mw"].values.tolist() == one.tolist()
    assert ds["hydro_mw"].values.tolist() == (2 * one).tolist(), "reservoir and pumped storage; no run of river here"
    assert ds["hydro_river_mw"].values.tolist() == [0.0] * len(one)
    assert ds["hydro_pumping_mw"].values.tolist() == one.tolist(), "what pumps draw is not generation"
    assert ds["time"].values[-1] == day("2026-11-23T22:00"), "sixteen hours behind, and not called a failure"
    asked = {(r.args["psrType"], r.args["periodStart"]) for r in world.entsoe.requests}
    assert len(asked) == 6, "three types by two months"


def test_a_time_without_its_reservoirs_is_a_gap_not_a_low_sum():
    def made(psr: str, values: dict[int, float]) -> str:
        unit = "<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>"
        about = f"{unit}<MktPSRType><psrType>{psr}</psrType></MktPSRType>"
        inside = "<timeInterval><start>2026-11-20T00:00Z</start><end>2026-11-20T04:00Z</end></timeInterval>"
        points_of = points(*values.items(), tag="quantity")
        return f"<TimeSeries>{about}<Period>{inside}<resolution>PT60M</resolution>{points_of}</Period></TimeSeries>"

    every = {1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0}
    rested, holed = ({k: v for k, v in every.items() if k != gone} for gone in (2, 3))
    whole = document("GL_MarketDocument", LOAD, [made("B10", rested), made("B11", every), made("B12", holed)]).encode()
    ds = entsoe.parse_generation(whole)
    assert [t.hour for t in moments(ds)] == [0, 1, 3], "02:00 has no reservoirs; 01:00 pumps or rests"
    assert ds["hydro_mw"].values.tolist() == [30.0, 40.0, 120.0]
    rivers = entsoe.parse_generation(document("GL_MarketDocument", LOAD, [made("B11", every)]).encode())
    assert rivers["hydro_mw"].values.tolist() == [10.0, 20.0, 30.0, 40.0]


def test_namespaces_of_any_version_are_read():
    span = (datetime(2026, 1, 10, 23), datetime(2026, 1, 11, 23))
    body = series(EUR, period(*span, "PT60M", [1.5] * 24, "price.amount"))
    for version in ("7:0", "7:3", "12:9"):
        name = f"urn:iec62325.351:tc57wg16:451-3:publicationdocument:{version}"
        assert parse_prices(document("Publication_MarketDocument", name, [body]).encode()).sizes["time"] == 24
