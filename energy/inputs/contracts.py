"""Supply contracts and solar arrays of a site, as the fleet file gives them."""

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Field

from energy.inputs.dated import ALWAYS, Dated, Window, at
from energy.inputs.kinds import AnyOf, Kind
from energy.inputs.metered import Line, Metered
from energy.inputs.terms import ContractTerm, OfferedVolume, Premium, Settlement
from energy.inputs.yaml_files import Frozen
from energy.schema import Floats
from energy.schema.calendar import BillingMonth
from energy.schema.invoice import LineKind

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Contract(Kind):
    """A supply contract: power `mw` in the hours of `when`, at `price` per MWh in `currency`.

    Program and bill are two accounts of the same contract, which guard each other: `terms` and `lines` must not share
    code.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    mw: Dated
    price: float = Field(ge=-500, le=4000)
    currency: Currency = "EUR"
    when: Window = ALWAYS

    @abstractmethod
    def terms(self) -> tuple[ContractTerm, ...]:
        """Terms that it adds to the program."""

    @abstractmethod
    def saves(self, meter: Metered) -> Floats | None:
        """Saved against spot by each MWh taken from it, never below 0 [EUR/MWh], (T,); None where none can be taken."""

    @abstractmethod
    def lines(self, meter: Metered, month: BillingMonth, taken: Floats) -> list[Line]:
        """Invoice lines of a month; `taken` is the power taken from it [MW], (T,)."""

    def offers_volume(self) -> bool:
        """Whether the program decides how much of it to take."""
        return any(isinstance(term, OfferedVolume) for term in self.terms())

    def volume(self, meter: Metered) -> Floats:
        """Power of the contract in its hours [MW], (T,)."""
        return np.where(meter.holds(self.when), at(self.mw, meter.calendar.horizon.time, meter.calendar.zone), 0.0)


class Hedge(Contract):
    """Settled against spot: the site pays (price - spot) for `mw` whatever it draws. No decision depends on it."""

    line_kind: ClassVar[LineKind] = "hedge"

    kind: Literal["hedge"]

    def terms(self) -> tuple[ContractTerm, ...]:
        """The settlement."""
        return (Settlement(self.price, against_spot=True),)

    def saves(self, meter: Metered) -> Floats | None:
        """None: nothing is delivered."""
        return None

    def lines(self, meter: Metered, month: BillingMonth, taken: Floats) -> list[Line]:
        """The settlement."""
        price = self.price * meter.money(self.currency) - meter.spot
        return [meter.energy_line(month, self.name, self.line_kind, self.volume(meter), price)]


class TakeOrPay(Contract):
    """Delivered and paid whether drawn or not; what is drawn up to `mw` needs no spot, what is not is lost."""

    line_kind: ClassVar[LineKind] = "contract"

    kind: Literal["take_or_pay"]

    def terms(self) -> tuple[ContractTerm, ...]:
        """The volume that is paid, and that drawing it needs no spot."""
        return OfferedVolume(0.0), Settlement(self.price, against_spot=False)

    def saves(self, meter: Metered) -> Floats:
        """Spot."""
        return np.maximum(meter.spot, 0.0)

    def lines(self, meter: Metered, month: BillingMonth, taken: Floats) -> list[Line]:
        """The volume paid, and the spot saved by what is taken."""
        paid = self.price * meter.money(self.currency)
        return [
            meter.energy_line(month, self.name, self.line_kind, self.volume(meter), paid),
            meter.energy_line(month, f"{self.name}_taken", self.line_kind, taken, -self.saves(meter)),
        ]


class CappedPrice(Contract):
    """Spot, but never above `price` for the first `mw` drawn; `premium` per MWh of `mw` is paid in any case."""

    line_kind: ClassVar[LineKind] = "contract"

    kind: Literal["capped_price"]
    premium: float = Field(default=0.0, ge=0, le=1000)

    def terms(self) -> tuple[ContractTerm, ...]:
        """The volume at the cap, and the premium."""
        return OfferedVolume(self.price), Premium(self.premium)

    def saves(self, meter: Metered) -> Floats:
        """Spot above the cap."""
        return np.maximum(meter.spot - self.price * meter.money(self.currency), 0.0)

    def lines(self, meter: Metered, month: BillingMonth, taken: Floats) -> list[Line]:
        """The premium, and what the cap saves on what is taken."""
        paid = self.premium * meter.money(self.currency)
        return [
            meter.energy_line(month, f"{self.name}_premium", self.line_kind, self.volume(meter), paid),
            meter.energy_line(month, f"{self.name}_taken", self.line_kind, taken, -self.saves(meter)),
        ]


#: Any contract, as the `kind` in a fleet file says.
AnyContract: TypeAlias = Annotated[Contract, AnyOf(Contract)]


class FeedIn(Frozen):
    """Price of exported power: a share of spot, or a fixed price per MWh; up to `limit_mw`."""

    limit_mw: float = Field(gt=0)
    spot_share: float | None = Field(default=None, ge=0, le=1)
    price: float | None = Field(default=None, ge=0, le=1000)
    currency: Currency = "EUR"


class Solar(Frozen):
    """A fixed-tilt array on site (PVWatts): module power at 1000 W/m² and 25 °C, inverter power, orientation."""

    dc_mw: float = Field(gt=0, le=1000)
    ac_mw: float = Field(gt=0, le=1000)
    tilt_deg: float = Field(default=30.0, ge=0, le=90)
    azimuth_deg: float = Field(default=180.0, ge=0, lt=360)
    losses_percent: float = Field(default=14.0, ge=0, le=60)
    temperature_coefficient_per_k: float = Field(default=-0.0035, ge=-0.01, le=0)
    feed_in: FeedIn | None = None
