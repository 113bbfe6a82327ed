"""Day-ahead prices of 2018 [EUR/MWh]: SMARD auctions, and the labelled scenario for NO4."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from builder import clock

#: Bidding zone -> columns of the SMARD file; the German zone was split on 2018-10-01.
ZONES = {
    "SE4": ("Sweden 4[€/MWh]",),
    "DK2": ("Denmark 2[€/MWh]",),
    "DE": ("Germany/Austria/Luxembourg[€/MWh]", "Germany/Luxembourg[€/MWh]"),
    "FR": ("France[€/MWh]",),
    "NL": ("Netherlands[€/MWh]",),
}
BERLIN, OSLO = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Oslo")
BLOCK, WEEKDAY, WEEKEND = (
    "mean_of_7_day_block_eur_per_mwh",
    "hour_factor_weekday_oslo_time",
    "hour_factor_weekend_oslo_time",
)


def build_smard(lines: Sequence[str], path: Path) -> None:
    """Write `prices.csv` from the English SMARD export.

    The export's clock is Europe/Berlin in twelve-hour text, so 2 AM appears twice in October and never in
    March. The rows are consecutive hours; the text of every row is checked against the hour it must be.
    """
    rows = list(csv.DictReader(lines, delimiter=";"))
    for hour, row in zip(clock.HOURS, rows, strict=True):
        if _local(row) != hour.astimezone(BERLIN).replace(tzinfo=None):
            raise ValueError(f"SMARD row {row['Date']} {row['Time of day']} is not {clock.stamp(hour)}")
    clock.write(path, list(ZONES), [[_price(row, columns) for columns in ZONES.values()] for row in rows])


def _local(row: dict[str, str]) -> datetime:
    text = f"{row['Date']} {row['Time of day']}"
    return datetime.strptime(text, "%b %d, %Y %I:%M %p")  # noqa: DTZ007 - compared with a local clock


def _price(row: dict[str, str], columns: Sequence[str]) -> str:
    (value,) = (row[c] for c in columns if row[c] != "-")
    return f"{float(value):.2f}"


def build_no4(summary: Path, path: Path) -> None:
    """Write `prices_no4_scenario.csv`: published block means times published hour-of-day factors.

    price[t] = mean[block] * factor[t] / (mean of the factors over the block), so each seven-day block of
    Oslo time from 1 January has exactly the published mean before rounding to 0.01 EUR/MWh.
    """
    table = _summary(summary)
    factors = [_factor(table, hour) for hour in clock.HOURS]
    blocks = [_block(hour, len(table[BLOCK])) for hour in clock.HOURS]
    norm = [_mean([f for f, b in zip(factors, blocks, strict=True) if b == k]) for k in range(len(table[BLOCK]))]
    rows = [[f"{table[BLOCK][b] * f / norm[b]:.2f}"] for f, b in zip(factors, blocks, strict=True)]
    clock.write(path, ["NO4"], rows)


def _summary(path: Path) -> dict[str, list[float]]:
    table: dict[str, list[float]] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            table.setdefault(row["kind"], []).append(float(row["value"]))
    return table


def _factor(table: dict[str, list[float]], hour: datetime) -> float:
    local = hour.astimezone(OSLO)
    return table[WEEKEND if local.weekday() >= 5 else WEEKDAY][local.hour]


def _block(hour: datetime, count: int) -> int:
    return min((hour.astimezone(OSLO).timetuple().tm_yday - 1) // 7, count - 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
