"""The one client: cache, limits on time and size, redirects, allow-list, retries, budgets, replay."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import gzip
import json
import time as real_time
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from werkzeug import Response

from energy.sources.catalogue import SOURCES
from energy.sources.client.answer import SourceError
from energy.sources.client.http import Client
from energy.sources.client.settings import Settings, from_environment
from energy.sources.status import rows
from tests.sources.conftest import empty_file
from tests.sources.raw import HEAD, whole

PATH = "2026/11-24_NO4.json"
HVA = "hvakosterstrommen"


def kind_of(client: Client, source: str = HVA, path: str = PATH, **params: str) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        client.get(source, path, params)
    assert caught.value.source == source
    return caught.value.kind, caught.value.reason


def test_a_fresh_answer_comes_from_the_cache_byte_for_byte(world):
    client = world.client()
    first = client.get(HVA, PATH, ttl_s=600)
    again = client.get(HVA, PATH, ttl_s=600)
    assert (first.from_cache, again.from_cache, world.hvakosterstrommen.count) == (False, True, 1)
    assert again.body == first.body
    assert b"0.09312999999999999" in client_roundtrip(world, b"[0.09312999999999999]")


def client_roundtrip(world, body: bytes) -> bytes:
    world.hvakosterstrommen.faults = [Response(body, content_type="application/json")]
    client = world.client()
    client.get(HVA, "2026/11-23_NO4.json", ttl_s=600)
    answer = client.get(HVA, "2026/11-23_NO4.json", ttl_s=600)
    assert answer.from_cache
    return answer.body


def test_the_cache_outlives_the_client_and_ends_with_its_time(world):
    world.client().get(HVA, PATH, ttl_s=2)
    assert world.client().get(HVA, PATH, ttl_s=2).from_cache
    real_time.sleep(2.1)
    assert not world.client().get(HVA, PATH, ttl_s=2).from_cache
    assert world.hvakosterstrommen.count == 2


def test_a_failing_server_is_stood_in_for_by_the_last_answer_and_said(world):
    client = world.client()
    first = client.get(HVA, PATH, ttl_s=1)
    real_time.sleep(1.1)
    world.hvakosterstrommen.always = Response("<h1>down</h1>", 503)
    stale = client.get(HVA, PATH, ttl_s=1)
    assert stale.stale
    assert stale.body == first.body
    assert stale.note == "stale: HTTP 503: down"
    world.hvakosterstrommen.always = Response('{"detail":"go away"}', 401)
    assert kind_of(client) == ("fatal", "HTTP 401: go away"), "a refusal is not papered over"


def test_stale_answers_have_an_end(world):
    client = world.client(stale_s=1)
    client.get(HVA, PATH, ttl_s=1)
    real_time.sleep(2.8)  # the cache counts whole seconds
    world.hvakosterstrommen.always = Response(status=503)
    assert kind_of(client)[0] == "retry"
    world.hvakosterstrommen.always = None
    with world.client(stale_s=1) as later:
        assert later._session.cache.responses.count() == 0, "nor is it kept any longer"


def test_cache_hits_cost_no_place_in_the_budget(world, time):
    client = world.client()
    for _ in range(40):
        client.get(HVA, PATH, ttl_s=600)
    assert time.slept == []
    for day in range(1, 13):
        client.get(HVA, f"2026/11-{day:02d}_NO4.json", ttl_s=600)
    assert sum(time.slept) == pytest.approx(3.0, abs=0.1), "13 requests at 4 per second"


def test_a_budget_is_kept_across_processes(world, time):
    for day in range(1, 9):
        world.client().get(HVA, f"2026/11-{day:02d}_NO4.json", ttl_s=600)
    assert sum(time.slept) == pytest.approx(1.0, abs=0.1)


def test_retry_after_is_waited_for_when_short(world, time):
    world.hvakosterstrommen.faults = [Response(status=503, headers={"Retry-After": "7"})] * 2
    assert world.client().get(HVA, PATH).kind == "ok"
    assert time.slept == [7, 7]
    assert world.hvakosterstrommen.count == 3


def test_a_long_retry_after_is_believed_and_nobody_asks_before(world, time):
    world.hvakosterstrommen.always = Response("busy", 429, {"Retry-After": "3600"})
    client = world.client()
    assert kind_of(client) == ("quota", "HTTP 429: busy")
    assert world.hvakosterstrommen.count == 1
    world.hvakosterstrommen.always = None
    kind, reason = kind_of(world.client())
    assert (kind, world.hvakosterstrommen.count) == ("quota", 1)
    assert "3600 s more" in reason
    time.seconds += 3601
    assert client.get(HVA, PATH).kind == "ok"


def test_too_many_requests_without_a_word_are_tried_again_then_left_for_a_minute(world, time):
    world.hvakosterstrommen.always = Response(status=429)
    assert kind_of(world.client())[0] == "quota"
    assert world.hvakosterstrommen.count == 4
    assert kind_of(world.client())[0] == "quota"
    assert world.hvakosterstrommen.count == 4
    time.seconds += 61
    world.hvakosterstrommen.always = None
    assert world.client().get(HVA, PATH).kind == "ok"


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e99", ""])
def test_a_retry_after_that_is_nonsense_harms_nothing(world, nonsense):
    world.hvakosterstrommen.faults = [Response(status=503, headers={"Retry-After": nonsense})]
    assert world.client().get(HVA, PATH).kind == "ok"


def test_entsoe_is_not_asked_again_after_its_429(world, time):
    page = "<html><body><p>Max allowed requests per minute from each unique IP is max up to 400 only</p></body></html>"
    world.entsoe.always = Response(page, 429, {"Retry-After": "1"}, content_type="text/html")
    client = world.client()
    kind, reason = kind_of(client, "entsoe", "", documentType="A44")
    assert (kind, world.entsoe.count) == ("quota", 1)
    assert "max up to 400 only" in reason
    time.seconds += 2  # its Retry-After is over; but a shorter ban than ten minutes is not believed
    world.entsoe.always = Response("", 429)
    assert kind_of(client, "entsoe", "", documentType="A44")[0] == "quota"


def test_gzip_is_unpacked_and_a_bomb_is_not(world):
    packed = gzip.compress(json.dumps([{"x": 1}]).encode())
    world.hvakosterstrommen.always = Response(packed, headers={"Content-Encoding": "gzip"})
    assert world.client().get(HVA, PATH).body == b'[{"x": 1}]'
    world.hvakosterstrommen.always = Response(gzip.compress(b"0" * 5_000_000), headers={"Content-Encoding": "gzip"})
    client = world.client(most_bytes=1_000_000)
    assert kind_of(client, path="2026/11-20_NO4.json") == ("fatal", "body is larger than 1000000 bytes")


def test_a_broken_gzip_body_is_to_be_retried(world):
    world.hvakosterstrommen.always = Response(gzip.compress(b"[1]" * 999)[:-20], headers={"Content-Encoding": "gzip"})
    kind, reason = kind_of(world.client())
    assert kind == "retry"
    assert reason.startswith(("body broke off", "HTTP 200 but not JSON"))


def test_slow_drip_ends_with_its_time(raw):
    client = raw(HVA, [HEAD + b"Content-Length: 100\r\n\r\n", *[b"x", 0.3] * 40], total_s=1.0)
    began = real_time.monotonic()
    assert kind_of(client) == ("retry", "body took longer than 1 s")
    assert real_time.monotonic() - began < 10.0, "forty drips would be twelve seconds, and as many again"


def test_silence_ends_with_its_time(raw):
    client = raw(HVA, [5.0], read_s=0.4, tries=1)
    assert kind_of(client) == ("retry", "no answer in time")


def test_a_body_shorter_than_promised_is_asked_again(raw):
    good = whole(b"[1]")
    client = raw(HVA, [HEAD + b"Content-Length: 500\r\nConnection: close\r\n\r\n[1"], good)
    assert client.get(HVA, PATH).body == b"[1]"
    client = raw(HVA, [HEAD + b"Content-Length: 500\r\nConnection: close\r\n\r\n[1"])
    kind, reason = kind_of(client, path="2026/11-22_NO4.json")
    assert kind == "retry"
    assert reason.startswith("body broke off after 2 bytes")


def test_a_chunked_body_that_breaks_in_mid_stream(raw):
    client = raw(HVA, [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\nffff\r\n3,"])
    kind, reason = kind_of(client)
    assert kind == "retry"
    assert "broke off" in reason


@pytest.mark.parametrize("noise", [b"\x00\x01garbage\r\n\r\n", b"", b"HTTP/1.1 200\r\nbroken header\r\n\r\n"])
def test_noise_in_place_of_http(raw, noise):
    kind, _ = kind_of(raw(HVA, [noise]))
    assert kind == "retry"


def test_nobody_is_there(world):
    client = world.client(urls=world.urls | {HVA: "http://127.0.0.1:9/none"})
    assert kind_of(client) == ("retry", "no connection")


def test_who_cannot_be_reached_is_left_alone_for_a_while(world, time):
    client = world.client(urls=world.urls | {HVA: "http://127.0.0.1:9/none"})
    assert kind_of(client) == ("retry", "no connection")
    attempts, slept = client.sent(HVA), len(time.slept)
    assert attempts == 2, "one more attempt, not four: nobody listens"
    for day in range(20, 24):
        assert kind_of(client, HVA, f"2026/11-{day}_NO4.json") == ("retry", "no connection")
    assert (client.sent(HVA), len(time.slept)) == (attempts, slept), "twenty questions cost one time-out"
    assert client.get("nve", "HentOffentligDataMinMaxMedian").kind == "ok", "others are asked"
    time.seconds += 121
    kind_of(client)
    assert client.sent(HVA) == 2 * attempts


def test_redirects_stay_at_home(world):
    world.hvakosterstrommen.faults = [Response(status=302, headers={"Location": f"/{HVA}/2026/11-23_NO4.json"})]
    assert world.client().get(HVA, PATH).kind == "ok"
    other = world.server.url_for("/").replace("127.0.0.1", "localhost").replace("http", "https", 0)
    for target in ("https://evil.example/x", other.replace("localhost", "127.0.0.2") + "x", "http://127.0.0.1:1/"):
        world.hvakosterstrommen.faults = [Response(status=302, headers={"Location": target})]
        kind, reason = kind_of(world.client(), path="2026/11-19_NO4.json")
        assert (kind, "redirects to" in reason) == ("fatal", True)
    world.hvakosterstrommen.faults = [Response(status=302, headers={"Location": "/elsewhere/on/this/host"})]
    kind, reason = kind_of(world.client(), path="2026/11-19_NO4.json")
    assert (kind, "not an address of the catalogue" in reason) == ("fatal", True)


def test_a_circle_of_redirects_ends(world):
    world.hvakosterstrommen.always = Response(status=302, headers={"Location": f"/{HVA}/{PATH}"})
    kind, reason = kind_of(world.client())
    assert (kind, "TooManyRedirects" in reason) == ("fatal", True)


@pytest.mark.parametrize(
    "url",
    ["http://api.met.no/", "ftp://127.0.0.1/", "http://10.0.0.1/", "https://user:pw@api.met.no/", "file:///etc/passwd"],
)
def test_only_https_unless_loopback_is_allowed(world, url):
    with pytest.raises(SourceError, match="must be https") as caught:
        world.client(urls=world.urls | {HVA: url})
    assert "pw" not in str(caught.value)
    with pytest.raises(SourceError, match="must be https"):
        Client(Settings(world.folder, {HVA: "http://127.0.0.1:1/"}), SOURCES)


def test_every_base_url_is_an_environment_variable(tmp_path):
    env = {s.url_variable: f"https://mirror.example/{n}" for n, s in SOURCES.items()}
    env |= {"HYDROCOOL_CREDENTIALS": empty_file(tmp_path), "HYDROCOOL_CONTACT": " me@example.com\n"}
    settings = from_environment(tmp_path, SOURCES, env)
    assert {settings.base_url(s) for s in SOURCES.values()} == {f"https://mirror.example/{n}/" for n in SOURCES}
    assert settings.user_agent.endswith("(me@example.com)")
    assert not settings.loopback_http
    assert not settings.private_use


def test_netrc_and_cookies_add_nothing(world, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login joe password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client = world.client()
    world.hvakosterstrommen.faults = [Response("[]", headers={"Set-Cookie": "id=1; Path=/"})]
    client.get(HVA, PATH)
    target = {"Location": f"/{HVA}/2026/11-22_NO4.json", "Set-Cookie": "id=2; Path=/"}
    world.hvakosterstrommen.faults = [Response(status=302, headers=target)]
    client.get(HVA, "2026/11-23_NO4.json")
    assert world.hvakosterstrommen.count == 3
    for request in world.hvakosterstrommen.requests:
        assert "Authorization" not in request.headers
        assert "Cookie" not in request.headers
        assert "Cache-Control" not in request.headers


def test_any_night_can_be_replayed_as_known_then(world, time):
    client = world.client()
    evening = client.get(HVA, PATH, ttl_s=0)
    time.now += timedelta(days=1)
    world.hvakosterstrommen.always = Response("[7]", content_type="application/json")
    revised = client.get(HVA, PATH, ttl_s=0)
    time.now += timedelta(days=1)
    world.hvakosterstrommen.always = Response(status=500)
    kind_of(client)
    sent = world.hvakosterstrommen.count

    def known(at: datetime) -> bytes:
        return world.client(as_of=at).get(HVA, PATH).body

    assert known(datetime(2026, 11, 24, 15)) == evening.body
    assert known(datetime(2026, 11, 26, 14)) == revised.body == b"[7]"
    assert kind_of(world.client(as_of=datetime(2026, 11, 27)))[0] == "retry"
    with pytest.raises(SourceError, match="had not been asked") as caught:
        known(datetime(2026, 11, 24, 14))
    assert caught.value.kind == "empty"
    assert world.hvakosterstrommen.count == sent, "a replay asks nobody"


def test_a_raw_answer_that_was_changed_on_disk_is_refused(world):
    answer = world.client().get(HVA, PATH)
    [path] = [p for p in (world.folder / "cache" / "raw").rglob("*") if p.is_file()]
    assert path.read_bytes() == answer.body
    path.write_bytes(b"[]")
    with pytest.raises(SourceError, match="was changed"):
        world.client(as_of=datetime(2027, 1, 1)).get(HVA, PATH)
    path.unlink()
    with pytest.raises(SourceError, match="is missing"):
        world.client(as_of=datetime(2027, 1, 1)).get(HVA, PATH)


def test_the_health_of_a_source_is_that_of_the_moment_asked(world, time):
    """Success in the morning, failure at noon, success confirmed without a body in the evening."""
    client = world.client()
    world.hvakosterstrommen.faults = [Response("[1]", headers={"ETag": '"1"'}, content_type="application/json")]
    client.get(HVA, PATH, ttl_s=0)
    morning, noon, evening = (time.now + timedelta(hours=h) for h in (0, 4, 8))
    time.now = noon
    world.hvakosterstrommen.faults = [Response(status=500)] * 4
    kind_of(client, path="2026/11-20_NO4.json")
    time.now = evening
    world.hvakosterstrommen.faults = [Response(status=304)]
    assert client.get(HVA, PATH, ttl_s=0).from_cache
    assert (client.health(HVA).last_ok, client.health(HVA).last_failure) == (evening, noon)

    def then(moment: datetime) -> tuple[datetime | None, datetime | None, str]:
        health = world.client(as_of=moment).health(HVA)
        return health.last_ok, health.last_failure, health.reason

    assert then(morning + timedelta(hours=1)) == (morning, None, "")
    assert then(noon) == (morning, noon, "HTTP 500")
    assert then(morning - timedelta(hours=1)) == (None, None, "")


def test_of_two_answers_at_one_time_the_one_noted_last_stands(world, time):
    client = world.client()
    for body in (b"[1]", b"[2]"):
        world.hvakosterstrommen.faults = [Response(body, content_type="application/json")]
        client.get(HVA, PATH, ttl_s=0)
    assert world.client(as_of=time.now).get(HVA, PATH).body == b"[2]"


def test_the_table_of_sources(world, time):
    client = world.client()
    client.get(HVA, PATH)
    world.met_norway.always = Response(status=503)
    kind_of(client, "met_norway", "complete", lat="60", lon="10")
    time.now += timedelta(hours=30)
    table = {r.name: r for r in rows(client)}
    assert set(table) == set(SOURCES)
    assert table[HVA].last_success == "2026-11-24 14:30Z"
    assert table[HVA].freshness == "old, 30 h"
    assert table["met_norway"].freshness == "nothing yet"
    assert table["met_norway"].last_failure == "2026-11-24 14:30Z: HTTP 503"
    assert table["entsoe"].key == "HYDROCOOL_ENTSOE_TOKEN (set)"
    assert table["open_meteo"].key == "HYDROCOOL_OPEN_METEO_KEY (set), for commercial use"
    assert table["nve"].key == "none needed"
    assert "canary" not in str([asdict(r) for r in table.values()])
    assert all(r.licence and r.attribution and r.gives for r in table.values())
