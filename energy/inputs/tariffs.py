"""Tariff files: what a site pays beside spot, dated and cited, in its own currency and without VAT."""

from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from energy.errors import ConfigError
from energy.inputs.components import AnyComponent, Component
from energy.inputs.fleet import Fleet
from energy.inputs.resources import named_model
from energy.inputs.yaml_files import Frozen, load_model


class Tariff(Frozen):
    """One file of ``models/tariffs/``. VAT is left out: the companies we plan for reclaim it."""

    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    description: str = ""
    components: tuple[AnyComponent, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Every unit stated, a name of one kind with each date once, at most one of some kinds, one rate a month.

        A rate per kWh taken for one per MWh would be wrong a thousandfold. A horizon that begins in mid-month must bill
        what the whole month's invoice will say.
        """
        for i, c in enumerate(self.components):
            allowed = [u.format(currency=self.currency) for u in c.units]
            if c.unit not in allowed:
                raise ValueError(f"components.{i}.unit: {c.unit!r} of {c.name}; allowed: {' or '.join(allowed)}")
        kinds = {(c.name, type(c)) for c in self.components}
        if mixed := sorted(n for n in {n for n, _ in kinds} if sum(m == n for m, _ in kinds) > 1):
            raise ValueError(f"components: {mixed[0]} is of two kinds; a name has one kind")
        keys = [(c.name, c.valid_from) for c in self.components]
        if twice := sorted({k for k in keys if keys.count(k) > 1}):
            raise ValueError(f"components: {twice[0][0]} has two rates from {twice[0][1]}; each date once")
        for name, kind in Component.kinds.items():
            of_it = {c.name for c in self.components if isinstance(c, kind)}
            if kind.at_most_one and len(of_it) > 1:
                found = f"{len(of_it)} {name.replace('_', ' ')}s ({', '.join(sorted(of_it))})"
                raise ValueError(f"components: {found}; at most one")
        first = {c.name: c.valid_from for c in sorted(self.components, key=lambda c: c.valid_from, reverse=True)}
        for i, c in enumerate(self.components):
            if c.billed_by_month and c.valid_from != first[c.name] and c.valid_from.day != 1:
                rule = f"a {c.kind_name().replace('_', ' ')} is billed by the month and changes on the first of one"
                raise ValueError(f"components.{i}.valid_from: {c.valid_from} of {c.name}; {rule}")
        return self

    @cached_property
    def versions(self) -> dict[str, tuple[Component, ...]]:
        """Versions of each component, earliest first, in the order of the file."""
        dated = sorted(self.components, key=lambda c: c.valid_from)
        return {c.name: tuple(d for d in dated if d.name == c.name) for c in self.components}

    def low_confidence(self) -> tuple[Component, ...]:
        """Components whose value is a single weak source or from memory."""
        return tuple(c for c in self.components if c.confidence in ("L", "MEM"))

    def used_before_valid(self, day: date) -> tuple[Component, ...]:
        """First versions that hold on a day although they begin later."""
        firsts = {c.name: c for c in sorted(self.components, key=lambda c: c.valid_from, reverse=True)}
        return tuple(c for c in firsts.values() if c.valid_from > day)


def load_tariffs(fleet: Fleet, fleet_path: Path) -> dict[str, Tariff]:
    """Site name -> tariff.

    Raises
    ------
    ConfigError : no such tariff, an invalid file, or a reduced rate that the tariff does not have.
    """
    read: dict[str, Tariff] = {}
    out = {}
    for name, site in fleet.sites.items():
        where = f"{fleet_path}: sites.{name}"
        if site.tariff not in read:
            read[site.tariff] = load_model(named_model(f"{where}.tariff", "tariffs", site.tariff, fleet_path), Tariff)
        out[name] = read[site.tariff]
        have = {c.name for c in out[name].components if c.stated(reduced=True) != c.stated(reduced=False)}
        if unknown := sorted(set(site.reduced_rates) - have):
            what = f"tariff {site.tariff} has no reduced rate {unknown[0]!r}"
            raise ConfigError(f"{where}.reduced_rates", what, ", ".join(sorted(have)) or "none")
    return out
