"""Bidding zones of the European day-ahead markets, by the names users and exchanges write."""

from __future__ import annotations

#: Codes of the Single Day-Ahead Coupling areas and Great Britain, as ENTSO-E and Nord Pool name them;
#: DE and DE-AT-LU are the German zone before 2018-10-01, DE-LU since.
BIDDING_ZONES = frozenset({
    "NO1", "NO2", "NO3", "NO4", "NO5", "SE1", "SE2", "SE3", "SE4", "FI", "DK1", "DK2", "EE", "LV", "LT", "DE", "DE-LU",
    "DE-AT-LU", "AT", "FR", "BE", "NL", "PL", "CZ", "SK", "HU", "RO", "BG", "SI", "HR", "GR", "ES", "PT", "CH", "GB",
    "IE-SEM", "IT-NORTH", "IT-CNOR", "IT-CSUD", "IT-SUD", "IT-SICI", "IT-SARD", "IT-CALA",
})  # fmt: skip


def check_zone(zone: str) -> str:
    """`zone` if it is a bidding zone.

    Raises
    ------
    ValueError : names the zones of that country where the code is a country with several.
    """
    if zone in BIDDING_ZONES:
        return zone
    near = sorted(z for z in BIDDING_ZONES if z.startswith(zone[:2].upper()))
    hint = f"the bidding zones there are {', '.join(near)}" if near else f"one of {', '.join(sorted(BIDDING_ZONES))}"
    raise ValueError(f"{zone!r} is not a bidding zone; {hint}")
