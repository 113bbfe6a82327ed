"""How good the forecasts are, walking forward over real years: ``python -m benchmarks.forecasts --series FOLDER``.

Prices: each local midnight from the 30th day on, the days behind the one that is known. Weather: each fifth UTC midnight.
FOLDER holds `real2020/` and `nordic2019/` of the development data; the tables are those of ``docs/forecast.md``.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import numpy as np
import pandas as pd

from energy.forecast import LeadErrors, errors, shape, weather_ahead
from energy.schema import Floats, Times

#: Days ahead behind the last one that is known.
LEADS = (1, 2, 3, 5, 7)
#: Clock that market days follow, and days that the first forecast may look back on.
ZONE, FIRST_DAY = "Europe/Oslo", 30
#: Fading times of the weather forecast that are compared [h]; the last carries the last days on for ever.
FADES = (12.0, 24.0, 36.0, 48.0, 72.0, 1e6)
PRICES = ("nordic2019", "real2020")
WEATHER = (
    "nordic2019/weather_skien",
    "real2020/weather_skien",
    "real2020/weather_frankfurt",
    "real2020/weather_london",
)


def series(path: Path) -> tuple[Times, pd.DataFrame]:
    """Starts (UTC) and columns of one CSV file."""
    table = pd.read_csv(path)
    return pd.to_datetime(table.pop("utc"), utc=True).dt.tz_localize(None).to_numpy(), table


def midnights(time: Times, zone: str, every: int = 1) -> list[np.datetime64]:
    """Local midnights (UTC) with a month of history before and a week of truth behind."""
    local = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(zone)
    days = pd.date_range(
        local[0].normalize() + pd.Timedelta(days=FIRST_DAY), local[-1] - pd.Timedelta(days=9), freq=f"{every}D"
    )
    return list(days.tz_convert("UTC").tz_localize(None).to_numpy())


def price_errors(folder: Path) -> list[tuple[str, str, LeadErrors]]:
    """(year, bidding zone, errors of the `shape` rule)."""
    out = []
    for year in PRICES:
        time, table = series(folder / year / "prices_eur_per_mwh.csv.gz")
        for zone in table:
            rule = functools.partial(shape, time_zone=ZONE)
            found = errors(time, table[zone].to_numpy(dtype=float), rule, midnights(time, ZONE), LEADS)
            out.append((year, str(zone), found))
    return out


def weather_errors(folder: Path) -> list[tuple[str, float, LeadErrors]]:
    """(place and year, fading time [h], errors of the dry bulb [K])."""
    out = []
    for name in WEATHER:
        time, table = series(folder / f"{name}.csv.gz")
        values: Floats = table["temp_air"].to_numpy(dtype=float)
        for fades in FADES:
            rule = functools.partial(weather_ahead, fades_h=fades)
            out.append((name, fades, errors(time, values, rule, midnights(time, "UTC", 5), LEADS)))
    return out


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def head(*names: str) -> list[str]:
    """Header of a Markdown table with the leads behind its own columns."""
    columns = (*names, *(f"D+{k}" for k in LEADS))
    return [row(*columns), row(*["---"] * len(names), *["---:"] * len(LEADS))]


def price_table(found: list[tuple[str, str, LeadErrors]]) -> list[str]:
    """Errors relative to the same hour of last week, by zone and in the mean of each year's zones."""
    lines = head("year", "zone", "mean error of last week's hour, D+1 [EUR/MWh]")
    for year in dict.fromkeys(y for y, _, _ in found):
        mine = [(zone, e) for y, zone, e in found if y == year]
        lines += [row(year, z, f"{e.last_week[0]:.2f}", *(f"{x:.2f}" for x in e.relative)) for z, e in mine]
        mean = np.mean([e.relative for _, e in mine], axis=0)
        lines.append(row(year, "**mean**", "", *(f"**{x:.2f}**" for x in mean)))
    return lines


def weather_table(found: list[tuple[str, float, LeadErrors]]) -> list[str]:
    """Mean absolute error [K] by fading time, mean of the places."""
    lines = head("fading time [h]")
    for fades in FADES:
        mean = np.mean([e.error for _, f, e in found if f == fades], axis=0)
        lines.append(row(f"{fades:.0f}" if fades < 1e6 else "never", *(f"{x:.2f}" for x in mean)))
    return lines


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, required=True, help="folder with real2020/ and nordic2019/")
    folder: Path = parser.parse_args().series
    print("\n".join([*price_table(price_errors(folder)), "", *weather_table(weather_errors(folder))]))


if __name__ == "__main__":
    main()
