"""Case, fleet, tariffs and state fit together: looked at before any series is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from energy.errors import ConfigError
from energy.inputs.case import Case, HorizonDays
from energy.inputs.fleet import Fleet
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff
from energy.schema.calendar import month_of, to_utc


def check_case(path: Path, case: Case, fleet: Fleet, tariffs: Mapping[str, Tariff]) -> None:
    """Every site has weather and prices, every currency a rate.

    Raises
    ------
    ConfigError : names the key of the case file that is missing or has no site.
    """
    for name, site in fleet.sites.items():
        if name not in case.weather:
            raise ConfigError(f"{path}: weather", f"no weather for site {name}", "one key per site of the fleet")
        zones = [z for p in case.prices for z in p.zones]
        if site.bidding_zone not in zones:
            what = f"no prices for zone {site.bidding_zone} of site {name}; the zones given are {', '.join(zones)}"
            raise ConfigError(f"{path}: prices", what, f"a price file with {site.bidding_zone} among its zones")
    if unknown := sorted(set(case.weather) - set(fleet.sites)):
        raise ConfigError(f"{path}: weather.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    users = fleet.currencies() | {p.currency: f"prices in {p.file}" for p in case.prices}
    users |= {t.currency: f"tariff {t.name}" for t in tariffs.values()}
    for currency, user in users.items():
        if currency not in {"EUR", *case.fx}:
            allowed = f"{currency}: {{eur_per_unit: number, source: text}}"
            raise ConfigError(f"{path}: fx", f"no rate for {currency}, which {user} needs", allowed)


def check_fleet(path: Path, horizon: HorizonDays, fleet: Fleet) -> None:
    """Every dated quantity has a value from the first moment of the horizon on.

    Raises
    ------
    ConfigError : names the key whose first step begins too late.
    """
    for key, zone, steps in fleet.dated():
        if to_utc(steps[0].from_, zone) > horizon.bounds()[0]:
            what = f"has no value before {steps[0].from_}, but the horizon begins on {horizon.start}"
            allowed = "a first step at or before the horizon's start, with value 0 where there was nothing yet"
            raise ConfigError(f"{path}: {key}", what, allowed)


def check_state(path: Path, case: Case, state: State, fleet: Fleet, tariffs: Mapping[str, Tariff]) -> None:
    """Sites of the state are sites of the fleet, its charges those of their tariffs, its invoices not of the future.

    Raises
    ------
    ConfigError : names the site, charge or month that is not.
    """
    if unknown := sorted(set(state.sites) - set(fleet.sites)):
        raise ConfigError(f"{path}: sites.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    for name, past in state.sites.items():
        where, tariff = f"{path}: sites.{name}", tariffs[name]
        _known_names(f"{where}.window_peaks_mw", set(past.window_peaks_mw), windowed(tariff), tariff)
        for month, so_far in past.invoice_so_far.items():
            _known_names(f"{where}.invoice_so_far.{month}.charges", set(so_far.charges), demand_lines(tariff), tariff)
            if month > month_of(case.horizon.start):
                what = f"begins after the horizon, which begins on {case.horizon.start}"
                raise ConfigError(f"{where}.invoice_so_far.{month}", what, "months up to the horizon's first")


def _known_names(where: str, given: set[str], known: set[str], tariff: Tariff) -> None:
    if unknown := sorted(given - known):
        what = f"tariff {tariff.name} has no such demand charge"
        raise ConfigError(f"{where}.{unknown[0]}", what, ", ".join(sorted(known)) or "none")


def windowed(tariff: Tariff) -> set[str]:
    """Demand charges that count declared hours only, by name."""
    return {name for c in tariff.components for name in c.state_names().peaks}


def demand_lines(tariff: Tariff) -> set[str]:
    """Lines that the demand charges have on an invoice: one each, or one per band."""
    return {line for c in tariff.components for line in c.state_names().accounts}
