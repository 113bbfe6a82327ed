"""A metered site without plant, jobs or solver: raw facts by hand, priced by the bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from energy.audit.invoice import site_lines
from energy.audit.site_prices import Facts
from energy.inputs.fleet import Fleet
from energy.inputs.fx import Fx
from energy.inputs.metered import Line
from energy.inputs.resources import root
from energy.inputs.series import Series
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff
from energy.inputs.yaml_files import load_model

#: EUR per unit, round figures; every test multiplies with the same ones.
NOK, SEK, DKK, GBP = 0.1, 0.09, 0.134, 1.15
MONEY = {"NOK": NOK, "SEK": SEK, "DKK": DKK, "GBP": GBP}
#: Day-ahead price of every hour where a test says nothing else [EUR/MWh].
SPOT = 40.0
#: Prices of a test: the same in every period, one per period, or a raw series with its own resolution and currency.
Spot = float | np.ndarray | xr.Dataset
#: One cent is 0.01; hand-made sums and the bill differ by rounding only.
EXACT = 1e-6
_HALL = {"h": {"plant": "none", "design_mw": 1.0, "pools": {"p": {"gpu": "none", "count": 1}}}}
_PLACE = {"latitude": 55.0, "longitude": 10.0}
_ZONES = {"NO": ("NO4", "Europe/Oslo"), "SE": ("SE4", "Europe/Stockholm"), "FI": ("FI", "Europe/Helsinki"),
          "DK": ("DK2", "Europe/Copenhagen"), "DE": ("DE-LU", "Europe/Berlin"), "FR": ("FR", "Europe/Paris"),
          "NL": ("NL", "Europe/Amsterdam"), "GB": ("GB", "Europe/London"), "PT": ("PT", "Europe/Lisbon")}  # fmt: skip


@cache
def committed(name: str) -> Tariff:
    """A file of ``models/tariffs``."""
    return load_model(root() / "models" / "tariffs" / f"{name}.yaml", Tariff)


def tariff(*components: Mapping[str, Any], country: str = "DE", currency: str = "EUR") -> Tariff:
    """A made-up tariff; what a component does not say is filled in: unit by kind, valid from 2015."""
    units = {"energy": "/MWh", "demand": "/MW/month", "fixed": "/month", "minimum_bill": "/month"}
    filled = [
        {
            "name": f"{c['kind']}_{i}",
            "valid_from": date(2015, 1, 1),
            "unit": "1" if c["kind"] == "spot_share" else currency + units[c["kind"]],
            "source": "made up",
            "confidence": "L",
            **c,
        }
        for i, c in enumerate(components)
    ]
    return Tariff.model_validate({"name": "made_up", "country": country, "currency": currency, "components": filled})


def prices(time: np.ndarray, values: np.ndarray, currency: str = "EUR") -> xr.Dataset:
    """A raw price series."""
    value = ("time", np.array(values, dtype=float))
    return xr.Dataset({"value": value}, coords={"time": time}, attrs={"currency": currency})


@dataclass(frozen=True)
class Meter:
    """A site `s` that meters `drawn` and `fed` MW in periods from `start` to before `end`, both site-local days."""

    tariff: Tariff
    start: str
    end: str
    minutes: int = 60
    state: Mapping[str, Any] = field(default_factory=dict)
    site: Mapping[str, Any] = field(default_factory=dict)
    fx: Fx | None = None

    @property
    def zone(self) -> str:
        """Time zone of the site."""
        return _ZONES[self.tariff.country][1]

    @property
    def local(self) -> pd.DatetimeIndex:
        """Period starts on the site's clock."""
        return pd.date_range(self.start, self.end, freq=f"{self.minutes}min", tz=self.zone, inclusive="left")

    @property
    def time(self) -> np.ndarray:
        """Period starts in UTC."""
        return self.local.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ns]")

    def load(self, mw: float, other: Mapping[str, float] = MappingProxyType({})) -> np.ndarray:
        """`mw` in every period, but what `other` says in the period that starts at a local time."""
        power, local = np.full(len(self.time), mw, dtype=float), self.local.tz_localize(None)
        for moment, value in other.items():
            found = local == pd.Timestamp(moment)
            assert found.sum() == 1, f"{moment} starts {found.sum()} periods"
            power[found] = value
        return power

    def facts(self, spot: Spot) -> Facts:
        """Raw inputs with these prices: one, one per period, or a raw series of its own."""
        country = self.tariff.country
        zone, clock = _ZONES[country]
        site = {"place": _PLACE, "bidding_zone": zone, "time_zone": clock, "country": country, "tariff": "made_up",
                "grid_limit_mw": 100.0, "halls": _HALL, **self.site}  # fmt: skip
        fleet = Fleet.model_validate({"name": "meters", "sites": {"s": site}})
        price = spot if isinstance(spot, xr.Dataset) else prices(self.time, np.broadcast_to(spot, len(self.time)))
        state = State.model_validate({"sites": {"s": dict(self.state)}})
        series = Series(prices={zone: price}, weather={}, carbon={})
        return Facts(None, fleet, {}, {}, {"s": self.tariff}, series, self.fx or _fixed_rates(), state)  # type: ignore[arg-type]

    def bill(self, drawn: np.ndarray, spot: Spot = SPOT, fed: np.ndarray | None = None) -> dict[str, dict[str, Line]]:
        """Lines by month and component."""
        nothing = np.zeros(len(self.time))
        dt = np.full(len(self.time), self.minutes / 60)
        lines = site_lines(self.facts(spot), "s", self.time, dt, drawn, nothing if fed is None else fed)
        return by_month(lines)

    def replayed(self, drawn: np.ndarray) -> xr.Dataset:
        """The reading as a replay: what is drawn is facility power, 0.8 of it IT."""
        nothing = np.zeros((1, len(self.time)))
        power = {"import_mw": drawn, "export_mw": 0 * drawn, "facility_mw": drawn, "site_it_mw": 0.8 * drawn,
                 "heat_mw": 0 * drawn}  # fmt: skip
        data = {k: (("site", "time"), v[None, :]) for k, v in power.items()}
        dt = ("time", np.full(len(self.time), self.minutes / 60))
        arrays = {**data, "dt": dt, "water_m3": (("hall", "time"), nothing)}
        return xr.Dataset(arrays, {"time": self.time, "site": ["s"], "hall": ["s/h"]})


def by_month(lines: Iterable[Line]) -> dict[str, dict[str, Line]]:
    """Lines by month and component, each component once."""
    out: dict[str, dict[str, Line]] = {}
    for line in lines:
        month = out.setdefault(line.month, {})
        assert line.component not in month, f"two lines for {line.component}"
        month[line.component] = line
    return out


def agree(lines: Mapping[str, Line], expected: Mapping[str, float]) -> None:
    """Every line and no other, to a millionth of a euro."""
    assert {k: v.amount_eur for k, v in lines.items()} == pytest.approx(dict(expected), abs=EXACT)


def _fixed_rates() -> Fx:
    first = np.array(["1900-01-01"], "datetime64[ns]")
    return Fx(dict.fromkeys(MONEY, first), {c: np.array([rate]) for c, rate in MONEY.items()})


def daily_rates(currency: str, rates: Mapping[str, float]) -> Fx:
    """EUR per unit from each UTC day on."""
    days = np.array([np.datetime64(d) for d in rates]).astype("datetime64[ns]")
    return Fx({currency: days}, {currency: np.array(list(rates.values()))})


TARIFF_FILES: list[Path] = sorted((root() / "models" / "tariffs").glob("*.yaml"))
