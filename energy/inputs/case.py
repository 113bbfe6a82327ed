"""The case file and the nightly file: which fleet, jobs and series, over which days, with which options.

A nightly file is a case without a horizon, with when and how its nights are run.
"""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from energy.inputs.fleet import BiddingZone, Name, TimeZone
from energy.inputs.fx import Rate
from energy.inputs.yaml_files import Frozen, load_model
from energy.schema.calendar import Horizon, horizon, to_utc

Quality = Literal["auction", "measured", "forecast", "secondary", "proxy", "persistence", "scenario"]


class HorizonDays(Frozen):
    """The horizon as a file gives it: whole local days, first and last inclusive.

    `beyond` says what becomes of work whose deadline lies after the last day: it `must_finish` inside the
    horizon, or may wait for after it at a `terminal_value` (the price that hours like the horizon's make likely).
    """

    start: date = Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))
    end: date = Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))
    time_zone: TimeZone = "UTC"
    market_time_unit_min: Literal[15, 30, 60] = 60
    beyond: Literal["must_finish", "terminal_value"] = "must_finish"

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self

    def bounds(self) -> tuple[np.datetime64, np.datetime64]:
        """UTC instants of the first moment and of the first moment after."""
        first = datetime.combine(self.start, time())
        after = datetime.combine(self.end + timedelta(days=1), time())
        return to_utc(first, self.time_zone), to_utc(after, self.time_zone)

    @property
    def hours(self) -> float:
        """Length of a market time unit [h]."""
        return self.market_time_unit_min / 60

    def periods(self) -> Horizon:
        """Its market time units."""
        first, after = self.bounds()
        time = np.arange(first, after, np.timedelta64(self.market_time_unit_min, "m"))
        return horizon(time, np.full(len(time), self.hours))


class PriceFile(Frozen):
    """Day-ahead prices of one or more bidding zones, per MWh.

    `unit` states the unit and switches the median test for prices per kWh off; `attribution` is the
    credit that the licence asks for, printed in the report.
    """

    file: str
    zones: tuple[BiddingZone, ...] = Field(min_length=1)
    columns: dict[BiddingZone, str] = {}
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    unit: Literal["per_mwh"] | None = None
    quality: Quality
    source: str = Field(min_length=3)
    licence: str = ""
    attribution: str = ""

    @model_validator(mode="after")
    def _columns_of_zones(self) -> Self:
        if extra := sorted(set(self.columns) - set(self.zones)):
            raise ValueError(f"columns names {extra[0]}, which is not among its zones {', '.join(self.zones)}")
        return self


class WeatherFile(Frozen):
    """Weather of one site."""

    file: str
    quality: Quality
    source: str = Field(min_length=3)
    licence: str = ""
    attribution: str = ""
    humidity: Literal["file", "dew_point_daily_minimum"] = "file"


class CarbonFile(Frozen):
    """Carbon intensity of one bidding zone, in the unit stated."""

    file: str
    column: str
    unit: Literal["g_per_kwh", "t_per_mwh"]
    quality: Quality
    source: str = Field(min_length=3)
    licence: str = ""
    attribution: str = ""


class Case(Frozen):
    """The whole case file; paths are relative to it.

    `expected_jobs` is a job table of work that is likely to arrive (ids begin with ``expected-``): the plan keeps
    room for it, and it is never handed over.
    """

    name: Name
    fleet: str
    jobs: str
    expected_jobs: str | None = None
    horizon: HorizonDays
    prices: tuple[PriceFile, ...] = Field(min_length=1)
    weather: dict[Name, WeatherFile] = Field(min_length=1)
    carbon: dict[BiddingZone, CarbonFile] = {}
    fx: dict[str, Rate] = {}
    state: str | None = None

    @model_validator(mode="after")
    def _each_zone_once(self) -> Self:
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


class Auction(Frozen):
    """When the prices of the next day are a fact, on the clock of `time_zone`."""

    known_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "13:00"

    def moment(self) -> time:
        """The time of day."""
        return time.fromisoformat(self.known_at)


class Days(Frozen):
    """Length of the horizon: the longest slack at hand and a margin, within limits; `days` fixes it."""

    least_days: int = Field(default=3, ge=1, le=31)
    most_days: int = Field(default=14, ge=1, le=31)
    margin_days: int = Field(default=2, ge=0, le=14)
    days: int | None = Field(default=None, ge=1, le=31)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.most_days < self.least_days:
            raise ValueError(f"most_days {self.most_days} is below least_days {self.least_days}")
        return self

    def of(self, slack_days: float) -> int:
        """Days of the horizon for a longest slack [days]."""
        return self.days or int(np.clip(np.ceil(slack_days) + self.margin_days, self.least_days, self.most_days))


class Nightly(Frozen):
    """The whole nightly file; paths are relative to it.

    The job table has absolute times and, where known, a column `submitted`: when a job became known (default: its
    release). Series are tables that grow; of each night only what was known at its moment is looked at: prices up
    to the end of the delivery day, weather up to the auction, and rows labelled forecast. `foresight` is for
    studies: `known` plans the delivery day alone, `perfect` knows all that the files hold. Without `report` no page is drawn.
    With `live` prices, weather, carbon and exchange rates are fetched every night instead of read from files.
    `metrics` (a textfile for Prometheus) and `log` (JSON lines) lie in `out` where they are not named; `link` is the
    address of `out` for those who get messages, whose own addresses stand in HYDROCOOL_NOTIFY.
    """

    name: Name
    fleet: str
    jobs: str
    live: bool = False
    prices: tuple[PriceFile, ...] = ()
    weather: dict[Name, WeatherFile] = {}
    carbon: dict[BiddingZone, CarbonFile] = {}
    fx: dict[str, Rate] = {}
    state: str | None = None
    time_zone: TimeZone = "UTC"
    market_time_unit_min: Literal[15, 30, 60] = 60
    auction: Auction = Auction()
    horizon: Days = Days()
    arrivals_window_days: int = Field(default=28, ge=1, le=366)
    foresight: Literal["forecast", "known", "perfect"] = "forecast"
    budget_minutes: float = Field(default=20, gt=0, le=720)
    solve_limit_s: float = Field(default=300, ge=1, le=36000)
    out: str = "nights"
    report: bool = True
    database: str | None = None
    metrics: str | None = Field(default=None, pattern=r"\.prom$")
    log: str | None = None
    pdf: bool = False
    link: str = ""

    @model_validator(mode="after")
    def _series_or_live(self) -> Self:
        named = bool(self.prices), bool(self.weather)
        if self.live and (any(named) or self.carbon or self.foresight != "forecast"):
            raise ValueError("live: prices, weather, carbon and foresight are not for a live night; fx may stand")
        if not self.live and not all(named):
            raise ValueError("prices and weather: missing; allowed: files for both, or live: true")
        return self

    def known_at(self, day: date) -> np.datetime64:
        """Cut-off moment (UTC) of what the night of a delivery day may know."""
        return to_utc(datetime.combine(day - timedelta(days=1), self.auction.moment()), self.time_zone)

    def zones(self) -> list[str]:
        """Bidding zones with a price, in the order of the file."""
        return [zone for spec in self.prices for zone in spec.zones]

    def begin(self, day: date) -> np.datetime64:
        """First moment of a local day (UTC)."""
        return to_utc(datetime.combine(day, time()), self.time_zone)
