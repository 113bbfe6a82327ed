"""What a published Schedule must obey, read from the raw inputs a second time: jobs, windows, tags, GPUs, meters, caps.

Nothing here knows the Problem or how it is assembled: windows are counted in whole nanoseconds, tags and kinds are asked of the
fleet by pool, and each PUE cap is given its own balance of the past. What is wrong there cannot be wrong here in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import numpy as np

from energy.inputs.dated import at
from energy.inputs.fleet import PueCap
from energy.inputs.load import Inputs
from energy.inputs.state import Balance
from energy.schema import Bools, Floats, Ints
from energy.schema.calendar import Horizon, to_utc

#: Nanoseconds of an hour.
HOUR_NS = 3_600_000_000_000
#: History of a rolling cap may lack this much of its window [h]: rounding of sums of period lengths.
HISTORY_SLACK_H = 1e-6
#: IT power this close to the one from which an hourly cap holds may be above or below it [MW, or share above 1 MW]: rounding.
SAME_MW = 1e-9


@dataclass(frozen=True)
class RawCap:
    """A PUE cap over [start, stop): Σ dt (facility - limit·it) of the sites may reach `credit` [MWh].

    Attributes
    ----------
    site : position of the site, -1 for the whole fleet
    may_lack : whether rounding decides if the window has the cap at all
    """

    name: str
    site: int
    limit: float
    start: int
    stop: int
    credit: float
    may_lack: bool = False


@dataclass(frozen=True)
class RawLimits:
    """Limits of jobs (J), pools (N), halls (H) and sites (S) over the periods (T) of the horizon.

    Attributes
    ----------
    work : reference GPU-hours to do; of expected arrivals at most what their window holds, (J,)
    may_wait : reference GPU-hours that a job may leave for after the horizon, (J,)
    release, deadline : moments [ns since 1970, UTC], (J,)
    speed : reference GPU-hours per GPU-hour by pool, 0 where the pool is of no kind that the job takes, (J, N)
    resident : whether the pool lies where the job may run, (J, N)
    value : price of an undone reference GPU-hour that the table gives, NaN without one, (J,) [EUR]
    available, firm : GPUs that are up, and those of them that inference holds, (N, T)
    hall_mw : most IT power before the weather lowers it, (H, T)
    grid_mw : connection, (S, T)
    """

    horizon: Horizon
    jobs: tuple[str, ...]
    pools: tuple[str, ...]
    halls: tuple[str, ...]
    sites: tuple[str, ...]
    work: Floats
    most_gpus: Floats
    expected: Bools
    may_wait: Floats
    release: Ints
    deadline: Ints
    speed: Floats
    resident: Bools
    value: Floats
    available: Floats
    firm: Floats
    hall_mw: Floats
    grid_mw: Floats
    caps: tuple[RawCap, ...]

    def open_share(self, job: Ints, time: Ints) -> Floats:
        """Share of each period that lies inside the window of the job beside it [1]; shapes are broadcast together."""
        return _open_share(self.horizon, self.release[job], self.deadline[job], time)


def raw_limits(inputs: Inputs) -> RawLimits:
    """The limits of a case, from its jobs, fleet, legal limits, state and horizon."""
    fleet, horizon = inputs.fleet, inputs.horizon
    jobs = _job_limits(inputs)
    counts = _gpu_counts(inputs)
    hall_mw = []
    for site, hall in fleet.halls().values():
        zone = fleet.sites[site].time_zone
        given = [at(steps, horizon.time, zone) for steps in (hall.design_mw, hall.limit_mw) if steps is not None]
        hall_mw.append(np.min(given, axis=0))
    grid = [at(s.grid_limit_mw, horizon.time, s.time_zone) for s in fleet.sites.values()]
    return RawLimits(
        horizon, tuple(j.id for j in inputs.jobs), tuple(fleet.pools()), tuple(fleet.halls()), tuple(fleet.sites),
        **jobs, available=counts["available"], firm=counts["firm"], hall_mw=np.array(hall_mw), grid_mw=np.array(grid),
        caps=tuple(_caps(inputs, counts)),
    )  # fmt: skip


def _nanoseconds(moments: object) -> Ints:
    return np.asarray(moments, dtype="datetime64[ns]").astype(np.int64)


def _open_share(horizon: Horizon, release: Ints, deadline: Ints, time: Ints) -> Floats:
    begin, end = _nanoseconds(horizon.time)[time], _nanoseconds(horizon.ends)[time]
    inside = np.minimum(end, deadline) - np.maximum(begin, release)
    return np.asarray(np.clip(inside / (end - begin), 0.0, 1.0))


def _job_limits(inputs: Inputs) -> dict[str, np.ndarray]:
    jobs, horizon = inputs.jobs, inputs.horizon
    # Not by way of numpy, which takes a Timestamp for a datetime and drops its nanoseconds.
    release, deadline = (
        np.array([getattr(j, key).as_unit("ns").value for j in jobs], dtype=np.int64) for key in ("release", "deadline")
    )
    speed, resident = _where_jobs_run(inputs)
    most = np.array([j.max_gpus for j in jobs])
    work = np.array([max(j.gpu_hours - inputs.state.work_done.get(j.id, 0.0), 0.0) for j in jobs])
    first, last = (int(_nanoseconds(m)) for m in (horizon.start, horizon.end))
    fastest = np.where(resident, speed, 0.0).max(axis=1)
    # Reference GPU-hours that the job can do at its best in so many hours.
    inside_h = np.maximum(np.minimum(deadline, last) - np.maximum(release, first), 0) / HOUR_NS
    after_h = np.maximum(deadline - last, 0) / HOUR_NS
    waits = inputs.case.horizon.beyond == "terminal_value"
    may_wait = np.minimum(most * fastest * after_h, work) if waits else np.zeros(len(jobs))
    expected = np.array([j.id in inputs.expected for j in jobs], dtype=bool)
    return {
        "work": np.where(expected, np.minimum(work, most * fastest * inside_h + may_wait), work),
        "most_gpus": most, "expected": expected, "may_wait": may_wait, "release": release, "deadline": deadline,
        "speed": speed, "resident": resident,
        "value": np.array([np.nan if j.value_eur_per_gpu_hour is None else j.value_eur_per_gpu_hour for j in jobs]),
    }  # fmt: skip


def _where_jobs_run(inputs: Inputs) -> tuple[Floats, Bools]:
    """Speed by the pool's kind and whether its site carries a tag that the job asks for, each (J, N); by sort of job."""
    halls = inputs.fleet.halls()
    pools = [(inputs.powers[p].kind, inputs.fleet.sites[halls[h][0]]) for p, (h, _) in inputs.fleet.pools().items()]
    tags = [{site.country, *site.jurisdictions} for _, site in pools]
    rows: dict[object, tuple[list[float], list[bool]]] = {}
    found = []
    for job in inputs.jobs:
        sort = frozenset(job.gpu_kinds.items()), job.jurisdictions
        if sort not in rows:
            speed = [job.gpu_kinds.get(kind, 0.0) for kind, _ in pools]
            rows[sort] = speed, [not job.jurisdictions or not job.jurisdictions.isdisjoint(t) for t in tags]
        found.append(rows[sort])
    return np.array([speed for speed, _ in found]), np.array([resident for _, resident in found], dtype=bool)


