"""The case file: which fleet, jobs and series, over which days, with which options."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from energy.inputs.dated import to_utc
from energy.inputs.fleet import BiddingZone, Name, TimeZone
from energy.inputs.fx import Rate
from energy.inputs.yamlfile import Frozen, load_model
from energy.schema import Times

Quality = Literal["auction", "measured", "forecast", "secondary", "proxy", "persistence", "scenario"]


class Horizon(Frozen):
    """Whole local days, first and last inclusive.

    `beyond` says what becomes of work whose deadline lies after the last day: it `must_finish` inside the
    horizon, or may wait for after it at a `terminal_value` (the price that hours like the horizon's make likely).
    """

    start: date = Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))
    end: date = Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))
    time_zone: TimeZone = "UTC"
    market_time_unit_min: Literal[15, 30, 60] = 60
    beyond: Literal["must_finish", "terminal_value"] = "must_finish"

    @model_validator(mode="after")
    def _forward(self) -> Horizon:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self

    def bounds(self) -> tuple[np.datetime64, np.datetime64]:
        """UTC instants of the first moment and of the first moment after."""
        first = datetime.combine(self.start, time())
        after = datetime.combine(self.end + timedelta(days=1), time())
        return to_utc(first, self.time_zone), to_utc(after, self.time_zone)

    def times(self) -> Times:
        """Starts of the market time units, shape (T,)."""
        step = np.timedelta64(self.market_time_unit_min, "m")
        first, after = self.bounds()
        return np.arange(first, after, step).astype("datetime64[ns]")

    def hours(self) -> float:
        """Length of a market time unit [h]."""
        return self.market_time_unit_min / 60


class PriceFile(Frozen):
    """Day-ahead prices of one or more bidding zones, per MWh.

    `unit` says the unit out loud and switches the median test for prices per kWh off.
    """

    file: str
    zones: tuple[BiddingZone, ...] = Field(min_length=1)
    columns: dict[BiddingZone, str] = {}
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    unit: Literal["per_mwh"] | None = None
    quality: Quality
    source: str = Field(min_length=3)
    licence: str = ""

    @model_validator(mode="after")
    def _columns_of_zones(self) -> PriceFile:
        if extra := sorted(set(self.columns) - set(self.zones)):
            raise ValueError(f"columns names {extra[0]}, which is not among its zones {', '.join(self.zones)}")
        return self


class WeatherFile(Frozen):
    """Weather of one site."""

    file: str
    quality: Quality
    source: str = Field(min_length=3)
    licence: str = ""
    humidity: Literal["file", "dew_point_daily_minimum"] = "file"


class CarbonFile(Frozen):
    """Carbon intensity of one bidding zone, in the unit stated."""

    file: str
    column: str
    unit: Literal["g_per_kwh", "t_per_mwh"]
    quality: Quality
    source: str = Field(min_length=3)
    licence: str = ""


class Case(Frozen):
    """The whole case file; paths are relative to it.

    `expected_jobs` is a job table of work that is likely to arrive (ids begin with ``expected-``): the plan keeps
    room for it, and nobody is told to run it.
    """

    name: Name
    fleet: str
    jobs: str
    expected_jobs: str | None = None
    horizon: Horizon
    prices: tuple[PriceFile, ...] = Field(min_length=1)
    weather: dict[Name, WeatherFile] = Field(min_length=1)
    carbon: dict[BiddingZone, CarbonFile] = {}
    fx: dict[str, Rate] = {}
    state: str | None = None

    @model_validator(mode="after")
    def _each_zone_once(self) -> Case:
        zones = [z for p in self.prices for z in p.zones]
        if twice := sorted({z for z in zones if zones.count(z) > 1}):
            raise ValueError(f"prices: zone {twice[0]} is named twice; each zone once")
        return self


def load_case(path: Path) -> Case:
    """Read a case file.

    Raises
    ------
    ConfigError : names the file, the key and what is allowed.
    """
    return load_model(path, Case)
