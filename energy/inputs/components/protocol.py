"""Protocol of every kind of tariff component: its terms in the program, its invoice lines, the state it leaves."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, ClassVar, Literal, Self, TypeAlias, TypeVar

import numpy as np
from pydantic import Field

from energy.inputs.kinds import AnyOf, Kind
from energy.inputs.metered import Line, Metered
from energy.inputs.state import ChargeSoFar
from energy.inputs.terms import Term
from energy.schema import Bools, Floats
from energy.schema.calendar import BillingMonth

Confidence = Literal["H", "M", "L", "CALC", "MEM"]
#: A rate of a tariff; the bounds catch a slip of the decimal point by five digits.
Money = Annotated[float, Field(ge=-1e8, le=1e8)]


@dataclass(frozen=True)
class RollOver:
    """State that a component leaves after a horizon.

    Attributes
    ----------
    peaks : MW by month, by the name under which the state keeps them
    charges : by account, on the invoice of the month that goes on
    minimum_eur, top_up_eur : what the horizon adds to the minimum sum and to its top-up on that invoice
    """

    peaks: Mapping[str, dict[str, float]] = field(default_factory=dict)
    charges: Mapping[str, ChargeSoFar] = field(default_factory=dict)
    minimum_eur: float = 0.0
    top_up_eur: float = 0.0


@dataclass(frozen=True)
class StateNames:
    """Names that a component has in the state: of its own peaks, and of its accounts on a month's invoice."""

    peaks: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class Component(Kind):
    """A component of a tariff. A later `valid_from` replaces the same name from its site-local date on.

    Before its first date the first rate is used, with a notice: a rate nobody wrote down is not 0. What really did
    not exist yet is written as a version with value 0.

    Program and bill are two accounts of the same charge, which guard each other: `terms` and `lines` must not share
    code. `lines` and `roll_over` speak for all versions of a name, earliest first.
    """

    #: Units allowed, with the tariff's currency for {currency}: a rate per kWh would be wrong a thousandfold.
    units: ClassVar[tuple[str, ...]]
    #: Whether a month's invoice has one rate of it, which then changes on the first of a month only.
    billed_by_month: ClassVar[bool]
    #: Whether its lines count towards a minimum bill; those that follow spot do not.
    counted: ClassVar[bool]
    #: Whether a tariff has at most one of it.
    at_most_one: ClassVar[bool]

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    valid_from: date
    unit: str
    source: str = Field(min_length=3)
    confidence: Confidence

    @abstractmethod
    def terms(self, reduced: bool) -> tuple[Term, ...]:
        """Terms that it adds to the program; `reduced`: for a site that lists its name in reduced_rates."""

    @abstractmethod
    def per_mwh(self, meter: Metered) -> Floats:
        """Amount that one more MWh drawn adds to its lines [EUR/MWh], (T,); 0 where it is not billed by energy."""

    @classmethod
    @abstractmethod
    def lines(cls, versions: Sequence[Self], meter: Metered, month: BillingMonth, before: Sequence[Line]) -> list[Line]:
        """Invoice lines of a month; `before` are the counted lines that stand above them."""

    @classmethod
    @abstractmethod
    def roll_over(
        cls, versions: Sequence[Self], meter: Metered, running: BillingMonth | None, lines: Sequence[Line]
    ) -> RollOver:
        """State for the next horizon.

        Parameters
        ----------
        running : month of the horizon that goes on after it, if any
        lines : its lines of that month
        """

    @abstractmethod
    def state_names(self) -> StateNames:
        """Names that the state may hold of it."""

    @abstractmethod
    def stated(self, reduced: bool) -> tuple[str, str]:
        """Key of the file and figure that a site pays."""


class Stateless:
    """Mixin of kinds whose invoice is a sum over hours: a horizon leaves no state to the next one."""

    @classmethod
    def roll_over(
        cls, versions: Sequence[Component], meter: Metered, running: BillingMonth | None, lines: Sequence[Line]
    ) -> RollOver:
        """Return an empty RollOver."""
        return RollOver()

    def state_names(self) -> StateNames:
        """Return no names."""
        return StateNames()


#: Any component, as the `kind` in a tariff file says.
AnyComponent: TypeAlias = Annotated[Component, AnyOf(Component)]
V = TypeVar("V", bound=Component)
Array = TypeVar("Array", Floats, Bools)


def latest(versions: Sequence[V], day: date) -> V:
    """The version in force on a day: the one that began last; before the first one that one."""
    return [c for i, c in enumerate(versions) if c.valid_from <= day or i == 0][-1]


def blended(versions: Sequence[V], meter: Metered, of: Callable[[V], Array]) -> Array:
    """`of` of the version in force in each period, (T,).

    A version holds from its first day to the next one's; the first one also before its first day.
    """
    out = of(versions[0])
    for c in versions[1:]:
        out = np.where(meter.calendar.days >= c.valid_from, of(c), out)
    return out