def _gpu_counts(inputs: Inputs) -> dict[str, Floats]:
    """installed, available and firm GPUs, (N, T): phases less maintenance, by the share of a period that it takes."""
    fleet, horizon = inputs.fleet, inputs.horizon
    halls, every = fleet.halls(), np.arange(len(horizon))
    out: dict[str, list[Floats]] = {"installed": [], "available": [], "firm": []}
    for hall, pool in fleet.pools().values():
        zone = fleet.sites[halls[hall][0]].time_zone
        installed = at(pool.count, horizon.time, zone)
        down = np.zeros(len(horizon))
        for window in pool.maintenance:
            begin, end = (_nanoseconds(to_utc(moment, zone)) for moment in (window.from_, window.to))
            down += window.gpus * _open_share(horizon, begin, end, every)
        out["installed"].append(installed)
        out["available"].append(np.clip(installed - down, 0.0, None))
        out["firm"].append(at(pool.firm_gpus, horizon.time, zone))
    return {key: np.array(rows) for key, rows in out.items()}


def _caps(inputs: Inputs, counts: dict[str, Floats]) -> Iterator[RawCap]:
    """Every PUE cap of the fleet file and of the legal limits, in each of its windows, with its balance of the past."""
    fleet, horizon = inputs.fleet, inputs.horizon
    own = [(s, name, cap) for s, (name, site) in enumerate(fleet.sites.items()) for cap in site.pue_caps]
    for s, owner, cap in [*own, *((-1, "fleet", cap) for cap in fleet.fleet_pue_caps)]:
        members = list(fleet.sites) if s < 0 else [owner]
        for window in _windows(inputs, cap, s, members, counts):
            yield RawCap(f"{owner}:{cap.name}", s, cap.limit, *window)
    for s, (name, site) in enumerate(fleet.sites.items()):
        for limit in inputs.limits.get(name, ()):
            most = limit.rule.at_most
            if limit.rule.metric != "pue" or most is None:
                continue
            until = limit.rule.valid_to
            days = horizon.on_clock(site.time_zone).days
            counted = np.array([limit.rule.valid_from <= d and (until is None or d <= until) for d in days])
            for start, stop, credit in _years(inputs, most, [name], site.time_zone, counted):
                yield RawCap(f"{name}:{limit.name}", s, most, start, stop, credit)


