"""What is true in the world of the tests: every server serves these numbers, each in its own way."""

# ruff: noqa: DTZ001 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import math
from datetime import datetime

#: Zone -> level of its price [EUR/MWh].
LEVELS = {"NO4": 18.0, "NO2": 46.0, "DE-LU": 71.0, "GB": 64.0, "SE3": 33.0, "NO1": 51.0, "FR": 55.0}
NOK_PER_EUR = 11.5


def price(zone: str, moment: datetime) -> float:
    """Price of the hour that holds the moment [EUR/MWh]; repeats within some hours and falls below zero at times."""
    hours = int((moment - datetime(2020, 1, 1)).total_seconds() // 3600)
    return round(LEVELS[zone] * (1 + 0.6 * math.sin(hours / 3.8)) - 12 * ((hours // 5) % 4), 2)


def quarter(zone: str, moment: datetime) -> float:
    """Price of the quarter hour [EUR/MWh]; equal over some hours, as auctions are."""
    hours = int((moment - datetime(2020, 1, 1)).total_seconds() // 3600)
    return price(zone, moment) if hours % 3 == 0 else round(price(zone, moment) + moment.minute / 30, 2)


def temp_air(moment: datetime) -> float:
    """Temperature [°C]."""
    hours = (moment - datetime(2020, 1, 1)).total_seconds() / 3600
    return round(4 + 6 * math.sin(hours / 24 * 2 * math.pi) + 3 * math.sin(hours / 60), 1)


def humidity(moment: datetime) -> float:
    """Relative humidity [%]."""
    return round(75 + 15 * math.sin((moment - datetime(2020, 1, 1)).total_seconds() / 40_000), 1)


def dew_point(moment: datetime) -> float:
    """Dew point [°C], always below the temperature."""
    return round(temp_air(moment) - (100 - humidity(moment)) / 5, 1)
