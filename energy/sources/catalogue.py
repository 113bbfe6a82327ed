"""All sources by name: what `energy sources` lists and what a Client may ask."""

from __future__ import annotations

from energy.sources import (
    carbon_intensity,
    ecb,
    elexon,
    energy_charts,
    entsoe,
    frost,
    hvakosterstrommen,
    met_norway,
    nasa_power,
    norges_bank,
    nve,
    open_meteo,
    pvgis,
)
from energy.sources.spec import Source

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        entsoe.SOURCE, hvakosterstrommen.SOURCE, energy_charts.SOURCE, elexon.SOURCE, carbon_intensity.SOURCE,
        met_norway.SOURCE, frost.SOURCE, open_meteo.SOURCE, open_meteo.ARCHIVE, nasa_power.SOURCE, pvgis.SOURCE,
        nve.SOURCE, ecb.SOURCE, norges_bank.SOURCE,
    )
}  # fmt: skip