def _windows(
    inputs: Inputs, cap: PueCap, s: int, members: list[str], counts: dict[str, Floats]
) -> Iterator[tuple[int, int, float, bool]]:
    """(first period, first after, balance brought along [MWh], whether rounding decides about it) of a cap."""
    match cap.period:
        case "year":
            zone = "UTC" if s < 0 else inputs.fleet.sites[members[0]].time_zone
            whole = np.full(len(inputs.horizon), True)
            yield from ((*window, False) for window in _years(inputs, cap.limit, members, zone, whole))
        case "rolling":
            yield from ((*window, False) for window in _rolling(inputs, cap, members))
        case "hour":
            least = sum((_least_it(inputs, name, counts) for name in members), np.zeros(len(inputs.horizon)))
            bar = np.inf if cap.above_it_mw is None else cap.above_it_mw
            near = np.abs(least - bar) <= SAME_MW * max(1.0, bar)
            yield from ((t, t + 1, 0.0, bool(near[t])) for t in np.flatnonzero((least >= bar) | near).tolist())
        case _:
            assert_never(cap.period)


def _years(
    inputs: Inputs, limit: float, members: list[str], zone: str, counted: Bools
) -> Iterator[tuple[int, int, float]]:
    """The year to date belongs to the year in which the horizon begins; any later year begins with nothing.

    Where it is over the cap, the horizon bears of the debt what its hours are of those up to midnight of New Year's Eve.
    """
    years, horizon = inputs.horizon.on_clock(zone).years, inputs.horizon
    past = [inputs.state.site(name).year_to_date for name in members]
    for year in np.unique(years[counted]).tolist():
        inside = np.flatnonzero(counted & (years == year))
        credit = _balance(limit, past) if year == years[0] else 0.0
        if credit < 0:
            midnight = to_utc(datetime.fromisoformat(f"{year + 1}-01-01"), zone)
            left = (midnight - horizon.time[inside[0]]) / np.timedelta64(1, "h")
            credit *= min(float(horizon.dt[inside].sum() / left), 1.0)
        yield int(inside[0]), int(inside[-1]) + 1, credit


def _rolling(inputs: Inputs, cap: PueCap, members: list[str]) -> Iterator[tuple[int, int, float]]:
    """Windows that end with each period; one that begins before the horizon counts where the state has all of it."""
    horizon, hours = inputs.horizon, cap.window_h or 0.0
    starts, ends = _nanoseconds(horizon.time), _nanoseconds(horizon.ends)
    length = round(hours * 3600) * (HOUR_NS // 3600)
    past = [inputs.state.site(name).history for name in members]
    moments = [_nanoseconds([p.utc for p in periods]) for periods in past]
    known = [np.array([(p.hours, p.facility_mwh, p.it_mwh) for p in periods]).reshape(-1, 3) for periods in past]
    for t, end in enumerate(ends.tolist()):
        begin = end - length
        # Hours, facility energy and IT energy of the part of the window that lies before the horizon, by site.
        sums = np.array([x[(begin <= m) & (m < starts[0])].sum(axis=0) for x, m in zip(known, moments, strict=True)])
        before_h = max(starts[0] - begin, 0) / HOUR_NS
        if (sums[:, 0] + HISTORY_SLACK_H >= before_h).all():
            credit = float((cap.limit * sums[:, 2] - sums[:, 1]).sum())
            yield int(np.count_nonzero(starts < begin)), t + 1, credit


def _balance(limit: float, past: list[Balance]) -> float:
    return sum(limit * b.it_mwh - b.facility_mwh for b in past)


def _least_it(inputs: Inputs, name: str, counts: dict[str, Floats]) -> Floats:
    """IT power of a site with no job running [MW], (T,): firm GPUs busy, the others idle or switched off, and the rest."""
    site, time = inputs.fleet.sites[name], inputs.horizon.time
    out = sum((at(hall.other_it_mw, time, site.time_zone) for hall in site.halls.values()), np.zeros(len(time)))
    for n, pool in enumerate(inputs.fleet.pools()):
        if pool.startswith(f"{name}/"):
            power, up, firm = inputs.powers[pool], counts["available"][n], counts["firm"][n]
            out = (
                out + power.busy_mw * firm + power.idle_mw * (up - firm) + power.off_mw * (counts["installed"][n] - up)
            )
    return np.asarray(out)
