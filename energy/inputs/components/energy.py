"""Components per MWh drawn: a rate of their own, or a share of spot."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from energy.inputs.components.protocol import Component, Money, Stateless, blended
from energy.inputs.dated import ALWAYS, Window
from energy.inputs.metered import Line, Metered
from energy.inputs.terms import EnergyPrice, Term
from energy.schema import Floats
from energy.schema.calendar import BillingMonth
from energy.schema.invoice import LineKind


class PerMwh(Stateless):
    """Lines of the kinds that are paid per MWh drawn."""

    @classmethod
    def lines(cls, versions: Sequence[Any], meter: Metered, month: BillingMonth, before: Sequence[Line]) -> list[Line]:
        """One line: the energy of its hours, each at the rate of the version in force."""
        price = blended(versions, meter, lambda c: c.per_mwh(meter))
        counts = blended(versions, meter, lambda c: meter.holds(c.when))
        return [meter.energy_line(month, versions[0].name, versions[0].line_kind, meter.drawn, price, counts)]


class Energy(PerMwh, Component):
    """Per MWh drawn, in the hours of `when`; `reduced` is the rate of sites that list the name in reduced_rates."""

    units: ClassVar = ("{currency}/MWh",)
    line_kind: ClassVar[LineKind] = "energy"
    billed_by_month: ClassVar = False
    counted: ClassVar = True
    at_most_one: ClassVar = False

    kind: Literal["energy"]
    value: Money
    reduced: Money | None = None
    when: Window = ALWAYS

    def terms(self, reduced: bool) -> tuple[Term, ...]:
        """A price."""
        return (EnergyPrice(price=self._rate(reduced), when=self.when),)

    def per_mwh(self, meter: Metered) -> Floats:
        """Rate in the hours of `when`, else 0, (T,) [EUR/MWh]."""
        rate = self._rate(self.name in meter.reduced_rates)
        return np.where(meter.holds(self.when), rate * meter.money(), 0.0)

    def stated(self, reduced: bool) -> tuple[str, str]:
        """See `Component.stated`."""
        return ("reduced" if reduced and self.reduced is not None else "value"), f"{self._rate(reduced):g}"

    def _rate(self, reduced: bool) -> float:
        return self.reduced if reduced and self.reduced is not None else self.value


class SpotShare(PerMwh, Component):
    """Per MWh drawn, a share of spot: marginal loss (may be negative), a supplier's percentage."""

    units: ClassVar = ("1",)
    line_kind: ClassVar[LineKind] = "energy"
    billed_by_month: ClassVar = False
    counted: ClassVar = False
    at_most_one: ClassVar = False

    kind: Literal["spot_share"]
    value: float = Field(ge=-0.5, le=1.0)
    when: Window = ALWAYS

    def terms(self, reduced: bool) -> tuple[Term, ...]:
        """A share of spot, which a minimum bill does not count."""
        return (EnergyPrice(spot_share=self.value, when=self.when, counted=False),)

    def per_mwh(self, meter: Metered) -> Floats:
        """The share of spot in its hours."""
        return np.where(meter.holds(self.when), self.value * meter.spot, 0.0)

    def stated(self, reduced: bool) -> tuple[str, str]:
        """See `Component.stated`."""
        return "value", f"{self.value:g}"
