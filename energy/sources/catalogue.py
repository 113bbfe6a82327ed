"""All sources by name, which a client may ask, and the chain of each kind of series: who is asked, in which order.

prices    ENTSO-E -> hvakosterstrommen (NO1-NO5) -> energy-charts (licence gate) -> Elexon index (GB) -> persistence
weather   Frost stations (past, Nordic) -> MET Norway (future) -> Open-Meteo -> NASA POWER (past) -> persistence
carbon    Carbon Intensity (GB) -> persistence
rates     ECB -> Norges Bank
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Protocol

import numpy as np
import xarray as xr

from energy.series import quality_control
from energy.series.gap_filling import fill_weather
from energy.series.labels import NEEDED_WEATHER, clip
from energy.sources.bidding_zones import clock_of
from energy.sources.chain import Attempt, Filled, Link, fill
from energy.sources.client.answer import SourceError
from energy.sources.client.http import Client
from energy.sources.client.settings import Source
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


class PriceProvider(Protocol):
    """A module of `providers` with day-ahead prices."""

    @property
    def SOURCE(self) -> Source:  # noqa: N802
        """Its row of the catalogue."""

    @property
    def ZONES(self) -> Collection[str]:  # noqa: N802
        """Bidding zones that it serves."""

    def get_prices(self, client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
        """Prices of the periods that begin in [start, end) (UTC)."""


#: Sources of prices in the order in which they are asked.
PRICES: tuple[PriceProvider, ...] = (entsoe, hvakosterstrommen, energy_charts, elexon)
SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        *(p.SOURCE for p in PRICES), carbon_intensity.SOURCE, met_norway.SOURCE, frost.SOURCE, open_meteo.SOURCE,
        open_meteo.ARCHIVE, nasa_power.SOURCE, pvgis.SOURCE, nve.SOURCE, *central_banks.BANKS,
    )
}  # fmt: skip
#: Latitude and longitude [°] between which MET Norway has stations: Norway, its neighbours, Svalbard.
NORDIC = ((54.0, 82.0), (-10.0, 36.0))
#: Weather is fetched this much wider than needed, so that six-hourly forecasts can be interpolated at both ends.
MARGIN = np.timedelta64(12, "h")


def skip(client: Client, source: str) -> str:
    """Reason why a source is not asked, such as a missing key; empty where it is asked."""
    key = client.sources[source].key
    if key is None or client.as_of is not None or client.has_key(source):
        return ""
    if key.needed:
        return f"no {key.variable}"
    return "" if client.settings.private_use else f"no {key.variable}, and private use is not stated"


def prices(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> Filled:
    """Prices of a zone over [start, end), each interval with its quality and source."""

    def check(ds: xr.Dataset) -> list[quality_control.Finding]:
        return [*quality_control.check_prices(ds), *quality_control.local_days(ds, clock_of(zone))]

    links = [
        Link(p.SOURCE.name, partial(p.get_prices, client, zone), skip(client, p.SOURCE.name))
        for p in PRICES
        if zone in p.ZONES
    ]
    return fill(links, start, end, check, quality_control.flips)


def carbon(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> Filled:
    """Carbon intensity of a zone over [start, end)."""
    get = partial(carbon_intensity.get_carbon, client, zone)
    links = [Link("carbon_intensity", get)] if zone in carbon_intensity.ZONES else []
    return fill(links, start, end, quality_control.duplicates)


def weather(
    client: Client, latitude: float, longitude: float, altitude_m: float, start: np.datetime64, end: np.datetime64
) -> Filled:
    """Hourly weather of a place over [start, end); optional variables that some of the hours lack are left out."""
    at = (latitude, longitude)
    past = min(end, client.hour())
    links = [
        Link("met_norway", lambda a, b: met_norway.get_weather(client, *at, altitude_m, a, b)),
        Link("open_meteo", lambda a, b: open_meteo.get_weather(client, [at], a, b)[0], skip(client, "open_meteo")),
    ]
    if start < past:
        links.append(Link("nasa_power", lambda a, b: nasa_power.get_weather(client, *at, a, min(b, past))))
    if start < past and all(low <= x <= high for x, (low, high) in zip(at, NORDIC, strict=True)):
        measured = Link("frost", lambda a, b: frost.get_weather(client, *at, a, min(b, past)), skip(client, "frost"))
        links.insert(0, measured)
    filled = fill([_hourly(link) for link in links], start, end, quality_control.check_weather)
    optional = [n for n, v in filled.ds.data_vars.items() if v.dtype.kind == "f" and n not in NEEDED_WEATHER]
    return replace(filled, ds=filled.ds.drop_vars([n for n in optional if filled.ds[n].isnull().any()]))


def _hourly(link: Link) -> Link:
    """The link's weather on whole hours, short gaps interpolated, cut to the window afterwards."""

    def fetch(start: np.datetime64, end: np.datetime64) -> xr.Dataset:
        return clip(fill_weather(link.fetch(start - MARGIN, end + MARGIN)), start, end)

    return Link(link.name, fetch, link.skip)


def rates(
    client: Client, currencies: Sequence[str], day: date
) -> tuple[dict[str, tuple[float, date, str]], list[Attempt]]:
    """EUR per unit on a day -> (rate, the day it is of, source) by currency, and what each bank said."""
    found: dict[str, tuple[float, date, str]] = {}
    steps = []
    for bank in central_banks.BANKS:
        name, asked = bank.name, [c for c in currencies if c not in found]
        if not asked:
            break
        try:
            since = day - timedelta(days=central_banks.HOLD_DAYS)
            ds = central_banks.get_rates(client, bank, asked, since, day)
        except SourceError as e:
            steps.append(Attempt(name, e.kind, reason=e.reason))
            continue
        new = {c: central_banks.rate_on(ds, c, day) for c in asked}
        found |= {c: (*rate, name) for c, rate in new.items() if rate is not None}
        lacking = [c for c, rate in new.items() if rate is None]
        steps.append(Attempt(name, "empty" if lacking else "ok", reason=f"no {', '.join(lacking)}" if lacking else ""))
    return found, steps
