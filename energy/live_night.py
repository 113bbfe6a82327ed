"""The series of a live night: fetched like those of `energy optimize --live`, then read like any night's files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from energy.fetch import Fetched, Tell, fetch
from energy.inputs.case import Case, load_case
from energy.inputs.fleet import load_fleet
from energy.inputs.nightly import Nightly
from energy.inputs.yamlfile import validate
from energy.live_case import fetched_files
from energy.operate.config import Place
from energy.operate.known import HISTORY_DAYS
from energy.operate.night_case import CASE
from energy.operate.publish import LATEST
from energy.sources.http import Client

#: Stands for a file that no source filled: reading it fails, and what an earlier night kept stands in and is told.
NOT_FETCHED = "not-fetched.nc"


@contextmanager
def fetched_place(place: Place, day: date, client: Client, tell: Tell = lambda _: None) -> Iterator[Place]:
    """The nightly file of one night with its series in files, which are gone afterwards: the night keeps what it used.

    Raises
    ------
    ConfigError : the fleet does not hold.
    SeriesError : a price or weather was neither fetched now nor kept by an earlier night.
    """
    days = place.config.horizon.days or place.config.horizon.most_days
    with tempfile.TemporaryDirectory(prefix="hydrocool-") as folder:  # elsewhere: two runs at once sweep the same `out`
        fleet = place.beside(place.config.fleet)
        last = day + timedelta(days=days - 1)
        got = fetch(fleet, day, last, client, Path(folder), tell, HISTORY_DAYS)
        yield place.model_copy(update={"config": _with_series(place, got), "water": got.folder})


def _with_series(place: Place, got: Fetched) -> Nightly:
    """The nightly file with the fetched files; a series without any hour is described as the last night described it."""
    config, fleet = place.config, load_fleet(place.beside(place.config.fleet))
    found, before = fetched_files(got), _last_case(place)
    zones = {z for spec in found["prices"] for z in spec["zones"]}
    lacking = sorted({s.bidding_zone for s in fleet.sites.values()} - zones)
    prices = [_inside(got, spec) for spec in found["prices"]] + _older_prices(got, before, lacking)
    sites = {s: _inside(got, w) for s, w in found["weather"].items()}
    sites |= {
        s: w.model_dump() | _nowhere(got) for s, w in _weather(before).items() if s in fleet.sites and s not in sites
    }
    if set(lacking) - {z for p in prices for z in p["zones"]} or set(fleet.sites) - set(sites):
        got.require()
    older_fx = (
        {k: r.model_dump(exclude_none=True) | _where(place, r.file) for k, r in before.fx.items()} if before else {}
    )
    fx = older_fx | found["fx"] | {k: r.model_dump(exclude_none=True) for k, r in config.fx.items()}
    series = {
        "prices": prices,
        "weather": sites,
        "carbon": {z: _inside(got, c) for z, c in found["carbon"].items()},
        "fx": fx,
    }
    whole = config.model_dump(mode="json", exclude_none=True) | series | {"live": False}
    return validate(place.path, whole, Nightly)


def _inside(got: Fetched, spec: dict[str, Any]) -> dict[str, Any]:
    return spec | {"file": str((got.folder / spec["file"]).resolve())}


def _where(place: Place, file: str | None) -> dict[str, str]:
    """A file that the night in force kept, from anywhere."""
    return {} if file is None else {"file": str((_in_force(place) / file).resolve())}


def _nowhere(got: Fetched) -> dict[str, str]:
    return {"file": str((got.folder / NOT_FETCHED).resolve())}


def _older_prices(got: Fetched, before: Case | None, lacking: list[str]) -> list[dict[str, Any]]:
    """Currency and source of zones without a price, as they were; their hours come from what that night kept."""
    specs = before.prices if before else ()
    return [
        p.model_dump() | {"zones": [z for z in p.zones if z in lacking], "columns": {}} | _nowhere(got)
        for p in specs
        if set(p.zones) & set(lacking)
    ]


def _weather(before: Case | None) -> dict[str, Any]:
    return dict(before.weather) if before else {}


def _last_case(place: Place) -> Case | None:
    """The case of the night in force; None before the first."""
    case = _in_force(place) / CASE
    return load_case(case) if (place.out / LATEST).exists() and case.is_file() else None


def _in_force(place: Place) -> Path:
    """Kept inputs of the night in force."""
    return place.kept / (place.out / LATEST).resolve().name
