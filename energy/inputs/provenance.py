"""Provenance of the inputs for reports: their sources, their assumptions, and a copy of all of them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from energy.inputs.load import Inputs
from energy.inputs.resources import model_path
from energy.inputs.yaml_files import dumped, parsed
from energy.schema import QUALITY
from energy.schema.calendar import local_moment


def hashes(inputs: Inputs) -> dict[Path, str]:
    """SHA-256 of every file that was read."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in inputs.contents.items()}


def series_origins(inputs: Inputs) -> list[dict[str, object]]:
    """Origin of each series: source, licence, credit, file, and periods by quality."""
    groups = (("price", inputs.series.prices), ("weather", inputs.series.weather), ("carbon", inputs.series.carbon))
    out: list[dict[str, object]] = []
    for kind, name, ds in ((kind, name, ds) for kind, by_name in groups for name, ds in by_name.items()):
        labels, counts = np.unique(ds["quality"].values, return_counts=True)
        quality = {QUALITY[int(q)]: int(n) for q, n in zip(labels, counts, strict=True)}
        terms = {key: ds.attrs[key] for key in ("source", "licence", "attribution")}
        out.append({"kind": kind, "name": name, "file": Path(ds.attrs["file"]).name, **terms, "quality": quality})
    return out


def rate_origins(inputs: Inputs) -> list[dict[str, object]]:
    """Origin of each exchange rate, and the credit it asks for."""
    return [{"currency": c, "source": r.source, "attribution": r.attribution} for c, r in inputs.case.fx.items()]


def early_rates(inputs: Inputs) -> list[str]:
    """One line for each tariff component whose first rate is used before its first date."""
    first = inputs.case.horizon.start
    return [
        f"tariff {t.name}: {c.name} is not known before {c.valid_from}; its first rate is used from {first} on"
        for t in {t.name: t for t in inputs.tariffs.values()}.values()
        for c in t.used_before_valid(first)
    ]


#: Age of a component's last rate beyond which a horizon says so, where the component has changed before: rates are yearly.
STALE_DAYS = 400


def late_rates(inputs: Inputs) -> list[str]:
    """One line for each tariff component that has changed before and whose last rate is more than a year old."""
    first, out = inputs.case.horizon.start, []
    for tariff in {t.name: t for t in inputs.tariffs.values()}.values():
        for name, versions in tariff.versions.items():
            last = versions[-1].valid_from
            if len(versions) > 1 and (first - last).days > STALE_DAYS:
                out.append(
                    f"tariff {tariff.name}: {name} has no rate later than that of {last}, which is used from {first} on"
                )
    return out


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
        first_day, last_day = (local_moment(moment, site.time_zone).date() for moment in (start, last))
        for i, c in enumerate(tariff.components):
            # A version is used if it has begun, or is the first of its name, and no later one holds from the first day on.
            begins = [o.valid_from for o in tariff.components if o.name == c.name]
            begun = c.valid_from <= last_day or c.valid_from == min(begins)
            used = begun and all(after > first_day for after in begins if after > c.valid_from)
            if used and c in tariff.low_confidence():
                key, rate = c.stated(reduced=c.name in site.reduced_rates)
                where = f"{path.name}: components.{i}.{key}"
                sites = (*found[where, rate].sites, name) if (where, rate) in found else (name,)
                found[where, rate] = LowConfidenceRate(sites, c.name, f"{rate} {c.unit}", c.confidence, c.source, where)
    return list(found.values())


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
    case = inputs.case.model_dump(mode="json", exclude_none=True)  # its horizon as used
    for part in (*case["prices"], *case["weather"].values(), *case["carbon"].values(), *case["fx"].values()):
        if "file" in part:
            part["file"] = stored[folder / part["file"]]
    case |= {"fleet": FLEET} | {k: stored[folder / case[k]] for k in ("jobs", "state", "expected_jobs") if k in case}
    fleet = parsed(inputs.contents[fleet_path].decode("utf-8-sig"))  # the file as it stands
    for name, site in inputs.fleet.sites.items():
        mine = fleet["sites"][name]
        mine["tariff"] = stored[model_path("tariffs", site.tariff, fleet_path)]
        if site.limits:
            mine["limits"] = [stored[model_path("limits", limit, fleet_path)] for limit in site.limits]
        for h, hall in site.halls.items():
            mine["halls"][h]["plant"] = stored[model_path("plants", hall.plant, fleet_path)]
            for p, pool in hall.pools.items():
                mine["halls"][h]["pools"][p]["gpu"] = stored[model_path("gpus", pool.gpu, fleet_path)]
    return out | {CASE: dumped(case), FLEET: dumped(fleet)}
