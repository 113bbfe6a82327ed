"""The real endpoints, on a connected machine: ``HYDROCOOL_LIVE=1 pytest -m live tests/sources``."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import numpy as np
import pytest

from energy.sources.catalogue import SOURCES
from energy.sources.client.answer import LicenceError
from energy.sources.client.http import Client
from energy.sources.client.settings import from_environment
from energy.sources.providers import (
    carbon_intensity,
    central_banks,
    elexon,
    energy_charts,
    entsoe,
    frost,
    hvakosterstrommen,
    met_norway,
    nasa_power,
    nve,
    open_meteo,
    pvgis,
)

#: Time for a first handshake [s].
REACH_S = 4.0
NOW = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "h").astype("datetime64[ns]")
DAY = np.timedelta64(1, "D")
TODAY = datetime.now(UTC).date()


@pytest.fixture
def client(tmp_path, request):
    """A client of the real world, or a reason why not."""
    if os.environ.get("HYDROCOOL_LIVE") != "1":
        pytest.skip("asks real endpoints; set HYDROCOOL_LIVE=1 to run it")
    source = SOURCES[request.node.callspec.params["name"].split()[0]]
    settings = from_environment(tmp_path, SOURCES)
    host = urlsplit(settings.base_url(source)).hostname
    try:
        socket.create_connection((host, 443), timeout=REACH_S).close()
    except OSError as e:
        pytest.skip(f"no connection to {host} from here ({e})")
    with Client(settings, SOURCES) as opened:
        if source.key and source.key.needed and not opened.has_key(source.name):
            pytest.skip(f"no {source.key.variable} here")
        yield opened


#: Source, and where it gives several things what -> how it is asked.
ASK = {
    "entsoe": lambda c: entsoe.get_prices(c, "NO4", NOW - 2 * DAY, NOW),
    "entsoe A72": lambda c: entsoe.get_reservoirs(c, "SE3", NOW - 60 * DAY, NOW),
    "entsoe A75": lambda c: entsoe.get_generation(c, "NO2", NOW - 3 * DAY, NOW - DAY),
    "hvakosterstrommen": lambda c: hvakosterstrommen.get_prices(c, "NO4", NOW - 2 * DAY, NOW),
    "energy_charts": lambda c: energy_charts.get_prices(c, "DE-LU", NOW - 2 * DAY, NOW),
    "elexon": lambda c: elexon.get_prices(c, "GB", NOW - 2 * DAY, NOW),
    "carbon_intensity": lambda c: carbon_intensity.get_carbon(c, "GB", NOW - 2 * DAY, NOW),
    "met_norway": lambda c: met_norway.get_weather(c, 68.42, 17.56, 30.0, NOW, NOW + 2 * DAY),
    "frost": lambda c: frost.get_weather(c, 59.94, 10.72, NOW - 3 * DAY, NOW - DAY),
    "open_meteo": lambda c: open_meteo.get_weather(c, [(52.5, 13.4)], NOW - DAY, NOW)[0],
    "open_meteo_archive": lambda c: open_meteo.get_weather(c, [(52.5, 13.4)], NOW - 400 * DAY, NOW - 399 * DAY)[0],
    "nasa_power": lambda c: nasa_power.get_weather(c, 52.5, 13.4, NOW - 30 * DAY, NOW - 20 * DAY),
    "pvgis": lambda c: pvgis.get_tmy(c, 52.5, 13.4),
    "nve": lambda c: nve.get_reservoirs(c, "NO4", NOW - 60 * DAY, NOW),
    "ecb": lambda c: central_banks.get_rates(c, central_banks.ECB, ["NOK"], TODAY - timedelta(days=7), TODAY),
    "norges_bank": lambda c: central_banks.get_rates(
        c, central_banks.NORGES_BANK, ["NOK", "SEK"], TODAY - timedelta(days=7), TODAY
    ),
}


@pytest.mark.live
@pytest.mark.parametrize("name", ASK)
def test_the_real_endpoint_keeps_its_contract(client, name):
    try:
        ds = ASK[name](client)
    except LicenceError as e:
        pytest.skip(f"licence: {e.reason}")
    assert ds.sizes["time"] > 0, f"{name} gave nothing"
    assert client.health(name.split()[0]).last_ok is not None


def test_every_source_is_asked():
    assert {name.split()[0] for name in ASK} == set(SOURCES)
