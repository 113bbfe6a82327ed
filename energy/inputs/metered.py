"""Meter of a site with the series that price it, and the lines of its invoice."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from energy.inputs.dated import Window
from energy.inputs.fx import Fx
from energy.inputs.state import SiteState
from energy.schema import Bools, Floats
from energy.schema.calendar import BillingMonth, SiteCalendar
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
    calendar : the periods on the site's clock
    drawn : power drawn [MW], (T,)
    spot : day-ahead price of the zone [EUR/MWh], (T,)
    currency : of the tariff
    reduced_rates : components of which the site pays the reduced rate
    state : peaks and invoices before the first period
    """

    site: str
    country: str
    reduced_rates: tuple[str, ...]
    currency: str
    calendar: SiteCalendar
    drawn: Floats
    spot: Floats
    fx: Fx
    state: SiteState

    @property
    def dt(self) -> Floats:
        """Lengths of the periods [h], (T,)."""
        return self.calendar.horizon.dt

    def holds(self, when: Window) -> Bools:
        """Periods in which a window counts, (T,)."""
        return when.holds(self.calendar, self.country)

    def money(self, currency: str | None = None) -> Floats:
        """EUR per unit of a currency, by default the tariff's, on the day of each period, (T,)."""
        return self.fx.at(currency or self.currency, self.calendar.horizon.time)

    def raised(self, peaks: Mapping[str, float], counted: Bools) -> dict[str, float]:
        """Peaks by month [MW] after these periods; a month without a period that counts gets none."""
        out = dict(peaks)
        for label, month in self.calendar.months.items():
            if (month.inside & counted).any():
                highest = float(self.drawn[month.inside & counted].max(initial=0.0))
                out[label] = max(out.get(label, 0.0), highest)
        return out

    def energy_line(
        self, month: BillingMonth, component: str, kind: LineKind, mw: Floats, price: Floats,
        inside: Bools | None = None,
    ) -> Line:  # fmt: skip
        """Line of power [MW] times price [EUR/MWh], period by period, in a month or in some of its periods."""
        energy = np.where(month.inside if inside is None else inside & month.inside, mw * self.dt, 0.0)
        amount, quantity = float(energy @ np.broadcast_to(price, energy.shape)), float(energy.sum())
        rate = amount / quantity if quantity else 0.0
        return Line(self.site, month.label, component, kind, quantity, "MWh", rate, amount)
