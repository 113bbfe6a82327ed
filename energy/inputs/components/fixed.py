"""Components that are paid by time, whatever is drawn."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np

from energy.inputs.components.protocol import Component, Money, Stateless, latest
from energy.inputs.metered import Line, Metered
from energy.inputs.terms import FixedCost, Term
from energy.schema import Floats
from energy.schema.calendar import BillingMonth
from energy.schema.invoice import LineKind


class Fixed(Stateless, Component):
    """Per month, year or day, whatever is drawn."""

    units: ClassVar = ("{currency}/month", "{currency}/year", "{currency}/day")
    line_kind: ClassVar[LineKind] = "fixed"
    billed_by_month: ClassVar = True
    counted: ClassVar = True
    at_most_one: ClassVar = False

    kind: Literal["fixed"]
    value: Money

    def terms(self, reduced: bool) -> tuple[Term, ...]:
        """A fixed cost."""
        per: dict[str, Literal["day", "month", "year"]] = {"day": "day", "month": "month", "year": "year"}
        return (FixedCost(self.value, per[self.unit.split("/")[1]]),)

    def per_mwh(self, meter: Metered) -> Floats:
        """Zero: it is paid by time."""
        return np.zeros(len(meter.dt))

    @classmethod
    def lines(cls, versions: Sequence[Self], meter: Metered, month: BillingMonth, before: Sequence[Line]) -> list[Line]:
        """By the part of the day, month or year that each period is, in the money of its day."""
        c, inside = latest(versions, month.first_day), month.inside
        of_day, of_month = meter.dt[inside] / meter.calendar.day_h[inside], meter.dt[inside] / month.whole_h
        shares = {"day": of_day, "month": of_month, "year": of_month / 12}
        per = c.unit.split("/")[1]
        quantity, amount = float(shares[per].sum()), c.value * float(shares[per] @ meter.money()[inside])
        return [Line(meter.site, month.label, c.name, cls.line_kind, quantity, per, amount / quantity, amount)]

    def stated(self, reduced: bool) -> tuple[str, str]:
        """See `Component.stated`."""
        return "value", f"{self.value:g}"
