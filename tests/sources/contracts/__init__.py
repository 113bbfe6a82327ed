"""Handlers that enforce what SOURCES.md says of each source, and serve the world's truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sources.contracts.base import Contract
from tests.sources.contracts.energy_data import CarbonIntensity, EnergyCharts, Hvakosterstrommen, MarketIndex
from tests.sources.contracts.entsoe import Entsoe
from tests.sources.contracts.money_water import Ecb, NorgesBank, Nve
from tests.sources.contracts.weather import Frost, Locationforecast, NasaPower, OpenMeteo, OpenMeteoArchive, Pvgis

CONTRACTS: dict[str, Callable[[Any], Contract]] = {
    "entsoe": Entsoe,
    "hvakosterstrommen": Hvakosterstrommen,
    "energy_charts": EnergyCharts,
    "elexon": MarketIndex,
    "carbon_intensity": CarbonIntensity,
    "met_norway": Locationforecast,
    "frost": Frost,
    "open_meteo": OpenMeteo,
    "open_meteo_archive": OpenMeteoArchive,
    "nasa_power": NasaPower,
    "pvgis": Pvgis,
    "nve": Nve,
    "ecb": Ecb,
    "norges_bank": NorgesBank,
}
