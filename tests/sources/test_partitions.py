"""Any way of cutting a stretch of time into requests gives the same Dataset, and nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy.series.labels import FETCH_ATTRS, join
from energy.sources.providers import (
    carbon_intensity,
    elexon,
    energy_charts,
    entsoe,
    frost,
    hvakosterstrommen,
    nasa_power,
    nve,
    open_meteo,
)
from tests.sources.times import at

pytestmark = pytest.mark.slow  # make test-sources

Get = Callable[[Any, np.datetime64, np.datetime64], xr.Dataset]
#: Source -> fetch, first moment, hours: each stretch has a clock change in it.
SERIES: dict[str, tuple[Get, str, int]] = {
    "entsoe": (lambda c, a, b: entsoe.get_prices(c, "NO4", a, b), "2026-10-23T22:00", 96),
    "entsoe over the change to quarters": (lambda c, a, b: entsoe.get_prices(c, "DE-LU", a, b), "2025-09-29T22:00", 72),
    "entsoe weeks": (lambda c, a, b: entsoe.get_reservoirs(c, "SE3", a, b), "2026-10-01T00:00", 900),
    "entsoe hydro": (lambda c, a, b: entsoe.get_generation(c, "NO2", a, b), "2026-10-30T00:00", 96),
    "hvakosterstrommen": (lambda c, a, b: hvakosterstrommen.get_prices(c, "NO4", a, b), "2026-10-23T22:00", 96),
    "energy_charts": (lambda c, a, b: energy_charts.get_prices(c, "FR", a, b), "2026-10-23T22:00", 96),
    "elexon": (lambda c, a, b: elexon.get_prices(c, "GB", a, b), "2026-10-20T00:00", 240),
    "carbon_intensity": (lambda c, a, b: carbon_intensity.get_carbon(c, "GB", a, b), "2026-10-20T00:00", 400),
    "frost": (lambda c, a, b: frost.get_weather(c, 68.4, 17.5, a, b), "2026-10-23T22:00", 96),
    "open_meteo": (lambda c, a, b: open_meteo.get_weather(c, [(52.5, 13.4)], a, b)[0], "2026-08-20T00:00", 200),
    "nasa_power": (lambda c, a, b: nasa_power.get_weather(c, 52.5, 13.4, a, b), "2026-10-23T22:00", 96),
    "nve": (lambda c, a, b: nve.get_reservoirs(c, "NO4", a, b), "2026-10-01T00:00", 900),
}


def bare(ds: xr.Dataset) -> xr.Dataset:
    """Without what belongs to the fetch."""
    return ds.assign_attrs(dict.fromkeys(FETCH_ATTRS))


@pytest.mark.parametrize("name", SERIES)
def test_any_partition_gives_the_same_dataset(world, name):
    get, first, length = SERIES[name]
    start = at(first)
    end = start + np.timedelta64(length, "h")
    client = world.client()
    whole = bare(get(client, start, end))
    assert whole.sizes["time"] > 0

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cuts=st.lists(st.integers(1, length - 1), min_size=1, max_size=4, unique=True))
    def same(cuts: list[int]) -> None:
        edges = [start, *(start + np.timedelta64(h, "h") for h in sorted(cuts)), end]
        parts = [get(client, a, b) for a, b in pairwise(edges)]
        xr.testing.assert_identical(bare(join(parts)), whole)

    same()


@pytest.mark.parametrize("name", SERIES)
def test_fetching_twice_sends_nothing_within_the_ttl(world, name, time):
    get, first, length = SERIES[name]
    start, end = at(first), at(first) + np.timedelta64(length, "h")
    once = get(world.client(), start, end)
    counts = {n: c.count for n, c in world.contracts.items()}
    assert sum(counts.values()) > 0
    time.now += timedelta(seconds=300)
    again = get(world.client(), start, end)
    assert {n: c.count for n, c in world.contracts.items()} == counts
    xr.testing.assert_identical(bare(once), bare(again))
