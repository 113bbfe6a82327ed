"""The least sum of a month's invoice."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from energy.inputs.components.protocol import Component, RollOver, StateNames, latest
from energy.inputs.metered import Line, Metered
from energy.inputs.state import InvoiceSoFar
from energy.inputs.terms import MinimumSum, Term
from energy.schema import Floats
from energy.schema.calendar import BillingMonth
from energy.schema.invoice import LineKind


class MinimumBill(Component):
    """Least sum per month of the tariff's own lines (all of them except spot and what follows spot)."""

    units: ClassVar = ("{currency}/month",)
    line_kind: ClassVar[LineKind] = "minimum"
    billed_by_month: ClassVar = True
    counted: ClassVar = False
    at_most_one: ClassVar = True

    kind: Literal["minimum_bill"]
    value: float = Field(ge=0)

    def terms(self, reduced: bool) -> tuple[Term, ...]:
        """A minimum sum."""
        return (MinimumSum(self.value),)

    def per_mwh(self, meter: Metered) -> Floats:
        """Zero: whether the month's sum stays below the least is known at its end."""
        return np.zeros(len(meter.dt))

    @classmethod
    def lines(cls, versions: Sequence[Self], meter: Metered, month: BillingMonth, before: Sequence[Line]) -> list[Line]:
        """One line: its top-up of the month so far, less the top-up billed before; negative where use catches up."""
        c, so_far = latest(versions, month.first_day), meter.state.invoice_so_far.get(month.label, InvoiceSoFar())
        counted = sum([*(x.amount_eur for x in before), so_far.counted_eur - so_far.minimum_eur])
        money, share = float(meter.money()[month.inside].mean()), month.covered_h / month.whole_h
        added = max(c.value * money * share - counted, 0.0) - so_far.top_up_eur
        rate = c.value * money
        return [Line(meter.site, month.label, c.name, cls.line_kind, share, "month", rate, added, so_far.top_up_eur)]

    @classmethod
    def roll_over(
        cls, versions: Sequence[Self], meter: Metered, running: BillingMonth | None, lines: Sequence[Line]
    ) -> RollOver:
        """The part of the least sum that the horizon bears, and what it has added."""
        return RollOver(
            minimum_eur=sum(x.quantity * x.rate_eur for x in lines), top_up_eur=sum(x.amount_eur for x in lines)
        )

    def state_names(self) -> StateNames:
        """None: a tariff has one minimum bill, and so has the invoice."""
        return StateNames()

    def stated(self, reduced: bool) -> tuple[str, str]:
        """See `Component.stated`."""
        return "value", f"{self.value:g}"
