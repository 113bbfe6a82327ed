"""Terms of tariffs and contracts in the linear program: a closed set, which `problem` turns into arrays.

A kind of component or contract says which terms it is made of. Prices are in the currency of its tariff or contract.
What the bill charges is written apart, on purpose: the two must come to the same sum.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from energy.inputs.dated import ALWAYS, Window


@dataclass(frozen=True)
class EnergyPrice:
    """Per MWh drawn in the hours of `when`: a price [currency/MWh] and a share of spot [1].

    `counted` says whether it counts towards a minimum bill.
    """

    price: float = 0.0
    spot_share: float = 0.0
    when: Window = ALWAYS
    counted: bool = True


@dataclass(frozen=True)
class PeakBand:
    """A band of a peak charge: its account in the state, its width [MW], its rate per month or year [currency/MW]."""

    account: str
    width_mw: float
    rate: float


@dataclass(frozen=True)
class PeakCharge:
    """Per MW of the month's billed peak, by band; it counts towards a minimum bill.

    Billed peak: the highest import in the hours of `when` in the month, at least `ratchet_share` times that of the
    `look_back_months` before. `name` is that of its own peaks in the state.
    """

    name: str
    bands: tuple[PeakBand, ...]
    per: Literal["month", "year"]
    when: Window = ALWAYS
    look_back_months: int = 0
    ratchet_share: float = 1.0

    @property
    def window(self) -> str | None:
        """The name under which the state keeps the charge's own peaks; None: those of all hours."""
        return None if self.when == ALWAYS else self.name


@dataclass(frozen=True)
class FixedCost:
    """A sum per local day, month or year [currency], whatever is drawn; it counts towards a minimum bill."""

    value: float
    per: Literal["day", "month", "year"]


@dataclass(frozen=True)
class MinimumSum:
    """Least sum per month of the terms that count [currency]."""

    value: float


#: Terms of a tariff component.
Term: TypeAlias = EnergyPrice | PeakCharge | FixedCost | MinimumSum


@dataclass(frozen=True)
class OfferedVolume:
    """Each MWh drawn up to the contract's power may be taken at `strike` [currency/MWh] instead of spot."""

    strike: float


@dataclass(frozen=True)
class Settlement:
    """Paid per MWh of the contract's power, drawn or not [currency/MWh]; `against_spot`: less the spot price."""

    price: float
    against_spot: bool


@dataclass(frozen=True)
class Premium:
    """Paid per MWh of the contract's power for the right to take it [currency/MWh]."""

    per_mwh: float


#: Terms of a supply contract.
ContractTerm: TypeAlias = OfferedVolume | Settlement | Premium
