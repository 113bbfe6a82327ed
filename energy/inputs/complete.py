"""Do case, fleet, tariffs and state fit together? Looked at before any series is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from energy.inputs.case import Case, Horizon
from energy.inputs.dated import to_utc
from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff


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
            raise ConfigError(
                f"{path}: prices",
                f"no prices for zone {site.bidding_zone} of site {name}; the zones given are {', '.join(zones)}",
                f"a price file with {site.bidding_zone} among its zones",
            )
    if unknown := sorted(set(case.weather) - set(fleet.sites)):
        raise ConfigError(f"{path}: weather.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
    _check_rates(path, case, tariffs)


def _check_rates(path: Path, case: Case, tariffs: Mapping[str, Tariff]) -> None:
    users = {p.currency: f"prices in {p.file}" for p in case.prices}
    users |= {t.currency: f"tariff {t.name}" for t in tariffs.values()}
    for currency, user in users.items():
        if currency not in {"EUR", *case.fx}:
            raise ConfigError(
                f"{path}: fx",
                f"no rate for {currency}, which {user} needs",
                f"{currency}: {{eur_per_unit: number, source: text}}",
            )


def check_fleet(path: Path, case: Case, fleet: Fleet) -> None:
    """Every dated quantity has a value from the first moment of the horizon on.

    Raises
    ------
    ConfigError : names the key whose first step begins too late.
    """
    check_fleet_from(path, case.horizon, fleet)


def check_fleet_from(path: Path, horizon: Horizon, fleet: Fleet) -> None:
    """The same for a horizon without a case."""
    start, _ = horizon.bounds()
    for key, zone, steps in fleet.dated():
        if to_utc(steps[0].from_, zone) > start:
            raise ConfigError(
                f"{path}: {key}",
                f"has no value before {steps[0].from_}, but the horizon begins on {horizon.start}",
                "a first step at or before the horizon's start, with value 0 where there was nothing yet",
            )


def check_state(path: Path, state: State, fleet: Fleet) -> None:
    """Sites of the state are sites of the fleet.

    Raises
    ------
    ConfigError : names the site that is not.
    """
    if unknown := sorted(set(state.sites) - set(fleet.sites)):
        raise ConfigError(f"{path}: sites.{unknown[0]}", "no such site in the fleet", ", ".join(fleet.sites))
