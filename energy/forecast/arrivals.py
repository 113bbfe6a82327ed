"""Work that has not arrived yet: the mean of what arrived on the same weekdays, as pseudo jobs of the job table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from energy.schema.calendar import local_moment, to_local, to_utc

#: How the id of a pseudo job begins; the case's `expected_jobs` demands it.
PREFIX = "expected-"
#: Weeks below which single weekdays are chance and every day gets the mean of all days.
LEAST_WEEKS = 2
#: Upper ends of the slack classes [days]: jobs that may wait differently long are not lumped together.
SLACK_DAYS = (1.0, 2.0, 3.0, 5.0, 7.0, 14.0)
#: What two jobs must share to be lumped together, beside their slack class.
KIND = ("gpu_kinds", "jurisdictions")
#: Decimals of GPU-hours and GPUs: a thousandth of a GPU-hour is worth less than a cent.
DIGITS = 3


def expected_arrivals(
    history: pd.DataFrame, known_at: np.datetime64, until: np.datetime64, window_days: int = 28, time_zone: str = "UTC"
) -> pd.DataFrame:
    """Pseudo jobs of the mean arriving work, a row per local day, kind and slack class.

    The mean of a weekday is its work over the number of such weekdays in the window; with less than two weeks, of
    all days. The day of `known_at` counts only what used to arrive after that time of day. Release and deadline keep
    the work-weighted mean time of day of arrival, wait for release, and length of the window.

    Parameters
    ----------
    history : job table with times as naive UTC `datetime64`: gpu_hours, max_gpus, release, deadline, gpu_kinds; where
        given jurisdictions, home_site and submitted (the moment at which a job became known; else its release)
    known_at : jobs submitted after this moment (UTC) are not looked at; what is to arrive after it is expected
    until : last moment (UTC) for which arrivals are expected, exclusive
    window_days : days before `known_at` whose mean counts
    time_zone : of the days and weekdays

    Returns
    -------
    Job table with columns id, label, gpu_hours, max_gpus, release, deadline, gpu_kinds, jurisdictions and home_site,
    sorted by id; without rows where nothing arrived in the window.

    Raises ValueError: a window without a day, or `until` not after `known_at`.
    """
    if window_days < 1 or until <= known_at:
        raise ValueError(f"window_days {window_days} and until {until}: at least one day, and until after {known_at}")
    now = local_moment(known_at, time_zone)
    seen = _seen(history, known_at, _at(now, -24.0 * window_days), time_zone)  # local days, as weekdays are counted in
    days = pd.date_range(now.normalize(), local_moment(until, time_zone), freq="D")
    window = pd.date_range(end=now, periods=window_days, freq="D")
    rows = [row for day in days for row in _day(seen, day, window, now)]
    columns = ["id", "label", "gpu_hours", "max_gpus", "release", "deadline", "gpu_kinds", "jurisdictions", "home_site"]
    table = pd.DataFrame(rows, columns=columns)
    return table[table["release"] < pd.Timestamp(until)].sort_values("id", ignore_index=True)


def _at(local: pd.Timestamp, hours: float) -> pd.Timestamp:
    """UTC moment at which local clocks show so many hours more: from midnight nine o'clock is nine on days of 23 h too.

    An hour that the day lacks is the first moment after it, one that it has twice the first of the two.
    """
    return pd.Timestamp(to_utc(local.replace(tzinfo=None) + pd.Timedelta(hours=hours), str(local.tz)))


def _seen(history: pd.DataFrame, known_at: np.datetime64, since: pd.Timestamp, zone: str) -> pd.DataFrame:
    """Jobs submitted after `since` and known, with their local moment of arrival, waits and slack class."""
    submitted = history["submitted"].fillna(history["release"]) if "submitted" in history else history["release"]
    mine = (submitted <= pd.Timestamp(known_at)) & (submitted > since)
    seen = history[mine].reset_index(drop=True)
    at = submitted[mine].reset_index(drop=True)
    local = to_local(at.to_numpy(), zone)
    length = (seen["deadline"] - seen["release"]).dt.total_seconds() / 3600
    optional = {k: seen[k].fillna("") if k in seen else "" for k in ("jurisdictions", "home_site")}
    return seen.assign(
        **optional, weekday=local.day_of_week, hour=local.hour + local.minute / 60,
        wait=(seen["release"] - at).dt.total_seconds().clip(lower=0) / 3600, length=length,
        slack=np.searchsorted(SLACK_DAYS, (length - seen["gpu_hours"] / seen["max_gpus"]) / 24),
    )  # fmt: skip


def _day(
    seen: pd.DataFrame, day: pd.Timestamp, window: pd.DatetimeIndex, now: pd.Timestamp
) -> Iterator[tuple[object, ...]]:
    """Rows of one local day."""
    whole = len(window) >= 7 * LEAST_WEEKS
    jobs = seen[seen["weekday"] == day.weekday()] if whole else seen
    if day == now.normalize():
        jobs = jobs[jobs["hour"] > now.hour + now.minute / 60]
    count = int((window.day_of_week == day.weekday()).sum()) if whole else len(window)
    for number, (kind, group) in enumerate(jobs.groupby([*KIND, "slack"], sort=True)):
        yield _row(f"{PREFIX}{day:%Y-%m-%d}-{number:02d}", day, kind, group, count)


def _row(name: str, day: pd.Timestamp, kind: tuple[object, ...], group: pd.DataFrame, days: int) -> tuple[object, ...]:
    """The mean of a group's jobs as one pseudo job."""
    work = group["gpu_hours"].to_numpy(dtype=float)
    hour, wait, length = (float(np.average(group[k], weights=work)) for k in ("hour", "wait", "length"))
    release = (_at(day, hour) + pd.Timedelta(hours=wait)).floor("min")
    home = str(group.groupby("home_site")["gpu_hours"].sum().sort_index().idxmax())
    deadline = (release + pd.Timedelta(hours=length)).ceil("min")
    gpus = max(round(float(group["max_gpus"].sum()) / days, DIGITS), 10.0**-DIGITS)
    hours = max(round(float(work.sum()) / days, DIGITS), 10.0**-DIGITS)
    return (name, "expected", hours, gpus, release, deadline, str(kind[0]), str(kind[1]), home)
