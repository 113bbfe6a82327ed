"""What is known at the moment of a night: series cut there, and what stands in for the rest, labelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from energy.inputs.errors import SeriesError
from energy.inputs.nightly import Nightly
from energy.inputs.series import HUMIDITY, SUN, VARIABLE_MAP
from energy.inputs.tables import read_series
from energy.operate.ahead import GUESSED, fill_prices, fill_weather, hours_of
from energy.operate.config import Place
from energy.operate.skill import JUDGED_DAYS, error_of_late

#: Days of history that a night keeps: four whole weeks for the shape of the week, before each day whose forecast is judged.
HISTORY_DAYS = 28 + JUDGED_DAYS
#: A site whose last measured hour is older than this has no weather [h].
STALE_H = 24.0


@dataclass
class Known:
    """Series of one night from HISTORY_DAYS before the delivery day to the horizon's end.

    Attributes
    ----------
    tables : by name (zone, site, ``carbon <zone>``): values, `quality`, and `real`: neither filled nor forecast
    reasons : what makes the night DEGRADED, in words
    notes : what does not
    fallback_hours : hours of the delivery day that are not real though they should be, by kind and name
    forecast_hours : hours of the horizon that is planned whose prices are forecast, of the zone with most
    forecast_error : of the price forecast of late, by days ahead, relative to last week's hour
    """

    known_at: np.datetime64
    known_until: np.datetime64
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fallback_hours: dict[str, dict[str, float]] = field(default_factory=lambda: {"price": {}, "weather": {}})
    forecast_hours: int = 0
    forecast_error: dict[str, float] = field(default_factory=dict)

    def real(self, begin: np.datetime64, end: np.datetime64) -> list[str]:
        """Names of the series that are not real throughout [begin, end)."""
        return [n for n, t in self.tables.items() if not t.loc[(t.index >= begin) & (t.index < end), "real"].all()]

    def count_forecast(self, zones: list[str], begin: np.datetime64, end: np.datetime64) -> None:
        """Set `forecast_hours` to those within [begin, end)."""
        inside = {z: (t.index >= begin) & (t.index < end) for z, t in self.tables.items() if z in zones}
        forecast = {z: (self.tables[z]["quality"] == "forecast").to_numpy() & at for z, at in inside.items()}
        self.forecast_hours = max((int(hours_of(self.tables[z], at)) for z, at in forecast.items()), default=0)


def know(place: Place, day: date, days: int, older: Path | None) -> Known:
    """Everything known for the night of `day` over a horizon of `days`.

    Parameters
    ----------
    older : kept inputs of an earlier night, which stand in for a source that cannot be read

    Raises
    ------
    SeriesError : a source cannot be read and no earlier night kept it.
    """
    config = place.config
    begin = config.begin(day)
    end = config.begin(day + timedelta(days=days))
    perfect = config.foresight == "perfect"
    until = end if perfect else config.begin(day + timedelta(days=1))
    known = Known(end if perfect else config.known_at(day), until, reasons=list(place.reasons), notes=list(place.notes))
    since = config.begin(day - timedelta(days=HISTORY_DAYS))
    for spec in config.prices:
        for zone in spec.zones:
            column = spec.columns.get(zone, zone)
            raw = _source(place, known, spec.file, _Kept(older, "prices.csv", zone, column), f"price of {zone}")
            values = _column(raw, column, spec.quality, known.known_until)
            known.tables[zone] = fill_prices(known, zone, values, since, begin, end, config.time_zone)
    for site, w in config.weather.items():
        raw = _source(place, known, w.file, _Kept(older, f"weather_{site}.csv"), f"weather of {site}")
        known.tables[site] = fill_weather(known, site, _weather(raw, w.quality, known), since, begin, end, STALE_H)
    for zone, c in config.carbon.items():
        kept = _Kept(older, f"carbon_{zone}.csv", "value", c.column)  # no plan depends on it: a note
        raw = _source(place, known, c.file, kept, f"carbon of {zone}", known.notes)
        values = _column(raw, c.column, c.quality, known.known_at)
        known.tables[f"carbon {zone}"] = fill_prices(known, None, values, since, begin, end, config.time_zone)
    if config.foresight == "forecast":
        known.forecast_error = error_of_late(known, [z for p in config.prices for z in p.zones], config.time_zone)
    return known


@dataclass(frozen=True)
class _Kept:
    """What an earlier night kept of a source: folder, file, and its column beside the source's own name for it."""

    older: Path | None
    file: str
    column: str = ""
    theirs: str = ""

    def table(self) -> pd.DataFrame | None:
        """Without what was filled, its column named as the source does; None where nothing was kept."""
        if self.older is None or not (self.older / self.file).is_file():
            return None
        names = {self.column: self.theirs, f"{self.column}_quality": f"{self.theirs}_quality"} if self.column else {}
        table = _only_real(read_series(self.older / self.file))
        return table[[c for c in table if c in names]].rename(columns=names) if names else table


