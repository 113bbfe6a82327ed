"""Demand charges: measured peaks, look-back, bands, the share of a month that a horizon bears and what it adds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from energy.inputs.components.protocol import Component, RollOver, StateNames, latest
from energy.inputs.dated import ALWAYS, Window
from energy.inputs.metered import Line, Metered
from energy.inputs.state import ChargeSoFar
from energy.inputs.terms import PeakBand, PeakCharge, Term
from energy.inputs.yaml_files import Frozen
from energy.schema import Bools, Floats
from energy.schema.calendar import BillingMonth
from energy.schema.invoice import LineKind


class Band(Frozen):
    """A band of a demand charge: this rate up to this peak (none: without end)."""

    up_to_mw: float | None = Field(default=None, gt=0)
    value: float = Field(ge=0)


@dataclass(frozen=True)
class BilledBand:
    """One band of a demand charge in a month.

    Attributes
    ----------
    rate : EUR/MW, by the hours on record and of the horizon
    spread_h : hours that the month's rate is spread over
    billed : what the month's invoice holds already [EUR]
    """

    label: str
    width: float
    rate: float
    spread_h: float
    billed: float


class Demand(Component):
    """Per MW of the month's billed peak.

    Billed peak = the highest import in the month's hours of `when` (all hours: a monthly peak; declared hours: a
    coincident peak), but at least `ratchet_share` times the highest of the `look_back_months` before (1 and 11:
    an annual peak paid monthly). `bands` instead of `value` give rising rates by band of the peak.
    """

    units: ClassVar = ("{currency}/MW/month", "{currency}/MW/year")
    line_kind: ClassVar[LineKind] = "demand"
    billed_by_month: ClassVar = True
    counted: ClassVar = True
    at_most_one: ClassVar = False

    kind: Literal["demand"]
    value: float | None = Field(default=None, ge=0)
    bands: tuple[Band, ...] = ()
    when: Window = ALWAYS
    look_back_months: int = Field(default=0, ge=0, le=24)
    ratchet_share: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.value is None) == (not self.bands):
            raise ValueError("a demand charge has either value or bands")
        ends = [b.up_to_mw for b in self.bands]
        closed = [e for e in ends if e is not None]
        if self.bands and (ends[-1] is not None or ends[:-1] != closed or closed != sorted(set(closed))):
            raise ValueError("bands rise in up_to_mw, and the last one has none")
        rates = [b.value for b in self.bands]
        if rates != sorted(rates):
            raise ValueError("rates of bands must not fall: a falling rate has no linear program")
        return self

    def rates(self) -> list[tuple[float, float]]:
        """(width [MW], rate) of each band, the last one of infinite width."""
        if self.value is not None:
            return [(float("inf"), self.value)]
        ends = [float("inf") if b.up_to_mw is None else b.up_to_mw for b in self.bands]
        return [(end - start, b.value) for start, end, b in zip([0.0, *ends[:-1]], ends, self.bands, strict=True)]

    def line_names(self) -> list[str]:
        """Invoice line of each band: the charge's own name where it has one rate only."""
        number = len(self.rates())
        return [self.name] if number == 1 else [f"{self.name}_band_{i + 1}" for i in range(number)]

    def terms(self, reduced: bool) -> tuple[Term, ...]:
        """A peak charge."""
        bands = tuple(PeakBand(name, *rate) for name, rate in zip(self.line_names(), self.rates(), strict=True))
        per: Literal["month", "year"] = "year" if self.unit.endswith("/year") else "month"
        return (PeakCharge(self.name, bands, per, self.when, self.look_back_months, self.ratchet_share),)

    def per_mwh(self, meter: Metered) -> Floats:
        """Zero: it is paid by the MW."""
        return np.zeros(len(meter.dt))

    @classmethod
    def lines(cls, versions: Sequence[Self], meter: Metered, month: BillingMonth, before: Sequence[Line]) -> list[Line]:
        """One line per band: its sum up to now less what was billed before."""
        c = latest(versions, month.first_day)
        counted = _counted_hours(versions, c, meter)
        if not (counted & month.inside).any() and not meter.state.knows(month.label, c._window, c.name):
            return []
        measured = meter.raised({}, counted)
        left, out = c._billed(month.label, measured, meter.state.peaks_of(c._window)), []
        for i, b in enumerate(c._bands(meter, month)):
            part = min(left, b.width)
            if b.rate and (part > 0 or i == 0):
                added = part * b.rate - b.billed
                out.append(Line(meter.site, month.label, b.label, "demand", part, "MW", b.rate, added, b.billed))
            left -= part
        return out

    @classmethod
    def roll_over(
        cls, versions: Sequence[Self], meter: Metered, running: BillingMonth | None, lines: Sequence[Line]
    ) -> RollOver:
        """Peaks of the declared hours, and accounts by band; a band without an invoice line yet accrues its rate too."""
        windowed = [c for c in versions if c.when != ALWAYS]
        counted = _counted_hours(versions, windowed[-1], meter) if windowed else None
        name = versions[0].name
        peaks = {} if counted is None else {name: meter.raised(meter.state.window_peaks_mw.get(name, {}), counted)}
        if running is None:
            return RollOver(peaks=peaks)
        added = {x.component: x.amount_eur for x in lines}
        charges = {
            b.label: ChargeSoFar(
                rate_eur_per_mw=b.rate, spread_h=b.spread_h, billed_eur=max(b.billed + added.get(b.label, 0.0), 0.0)
            )
            for b in latest(versions, running.first_day)._bands(meter, running)
        }
        return RollOver(peaks=peaks, charges=charges)

    def state_names(self) -> StateNames:
        """Its own peaks where it counts declared hours only, and an account for each band."""
        return StateNames(() if self.when == ALWAYS else (self.name,), tuple(self.line_names()))

    def stated(self, reduced: bool) -> tuple[str, str]:
        """See `Component.stated`."""
        if self.bands:
            return "bands", " / ".join(f"{b.value:g}" for b in self.bands)
        return "value", f"{self.value:g}"

    @property
    def _window(self) -> str | None:
        """The name under which the state keeps the charge's own peaks; None: those of all hours."""
        return None if self.when == ALWAYS else self.name

    def _billed(self, month: str, measured: Mapping[str, float], before: Mapping[str, float]) -> float:
        """Billed peak [MW]: the month's highest, or the ratchet's share of the highest look-back month."""

        def highest(label: str) -> float:
            return max(measured.get(label, 0.0), before.get(label, 0.0))

        earlier = [highest(str(pd.Period(month, "M") - k)) for k in range(1, self.look_back_months + 1)]
        return max([highest(month), *(self.ratchet_share * p for p in earlier)])

    def _bands(self, meter: Metered, month: BillingMonth) -> Iterator[BilledBand]:
        """Its bands, each at the rate of the hours so far.

        A month's rate accrues hour by hour, in the money of the day: so the sum over any nights is the month's invoice.
        """
        label, state = month.label, meter.state
        money = float(meter.money()[month.inside] @ meter.dt[month.inside])
        yearly = 12 if self.unit.endswith("/year") else 1
        charges = state.invoice_so_far[label].charges if label in state.invoice_so_far else {}
        new = ChargeSoFar(
            rate_eur_per_mw=0, spread_h=month.spread_h(state.peak_without_invoice(label, self._window)), billed_eur=0
        )
        for line, (width, rate) in zip(self.line_names(), self.rates(), strict=True):
            known = charges.get(line, new)
            accrued = known.rate_eur_per_mw + rate * money / known.spread_h / yearly
            yield BilledBand(line, width, accrued, known.spread_h, known.billed_eur)


def _counted_hours(versions: Sequence[Demand], c: Demand, meter: Metered) -> Bools:
    """Hours that count for a charge: in every month, look-back months too, those of the version that bills it."""
    if c.when == ALWAYS:
        return np.full(len(meter.dt), True)
    out = np.full(len(meter.dt), False)
    for month in meter.calendar.months.values():
        version = latest(versions, month.first_day)
        if version.when != ALWAYS:
            out |= month.inside & meter.holds(version.when)
    return out
