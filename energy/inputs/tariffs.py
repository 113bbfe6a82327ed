"""Tariff files: what a site pays beside spot, dated and cited, in its own currency and without VAT."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from energy.errors import ConfigError
from energy.inputs.dated import ALWAYS, Window
from energy.inputs.fleet import Fleet
from energy.inputs.resources import model_path
from energy.inputs.yaml_files import Frozen, load_model

Confidence = Literal["H", "M", "L", "CALC", "MEM"]
#: A rate of a tariff; the bounds catch a slip of the decimal point by five digits.
Money = Annotated[float, Field(ge=-1e8, le=1e8)]
#: Units of a component, by kind; with the tariff's currency for {currency}.
UNITS = {
    "energy": ("{currency}/MWh",),
    "spot_share": ("1",),
    "demand": ("{currency}/MW/month", "{currency}/MW/year"),
    "fixed": ("{currency}/month", "{currency}/year", "{currency}/day"),
    "minimum_bill": ("{currency}/month",),
}
#: Kinds that a month's invoice has once.
BILLED_BY_MONTH = ("demand", "fixed", "minimum_bill")


class _Rate(Frozen):
    """What every component says. A later `valid_from` replaces the same name from its site-local date on.

    Before its first date the first rate stands in, with a notice: a rate nobody wrote down is not 0. What really did
    not exist yet is written as a version with value 0.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    valid_from: date
    unit: str
    source: str = Field(min_length=3)
    confidence: Confidence


class Energy(_Rate):
    """Per MWh drawn, in the hours of `when`; `reduced` is the rate of sites that list the name in reduced_rates."""

    kind: Literal["energy"]
    value: Money
    reduced: Money | None = None
    when: Window = ALWAYS


class SpotShare(_Rate):
    """Per MWh drawn, a share of spot: marginal loss (may be negative), a supplier's percentage."""

    kind: Literal["spot_share"]
    value: float = Field(ge=-0.5, le=1.0)
    when: Window = ALWAYS


class Band(Frozen):
    """A band of a demand charge: this rate up to this peak (none: without end)."""

    up_to_mw: float | None = Field(default=None, gt=0)
    value: float = Field(ge=0)


class Demand(_Rate):
    """Per MW of the month's billed peak.

    Billed peak = the highest import in the month's hours of `when` (all hours: a monthly peak; declared hours: a
    coincident peak), but at least `ratchet_share` times the highest of the `look_back_months` before (1 and 11:
    an annual peak paid monthly). `bands` instead of `value` give rising rates by band of the peak.
    """

    kind: Literal["demand"]
    value: float | None = Field(default=None, ge=0)
    bands: tuple[Band, ...] = ()
    when: Window = ALWAYS
    look_back_months: int = Field(default=0, ge=0, le=24)
    ratchet_share: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _one_price(self) -> Demand:
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


class Fixed(_Rate):
    """Per month, year or day, whatever is drawn."""

    kind: Literal["fixed"]
    value: Money


class MinimumBill(_Rate):
    """Least sum per month of the tariff's own lines (all of them except spot and what follows spot)."""

    kind: Literal["minimum_bill"]
    value: float = Field(ge=0)


Component = Annotated[Energy | SpotShare | Demand | Fixed | MinimumBill, Field(discriminator="kind")]


class Tariff(Frozen):
    """One file of ``models/tariffs/``. VAT is left out: the companies we plan for reclaim it."""

    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    description: str = ""
    components: tuple[Component, ...]

    @model_validator(mode="after")
    def _units(self) -> Tariff:
        """The unit is said out loud: a rate per kWh taken for one per MWh would be wrong a thousandfold."""
        for i, c in enumerate(self.components):
            allowed = [u.format(currency=self.currency) for u in UNITS[c.kind]]
            if c.unit not in allowed:
                raise ValueError(f"components.{i}.unit: {c.unit!r} of {c.name}; allowed: {' or '.join(allowed)}")
        return self

    @model_validator(mode="after")
    def _each_date_once(self) -> Tariff:
        kinds = {(c.name, c.kind) for c in self.components}
        if mixed := sorted(n for n in {n for n, _ in kinds} if sum(m == n for m, _ in kinds) > 1):
            raise ValueError(f"components: {mixed[0]} is of two kinds; a name has one kind")
        keys = [(c.name, c.kind, c.valid_from) for c in self.components]
        if twice := sorted({k for k in keys if keys.count(k) > 1}):
            raise ValueError(f"components: {twice[0][0]} has two rates from {twice[0][2]}; each date once")
        return self

    @model_validator(mode="after")
    def _one_minimum(self) -> Tariff:
        names = {c.name for c in self.components if c.kind == "minimum_bill"}
        if len(names) > 1:
            raise ValueError(f"components: {len(names)} minimum bills ({', '.join(sorted(names))}); at most one")
        return self

    @model_validator(mode="after")
    def _billed_by_month(self) -> Tariff:
        """One rate a month: a horizon that begins in mid-month must bill what the whole month's invoice will say."""
        first = {c.name: c.valid_from for c in sorted(self.components, key=lambda c: c.valid_from, reverse=True)}
        for i, c in enumerate(self.components):
            if c.kind in BILLED_BY_MONTH and c.valid_from != first[c.name] and c.valid_from.day != 1:
                rule = f"a {c.kind.replace('_', ' ')} is billed by the month and changes on the first of one"
                raise ValueError(f"components.{i}.valid_from: {c.valid_from} of {c.name}; {rule}")
        return self

    def doubtful(self) -> tuple[Component, ...]:
        """Components whose value is a single weak source or from memory."""
        return tuple(c for c in self.components if c.confidence in ("L", "MEM"))

    def stand_ins(self, day: date) -> tuple[Component, ...]:
        """First versions that hold on a day although they begin later."""
        firsts = {c.name: c for c in sorted(self.components, key=lambda c: c.valid_from, reverse=True)}
        return tuple(c for c in firsts.values() if c.valid_from > day)


def load_tariffs(fleet: Fleet, fleet_path: Path) -> dict[str, Tariff]:
    """Site name -> tariff.

    Raises
    ------
    ConfigError : no such tariff, a file that does not hold, or a reduced rate that the tariff does not have.
    """
    read: dict[str, Tariff] = {}
    out = {}
    for name, site in fleet.sites.items():
        where = f"{fleet_path}: sites.{name}"
        read[site.tariff] = out[name] = read.get(site.tariff) or _tariff(site.tariff, f"{where}.tariff", fleet_path)
        have = {c.name for c in out[name].components if isinstance(c, Energy) and c.reduced is not None}
        if unknown := sorted(set(site.reduced_rates) - have):
            what = f"tariff {site.tariff} has no reduced rate {unknown[0]!r}"
            raise ConfigError(f"{where}.reduced_rates", what, ", ".join(sorted(have)) or "none")
    return out


def _tariff(name: str, where: str, fleet_path: Path) -> Tariff:
    try:
        path = model_path("tariffs", name, fleet_path)
    except FileNotFoundError as e:
        raise ConfigError(where, str(e)) from None
    return load_model(path, Tariff)
