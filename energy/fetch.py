"""From a fleet to files: what `energy fetch` does, and the case of `energy optimize --live`.

Every series goes through its chain (`sources/catalogue.py`); every attempt is reported and written to ``fetch.json``.
What was fetched stays in the cache: a run that was interrupted, or repeated, asks only for what is not there. With a
client opened `as_of` a moment, the same comes from the answers kept until then.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.errors import ConfigError, SeriesError
from energy.inputs.case import HorizonDays, load_case
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.resources import root
from energy.inputs.tariffs import load_tariffs
from energy.inputs.yaml_files import dumped
from energy.schema import QUALITY
from energy.series.files import columns, one_place, write
from energy.series.labels import in_one_line
from energy.series.local_time import day_of
from energy.sources import catalogue, hydro
from energy.sources.catalogue import SOURCES
from energy.sources.chain import Filled
from energy.sources.client.http import UNREACHABLE, Client
from energy.sources.client.settings import CONTACT_VARIABLE, from_environment

#: Where answers are kept; `make clean` empties it.
CACHE = Path("data/cache/sources")
#: Where fetched files go, a folder per fleet and dates.
FETCHED = Path("data/cache/fetched")
#: From the first moment of a local day into it, whatever the clock does.
NOON = np.timedelta64(12, "h")
#: Kinds of series without which nothing can be planned.
NEEDED = ("price", "weather")
#: Kinds that look back beyond the days asked for.
CONTEXT = ("hydro", "reservoirs")
#: What to do where not one source could be reached.
OFFLINE = "a connection to the internet (HTTPS_PROXY where it needs a proxy): not one source could be reached"
#: Called with each message.
Tell = Callable[[str], None]
#: Kind and label of a series: ("price", "NO4"), ("weather", "narvik"), ("hydro", "NO4"), ("reservoirs", "NO4"),
#: ("carbon", "GB").
Key = tuple[str, str]


@dataclass(frozen=True)
class Fetched:
    """Result of one fetch: the series by kind and label, and the files."""

    folder: Path
    series: Mapping[Key, Filled]
    rates: Mapping[str, tuple[float, date, str]]
    rate_steps: tuple[str, ...]
    files: tuple[Path, ...]

    def lines(self) -> list[str]:
        """One line per series: hours by quality, and what is missing; then the rates."""
        out = [f"{kind} {label}: {_hours(filled)}{filled.gaps()}" for (kind, label), filled in self.series.items()]
        rates = ", ".join(f"{c} {rate:.5f} EUR ({source}, {day})" for c, (rate, day, source) in self.rates.items())
        return [*out, f"exchange rates: {rates or 'none'}  [{'; '.join(self.rate_steps)}]"]

    def missing(self) -> list[str]:
        """Series that do not cover the days asked for; only prices and weather are needed for a plan."""
        return [f"{kind} {label}" for (kind, label), f in self.series.items() if f.missing and kind in NEEDED]

    def require(self) -> None:
        """Raise a SeriesError that names the series that no source has, unless prices and weather are whole."""
        if lacking := self.missing():
            steps = [s for f in self.series.values() for s in f.steps if s.outcome not in ("skipped", "empty")]
            cut_off = bool(steps) and all(s.reason in UNREACHABLE for s in steps)
            hint = OFFLINE if cut_off else "what each source said: fetch.json there"
            raise SeriesError(self.folder, f"no source has {', '.join(lacking)}", hint)


def _hours(filled: Filled) -> str:
    if not filled.ds.sizes.get("time"):
        return "nothing"
    return ", ".join(f"{hours:g} h {quality}" for quality, hours in filled.by_quality().items())


def open_client(cache: Path = CACHE, as_of: datetime | None = None) -> Client:
    """The client as the environment sets it up.

    Parameters
    ----------
    as_of : replay what was known at this time (UTC, naive); nothing is sent
    """
    return Client(from_environment(cache, SOURCES), SOURCES, as_of)


def tomorrow(fleet: Fleet, now: np.datetime64) -> date:
    """The first day whose prices an auction still has to set, or has just set."""
    return day_of(now, time_zone(fleet)) + timedelta(days=1)


def time_zone(fleet: Fleet) -> str:
    """The time zone that most sites have."""
    return Counter(s.time_zone for s in fleet.sites.values()).most_common(1)[0][0]


def fetch(
    fleet_path: Path, first: date | None, last: date | None, client: Client, out: Path = FETCHED,
    tell: Tell = lambda _: None, history_days: int = 0,
) -> Fetched:  # fmt: skip
    """Prices, weather, carbon, hydropower signals and exchange rates of a fleet's days, as files.

    Parameters
    ----------
    first, last : local days, both included; without them tomorrow, and one day
    out : the folder in which this fetch gets its own
    tell : called before each series and with its outcome
    history_days : days before `first` that the series reach back; exchange rates are those of `first` all the same

    Raises
    ------
    ConfigError : the fleet or a tariff file is invalid.
    NotOnFile : a replay of what nobody had fetched by then.
    """
    fleet = load_fleet(fleet_path)
    first = first or tomorrow(fleet, client.now())
    last = last or first
    history = timedelta(days=history_days)
    start, end = HorizonDays(start=first - history, end=last, time_zone=time_zone(fleet)).bounds()
    replayed = f"_as_of_{client.as_of:%Y%m%dT%H%M}" if client.as_of else ""
    folder = out / f"{fleet.name}_{first}_{last}{replayed}"
    if not client.settings.contact and client.as_of is None:
        tell(f"set {CONTACT_VARIABLE} to your e-mail or web address: MET Norway asks to be told who asks")
    with client.session(fleet.name, (start, end)) as asked:
        series: dict[Key, Filled] = {}
        tasks = _tasks(fleet, client, *asked)
        for number, (key, run) in enumerate(tasks.items(), start=1):
            tell(f"[{number}/{len(tasks)}] {key[0]} {key[1]}")
            series[key] = run()
            tell(f"        {_hours(series[key])}  [{series[key]}]")
        if asked != (start, end):  # a replay from a fetch of more days
            series = {k: f if k[0] in CONTEXT else f.within(start, end) for k, f in series.items()}
        stated = {t.currency for t in load_tariffs(fleet, fleet_path).values()} | set(fleet.currencies())
        stated |= {str(f.ds.attrs.get("currency", "EUR")) for (kind, _), f in series.items() if kind == "price"}
        currencies = sorted(stated - {"EUR"})
        day = min(day_of(asked[0] + NOON, time_zone(fleet)) + history, day_of(client.now(), "UTC"))
        rates, steps = catalogue.rates(client, currencies, day) if currencies else ({}, [])
        at = str(client.now())[:19]
    about = {"first": str(first), "last": str(last), "at": at, "as_of": str(client.as_of or ""),
             "banks": [str(s) for s in steps], "rates": {c: [rate, str(day), source] for c, (rate, day, source) in rates.items()}}  # fmt: skip
    paths = (*_write(series, folder), _record(series, about, folder))
    return Fetched(folder, series, rates, tuple(map(str, steps)), paths)


def _tasks(fleet: Fleet, client: Client, start: np.datetime64, end: np.datetime64) -> dict[Key, Callable[[], Filled]]:
    """Every series of the fleet, each once, in the order in which they are fetched."""
    zones = list(dict.fromkeys(s.bidding_zone for s in fleet.sites.values()))
    tasks: dict[Key, Callable[[], Filled]] = {
        ("price", z): partial(catalogue.prices, client, z, start, end) for z in zones
    }
    for name, site in fleet.sites.items():
        at = (site.place.latitude, site.place.longitude, site.place.altitude_m)
        tasks["weather", name] = partial(catalogue.weather, client, *at, start, end)
    tasks |= {("hydro", z): partial(hydro.signals, client, z, start - hydro.HISTORY, end) for z in zones}
    tasks |= {("reservoirs", z): partial(hydro.reservoirs, client, z, end) for z in zones}
    return tasks | {("carbon", z): partial(catalogue.carbon, client, z, start, end) for z in zones if z == "GB"}


def of_kind(series: Mapping[Key, Filled], kind: str) -> dict[str, xr.Dataset]:
    """The series of one kind that have any hour, by label."""
    return {label: f.ds for (k, label), f in series.items() if k == kind and f.ds.sizes.get("time")}


def prices_by_currency(series: Mapping[Key, Filled]) -> dict[str, dict[str, xr.Dataset]]:
    """Price series grouped by currency, each group a file."""
    out: dict[str, dict[str, xr.Dataset]] = {}
    for zone, ds in of_kind(series, "price").items():
        out.setdefault(str(ds.attrs["currency"]), {})[zone] = ds
    return out


def _write(series: Mapping[Key, Filled], folder: Path) -> tuple[Path, ...]:
    """Write the files of all series that have any hour."""
    content = {f"prices_{c.lower()}.nc": columns(group, "price") for c, group in prices_by_currency(series).items()}
    content |= {f"weather_{site}.nc": one_place(ds) for site, ds in of_kind(series, "weather").items()}
    if carbon := of_kind(series, "carbon"):
        content["carbon.nc"] = columns(carbon, "carbon_intensity")
    if signals := of_kind(series, "hydro"):
        content["hydro.nc"] = hydro.merge(signals, tuple(hydro.SIGNALS))
    if weeks := of_kind(series, "reservoirs"):
        content["reservoirs.nc"] = hydro.merge(weeks, hydro.WEEKLY)
    return tuple(write(ds, folder / name) for name, ds in content.items())


def _record(series: Mapping[Key, Filled], about: Mapping[str, Any], folder: Path) -> Path:
    """fetch.json: `about`, and for every series its hours by quality, its chain, findings and gaps."""
    about_series = {
        f"{kind} {label}": {
            "hours": f.by_quality(),
            "chain": [str(s) for s in f.steps],
            "findings": [str(found) for found in f.findings],
            "missing": [[str(a)[:16], str(b)[:16]] for a, b in f.missing],
        }
        for (kind, label), f in series.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fetch.json"
    path.write_text(json.dumps({**about, "series": about_series}, indent=2) + "\n", encoding="utf-8")
    return path


#: Days of a live plan: tomorrow's prices are known, the days after are persistence, labelled so.
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
    ConfigError : the fleet file is invalid.
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
    horizon = {"start": str(begin), "end": str(end), "time_zone": time_zone(fleet), "market_time_unit_min": 60}
    case = {
        "name": f"live_{fleet.name}"[:40], "fleet": str(fleet_path.resolve()), "jobs": str(table.resolve()),
        "horizon": horizon, **fetched_files(fetched),
    }  # fmt: skip
    path.write_bytes(dumped(case))
    load_case(path)
    return path


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
    """The reference jobs that this fleet may run within the horizon, at home at its sites in turn; ConfigError if none fits."""
    table = pd.read_csv(root() / "data" / "reference" / "jobs.csv", dtype=str, keep_default_na=False)
    kinds_here = {p.gpu for _, p in fleet.pools().values()}
    tags = {t for s in fleet.sites.values() for t in s.tags()}
    fits = []
    for row in table.to_dict("records"):
        asked = {part.partition("=")[0].strip() for part in row["gpu_kinds"].split(";")}
        wanted = {part.strip() for part in row["jurisdictions"].split(";") if part.strip()}
        in_time = float(row["deadline"].strip("+h")) <= hours
        fits.append(in_time and bool(asked & kinds_here) and (not wanted or bool(wanted & tags)))
    chosen = table[fits]
    if chosen.empty:
        what = f"none of the reference jobs fits this fleet within {hours:g} h"
        raise ConfigError(path, what, "more days, or a job table of your own: --jobs")
    sites = list(fleet.sites)
    homes = [h if h in sites else sites[n % len(sites)] for n, h in enumerate(chosen["home_site"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen.assign(home_site=homes).to_csv(path, index=False)
    tell(f"no --jobs: {len(chosen)} of the {len(table)} INVENTED reference jobs are planned ({path})")
    return path
