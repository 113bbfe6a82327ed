"""What the tariffs of a fleet assume: the rates in force at low confidence, and where each can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet, Site
from energy.inputs.resources import model_path
from energy.inputs.tariffs import Component, Tariff


@dataclass(frozen=True)
class Doubt:
    """One rate from a single weak source, an assumption or memory; `change` is the file and the key that hold it."""

    sites: tuple[str, ...]
    component: str
    rate: str
    confidence: str
    source: str
    change: str


def doubts(
    fleet: Fleet, tariffs: dict[str, Tariff], fleet_path: Path, bounds: tuple[np.datetime64, np.datetime64]
) -> list[Doubt]:
    """Low-confidence rates that hold on a site-local day between two UTC instants, in the order of the files."""
    found: dict[tuple[str, str], Doubt] = {}
    for name, site in fleet.sites.items():
        path = model_path("tariffs", site.tariff, fleet_path)
        for i, c in _in_force(tariffs[name], *_days(site, bounds)):
            if c in tariffs[name].doubtful():
                key, rate = _rate(c, site)
                where = f"{path.name}: components.{i}.{key}"
                sites = (*found[where, rate].sites, name) if (where, rate) in found else (name,)
                found[where, rate] = Doubt(sites, c.name, f"{rate} {c.unit}", c.confidence, c.source, where)
    return list(found.values())


def _days(site: Site, bounds: tuple[np.datetime64, np.datetime64]) -> tuple[date, date]:
    """First and last site-local day of the horizon."""
    ends = bounds[0], bounds[1] - np.timedelta64(1, "s")
    first, last = (pd.Timestamp(t).tz_localize("UTC").tz_convert(site.time_zone).date() for t in ends)
    return first, last


def _in_force(tariff: Tariff, first: date, last: date) -> Iterator[tuple[int, Component]]:
    """(position in the file, component) of every version that holds on some day of the span, or stands in on it."""
    for i, c in enumerate(tariff.components):
        begins = [o.valid_from for o in tariff.components if o.name == c.name]
        begun = c.valid_from <= last or c.valid_from == min(begins)
        if begun and all(after > first for after in begins if after > c.valid_from):
            yield i, c


def _rate(c: Component, site: Site) -> tuple[str, str]:
    """Key and figure that a site pays."""
    if c.kind == "demand" and c.bands:
        return "bands", " / ".join(f"{b.value:g}" for b in c.bands)
    if c.kind == "energy" and c.reduced is not None and c.name in site.reduced_rates:
        return "reduced", f"{c.reduced:g}"
    return "value", f"{c.value:g}"
