"""Tariff files: what a site pays beside spot, dated and cited."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet
from energy.inputs.resources import model_path
from energy.inputs.yamlfile import Frozen, load_model


class Component(Frozen):
    """One rate. A later `valid_from` replaces the same name from its date on."""

    name: str
    kind: Literal["energy", "monthly_peak"]
    valid_from: date
    value: float
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
    out = {}
    for name, site in fleet.sites.items():
        try:
            out[name] = load_model(model_path("tariffs", site.tariff, fleet_path), Tariff)
        except FileNotFoundError as e:
            raise ConfigError(f"{fleet_path}: sites.{name}.tariff", str(e)) from None
    return out
