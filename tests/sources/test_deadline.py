"""An answer has one time limit from the first byte sent to the last one read, whatever the server does in between."""

from __future__ import annotations

import time

import pytest

from energy.sources.client.answer import SourceError
from energy.sources.client.deadline import plausible
from tests.sources.raw import HEAD, RawServer, whole

TOTAL_S = 0.6
#: Each wait is far below the time-out of a read.
DRIP_S = 0.05
BODY = b"[]"
SLOW = {
    "headers, a byte at a time": [x for b in HEAD + b"X-Long: " + b"a" * 200 for x in (bytes([b]), DRIP_S)],
    "100 Continue for ever": [x for _ in range(200) for x in (b"HTTP/1.1 100 Continue\r\n\r\n", DRIP_S)],
    "a status line that never ends": [x for _ in range(200) for x in (b"H", DRIP_S)],
    "a body, a byte at a time": [
        HEAD + b"Content-Length: 500\r\n\r\n",
        *[x for _ in range(200) for x in (b" ", DRIP_S)],
    ],
    "nothing at all": [30.0],
}


@pytest.mark.parametrize("name", SLOW)
def test_no_slow_server_takes_longer_than_the_limit(name, world, record_property):
    server = RawServer([SLOW[name]])
    try:
        client = world.client(urls=world.urls | {"nve": server.url}, read_s=0.5, total_s=TOTAL_S, tries=2)
        began = time.monotonic()
        with client, pytest.raises(SourceError) as caught:
            client.get("nve", "x")
        took = time.monotonic() - began
    finally:
        server.close()
    record_property("attacks", 1)
    assert caught.value.kind == "retry"
    assert took < 2 * TOTAL_S + 0.6, took  # two tries within one limit, and the time to open and close


@pytest.mark.parametrize(
    "header",
    [
        "Cache-Control: max-age=99999999999999999999999999", "Cache-Control: public, max-age=-1", "Cache-Control: max-age=soon",
        "Cache-Control: s-maxage=1e400", "Expires: Fri, 31 Dec 99999 23:59:59 GMT", "Expires: Fri, 31 Dec 9999 23:59:59 GMT",
        "Expires: 0", "Expires: never", "Cache-Control: ,,,===,max-age",
    ],
)  # fmt: skip
def test_times_of_validity_that_no_clock_holds_are_left_out(header, world, record_property):
    server = RawServer([whole(BODY, HEAD + header.encode() + b"\r\n")])
    try:
        with world.client(urls=world.urls | {"nve": server.url}, tries=1) as client:
            assert client.get("nve", "x").body == BODY
            assert client.get("nve", "x").body == BODY
    finally:
        server.close()
    record_property("attacks", 1)


def test_sane_times_stay():
    sane = {"Cache-Control": "public, max-age=600", "ETag": "x"}
    assert plausible(sane) == sane
