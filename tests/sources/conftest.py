"""A world of local servers that enforce the contracts, a clock that tests turn, and no way to the internet."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug.serving import WSGIRequestHandler

from energy.sources.catalogue import SOURCES
from energy.sources.client.credentials import remember
from energy.sources.client.http import Client
from energy.sources.client.settings import Settings, loopback
from tests.sources.contracts import CONTRACTS, Contract
from tests.sources.raw import RawServer

#: The moment at which tests happen, unless they turn the clock: a Tuesday after the auction (UTC).
NOW = datetime(2026, 11, 24, 14, 30)
#: One secret per variable; `test_secrets` looks for them everywhere.
CANARIES = {
    "HYDROCOOL_ENTSOE_TOKEN": "canary-entsoe-5f1d9c7e",
    "HYDROCOOL_FROST_CLIENT_ID": "canary-frost-8a2b4c6d",
    "HYDROCOOL_OPEN_METEO_KEY": "canary-meteo-1e3f5a7b",
}


def empty_file(folder: Path) -> str:
    """A credentials file that holds none, so that the one of the user at this machine is not read."""
    path = folder / "no_credentials"
    path.touch(mode=0o600)
    return str(path)


@pytest.fixture(autouse=True)
def _no_internet(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets reach this machine only."""
    if request.node.get_closest_marker("live"):
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            assert loopback(address[0]), f"a test tried to reach {address[0]}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True, scope="session")
def _raw_headers() -> Iterator[None]:
    """Werkzeug drops headers with an underscore, such as ENTSO-E's; the contracts must see them."""
    make = WSGIRequestHandler.make_environ

    def with_raw(self: WSGIRequestHandler) -> dict[str, Any]:
        return dict(make(self)) | {"raw.headers": {k.lower(): v for k, v in self.headers.items()}}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGIRequestHandler, "make_environ", with_raw)
        yield


class Time:
    """Time of day and seconds, turned by sleeping and by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.seconds = 1_000_000.0
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def wall(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class World:
    """All contracts on one server, and the clients that ask them."""

    def __init__(self, server: HTTPServer, folder: Path, time: Time) -> None:
        self.server, self.folder, self.time = server, folder, time
        self.contracts: dict[str, Contract] = {name: make(time) for name, make in CONTRACTS.items()}
        for name, contract in self.contracts.items():
            server.expect_request(contract.pattern(name)).respond_with_handler(contract)
        self.urls = {name: server.url_for(f"/{name}") for name in SOURCES}
        self._open: list[Client] = []

    def __getattr__(self, name: str) -> Any:
        """A contract by the name of its source."""
        try:
            return self.__dict__["contracts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def settings(self, **changes: Any) -> Settings:
        time = self.time
        base = Settings(
            self.folder / "cache", self.urls, remember(CANARIES), loopback_http=True, contact="tests@hydrocool.example",
            connect_s=5.0, read_s=20.0, total_s=30.0, backoff_s=0.01, clock=time.clock, wall=time.wall, sleep=time.sleep,
        )  # fmt: skip
        return replace(base, **changes)

    def client(self, as_of: datetime | None = None, **changes: Any) -> Client:
        client = Client(self.settings(**changes), SOURCES, as_of)
        self._open.append(client)
        return client

    def keyless(self, **changes: Any) -> Client:
        """A client without any credential."""
        return self.client(credentials=remember({}), **changes)

    def close(self) -> None:
        for client in self._open:
            client.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(httpserver: HTTPServer, tmp_path: Path, time: Time) -> Iterator[World]:
    world = World(httpserver, tmp_path, time)
    yield world
    world.close()


@pytest.fixture
def raw(world: World) -> Iterator[Callable[..., Client]]:
    """Make a client whose one source is a server that plays back a script of bytes and pauses."""
    servers: list[RawServer] = []

    def make(source: str, *script: Any, **changes: Any) -> Client:
        servers.append(RawServer(script))
        return world.client(urls=world.urls | {source: servers[-1].url}, **changes)

    yield make
    for server in servers:
        server.close()
