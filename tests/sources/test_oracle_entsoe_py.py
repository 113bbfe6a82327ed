"""entsoe-py 0.8.1 as an oracle: the same answers where it is right, the known differences where it is not."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from energy.sources.providers import entsoe
from tests.sources.contracts.base import steps
from tests.sources.contracts.energy_data import local_day
from tests.sources.contracts.entsoe import PUBLICATION, document, period, series
from tests.sources.times import at

parsers = pytest.importorskip("entsoe.parsers", reason="entsoe-py is not installed: a development-only oracle")
#: beautifulsoup's own warning about parsing XML with an HTML parser is entsoe-py's business.
pytestmark = pytest.mark.filterwarnings("ignore")
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
EUR = "<currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>"


def oracle(body: bytes, resolution: str) -> pd.Series:
    """entsoe-py's series of one resolution, in naive UTC."""
    found = parsers.parse_prices(body.decode())[resolution]
    return found.tz_convert("UTC").tz_localize(None)


def ours(body: bytes, hours: float) -> pd.Series:
    ds = entsoe.parse_prices(body)
    mine = ds.isel(time=np.flatnonzero(ds["dt"].values == hours))
    return pd.Series(mine["price"].values, pd.DatetimeIndex(mine["time"].values))


def made(first: datetime, days: int, minutes: int, seed: int) -> bytes:
    """A document of whole local days with many repeated values."""
    chance, out = random.Random(seed), []
    for n in range(days):
        begin, end = local_day((first + timedelta(days=n)).date(), ZoneInfo("Europe/Brussels"))
        values = [float(chance.choice([-5, 0, 12.5, 12.5, 40.25])) for _ in steps(begin, end, minutes)]
        step = {15: "PT15M", 30: "PT30M", 60: "PT60M"}[minutes]
        out.append(series(EUR, period(begin, end, step, values, "price.amount")))
    return document("Publication_MarketDocument", PUBLICATION, out).encode()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("first", ["2024-03-29", "2024-10-25", "2024-12-30", "2025-11-10"])
def test_same_prices_across_clock_changes_and_new_year(first, minutes, seed):
    body = made(datetime.fromisoformat(first), 4, minutes, seed)
    theirs = oracle(body, f"{minutes}min")
    mine = ours(body, minutes / 60)
    assert mine.index.equals(pd.DatetimeIndex(theirs.index).as_unit("ns"))
    assert mine.to_numpy().tolist() == theirs.to_numpy().tolist()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the reference samples are not on this machine")
@pytest.mark.parametrize("resolution", ["15min", "60min"])
def test_same_prices_on_the_belgian_sample(resolution):
    body = (SAMPLES / "entsoe_a44_be_60m_15m_mix.xml").read_bytes()
    theirs, mine = oracle(body, resolution), ours(body, pd.Timedelta(resolution) / pd.Timedelta("1h"))
    common = theirs.index.intersection(mine.index)
    assert len(common) == len(mine) > 0
    assert mine[common].to_numpy().tolist() == theirs[common].to_numpy().tolist()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the reference samples are not on this machine")
def test_same_hours_of_the_coupled_auction_on_the_german_sample():
    body = (SAMPLES / "entsoe_a44_de_seq1_60m_seq2_15m_overlap.xml").read_bytes()
    theirs, mine = oracle(body, "60min"), ours(body, 1.0)
    assert mine.to_numpy().tolist() == theirs.to_numpy().tolist()
    assert ours(body, 0.25).empty, "the other auction's quarters, which entsoe-py returns too, are not ours"


def test_the_documented_difference_weeks_across_the_spring_change():
    """entsoe-py steps through weeks in UTC: it loses one of six and stamps the later ones an hour late."""
    points = "".join(f"<Point><position>{n}</position><quantity>{n}</quantity></Point>" for n in range(1, 7))
    body = document(
        "GL_MarketDocument",
        "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0",
        [series(
            "<inBiddingZone_Domain.mRID>10YNO-2--------T</inBiddingZone_Domain.mRID>"
            "<quantity_Measure_Unit.name>MWH</quantity_Measure_Unit.name>",
            "<Period><timeInterval><start>2026-03-08T23:00Z</start><end>2026-04-19T22:00Z</end></timeInterval>"
            f"<resolution>P7D</resolution>{points}</Period>",
        )],
    )  # fmt: skip
    ds = entsoe.parse_reservoirs(body.encode(), clock="Europe/Oslo")
    assert ds["reservoir_mwh"].values.tolist() == [1, 2, 3, 4, 5, 6]
    assert ds["time"].values[[2, 3]].tolist() == [
        at("2026-03-22T23:00").astype(int),
        at("2026-03-29T22:00").astype(int),
    ]
    soup = parsers._extract_timeseries(body)
    theirs = pd.concat([parsers._parse_timeseries_generic(s)["7D"] for s in soup])
    assert len(theirs.dropna()) == 5
    assert theirs.index[3] == pd.Timestamp("2026-03-29T23:00Z")
