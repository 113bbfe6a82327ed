"""PUE caps as rows over windows of the horizon: years with their balance, rolling windows, single periods.

Own caps of sites and fleet and PUE limits of presets alike; WUE and ERF are reported by the audit. A cap that some
windows of the horizon do not have is named in a notice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import xarray as xr

from energy.errors import ImpossibleWork
from energy.inputs.fleet import PueCap
from energy.inputs.load import Inputs
from energy.inputs.state import Balance, State
from energy.schema import Bools, Floats
from energy.schema.calendar import Horizon, SiteCalendar

#: A breach of a cap costs this many times the dearest undone MWh of IT work: work waits before a law is broken.
CAP_OVER_WORK = 10.0
#: A cap counts as unreachable when even the best load misses it by more than this [MWh]; 1 Wh.
REACH_TOLERANCE_MWH = 1e-6
#: Dearest breach of a cap [EUR/MWh]: the most that the table of arrays allows, a hundred times the dearest price of power.
MOST_CAP_PENALTY = 1e8
#: Halvings of the bracket in which the best PUE is found: 99/2^60 is below rounding.
BISECTIONS = 60


@dataclass(frozen=True)
class CapRow:
    """One row: Σ dt (facility - limit·it) over [start, stop) <= credit + cap_breach."""

    label: str
    name: str
    site: int
    limit: float
    start: int
    stop: int
    credit: float


#: (end of the label, first period, first period after, balance brought along [MWh])
Window = tuple[str, int, int, float]


def cap_rows(inputs: Inputs, base_it: Floats) -> list[CapRow]:
    """Rows of all caps of the sites and the fleet. `base_it` is the least IT power by site, (S, T)."""
    rows: list[CapRow] = []
    names, horizon, state = list(inputs.fleet.sites), inputs.horizon, inputs.state
    for _, owner, s, cap in _caps(inputs):
        (members, site), name = (names, -1) if s is None else ([owner], s), f"{owner}:{cap.name}"
        match cap.period:
            case "year":
                zone = "UTC" if s is None else inputs.fleet.sites[owner].time_zone
                past, everywhere = [state.site(m).year_to_date for m in members], np.full(len(horizon), True)
                windows = _years(cap.limit, past, horizon.on_clock(zone), everywhere)
            case "rolling":
                windows = _rolling(cap, members, state, horizon)
            case "hour":  # periods whose IT power cannot fall below the stated one
                least = base_it.sum(axis=0) if s is None else base_it[s]
                assert cap.above_it_mw is not None  # the file model demands it for hourly caps
                held = np.flatnonzero(least >= cap.above_it_mw).tolist()
                windows = [(_stamp(horizon.time[t]), t, t + 1, 0.0) for t in held]
            case _:
                assert_never(cap.period)
        rows += [CapRow(f"{name}@{end}", name, site, cap.limit, a, b, credit) for end, a, b, credit in windows]
    return rows


def _years(limit: float, past: Sequence[Balance], calendar: SiteCalendar, counted: Bools) -> list[Window]:
    """Calendar years of the periods that count; the horizon's first year carries the year-to-date balance.

    A balance above zero may all be used. One below zero is a debt, of which the horizon makes up its share: its hours of those
    that are left of the year.
    """
    out, years, dt = list[Window](), calendar.years, calendar.horizon.dt
    credit = year_balance(limit, past)
    for year in sorted(set(years[counted].tolist())):
        inside = np.flatnonzero(counted & (years == year))
        share = dt[inside].sum() / calendar.rest_of_year_h[inside[0]] if credit < 0 else 1.0
        brought = credit * min(float(share), 1.0) if year == years[0] else 0.0
        out.append((str(year), int(inside[0]), int(inside[-1]) + 1, brought))
    return out


def year_balance(limit: float, past: Sequence[Balance]) -> float:
    """Balance of a yearly cap before the horizon [MWh]; below zero the year so far is over the cap."""
    return float(sum(limit * b.it_mwh - b.facility_mwh for b in past))


def _rolling(cap: PueCap, members: Sequence[str], state: State, horizon: Horizon) -> list[Window]:
    """Windows that end inside the horizon; those that begin before it need their history."""
    assert cap.window_h is not None  # the file model demands it for rolling caps
    length, out = np.timedelta64(round(cap.window_h * 3600), "s"), list[Window]()
    for t, end in enumerate(horizon.ends):
        begin = end - length
        credit = _history(cap, members, state, begin, horizon.start) if begin < horizon.start else 0.0
        if credit is not None:
            out.append((_stamp(end), int(np.searchsorted(horizon.time, begin, side="left")), t + 1, credit))
    return out


def _history(
    cap: PueCap, members: Sequence[str], state: State, begin: np.datetime64, start: np.datetime64
) -> float | None:
    """Balance of the part of the window before the horizon; None where the state does not cover it."""
    credit = 0.0
    for name in members:
        past = [p for p in state.sites[name].history if begin <= p.utc < start] if name in state.sites else []
        covered = sum(p.hours for p in past)
        if covered + REACH_TOLERANCE_MWH < float((start - begin) / np.timedelta64(1, "h")):
            return None
        credit += sum(cap.limit * p.it_mwh - p.facility_mwh for p in past)
    return credit


def _stamp(moment: np.datetime64) -> str:
    return str(np.datetime_as_string(moment, unit="m"))


def cap_arrays(rows: Sequence[CapRow], penalty: float) -> dict[str, Floats]:
    """cap_site, cap_start, cap_stop, cap_limit, cap_credit, cap_penalty; each (R,)."""
    return {
        "cap_site": np.array([r.site for r in rows], dtype=np.int64),
        "cap_start": np.array([r.start for r in rows], dtype=np.int64),
        "cap_stop": np.array([r.stop for r in rows], dtype=np.int64),
        "cap_limit": np.array([r.limit for r in rows], dtype=float),
        "cap_credit": np.array([r.credit for r in rows], dtype=float),
        "cap_penalty": np.full(len(rows), min(penalty, MOST_CAP_PENALTY)),
    }


def check_reachable(
    rows: Sequence[CapRow], halls: Mapping[str, Floats], hall_site: Floats, other: Floats, dt: Floats
) -> None:
    """Each cap can be met in at least one of its windows by some load, if nothing before it is to be made up for.

    What the time before the horizon was over a cap makes no plan impossible: it is a breach with its price.

    Raises
    ------
    ImpossibleWork : names the cap and the best PUE that the plants can reach in its window.
    """

    def least_balance(row: CapRow, limit: float) -> float:
        """Least Σ dt (facility - limit·it) over the window for any load [MWh]: convex, so best at a breakpoint."""
        when = slice(row.start, row.stop)
        mine = hall_site == row.site if row.site >= 0 else np.full(len(hall_site), True)
        steps = (1 + halls["slope"][mine, when] - limit) * halls["width"][mine, when]
        base = halls["base_it"][mine, when] * (1 - limit) + halls["base_overhead"][mine, when]
        site_load = other[row.site, when] if row.site >= 0 else other[:, when].sum(axis=0)
        return float((dt[when] * (base + np.minimum(steps, 0.0).sum(axis=2))).sum() + (dt[when] * site_load).sum())

    least: dict[str, tuple[float, CapRow]] = {}
    for row in rows:
        excess = least_balance(row, row.limit) - max(row.credit, 0.0)
        if row.name not in least or excess < least[row.name][0]:
            least[row.name] = (excess, row)
    for excess, row in least.values():
        if not excess <= REACH_TOLERANCE_MWH:
            low, best = row.limit, 100.0  # the lowest PUE of the window: the limit whose least balance is zero
            for _ in range(BISECTIONS):
                middle = (low + best) / 2
                low, best = (low, middle) if least_balance(row, middle) <= max(row.credit, 0.0) else (middle, best)
            what = f"limit {row.limit:g} is below what the plants can reach in any of its windows"
            state = "" if row.stop - row.start == 1 else ", or a balance in the state file that makes up for it"
            raise ImpossibleWork(f"PUE cap {row.name}", what, f"at least {np.ceil(best * 1e4) / 1e4:.4f}{state}")


def cap_debts(inputs: Inputs) -> list[str]:
    """One sentence for each yearly cap and legal limit that the year before the horizon is over."""
    found = []
    for key, label, s, cap in _caps(inputs):
        if cap.period == "year":
            members, zone = (
                (list(inputs.fleet.sites), "UTC") if s is None else ([label], inputs.fleet.sites[label].time_zone)
            )
            found.append((f"{key} ({cap.name})", cap.limit, members, zone, np.full(len(inputs.horizon), True)))
    for name, site in inputs.fleet.sites.items():
        for limit in inputs.limits.get(name, ()):
            if limit.rule.metric == "pue" and (most := limit.rule.at_most) is not None:
                holds = limit.rule.holds(inputs.horizon.on_clock(site.time_zone))
                found.append((f"sites.{name}.limits ({limit.name})", most, [name], site.time_zone, holds))
    out = []
    for where, most, members, zone, counted in found:
        calendar = inputs.horizon.on_clock(zone)
        mine = counted & (calendar.years == calendar.years[0])
        debt = -year_balance(most, [inputs.state.site(m).year_to_date for m in members])
        if debt > REACH_TOLERANCE_MWH and mine.any():
            left, hours = float(calendar.rest_of_year_h[np.argmax(mine)]), float(inputs.horizon.dt[mine].sum())
            out.append(
                f"{inputs.fleet_path.name}: {where}: the year so far is over the PUE cap of {most:g} by {debt:.3f} MWh; this "
                f"horizon makes up {debt * min(hours / left, 1.0):.3f} MWh, its share of the {left:.0f} h that are left of the year"
            )
    return out


def cap_notices(inputs: Inputs, problem: xr.Dataset) -> list[str]:
    """One sentence for each PUE cap that some of its windows do not have; empty when all caps hold throughout."""
    names = [str(c).split("@")[0] for c in problem["cap"].values]
    out = []
    for key, label, site, cap in _caps(inputs):
        lacking = problem.sizes["time"] - names.count(f"{label}:{cap.name}")
        if lacking and (why := _why(inputs, problem, site, cap, lacking)):
            out.append(f"{inputs.fleet_path.name}: {key} ({cap.name}): {why}")
    return out


def _why(inputs: Inputs, problem: xr.Dataset, site: int | None, cap: PueCap, lacking: int) -> str | None:
    """Reason why a cap lacks windows; None for a year, which has one row for all its periods."""
    every, names = problem.sizes["time"], list(inputs.fleet.sites)
    match cap.period:
        case "year":
            return None
        case "rolling":
            assert cap.window_h is not None  # the file model demands it for rolling caps
            since = (inputs.horizon.ends[0] - np.timedelta64(round(cap.window_h * 3600), "s")).astype("datetime64[m]")
            file = inputs.case.state or "a state file, which the case names by state"
            keys = ", ".join(f"sites.{n}.history" for n in (names if site is None else [names[site]]))
            return (
                f"rolling cap of window_h {cap.window_h:g} is not held in the {lacking} of {every} windows that "
                f"begin before the horizon, as their history is not known; give {keys} from {since}Z on in {file}"
            )
        case "hour":
            mine = np.full(problem.sizes["hall"], True) if site is None else problem["hall_site"].values == site
            least = problem["base_it"].values[mine].sum(axis=0)  # IT power that no plan can lower [MW], (T,)
            return (
                f"hourly cap holds in {every - lacking} of {every} periods: only where IT power "
                f"cannot fall below above_it_mw {cap.above_it_mw:g}, and it can fall to {least.min():.3f} … "
                f"{least.max():.3f} MW; a lower above_it_mw, or more firm_gpus, makes it hold in more"
            )
        case _:
            assert_never(cap.period)


def _caps(inputs: Inputs) -> Iterator[tuple[str, str, int | None, PueCap]]:
    """(key of the fleet file, first part of its rows' labels, position of the site or None, cap)."""
    for s, (name, site) in enumerate(inputs.fleet.sites.items()):
        for i, cap in enumerate(site.pue_caps):
            yield f"sites.{name}.pue_caps.{i}", name, s, cap
    for i, cap in enumerate(inputs.fleet.fleet_pue_caps):
        yield f"fleet_pue_caps.{i}", "fleet", None, cap


def limit_rows(inputs: Inputs) -> list[CapRow]:
    """One row per PUE limit and calendar year (site-local) that the horizon touches while the limit is in force.

    The first year carries the year-to-date balance, all of it, also where the limit began within the year.
    """
    rows: list[CapRow] = []
    for s, (name, site) in enumerate(inputs.fleet.sites.items()):
        past, calendar = [inputs.state.site(name).year_to_date], inputs.horizon.on_clock(site.time_zone)
        for limit in inputs.limits.get(name, ()):
            if limit.rule.metric == "pue" and (most := limit.rule.at_most) is not None:
                label, windows = f"{name}:{limit.name}", _years(most, past, calendar, limit.rule.holds(calendar))
                rows += [CapRow(f"{label}@{year}", label, s, most, a, b, credit) for year, a, b, credit in windows]
    return rows
