"""Faults of the soak: drawn by seed and night, put into the inputs or the environment, and taken out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from energy.nightly.config import FULL_AT, KILL_AT, load_nightly
from energy.series.files import read_series

#: Share of the nights that have a fault.
SHARE = 0.5
KINDS = ("price_missing", "source_failure", "no_weather", "disk_full", "kill", "kill", "clock_jump", "two_at_once")
#: Steps of a night, in order, at which it can be killed.
STEPS = ("settlement", "snapshot", "solved", "copied", "drawn", "manifest", "synced", "renamed", "entering", "entered", "linked",
         "switched")  # fmt: skip
#: Those at which the disk can be full.
FULL = ("settlement", "snapshot", "copied", "drawn", "manifest", "synced", "linked")
#: Days that the clock jumps by.
JUMPS = (-3, -1, 1)
#: What a source in trouble sends instead of a table.
ERROR_PAGE = "<html><body><h1>503 Service Unavailable</h1></body></html>\n"


@dataclass(frozen=True)
class Fault:
    """What goes wrong in a night, and where."""

    kind: str
    detail: str = ""

    def env(self) -> dict[str, str]:
        """Environment of the night's process."""
        return {"kill": {KILL_AT: self.detail}, "disk_full": {FULL_AT: self.detail}}.get(self.kind, {})

    @property
    def of_data(self) -> bool:
        """Whether the night must be labelled DEGRADED."""
        return self.kind in ("price_missing", "source_failure", "no_weather")


def draw(seed: int, night: int) -> Fault:
    """The fault of a night; none in the first five, which have no older night to fall back on."""
    rng = np.random.default_rng([seed, night])
    if night < 5 or rng.random() > SHARE:
        return Fault("none")
    kind = str(rng.choice(KINDS))
    details = {"kill": STEPS, "disk_full": FULL, "clock_jump": JUMPS, "price_missing": ("NO1", "NO2", "DK2"),
               "no_weather": ("skien", "oslo", "copenhagen")}  # fmt: skip
    return Fault(kind, str(rng.choice(details[kind])) if kind in details else "")


def prepare(folder: Path, config: Path, day: date, fault: Fault) -> None:
    """Put a fault of data into the series that the nightly file names."""
    place = load_nightly(config)
    prices = folder / "plan_prices.csv"
    if fault.kind == "source_failure":
        _instead(prices, ERROR_PAGE)
    elif fault.kind == "no_weather":
        (folder / f"plan_weather_{fault.detail}.csv").unlink()
    elif fault.kind == "price_missing":
        table = read_series(folder / "prices.csv")
        begin, end = (place.config.begin(day + timedelta(days=k)) for k in (0, 1))
        table.loc[(table.index >= begin) & (table.index < end), fault.detail] = np.nan
        _instead(prices, table.to_csv(index_label="utc", date_format="%Y-%m-%dT%H:%M:%SZ"))


def restore(folder: Path, config: Path) -> None:
    """The series as they should be: links to those of the soak."""
    place = load_nightly(config)
    for name in ("prices.csv", *(f"weather_{site}.csv" for site in place.config.weather)):
        link = folder / f"plan_{name}"
        link.unlink(missing_ok=True)
        link.symlink_to(name)


def mend(fault: Fault) -> bool:
    """Whether an operator runs the night again."""
    return fault.kind in ("kill", "disk_full")


def _instead(link: Path, text: str) -> None:
    link.unlink()
    link.write_text(text, encoding="utf-8")