def _source(
    place: Place, known: Known, file: str, kept: _Kept, what: str, told: list[str] | None = None
) -> pd.DataFrame:
    """The source's table; what an earlier night kept of it where it cannot be read.

    Parameters
    ----------
    told : what takes the words that tell so; else the reasons, and the night is DEGRADED
    """
    try:
        return read_series(place.beside(file))
    except (SeriesError, OSError) as e:
        table = kept.table()
        if table is None:
            raise SeriesError(
                place.beside(file), f"cannot be read, and no earlier night kept the {what} ({e})"
            ) from None
        (known.reasons if told is None else told).append(
            f"{what}: the source cannot be read; what night {kept.older.name if kept.older else ''} kept stands in"
        )
        return table


def _only_real(table: pd.DataFrame) -> pd.DataFrame:
    """A kept table without what was filled or forecast in it."""
    for label in [str(c) for c in table if str(c).endswith("_quality")]:
        guess = table[label].isin(GUESSED)
        table[label.removesuffix("_quality")] = table[label.removesuffix("_quality")].where(~guess)
    if "quality" in table:
        guess = table["quality"].isin(GUESSED)
        names = [str(c) for c in table if c != "quality"]
        table[names] = table[names].where(~guess)
    return table


def _column(raw: pd.DataFrame, column: str, quality: str, until: np.datetime64) -> pd.DataFrame:
    """Value and quality of one column; after `until` only what is labelled forecast."""
    if column not in raw:
        return pd.DataFrame({"value": [], "quality": []}, index=pd.DatetimeIndex([], name="time"))
    value = pd.to_numeric(raw[column], errors="coerce").astype(float)
    label = raw[f"{column}_quality"].fillna(quality) if f"{column}_quality" in raw else quality
    return _cut(pd.DataFrame({"value": value, "quality": label}, index=raw.index), until)


def _weather(raw: pd.DataFrame, quality: str, known: Known) -> pd.DataFrame:
    for theirs, (name, factor) in VARIABLE_MAP.items():
        if theirs in raw and name not in raw:
            raw = raw.assign(**{name: pd.to_numeric(raw[theirs], errors="coerce") * factor})
    humidity = [h for h in HUMIDITY if h in raw][:1]
    names = [n for n in ("temp_air", *humidity, "pressure", *SUN) if n in raw]
    out = raw[names].apply(pd.to_numeric, errors="coerce").astype(float)
    label = raw["quality"].fillna(quality) if "quality" in raw else quality
    return _cut(out.assign(quality=label), known.known_at)


def _cut(table: pd.DataFrame, until: np.datetime64) -> pd.DataFrame:
    past = (table.index < pd.Timestamp(until)) & (
        table["quality"] != "persistence"
    )  # a source's guess: ours is labelled
    kept = past | (table["quality"] == "forecast")
    return table[kept]


def slack_days(jobs: pd.DataFrame, begin: np.datetime64) -> float:
    """Longest time that a job at hand may wait from the horizon's start on [days]."""
    if jobs.empty:
        return 0.0
    least = (jobs["left"] / jobs["max_gpus"]).to_numpy(dtype=float) / 24
    ends = (jobs["deadline"] - pd.Timestamp(begin)).dt.total_seconds().to_numpy() / 86400
    return float(np.maximum(ends - least, 0.0).max())


def check(config: Nightly, known: Known) -> None:
    """A night without any known price is refused: it would be a plan of guesses.

    Raises
    ------
    SeriesError : not one real price in the last week of any zone.
    """
    week = known.known_until - np.timedelta64(7, "D")
    zones = [z for p in config.prices for z in p.zones]
    if not any(known.tables[z].loc[known.tables[z].index >= week, "real"].any() for z in zones):
        raise SeriesError("prices", f"none is known of the week before {known.known_until}Z", "one zone at least")
