"""What is known at the moment of a night: series cut there, and what stands in for the rest, labelled.

Gaps and hours beyond the known, filled by the rules of `forecast` and labelled.

How wrong the price forecast has been of late, walked forward over the history that a night keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from energy.errors import SeriesError
from energy.forecast import LeadErrors, errors, shape, weather_ahead
from energy.inputs.case import Nightly
from energy.nightly.config import Place
from energy.nightly.outcome import Known, hours_of
from energy.schema import Bools, Floats, Times
from energy.series.files import read_series
from energy.series.gap_filling import fill, forecast, numbers
from energy.series.read import HUMIDITY, SUN, VARIABLE_MAP
from energy.series.resample import complete, even
from energy.series.vintage import published_before

#: Days of history that make the season of the weather: all of a year and the weeks around its date.
SEASON_DAYS = 400
#: Labels of hours that nobody has published or measured.
GUESSED = ("forecast", "persistence")


def fill_prices(
    known: Known, zone: str | None, values: pd.DataFrame, since: np.datetime64, begin: np.datetime64,
    end: np.datetime64, time_zone: str,
) -> pd.DataFrame:  # fmt: skip
    """Prices of a zone on a complete grid; hours without one get the `shape` rule and the label forecast.

    Parameters
    ----------
    zone : None: no price but carbon, whose stand-in hours are nobody's concern
    """
    history = even(values, since, end)
    time, price = history.index.to_numpy(), history["value"].to_numpy()

    def guess(_: str, first: np.datetime64, times: Times) -> Floats:
        return shape(time, price, first, times, time_zone).values

    table, _ = fill(*_marked(complete(history, since, end, str(zone))), [forecast("forecast", guess)])
    if zone is not None:
        lost = hours_of(table, (table.index >= begin) & (table.index < known.known_until) & ~table["real"])
        if lost:
            known.fallback_hours["price"][zone] = lost
            known.reasons.append(
                f"price of {zone}: {lost:g} h of the delivery day are not known; the shape rule stands in"
            )
    return table


def fill_weather(
    known: Known, site: str, values: pd.DataFrame, since: np.datetime64, begin: np.datetime64, end: np.datetime64,
    stale_h: float,
) -> pd.DataFrame:  # fmt: skip
    """Weather of a site on a complete grid; hours without it are carried on from the last days (persistence)."""
    there = values[numbers(values)].notna().all(axis=1)
    measured = values[there & (values["quality"] != "forecast")]
    history, whole = even(values, since, end), complete(even(values[there], since, end), since, end, site)

    def guess(name: str, first: np.datetime64, times: Times) -> Floats:
        return weather_ahead(history.index.to_numpy(), history[name].to_numpy(), first, times).values

    table, _ = fill(*_marked(whole), [forecast("persistence", guess)])
    last = measured.index.max() if len(measured) else pd.Timestamp(since)
    age = float((pd.Timestamp(known.known_at) - last).total_seconds() / 3600)
    carried = (table.index >= begin) & (table.index < known.known_until) & (table["quality"] == "persistence")
    if age > stale_h and (lost := hours_of(table, carried)):
        known.fallback_hours["weather"][site] = lost
        known.reasons.append(f"weather of {site}: nothing measured for {age:.0f} h; the last days are carried on")
    return table


def _marked(table: pd.DataFrame) -> tuple[pd.DataFrame, Bools]:
    """The table with `real`: published or measured, and its gaps."""
    gaps = table[numbers(table)].isna().any(axis=1)
    real = ~gaps & ~table["quality"].isin(GUESSED)
    return table.assign(real=real), gaps.to_numpy()


#: Forecasts of so many past days are judged: with fewer, a week ahead is seen only once or twice.
JUDGED_DAYS = 14
#: Days ahead whose errors are told: those of docs/forecast.md.
LEAD_DAYS = (1, 2, 3, 5, 7)


def error_of_late(known: Known, zones: Sequence[str], time_zone: str) -> dict[str, float]:
    """Mean absolute error over that of the same hour of last week, by days ahead, all zones together.

    At each of the last days the `shape` rule is asked for the days that have since become known; a lead with nothing
    to compare, and one that last week's hour hits exactly, is left out.
    """
    found = [_of_zone(known, zone, time_zone) for zone in zones]
    own, last = (sum((_summed(f, which) for f in found), np.zeros(len(LEAD_DAYS))) for which in ("error", "last_week"))
    return {str(k): float(e / w) for k, e, w in zip(LEAD_DAYS, own, last, strict=True) if w > 0}


def _of_zone(known: Known, zone: str, time_zone: str) -> LeadErrors:
    table = known.tables[zone]
    values = table["value"].where(table["real"]).to_numpy(dtype=float)
    time = table.index.to_numpy()
    day = np.timedelta64(1, "D")
    past = [known.known_until.astype("datetime64[ns]") - k * day for k in range(JUDGED_DAYS, 0, -1)]
    begun = time[np.isfinite(values)][:1]  # before it there is nothing to forecast from
    origins = [o for o in past if (begun < o).any()]
    return errors(time, values, partial(shape, time_zone=time_zone), origins, LEAD_DAYS)


def _summed(found: LeadErrors, which: str) -> Floats:
    """Mean errors times their hours, so that zones add up."""
    total: Floats = np.array(getattr(found, which)) * np.array(found.hours)
    return total


#: Days of history that a night keeps: four whole weeks for the shape of the week, before each day whose forecast is judged.
HISTORY_DAYS = 28 + JUDGED_DAYS
#: A site whose last measured hour is older than this has no weather [h].
STALE_H = 24.0


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
    return published_before(pd.DataFrame({"value": value, "quality": label}, index=raw.index), until)


def _weather(raw: pd.DataFrame, quality: str, known: Known) -> pd.DataFrame:
    for theirs, (name, factor) in VARIABLE_MAP.items():
        if theirs in raw and name not in raw:
            raw = raw.assign(**{name: pd.to_numeric(raw[theirs], errors="coerce") * factor})
    humidity = [h for h in HUMIDITY if h in raw][:1]
    names = [n for n in ("temp_air", *humidity, "pressure", *SUN) if n in raw]
    out = raw[names].apply(pd.to_numeric, errors="coerce").astype(float)
    label = raw["quality"].fillna(quality) if "quality" in raw else quality
    return published_before(out.assign(quality=label), known.known_at)


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
