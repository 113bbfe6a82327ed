"""Time: the periods of a horizon, and what the clock of a site shows in them. Nothing else converts time.

Inside the program time is UTC, naive `datetime64[ns]`, the start of a period. Site-local time exists in tariffs, limits,
arrivals and reports only, and comes from here: local days of 23, 24 and 25 hours, calendar years, billing months.
Program and bill share this file, so the tests of the bills pin it to figures calculated by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema.arrays import Bools, Floats, Ints, Times

#: Horizons and their site calendars that are kept: the days, plans and baselines of a night, many times over.
KEPT = 256


def to_local(time: Times, zone: str) -> pd.DatetimeIndex:
    """UTC moments on the clock of a time zone, shape (T,)."""
    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(zone)


def local_moment(moment: np.datetime64 | datetime, zone: str) -> pd.Timestamp:
    """A naive UTC moment on the clock of a time zone."""
    return pd.Timestamp(moment).tz_localize("UTC").tz_convert(zone)


def to_utc(local: datetime, zone: str) -> np.datetime64:
    """UTC moment at which the clock of a time zone shows a naive local time.

    The first of the two where the clock shows it twice; the first moment after it where the clock skips it.
    """
    stamp = pd.Timestamp(local).tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return stamp.tz_convert("UTC").tz_localize(None).as_unit("ns").to_datetime64()


def naive_utc(moment: datetime) -> datetime:
    """A moment in UTC without an offset; one that has none is UTC already."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def month_of(day: date) -> str:
    """Billing month of a site-local day, such as 2024-03."""
    return f"{day:%Y-%m}"


@dataclass(frozen=True, eq=False)
class Horizon:
    """Consecutive periods: of a plan, a replay or a meter.

    Attributes
    ----------
    time : starts (UTC), (T,), each the end of the period before
    dt : lengths [h], (T,)
    """

    time: Times
    dt: Floats

    @classmethod
    def of(cls, periods: xr.Dataset) -> Horizon:
        """The periods of a Problem, a Schedule, a replay: its `time` and `dt`."""
        return horizon(periods["time"].values, periods["dt"].values)

    def __len__(self) -> int:
        """Number of periods."""
        return len(self.time)

    @cached_property
    def ends(self) -> Times:
        """First moments after the periods (UTC), (T,)."""
        seconds = np.round(self.dt * 3600).astype(np.int64)
        return np.asarray(self.time + seconds * np.timedelta64(1, "s"))

    @property
    def start(self) -> np.datetime64:
        """First moment (UTC)."""
        return np.datetime64(self.time[0])

    @property
    def end(self) -> np.datetime64:
        """First moment after the last period (UTC)."""
        return np.datetime64(self.ends[-1])

    @cached_property
    def _calendars(self) -> dict[str, SiteCalendar]:
        return {}

    def on_clock(self, zone: str) -> SiteCalendar:
        """Calendar of a time zone over the periods; one per zone."""
        return self._calendars.setdefault(zone, SiteCalendar(self, zone))


def horizon(time: Times, dt: Floats) -> Horizon:
    """The Horizon of period starts (UTC) and lengths [h]: the same object for the same periods, with what it knows."""
    return _kept(np.asarray(time, dtype="datetime64[ns]").tobytes(), np.asarray(dt, dtype=float).tobytes())


@lru_cache(maxsize=KEPT)
def _kept(time: bytes, dt: bytes) -> Horizon:
    return Horizon(np.frombuffer(time, dtype="datetime64[ns]"), np.frombuffer(dt, dtype=float))


@dataclass(frozen=True, eq=False)
class SiteCalendar:
    """Clock of a time zone in each period of a horizon."""

    horizon: Horizon
    zone: str

    @cached_property
    def local(self) -> pd.DatetimeIndex:
        """Period starts on the clock, (T,)."""
        return to_local(self.horizon.time, self.zone)

    @cached_property
    def days(self) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """Local day (`datetime.date`) in which each period starts, (T,)."""
        return np.asarray(self.local.date)

    @cached_property
    def years(self) -> Ints:
        """Local calendar year in which each period starts, (T,)."""
        return self.local.year.to_numpy()

    @cached_property
    def rest_of_year_h(self) -> Floats:
        """Hours from the start of each period to the end of its local calendar year, (T,)."""
        ends = pd.DatetimeIndex([pd.Timestamp(year=int(y) + 1, month=1, day=1, tz=self.zone) for y in self.years])
        return np.asarray((ends - self.local) / pd.Timedelta(hours=1), dtype=float)

    @cached_property
    def day_h(self) -> Floats:
        """Length of the local day in which each period starts [h], (T,): 23 or 25 where the clock changes."""
        midnight = self.local.normalize()
        return np.asarray(((midnight + pd.DateOffset(days=1)) - midnight) / pd.Timedelta(hours=1), dtype=float)

    @cached_property
    def month_labels(self) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """Billing month in which each period starts, such as 2024-03, (T,)."""
        return np.asarray(self.local.strftime("%Y-%m"), dtype=object)

    @cached_property
    def months(self) -> Mapping[str, BillingMonth]:
        """Billing months that have a period, by label, in order."""
        out, hour = {}, pd.Timedelta(hours=1)
        for label in sorted(set(self.month_labels)):
            inside, month = self.month_labels == label, pd.Period(label, "M")
            first = int(np.argmax(inside))
            begin, end = (m.start_time.tz_localize(self.zone) for m in (month, month + 1))
            out[label] = BillingMonth(
                label, inside, self.days[first], float(self.horizon.dt[inside].sum()), (end - begin) / hour,
                (end - self.local[first]) / hour,
            )  # fmt: skip
        return out


@dataclass(frozen=True, eq=False)
class BillingMonth:
    """A calendar month on the clock of a site, and the periods of a horizon in it.

    Attributes
    ----------
    label : such as 2024-03
    inside : which periods, (T,)
    first_day : local day of the first of them
    covered_h : their length together [h]
    whole_h : length of the month [h]: 743 and 745 in months with a clock change
    remaining_h : from the first of them to the end of the month [h]
    """

    label: str
    inside: Bools
    first_day: date
    covered_h: float
    whole_h: float
    remaining_h: float

    def spread_h(self, begins_anew: bool) -> float:
        """Hours over which a charge of the month is spread.

        Without a peak on record the horizon is a sample of its month and bears the share of the hours that it covers.
        With a peak but no invoice on record it continues the month: a new peak serves from its first period to the
        end of the month, and the horizon bears the share of that which it covers.
        """
        return self.remaining_h if begins_anew else self.whole_h


def month_axis(calendars: list[SiteCalendar]) -> tuple[list[str], Ints]:
    """Billing months of all sites in order, and the position of each period's month by site, (S, T)."""
    names = sorted({label for calendar in calendars for label in calendar.months})
    return names, np.array([[names.index(label) for label in calendar.month_labels] for calendar in calendars])
