"""Hourly weather on the 2018 calendar: NSRDB 2019 moved (proxy), the DWD year (proxy), Narvik (scenario)."""

from __future__ import annotations

import bisect
import csv
import itertools
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from builder import clock

COLUMNS = ("temp_air", "temp_dew", "pressure", "wind_speed")

#: Month, day and hour in UTC: what moves a year's weather to another calendar.
Key = tuple[int, int, int]
#: Dry bulb [°C], pressure [Pa], wind speed [m/s] of one hour.
Hour = tuple[float, float, float]


def build_nsrdb(lines: Sequence[str], path: Path) -> None:
    """Write one NSRDB place: hourly means of the quarter hours, dew point by `daily_minimum_dew`."""
    hours = _nsrdb_hours(lines)
    series = [hours[_key(hour)] for hour in clock.HOURS]
    _write(path, series, daily_minimum_dew([temp for temp, _, _ in series]))


def _nsrdb_hours(lines: Sequence[str]) -> dict[Key, Hour]:
    zone = int(dict(zip(*list(csv.reader(lines[:2])), strict=False))["Time Zone"])
    quarters: dict[Key, list[Hour]] = {}
    for row in csv.DictReader(lines[2:]):
        year, month, day, hour = (int(row[c]) for c in ("Year", "Month", "Day", "Hour"))
        start = datetime(year, month, day, hour, tzinfo=UTC) - timedelta(hours=zone)
        values = (float(row["Temperature"]), 100 * float(row["Pressure"]), float(row["Wind Speed"]))
        quarters.setdefault(_key(start), []).append(values)
    return {key: _mean(values) for key, values in quarters.items()}


def _mean(quarters: Sequence[Hour]) -> Hour:
    if len(quarters) != 4:
        raise ValueError(f"an hour with {len(quarters)} quarters")
    temp, pressure, wind = (sum(column) / 4 for column in zip(*quarters, strict=True))
    return temp, pressure, wind


def daily_minimum_dew(temp: Sequence[float]) -> list[float]:
    """Dew point [°C] for a source without humidity: daily minimum dry bulb, joined from minimum to minimum.

    The lowest dry bulb of each UTC day stands at its hour; between two of them the dew point changes linearly,
    so that it does not jump at midnight, and it is never above the dry bulb. Too moist on hot dry afternoons,
    hence cautious for cooling.
    """
    edges = [*_midnights(), len(temp)]
    days = [range(first, after) for first, after in itertools.pairwise(edges)]
    at = [min(day, key=lambda i: temp[i]) for day in days]
    return [min(_between(at, temp, hour), temp[hour]) for hour in range(len(temp))]


def _midnights() -> list[int]:
    """First hour of each UTC day of the horizon; the first and the last day may be short."""
    return [i for i, hour in enumerate(clock.HOURS) if i == 0 or hour.hour == 0]


def _between(at: Sequence[int], temp: Sequence[float], hour: int) -> float:
    """Linear between the hours `at`; constant before the first and after the last."""
    right = bisect.bisect_left(at, hour)
    if right in (0, len(at)):
        return temp[at[min(right, len(at) - 1)]]
    before, after = at[right - 1], at[right]
    return temp[before] + (temp[after] - temp[before]) * (hour - before) / (after - before)


def build_mannheim(lines: Sequence[str], path: Path) -> None:
    """Write the DWD test reference year: hour HH of Central European time is the interval that ends at HH."""
    first = next(i for i, line in enumerate(lines) if line.startswith("***")) + 1
    rows = [line.split() for line in lines[first:] if line.strip()]
    for i, row in enumerate(rows):
        local = clock.HOURS[i] + timedelta(hours=1)
        if (int(row[2]), int(row[3]), int(row[4])) != (local.month, local.day, local.hour + 1):
            raise ValueError(f"test reference year: row {i + 1} is not {clock.stamp(clock.HOURS[i])}")
    series = [(float(r[8]), 100 * float(r[9]), float(r[7])) for r in rows]
    _write(path, series, [dew_point(float(r[8]), float(r[11])) for r in rows])


