"""The nightly file: a case without a horizon, and when and how its nights are run."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from energy.inputs.case import CarbonFile, PriceFile, WeatherFile
from energy.inputs.dated import to_utc
from energy.inputs.fleet import BiddingZone, Name, TimeZone
from energy.inputs.fx import Rate
from energy.inputs.yamlfile import Frozen


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
    def _ordered(self) -> Days:
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
    def _series_or_live(self) -> Nightly:
        named = bool(self.prices), bool(self.weather)
        if self.live and (any(named) or self.carbon or self.foresight != "forecast"):
            raise ValueError("live: prices, weather, carbon and foresight are not for a live night; fx may stand")
        if not self.live and not all(named):
            raise ValueError("prices and weather: missing; allowed: files for both, or live: true")
        return self

    def known_at(self, day: date) -> np.datetime64:
        """Knowledge moment of the night of a delivery day (UTC)."""
        return to_utc(datetime.combine(day - timedelta(days=1), self.auction.moment()), self.time_zone)

    def begin(self, day: date) -> np.datetime64:
        """First moment of a local day (UTC)."""
        return to_utc(datetime.combine(day, time()), self.time_zone)
