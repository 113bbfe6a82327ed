"""Tariff files: what a site pays beside spot, dated and cited."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet
from energy.inputs.resources import model_path
from energy.inputs.yamlfile import Frozen, load_model


class Component(Frozen):
    """One rate. A later `valid_from` replaces the same name from its date on."""

    name: str
    kind: Literal["energy", "monthly_peak"]
    valid_from: date
    value: float = Field(ge=-1e8, le=1e8)
    unit: str
    source: str = Field(min_length=3)
    confidence: Literal["H", "M", "L", "CALC", "MEM"]


class Tariff(Frozen):
    """One file of ``models/tariffs/``, in its own currency, without VAT."""

    name: str
    country: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    description: str = ""
    components: tuple[Component, ...]

    @model_validator(mode="after")
    def _units(self) -> Tariff:
        """The unit is said out loud: a rate per kWh taken for one per MWh would be wrong a thousandfold."""
        per = {"energy": "MWh", "monthly_peak": "MW/month"}
        for i, c in enumerate(self.components):
            if c.unit != (right := f"{self.currency}/{per[c.kind]}"):
                raise ValueError(f"components.{i}.unit: {c.unit!r} of {c.name}; allowed: {right}")
        return self

    @model_validator(mode="after")
    def _each_date_once(self) -> Tariff:
        keys = [(c.name, c.kind, c.valid_from) for c in self.components]
        if twice := sorted({k for k in keys if keys.count(k) > 1}):
            raise ValueError(f"components: {twice[0][0]} has two rates from {twice[0][2]}; each date once")
        return self

    def on(self, day: date, kind: str) -> dict[str, Component]:
        """Components of a kind in force on a site-local day, by name."""
        valid = sorted(
            (c for c in self.components if c.kind == kind and c.valid_from <= day), key=lambda c: c.valid_from
        )
        return {c.name: c for c in valid}


def load_tariffs(fleet: Fleet, fleet_path: Path) -> dict[str, Tariff]:
    """Site name -> tariff.

    Raises
    ------
    ConfigError : no such tariff, or a file that does not hold.
    """
    read: dict[str, Tariff] = {}
    out = {}
    for name, site in fleet.sites.items():
        where = f"{fleet_path}: sites.{name}.tariff"
        read[site.tariff] = out[name] = read.get(site.tariff) or _tariff(site.tariff, where, fleet_path)
    return out


def _tariff(name: str, where: str, fleet_path: Path) -> Tariff:
    try:
        path = model_path("tariffs", name, fleet_path)
    except FileNotFoundError as e:
        raise ConfigError(where, str(e)) from None
    return load_model(path, Tariff)