def dew_point(temp_air: float, relative_humidity: float) -> float:
    """Dew point [°C] from dry bulb [°C] and humidity [%], Magnus form over water (Alduchov, Eskridge 1996)."""
    gamma = math.log(min(relative_humidity, 100) / 100) + 17.625 * temp_air / (243.04 + temp_air)
    return 243.04 * gamma / (17.625 - gamma)


#: Narvik: monthly means of the dry bulb [°C] and half the daily swing [K]. Evidence [mem]: unverified.
NARVIK_NORMALS = (-3.0, -3.3, -1.6, 2.1, 6.5, 10.6, 13.9, 13.0, 9.3, 4.4, 0.9, -1.4)
NARVIK_SWING = (0.4, 0.8, 1.5, 2.2, 2.8, 3.0, 2.8, 2.4, 1.8, 1.0, 0.5, 0.3)
#: Passing weather: spread (standard deviation) of dry bulb [K], pressure [Pa] and wind [m/s]; [G].
NARVIK_SPREAD = (3.2, 1000.0, 1.5)
NARVIK_PRESSURE, NARVIK_WIND, NARVIK_DEPRESSION = 100_600.0, 4.5, 4.5
NARVIK_SEED, NARVIK_WAVES = 2018, 24
NARVIK_SOLAR_PEAK = 13  # UTC; the dry bulb peaks about two hours after solar noon (10:50 UTC at 17.6 °E)


def build_narvik(path: Path) -> None:
    """Write the Narvik scenario: normals, a daily swing and seeded waves of passing weather."""
    waves = [_waves(NARVIK_SEED + i, spread) for i, spread in enumerate(NARVIK_SPREAD)]
    normals, swings = ([_monthly(t, h) for h in clock.HOURS] for t in (NARVIK_NORMALS, NARVIK_SWING))
    daily = [s * _daily(h) for s, h in zip(swings, clock.HOURS, strict=True)]
    temp = [n + d + w for n, d, w in zip(normals, daily, waves[0], strict=True)]
    dew = [t - max(1.0, NARVIK_DEPRESSION + d) for t, d in zip(temp, daily, strict=True)]
    series = [(t, NARVIK_PRESSURE + p, max(0.5, NARVIK_WIND + w))
              for t, p, w in zip(temp, waves[1], waves[2], strict=True)]  # fmt: skip
    _write(path, series, dew)


def _monthly(table: Sequence[float], hour: datetime) -> float:
    """Value between the monthly figures, which stand for the middle of their months."""
    position = (hour.timetuple().tm_yday - 1 + hour.hour / 24) / 365 * 12 - 0.5
    month = math.floor(position)
    share = position - month
    return (1 - share) * table[month % 12] + share * table[(month + 1) % 12]


def _daily(hour: datetime) -> float:
    return math.cos(2 * math.pi * (hour.hour + 0.5 - NARVIK_SOLAR_PEAK) / 24)


def _waves(seed: int, spread: float) -> list[float]:
    """Sum of sine waves with periods from 36 hours to 30 days and seeded phases, of the given spread."""
    draw = random.Random(seed).random
    periods = [36 * 20 ** (k / (NARVIK_WAVES - 1)) for k in range(NARVIK_WAVES)]
    phases = [2 * math.pi * draw() for _ in periods]
    height = spread * math.sqrt(2 / NARVIK_WAVES)
    both = list(zip(periods, phases, strict=True))
    return [height * sum(math.sin(2 * math.pi * i / p + f) for p, f in both) for i in range(len(clock.HOURS))]


def _key(hour: datetime) -> Key:
    return hour.month, hour.day, hour.hour


def _write(path: Path, series: Sequence[Hour], dew: Sequence[float]) -> None:
    rows = [(_tenth(t), _tenth(min(d, t)), f"{p:.0f}", _tenth(w))
            for (t, p, w), d in zip(series, dew, strict=True)]  # fmt: skip
    clock.write(path, COLUMNS, rows)


def _tenth(value: float) -> str:
    """One decimal, without a negative zero; the tiny shift keeps ties from hanging on the last bit."""
    return f"{round(value + 1e-9, 1) + 0.0:.1f}"
