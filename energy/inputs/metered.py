"""What the invoice of a site is made from: its meter with what prices it, and the lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from energy.inputs.dated import Window
from energy.inputs.fx import Fx
from energy.inputs.state import SiteState
from energy.schema import Bools, Floats, Times
from energy.schema.invoice import LineKind


@dataclass(frozen=True)
class Line:
    """One invoice line, in EUR without VAT. `rate_eur` is per unit, the mean where it changes by the hour.

    `so_far_eur` is what the month's invoice holds of the line already; `amount_eur` comes on top of it.
    """

    site: str
    month: str
    component: str
    kind: LineKind
    quantity: float
    unit: str
    rate_eur: float
    amount_eur: float
    so_far_eur: float = 0.0


@dataclass(frozen=True, eq=False)
class Metered:
    """A site's meter over the periods of a bill, from a replay or a reading.

    Attributes
    ----------
    time, dt : starts (UTC) and lengths [h] of the periods, (T,)
    drawn : power drawn [MW], (T,)
    spot : day-ahead price of the zone [EUR/MWh], (T,)
    currency : of the tariff
    reduced_rates : components of which the site pays the reduced rate
    state : peaks and invoices before the first period
    """

    site: str
    country: str
    time_zone: str
    reduced_rates: tuple[str, ...]
    currency: str
    time: Times
    dt: Floats
    drawn: Floats
    spot: Floats
    fx: Fx
    state: SiteState

    @cached_property
    def local(self) -> pd.DatetimeIndex:
        """Period starts on the site's clock."""
        return pd.DatetimeIndex(self.time).tz_localize("UTC").tz_convert(self.time_zone)

    @cached_property
    def months(self) -> Any:
        """Billing month of each period, such as 2024-03, (T,)."""
        return self.local.strftime("%Y-%m").to_numpy()

    def inside(self, month: str) -> Bools:
        """Periods of a billing month, (T,)."""
        return np.asarray(self.months == month)

    def first_day(self, month: str) -> date:
        """First site-local day of the month that has a period."""
        day: date = self.local[self.inside(month)][0].date()
        return day

    def holds(self, when: Window) -> Bools:
        """Periods in which a window counts, (T,)."""
        return when.holds(self.local, self.country)

    def money(self, currency: str | None = None) -> Floats:
        """EUR per unit of a currency, by default the tariff's, on the day of each period, (T,)."""
        return self.fx.at(currency or self.currency, self.time)

    def month_hours(self, month: str) -> float:
        """Length of a calendar month on the site's clock [h]."""
        start = pd.Timestamp(f"{month}-01")
        return hours_between(start, start + pd.offsets.MonthBegin(1), self.time_zone)

    def day_shares(self, month: str) -> Floats:
        """Share of its local day that each period of a month is: 24ths, 23rds or 25ths of it where periods are hours."""
        inside = self.inside(month)
        local = self.local[inside]
        whole = {
            d: hours_between(pd.Timestamp(d), pd.Timestamp(d) + timedelta(days=1), self.time_zone)
            for d in sorted(set(local.date))
        }
        return np.asarray(self.dt[inside] / np.array([whole[day] for day in local.date]))

    def raised(self, peaks: Mapping[str, float], counted: Bools) -> dict[str, float]:
        """Peaks by month [MW] after these periods; a month without a period that counts gets none."""
        out = dict(peaks)
        for month in sorted(set(self.months[counted])):
            highest = float(self.drawn[self.inside(month) & counted].max(initial=0.0))
            out[str(month)] = max(out.get(str(month), 0.0), highest)
        return out

    def energy_line(
        self, month: str, component: str, kind: LineKind, mw: Floats, price: Floats, inside: Bools | None = None
    ) -> Line:
        """Line of power [MW] times price [EUR/MWh], period by period, in a month or in some of its periods."""
        energy = np.where(self.inside(month) if inside is None else inside & self.inside(month), mw * self.dt, 0.0)
        amount, quantity = float(energy @ np.broadcast_to(price, energy.shape)), float(energy.sum())
        return Line(self.site, month, component, kind, quantity, "MWh", amount / quantity if quantity else 0.0, amount)


def hours_between(start: pd.Timestamp, after: pd.Timestamp, zone: str) -> float:
    """Hours between two local midnights."""
    return float((after.tz_localize(zone) - start.tz_localize(zone)).total_seconds() / 3600)
