"""What reports need to know of the inputs: where they came from, what they assume, and a copy of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from energy.inputs.case import Case
from energy.inputs.components import Component
from energy.inputs.fleet import Fleet
from energy.inputs.load import Inputs
from energy.inputs.resources import model_path
from energy.inputs.tariffs import Tariff
from energy.inputs.yaml_files import dumped, parsed
from energy.schema import QUALITY
from energy.schema.calendar import local_moment


def hashes(inputs: Inputs) -> dict[Path, str]:
    """SHA-256 of every file that was read."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in inputs.contents.items()}


def series_origins(inputs: Inputs) -> list[dict[str, object]]:
    """Where each series came from: source, licence, credit, file, and periods by quality."""
    groups = (("price", inputs.series.prices), ("weather", inputs.series.weather), ("carbon", inputs.series.carbon))
    return [_origin(kind, name, ds) for kind, by_name in groups for name, ds in by_name.items()]


def _origin(kind: str, name: str, ds: xr.Dataset) -> dict[str, object]:
    labels, counts = np.unique(ds["quality"].values, return_counts=True)
    quality = {QUALITY[int(q)]: int(n) for q, n in zip(labels, counts, strict=True)}
    return {"kind": kind, "name": name, "file": Path(ds.attrs["file"]).name, "source": ds.attrs["source"],
            "licence": ds.attrs["licence"], "attribution": ds.attrs["attribution"], "quality": quality}  # fmt: skip


def rate_origins(inputs: Inputs) -> list[dict[str, object]]:
    """Where each exchange rate came from, and the credit it asks for."""
    return [{"currency": c, "source": r.source, "attribution": r.attribution} for c, r in inputs.case.fx.items()]


def early_rates(inputs: Inputs) -> list[str]:
    """One line for each tariff component whose first rate is used before its first date."""
    first = inputs.case.horizon.start
    return [
        f"tariff {t.name}: {c.name} is not known before {c.valid_from}; its first rate is used from {first} on"
        for t in {t.name: t for t in inputs.tariffs.values()}.values()
        for c in t.used_before_valid(first)
    ]


@dataclass(frozen=True)
class LowConfidenceRate:
    """One rate from a single weak source, an assumption or memory; `change` is the file and the key that hold it."""

    sites: tuple[str, ...]
    component: str
    rate: str
    confidence: str
    source: str
    change: str


def low_confidence_rates(inputs: Inputs) -> list[LowConfidenceRate]:
    """Low-confidence rates that hold on a site-local day of the horizon, in the order of the files."""
    found: dict[tuple[str, str], LowConfidenceRate] = {}
    start, last = inputs.horizon.start, inputs.horizon.end - np.timedelta64(1, "s")
    for name, site in inputs.fleet.sites.items():
        tariff, path = inputs.tariffs[name], model_path("tariffs", site.tariff, inputs.fleet_path)
        days = (local_moment(moment, site.time_zone).date() for moment in (start, last))
        for i, c in _in_force(tariff, *days):
            if c in tariff.low_confidence():
                key, rate = c.stated(reduced=c.name in site.reduced_rates)
                where = f"{path.name}: components.{i}.{key}"
                sites = (*found[where, rate].sites, name) if (where, rate) in found else (name,)
                found[where, rate] = LowConfidenceRate(sites, c.name, f"{rate} {c.unit}", c.confidence, c.source, where)
    return list(found.values())


def _in_force(tariff: Tariff, first: date, last: date) -> Iterator[tuple[int, Component]]:
    """(position in the file, component) of every version that is used on some day of the span."""
    for i, c in enumerate(tariff.components):
        begins = [o.valid_from for o in tariff.components if o.name == c.name]
        begun = c.valid_from <= last or c.valid_from == min(begins)
        if begun and all(after > first for after in begins if after > c.valid_from):
            yield i, c


#: The two files that name others; the copies in the folder name its files.
CASE, FLEET = "case.yaml", "fleet.yaml"
#: Digits of a file's SHA-256 before its name: enough to tell every version of every file apart.
DIGITS = 12


def pinned(inputs: Inputs) -> dict[str, bytes]:
    """The inputs as a flat folder that needs nothing else: file name -> content, ``case.yaml`` to begin with.

    Each file is as it was read, its name behind its hash; case and fleet name the copies.
    """
    fleet_path, folder = inputs.fleet_path, inputs.case_path.parent
    stored = {path: f"{sha[:DIGITS]}-{path.name}" for path, sha in hashes(inputs).items()}
    out = {stored[path]: data for path, data in inputs.contents.items()}
    out[CASE] = dumped(_case(inputs.case, lambda name: stored[folder / name]))
    raw = parsed(inputs.contents[fleet_path].decode("utf-8-sig"))
    out[FLEET] = dumped(_fleet(raw, inputs.fleet, lambda kind, name: stored[model_path(kind, name, fleet_path)]))
    return out


def _case(case: Case, stored: Callable[[str], str]) -> dict[str, Any]:
    """The case with its horizon as used, its files by their names in the folder."""
    data = case.model_dump(mode="json", exclude_none=True)
    data |= {"fleet": FLEET, "jobs": stored(case.jobs)}
    for key in ("state", "expected_jobs"):
        if key in data:
            data[key] = stored(data[key])
    for part in (*data["prices"], *data["weather"].values(), *data["carbon"].values(), *data["fx"].values()):
        if "file" in part:
            part["file"] = stored(part["file"])
    return data


def _fleet(raw: dict[str, Any], fleet: Fleet, stored: Callable[[str, str], str]) -> dict[str, Any]:
    """The fleet file as it stands, its models by their names in the folder."""
    for name, site in fleet.sites.items():
        mine = raw["sites"][name]
        mine["tariff"] = stored("tariffs", site.tariff)
        if site.limits:
            mine["limits"] = [stored("limits", limit) for limit in site.limits]
        for h, hall in site.halls.items():
            mine["halls"][h]["plant"] = stored("plants", hall.plant)
            for p, pool in hall.pools.items():
                mine["halls"][h]["pools"][p]["gpu"] = stored("gpus", pool.gpu)
    return raw
