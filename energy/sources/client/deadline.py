"""Connections that end at a moment, however slowly the server sends: a limit for each wait is none for their sum.

A server that drips its headers, a byte before each time-out, or sends 100-Continue for ever, keeps `http.client` reading
inside one call. A timer shuts the socket then, and the call ends as it does when a server hangs up.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.response import BaseHTTPResponse

#: Longest time that a server may state for an answer to stay good [s]: ten years; beyond it the header is left out.
LONGEST_AGE_S = 10 * 366 * 86_400


class Deadline:
    """A moment of the monotonic clock [s], set for each exchange."""

    def __init__(self) -> None:
        self.at = float("inf")

    def begin(self, seconds: float) -> None:
        """Give the next exchange so much time."""
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the moment, never below a thousandth."""
        return max(self.at - time.monotonic(), 1e-3)

    def over(self) -> bool:
        """Whether the moment has passed."""
        return time.monotonic() >= self.at


def pools(deadline: Deadline) -> dict[str, type[Any]]:
    """Connection pools by scheme whose connections end at the deadline."""

    class Plain(HTTPConnection):
        def getresponse(self) -> Any:
            return _in_time(self, super().getresponse, deadline)

    class Secure(HTTPSConnection):
        def getresponse(self) -> Any:
            return _in_time(self, super().getresponse, deadline)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _in_time(connection: Any, read: Any, deadline: Deadline) -> BaseHTTPResponse:
    """The head of an answer; the socket is shut at the deadline, and whatever was read by then is no answer."""
    sock = connection.sock

    def cut() -> None:
        with suppress(OSError, AttributeError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(deadline.left(), cut)
    timer.daemon = True
    timer.start()
    try:
        return read()  # type: ignore[no-any-return]
    finally:
        timer.cancel()


def give_pools(manager: PoolManager, deadline: Deadline) -> None:
    """Let a manager open the pools above."""
    manager.pool_classes_by_scheme = pools(deadline)


def plausible(headers: dict[str, str]) -> dict[str, str]:
    """Headers without times of validity that no clock can hold, which the cache would fail on."""
    out = dict(headers)
    for name in list(out):
        text = out[name].lower()
        if name.lower() == "cache-control" and any(_seconds(part) > LONGEST_AGE_S for part in text.split(",")):
            del out[name]
        if name.lower() == "expires" and not _plausible_date(text):
            del out[name]
    return out


def _seconds(directive: str) -> float:
    """Number of a directive such as max-age=60; infinite where it is no number, 0 where it has none."""
    name, _, value = directive.strip().partition("=")
    if name.strip() not in ("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error") or not value:
        return 0.0
    digits = value.strip().strip('"')
    return float(digits) if digits.isdigit() and len(digits) < 18 else float("inf")


def _plausible_date(text: str) -> bool:
    from email.utils import parsedate_to_datetime

    try:
        return abs(parsedate_to_datetime(text).timestamp() - time.time()) < LONGEST_AGE_S
    except (ValueError, TypeError, OverflowError, IndexError, OSError):
        return False
