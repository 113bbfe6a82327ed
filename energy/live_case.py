"""The case of `energy optimize --live`: what was fetched for a fleet, as the file that a plan starts from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.fetch import FETCHED, Fetched, Tell, fetch, time_zone, tomorrow
from energy.inputs.case import load_case
from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.resources import root
from energy.inputs.yamlfile import dumped
from energy.schema import QUALITY
from energy.sources.catalogue import SOURCES
from energy.sources.http import Client
from energy.sources.labelled import in_one_line
from energy.sources.store import of_kind, prices_by_currency

#: Days of a live plan: tomorrow's prices are known, the days after are carried over and say so.
LIVE_DAYS = 3


def live_case(
    fleet_path: Path, client: Client, jobs: Path | None = None, first: date | None = None, last: date | None = None,
    out: Path = FETCHED, tell: Tell = lambda _: None,
) -> Path:  # fmt: skip
    """Fetch what a fleet needs and write the case that `optimize` solves.

    Parameters
    ----------
    jobs : job table; without one the reference jobs that fit this fleet are taken, and `tell` says so
    first, last : local days, both included; without them LIVE_DAYS days from tomorrow on

    Returns
    -------
    Path : the case file.

    Raises
    ------
    ConfigError : the fleet does not hold.
    SeriesError : prices or weather that no source has; names the series.
    """
    fleet = load_fleet(fleet_path)
    begin = first or tomorrow(fleet, client.now())
    end = last or begin + timedelta(days=LIVE_DAYS - 1)
    fetched = fetch(fleet_path, begin, end, client, out, tell)
    fetched.require()
    hours = ((end - begin).days + 1) * 24
    table = jobs if jobs else _reference_jobs(fleet, hours, fetched.folder / "jobs.csv", tell)
    path = fetched.folder / "case.yaml"
    path.write_bytes(dumped(_case(fleet, fleet_path, table, begin, end, fetched)))
    load_case(path)
    return path


def _case(fleet: Fleet, fleet_path: Path, jobs: Path, first: date, last: date, fetched: Fetched) -> dict[str, Any]:
    """The case file's content; paths absolute, for it lies in the cache."""
    horizon = {"start": str(first), "end": str(last), "time_zone": time_zone(fleet), "market_time_unit_min": 60}
    return {
        "name": f"live_{fleet.name}"[:40], "fleet": str(fleet_path.resolve()), "jobs": str(jobs.resolve()),
        "horizon": horizon, **fetched_files(fetched),
    }  # fmt: skip


def fetched_files(fetched: Fetched) -> dict[str, Any]:
    """Prices, weather, carbon and exchange rates of a fetch as a case file names them."""
    prices = [
        {"file": f"prices_{currency.lower()}.nc", "zones": list(group), "currency": currency, "unit": "per_mwh"}
        | _terms(*group.values())
        for currency, group in prices_by_currency(fetched.series).items()
    ]
    weather = {s: {"file": f"weather_{s}.nc"} | _terms(ds) for s, ds in of_kind(fetched.series, "weather").items()}
    carbon = {
        zone: {"file": "carbon.nc", "column": zone, "unit": "t_per_mwh"} | _terms(ds)
        for zone, ds in of_kind(fetched.series, "carbon").items()
    }
    fx = {
        c: {"eur_per_unit": r, "source": f"{source} {day}", "attribution": SOURCES[source].attribution}
        for c, (r, day, source) in fetched.rates.items()
    }
    return {"prices": prices, "weather": weather, "carbon": carbon, "fx": fx}


def _terms(*group: xr.Dataset) -> dict[str, str]:
    """Worst quality, sources, licences and credits of a file, as the case file states them; each hour has its own."""
    worst = max(int(ds["quality"].max()) for ds in group)
    sources = dict.fromkeys(str(s) for ds in group for s in np.unique(ds["source"].values))
    licence, credit = (in_one_line(str(ds.attrs[n]) for ds in group) for n in ("licence", "attribution"))
    return {"quality": QUALITY[worst], "source": ", ".join(sources), "licence": licence, "attribution": credit}


def _reference_jobs(fleet: Fleet, hours: float, path: Path, tell: Tell) -> Path:
    """The reference jobs that this fleet may run within the horizon, at home at its sites in turn.

    Raises
    ------
    ConfigError : none fits.
    """
    table = pd.read_csv(root() / "data" / "reference" / "jobs.csv", dtype=str, keep_default_na=False)
    kinds_here = {p.gpu for _, p in fleet.pools().values()}
    tags = {t for s in fleet.sites.values() for t in s.tags()}
    fits = [_fits(row, kinds_here, tags, hours) for row in table.to_dict("records")]
    chosen = table[fits]
    if chosen.empty:
        raise ConfigError(
            path,
            f"none of the reference jobs fits this fleet within {hours:g} h",
            "more days, or a job table of your own: --jobs",
        )
    sites = list(fleet.sites)
    homes = [h if h in sites else sites[n % len(sites)] for n, h in enumerate(chosen["home_site"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen.assign(home_site=homes).to_csv(path, index=False)
    tell(f"no --jobs: {len(chosen)} of the {len(table)} INVENTED reference jobs are planned ({path})")
    return path


def _fits(row: Mapping[Any, str], kinds_here: set[str], tags: set[str], hours: float) -> bool:
    asked = {part.partition("=")[0].strip() for part in row["gpu_kinds"].split(";")}
    wanted = {part.strip() for part in row["jurisdictions"].split(";") if part.strip()}
    in_time = float(row["deadline"].strip("+h")) <= hours
    return in_time and bool(asked & kinds_here) and (not wanted or bool(wanted & tags))
