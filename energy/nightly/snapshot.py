"""Series of a night as known at its moment: cut there, gaps and later hours filled by `forecast` and labelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from energy.errors import SeriesError
from energy.forecast import errors, shape, weather_ahead
from energy.inputs.case import Nightly
from energy.nightly.config import NightlyWorkspace
from energy.nightly.inputs import GUESSED, PRICES, SeriesSnapshot, hours_of
from energy.schema import Bools, Floats, Times
from energy.series.files import read_series
from energy.series.gap_filling import fill, forecast, numbers
from energy.series.read import HUMIDITY, SUN, VARIABLE_MAP
from energy.series.resample import complete, even
from energy.series.vintage import published_before, too_old


def fill_prices(
    known: SeriesSnapshot, zone: str | None, values: pd.DataFrame, since: np.datetime64, begin: np.datetime64,
    end: np.datetime64, time_zone: str,
) -> pd.DataFrame:  # fmt: skip
    """Prices of a zone on a complete grid; hours without one get the `shape` rule and the label forecast.

    Parameters
    ----------
    zone : None: no price but carbon, whose imputed hours are not reported
    """
    history = even(values, since, end)
    time, price = history.index.to_numpy(), history["value"].to_numpy()

    def guess(_: str, first: np.datetime64, times: Times) -> Floats:
        return shape(time, price, first, times, time_zone).values

    table, _ = fill(*_marked(complete(history, since, end, str(zone))), [forecast("forecast", guess)])
    if zone is not None:
        lost = hours_of(table, (table.index >= begin) & (table.index < known.known_until) & ~table["real"])
        if lost:
            known.imputed_hours["price"][zone] = lost
            message = f"price of {zone}: {lost:g} h of the delivery day are not known: imputed by the shape rule"
            known.reasons.append(message)
    return table


def fill_weather(
    known: SeriesSnapshot, site: str, values: pd.DataFrame, since: np.datetime64, begin: np.datetime64, end: np.datetime64,
) -> pd.DataFrame:  # fmt: skip
    """Weather of a site on a complete grid; hours without it are carried on from the last days (persistence)."""
    there = values[numbers(values)].notna().all(axis=1)
    measured = values[there & (values["quality"] != "forecast")]
    history, whole = even(values, since, end), complete(even(values[there], since, end), since, end, site)

    def guess(name: str, first: np.datetime64, times: Times) -> Floats:
        return weather_ahead(history.index.to_numpy(), history[name].to_numpy(), first, times).values

    table, _ = fill(*_marked(whole), [forecast("persistence", guess)])
    last = measured.index.max() if len(measured) else pd.Timestamp(since)
    carried = (table.index >= begin) & (table.index < known.known_until) & (table["quality"] == "persistence")
    if too_old("weather", last.to_datetime64(), known.known_at) and (lost := hours_of(table, carried)):
        age = float((pd.Timestamp(known.known_at) - last).total_seconds() / 3600)
        known.imputed_hours["weather"][site] = lost
        known.reasons.append(f"weather of {site}: nothing measured for {age:.0f} h; the last days are carried on")
    return table


def _marked(table: pd.DataFrame) -> tuple[pd.DataFrame, Bools]:
    """The table with `real`: published or measured, and its gaps."""
    gaps = table[numbers(table)].isna().any(axis=1)
    real = ~gaps & ~table["quality"].isin(GUESSED)
    return table.assign(real=real), gaps.to_numpy()


#: Forecasts of so many past days are judged: with fewer, a week ahead is seen only once or twice.
JUDGED_DAYS = 14
#: Days ahead whose errors are reported: those of docs/forecast.md.
LEAD_DAYS = (1, 2, 3, 5, 7)


def recent_forecast_error(known: SeriesSnapshot, zones: Sequence[str], time_zone: str) -> dict[str, float]:
    """Mean absolute error over that of the same hour of last week, by days ahead, all zones together.

    At each of the last days the `shape` rule is asked for the days that have since become known; a lead with nothing
    to compare, and one that last week's hour hits exactly, is left out.
    """
    past = [known.known_until.astype("datetime64[ns]") - np.timedelta64(k, "D") for k in range(JUDGED_DAYS, 0, -1)]
    own, last = np.zeros(len(LEAD_DAYS)), np.zeros(len(LEAD_DAYS))
    for table in (known.tables[zone] for zone in zones):
        values, time = table["value"].where(table["real"]).to_numpy(dtype=float), table.index.to_numpy()
        begun = time[np.isfinite(values)][:1]  # before it there is nothing to forecast from
        origins = [o for o in past if (begun < o).any()]
        found = errors(time, values, partial(shape, time_zone=time_zone), origins, LEAD_DAYS)
        own += np.array(found.error) * np.array(found.hours)  # means times hours, so that zones add up
        last += np.array(found.last_week) * np.array(found.hours)
    return {str(k): float(e / w) for k, e, w in zip(LEAD_DAYS, own, last, strict=True) if w > 0}


#: Days of history that a night keeps: four whole weeks for the shape of the week, before each day whose forecast is judged.
HISTORY_DAYS = 28 + JUDGED_DAYS


def read_series_snapshot(workspace: NightlyWorkspace, day: date, days: int, older: Path | None) -> SeriesSnapshot:
    """Read the series known for the night of `day` over a horizon of `days`.

    Parameters
    ----------
    older : kept inputs of an earlier night, which replace a source that cannot be read

    Raises
    ------
    SeriesError : a source cannot be read and no earlier night kept it.
    """
    config = workspace.config
    begin = config.begin(day)
    end = config.begin(day + timedelta(days=days))
    perfect = config.foresight == "perfect"
    known = SeriesSnapshot(
        end if perfect else config.known_at(day), end if perfect else config.begin(day + timedelta(days=1)),
        reasons=list(workspace.reasons), notes=list(workspace.notes),
    )  # fmt: skip
    since = config.begin(day - timedelta(days=HISTORY_DAYS))

    def source(
        file: str, kept: str, what: str, messages: list[str], column: str = "", renamed: str = ""
    ) -> pd.DataFrame:
        """The source's table; else the hours of it that an earlier night kept, which `messages` then say.

        One column of a kept table comes under the source's name for it.
        """
        path = workspace.beside(file)
        try:
            return read_series(path)
        except (SeriesError, OSError) as e:
            if older is None or not (older / kept).is_file():
                raise SeriesError(path, f"cannot be read, and no earlier night kept the {what} ({e})") from None
            messages.append(f"{what}: the source cannot be read; replaced by the snapshot of night {older.name}")
            table = _only_real(read_series(older / kept))
            names = {column: renamed, f"{column}_quality": f"{renamed}_quality"} if column else {c: c for c in table}
            return table[[c for c in table if c in names]].rename(columns=names)

    for spec in config.prices:
        for zone in spec.zones:
            column = spec.columns.get(zone, zone)
            raw = source(spec.file, PRICES, f"price of {zone}", known.reasons, zone, column)
            values = _column(raw, column, spec.quality, known.known_until)
            known.tables[zone] = fill_prices(known, zone, values, since, begin, end, config.time_zone)
    for site, w in config.weather.items():
        raw = source(w.file, f"weather_{site}.csv", f"weather of {site}", known.reasons)
        known.tables[site] = fill_weather(known, site, _weather(raw, w.quality, known), since, begin, end)
    for zone, c in config.carbon.items():  # no plan depends on it: a note
        raw = source(c.file, f"carbon_{zone}.csv", f"carbon of {zone}", known.notes, "value", c.column)
        values = _column(raw, c.column, c.quality, known.known_at)
        table = known.tables[f"carbon {zone}"] = fill_prices(known, None, values, since, begin, end, config.time_zone)
        last = table.index[table["real"]].max() if table["real"].any() else pd.Timestamp(since)
        if why := too_old("carbon", last.to_datetime64(), known.known_at):
            known.reasons.append(f"carbon of {zone}: {why}; later hours are made up from before")
    if config.foresight == "forecast":
        known.forecast_error = recent_forecast_error(known, config.zones(), config.time_zone)
    return known


def _only_real(table: pd.DataFrame) -> pd.DataFrame:
    """A kept table without what was filled or forecast in it."""
    for label in [str(c) for c in table if str(c).endswith("quality")]:
        values = [label.removesuffix("_quality")] if label != "quality" else [str(c) for c in table if c != "quality"]
        table[values] = table[values].where(~table[label].isin(GUESSED))
    return table


def _column(raw: pd.DataFrame, column: str, quality: str, until: np.datetime64) -> pd.DataFrame:
    """Value and quality of one column; after `until` only what is labelled forecast."""
    if column not in raw:
        return pd.DataFrame({"value": [], "quality": []}, index=pd.DatetimeIndex([], name="time"))
    value = pd.to_numeric(raw[column], errors="coerce").astype(float)
    label = raw[f"{column}_quality"].fillna(quality) if f"{column}_quality" in raw else quality
    return published_before(pd.DataFrame({"value": value, "quality": label}, index=raw.index), until)


def _weather(raw: pd.DataFrame, quality: str, known: SeriesSnapshot) -> pd.DataFrame:
    for theirs, (name, factor) in VARIABLE_MAP.items():
        if theirs in raw and name not in raw:
            raw = raw.assign(**{name: pd.to_numeric(raw[theirs], errors="coerce") * factor})
    humidity = [h for h in HUMIDITY if h in raw][:1]
    names = [n for n in ("temp_air", *humidity, "pressure", *SUN) if n in raw]
    out = raw[names].apply(pd.to_numeric, errors="coerce").astype(float)
    label = raw["quality"].fillna(quality) if "quality" in raw else quality
    return published_before(out.assign(quality=label), known.known_at)


def require_real_price(config: Nightly, known: SeriesSnapshot) -> None:
    """A night without any known price is refused: it would be a plan of guesses.

    Raises
    ------
    SeriesError : not one real price in the last week of any zone.
    """
    week = known.known_until - np.timedelta64(7, "D")
    tables = [known.tables[z] for z in config.zones()]
    if not any(t.loc[t.index >= week, "real"].any() for t in tables):
        raise SeriesError("prices", f"none is known of the week before {known.known_until}Z", "one zone at least")
