"""From a fleet to files: what `energy fetch` does.

Every series goes through its declared chain (`sources/kinds.py`), every step of it is told and written to
``fetch.json``. What was fetched stays in the cache: a run that was interrupted, or repeated, asks only for
what is not there. With a client opened `as_of` a moment, the same comes from the answers kept until then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from energy.inputs.case import Horizon
from energy.inputs.errors import SeriesError
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.tariffs import load_tariffs
from energy.sources import hydro, kinds
from energy.sources.adapter import UNREACHABLE
from energy.sources.catalogue import SOURCES
from energy.sources.chain import Filled
from energy.sources.clock import day_of
from energy.sources.http import Client
from energy.sources.settings import CONTACT_VARIABLE, from_environment
from energy.sources.store import Key, record, write_all

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
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Fetched:
    """What one fetch brought: the series by kind and label, and the files."""

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
        """Nothing, where prices and weather are whole.

        Raises
        ------
        SeriesError : names the series that no source has.
        """
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
    ConfigError : the fleet or a tariff file does not hold.
    NotOnFile : a replay of what nobody had fetched by then.
    """
    fleet = load_fleet(fleet_path)
    first = first or tomorrow(fleet, client.now())
    last = last or first
    history = timedelta(days=history_days)
    start, end = Horizon(start=first - history, end=last, time_zone=time_zone(fleet)).bounds()
    folder = out / f"{fleet.name}_{first}_{last}{_then(client)}"
    if not client.settings.contact and client.as_of is None:
        tell(f"set {CONTACT_VARIABLE} to your e-mail or web address: MET Norway asks to be told who asks")
    with client.session(fleet.name, (start, end)) as asked:
        series = _series(_tasks(fleet, client, *asked), tell)
        if asked != (start, end):  # a replay from a fetch of more days
            series = {k: f if k[0] in CONTEXT else f.within(start, end) for k, f in series.items()}
        currencies = sorted(_currencies(fleet, fleet_path, series) - {"EUR"})
        day = min(day_of(asked[0] + NOON, time_zone(fleet)) + history, day_of(client.now(), "UTC"))
        rates, steps = kinds.rates(client, currencies, day) if currencies else ({}, [])
        at = str(client.now())[:19]
    about = {"first": str(first), "last": str(last), "at": at, "as_of": str(client.as_of or ""),
             "banks": [str(s) for s in steps], "rates": {c: [rate, str(day), source] for c, (rate, day, source) in rates.items()}}  # fmt: skip
    paths = (*write_all(series, folder), record(series, about, folder))
    return Fetched(folder, series, rates, tuple(map(str, steps)), paths)


def _then(client: Client) -> str:
    """Part of the folder's name that keeps a replay apart from the fetch."""
    return f"_as_of_{client.as_of:%Y%m%dT%H%M}" if client.as_of else ""


def _series(tasks: Mapping[Key, Callable[[], Filled]], tell: Tell) -> dict[Key, Filled]:
    """Every series, one after the other."""
    series: dict[Key, Filled] = {}
    for number, (key, run) in enumerate(tasks.items(), start=1):
        tell(f"[{number}/{len(tasks)}] {key[0]} {key[1]}")
        series[key] = run()
        tell(f"        {_hours(series[key])}  [{series[key]}]")
    return series


def _tasks(fleet: Fleet, client: Client, start: np.datetime64, end: np.datetime64) -> dict[Key, Callable[[], Filled]]:
    """Every series of the fleet, each once, in the order in which they are fetched."""
    zones = list(dict.fromkeys(s.bidding_zone for s in fleet.sites.values()))
    tasks: dict[Key, Callable[[], Filled]] = {("price", z): partial(kinds.prices, client, z, start, end) for z in zones}
    for name, site in fleet.sites.items():
        at = (site.place.latitude, site.place.longitude, site.place.altitude_m)
        tasks["weather", name] = partial(kinds.weather, client, *at, start, end)
    tasks |= {("hydro", z): partial(hydro.signals, client, z, start - hydro.HISTORY, end) for z in zones}
    tasks |= {("reservoirs", z): partial(hydro.reservoirs, client, z, end) for z in zones}
    return tasks | {("carbon", z): partial(kinds.carbon, client, z, start, end) for z in zones if z == "GB"}


def _currencies(fleet: Fleet, path: Path, series: Mapping[Key, Filled]) -> set[str]:
    stated = {t.currency for t in load_tariffs(fleet, path).values()} | set(fleet.currencies())
    return stated | {str(f.ds.attrs.get("currency", "EUR")) for (kind, _), f in series.items() if kind == "price"}
