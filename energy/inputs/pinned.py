"""A case and every file it names as one flat folder that needs nothing else: what a run keeps of its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from energy.inputs.case import Case
from energy.inputs.fleet import Fleet
from energy.inputs.resources import model_path
from energy.inputs.yamlfile import dumped, parsed

#: The two files that name others; the copies in the folder name its files.
CASE, FLEET = "case.yaml", "fleet.yaml"
#: Digits of a file's SHA-256 before its name: enough to tell every version of every file apart.
DIGITS = 12


def pinned(path: Path, case: Case, fleet: Fleet, contents: Mapping[Path, bytes]) -> dict[str, bytes]:
    """File name -> content: each file as it was read, its name behind its hash; case and fleet naming the copies.

    Parameters
    ----------
    path : the case file
    contents : content of the case, of the fleet and of every file that they name
    """
    stored = {p: f"{hashlib.sha256(data).hexdigest()[:DIGITS]}-{p.name}" for p, data in contents.items()}
    fleet_path = path.parent / case.fleet
    out = {stored[p]: data for p, data in contents.items()}
    out[CASE] = dumped(_case(case, lambda name: stored[path.parent / name]))
    raw = parsed(contents[fleet_path].decode("utf-8-sig"))
    out[FLEET] = dumped(_fleet(raw, fleet, lambda kind, name: stored[model_path(kind, name, fleet_path)]))
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
