"""PUE caps and legal PUE limits with what is used of them before the horizon, by the program's own rules for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet, PueCap
from energy.inputs.state import Balance, PastPeriod, State

#: Name of a cap's place where it is the whole fleet's, as in the program's rows.
FLEET = "fleet"
#: Status of a cap that stands in the fleet file itself; legal limits have that of their preset.
CONTRACT = "contract"
#: A window's history counts as whole when it lacks no more than this [h]: rounding of lengths.
WHOLE_H = 1e-6


def pue_so_far(
    fleet: Fleet, state: State, limits: Iterable[Mapping[str, Any]], begin: np.datetime64, year: int
) -> list[dict[str, Any]]:
    """Each cap of sites and fleet, and each legal limit in force in the horizon, with its balance so far [MWh].

    PUE and balance are None where the state does not know them, and of hourly caps, which have none.

    Parameters
    ----------
    limits : `limits` of the run's summary: legal and own limits, each from the day it is in force
    begin : first moment of the horizon (UTC)
    year : of the delivery day, whose balance the state has
    """
    return [*_site_caps(fleet, state, begin), *_legal(state, limits, year)]


def _site_caps(fleet: Fleet, state: State, begin: np.datetime64) -> Iterator[dict[str, Any]]:
    for name, site in fleet.sites.items():
        yield from (_cap(cap, name, [name], state, begin) for cap in site.pue_caps)
    yield from (_cap(cap, FLEET, list(fleet.sites), state, begin) for cap in fleet.fleet_pue_caps)


def _cap(cap: PueCap, place: str, members: Sequence[str], state: State, begin: np.datetime64) -> dict[str, Any]:
    used: Balance | None = None
    if cap.period == "year":
        used = _together(state.site(m).year_to_date for m in members)
    elif cap.window_h is not None:
        used = _window(cap.window_h, members, state, begin)
    period = f"{cap.window_h:g} h" if cap.window_h is not None else cap.period
    return _row(place, cap.name, cap.limit, period, CONTRACT, used)


def _legal(state: State, limits: Iterable[Mapping[str, Any]], year: int) -> Iterator[dict[str, Any]]:
    """Limits of a later year have not begun: nothing of them is used."""
    for x in limits:
        if x["metric"] == "pue" and x["limit"] is not None and x["year"] == year:
            used = state.site(x["site"]).year_to_date
            yield _row(x["site"], x["limit_name"], x["limit"], "year", x["status"], used)


def _row(place: str, cap: str, limit: float, period: str, status: str, used: Balance | None) -> dict[str, Any]:
    return {"site": place, "cap": cap, "limit": limit, "period": period, "status": status,
            "so_far": used.facility_mwh / used.it_mwh if used and used.it_mwh else None,
            "credit_mwh": limit * used.it_mwh - used.facility_mwh if used else None}  # fmt: skip


def _together(balances: Iterable[Balance | PastPeriod]) -> Balance:
    found = list(balances)
    return Balance(facility_mwh=sum(b.facility_mwh for b in found), it_mwh=sum(b.it_mwh for b in found))


def _window(window_h: float, members: Sequence[str], state: State, begin: np.datetime64) -> Balance | None:
    """The window that ends where the horizon begins; None where the history of a member does not cover it."""
    since = pd.Timestamp(begin) - pd.Timedelta(hours=window_h)
    mine = [[p for p in state.site(m).history if since <= _utc(p) < pd.Timestamp(begin)] for m in members]
    if any(sum(p.hours for p in past) < window_h - WHOLE_H for past in mine):
        return None
    return _together(p for past in mine for p in past)


def _utc(past: PastPeriod) -> pd.Timestamp:
    stamp = pd.Timestamp(past.start)
    return stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo else stamp
