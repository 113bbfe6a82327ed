"""A Schedule that is to be published, row by row against the raw inputs, and against the Solution that was proven.

The certificate proves a Solution of an assembled Problem. What is published is a Schedule: so its work, windows, kinds,
residency, GPUs, rooms, dates and meters are compared with `raw_limits`, the arrays of jobs, pools and caps that the proof
rests on with the same limits, and the GPUs of its pools with those of the Solution, from which all its power follows.
Default penalties, terminal prices and the capacity after the horizon have no second reading: they are no limits, and no bill
has them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.raw_limits import RawLimits
from energy.errors import CertificateError
from energy.schedule.disaggregate import LEAST_GPUS
from energy.schema import Bools, Floats, values_of

#: A limit may be exceeded by this share of itself, or of 1 where it is below 1: twice the certificate's violation, once for the
#: limit in the Solution and once for the split of a group's GPUs over its jobs.
SLACK = 2e-6
#: Replayed power may exceed a limit by this [MW]: a tenth of a GPU's power, as the reconciliation lets IT power differ.
SLACK_MW = 1e-4
#: Two readings of one input agree to this share: rounding of sums and quotients, far below what any file states.
SAME = 1e-9
#: The room that the weather leaves a hall: it is put on the periods in two ways, by intervals and by sampled minutes.
SAME_WEATHER = 1e-4
#: Balances of a cap differ by no more than this [MWh]: a year of hourly energies of 100 MWh is summed to a hundredth of it.
SAME_MWH = 1e-6
#: Violations that a message names; the rest is counted.
MOST_NAMED = 5
#: Jobs whose windows are compared at once: some ten megabytes.
AT_ONCE = 2000


def check_published(raw: RawLimits, problem: xr.Dataset, solution: xr.Dataset, schedule: xr.Dataset) -> None:
    """Refuse a Schedule that is not what its inputs allow or not what was proven, before anything is made of it.

    Raises
    ------
    CertificateError : names jobs, pools and hours.
    """
    _refuse(violations(raw, problem, solution, schedule))


def check_powers(raw: RawLimits, problem: xr.Dataset, replayed: xr.Dataset) -> None:
    """Refuse a Schedule whose replay draws more than halls in their weather and grid connections give.

    Raises
    ------
    CertificateError : names halls, sites and hours.
    """
    _refuse(power_violations(raw, problem, replayed))


def _refuse(found: list[str]) -> None:
    if found:
        more = [f"and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
        raise CertificateError(f"certificate: the schedule is not published: {'; '.join(found[:MOST_NAMED] + more)}")


def violations(raw: RawLimits, problem: xr.Dataset, solution: xr.Dataset, schedule: xr.Dataset) -> list[str]:
    """Sentences about what a Schedule or the Problem behind it breaks; empty when all holds."""
    axes = [*_axes(raw, problem, "problem"), *_axes(raw, schedule, "schedule")]
    if axes:
        return axes  # positions mean nothing then
    held = _Held(raw, schedule)
    return [
        *_jobs_of(raw, problem), *_counts_of(raw, problem), *_caps_of(raw, problem),  # first: causes of the rest
        *held.numbers(), *held.eligible(), *held.windows(), *held.pools(), *held.work(solution), *held.proven(solution),
    ]  # fmt: skip


def power_violations(raw: RawLimits, problem: xr.Dataset, replayed: xr.Dataset) -> list[str]:
    """Sentences about power above the room of a hall, which the weather may lower, or a connection; empty when all holds."""
    room, assumed = raw.hall_mw - replayed["derating_mw"].values, problem["hall_mw"].values
    found = list(_apart(raw, "hall", raw.halls, assumed, room, SAME_WEATHER))
    for what, names, power, limit, share in (
        ("hall", raw.halls, replayed["it_mw"].values, room, SAME_WEATHER),
        ("site", raw.sites, replayed["import_mw"].values, raw.grid_mw, SLACK),
    ):  # fmt: skip
        for i, t in np.argwhere(~(power <= limit + SLACK_MW + share * limit)).tolist():
            found.append(f"{what} {names[i]} at {_hour(raw, t)}: {power[i, t]:.4f} MW, above its {limit[i, t]:.4f} MW")
    return found


def _beyond(value: Any, limit: Any, slack: float = SLACK) -> Bools:
    """Where a value exceeds its limit, or is not a number."""
    return np.asarray(~(value <= limit + slack * np.maximum(1.0, np.abs(limit))))


def _differs(value: Any, other: Any, share: float = SAME) -> Bools:
    """Where two readings of an input do not agree; one that is not a number agrees with nothing."""
    scale = np.maximum(1.0, np.maximum(np.abs(value), np.abs(other)))
    return np.asarray(~(np.abs(value - other) <= share * scale))


def _axes(raw: RawLimits, ds: xr.Dataset, what: str) -> Iterator[str]:
    for name, known in (("job", raw.jobs), ("pool", raw.pools), ("hall", raw.halls), ("site", raw.sites)):
        if name in ds.coords and ds[name].values.astype(str).tolist() != list(known):
            yield f"{what}: its {name}s are not those of the inputs"
    for name, periods in (("time", raw.horizon.time), ("dt", raw.horizon.dt)):
        if not np.array_equal(ds[name].values, periods):
            yield f"{what}: its periods are not those of the horizon ({name})"


class _Held:
    """Entries of a Schedule beside the limits of their jobs and pools."""

    def __init__(self, raw: RawLimits, schedule: xr.Dataset) -> None:
        self.raw = raw
        self.job, self.pool, self.time = (schedule[f"entry_{k}"].values for k in ("job", "pool", "time"))
        self.gpus = schedule["entry_gpus"].values
        self.periods = len(raw.horizon)
        self.by_pool = np.zeros(raw.available.shape)
        np.add.at(self.by_pool, (self.pool, self.time), self.gpus)

    def numbers(self) -> Iterator[str]:
        """No holding below nothing, or that is no number."""
        for e in np.flatnonzero(~(self.gpus >= 0.0)).tolist():
            yield f"{self._entry(e)}: {self.gpus[e]:g} GPUs"

    def eligible(self) -> Iterator[str]:
        """Jobs run on kinds that they take, at sites where they may."""
        there = ~(self.gpus <= 0.0)
        for e in np.flatnonzero(there & ~(self.raw.speed[self.job, self.pool] > 0.0)).tolist():
            yield f"{self._entry(e)}: {self.gpus[e]:.4g} GPUs of a kind that it does not take"
        for e in np.flatnonzero(there & ~self.raw.resident[self.job, self.pool]).tolist():
            yield f"{self._entry(e)}: {self.gpus[e]:.4g} GPUs outside its jurisdictions"

    def windows(self) -> Iterator[str]:
        """A job holds its most GPUs at most, by the share of the period that lies inside its window."""
        key, at = np.unique(self.job * self.periods + self.time, return_inverse=True)
        total = np.bincount(at, weights=self.gpus, minlength=len(key))
        job, time = np.divmod(key, self.periods)
        share = self.raw.open_share(job, time)
        for i in np.flatnonzero(_beyond(total, self.raw.most_gpus[job] * share)).tolist():
            where = f"job {self.raw.jobs[job[i]]} at {self._hour(time[i])}"
            what = (
                f"its limit of {self.raw.most_gpus[job[i]] * share[i]:.6g}"
                if share[i] > 0
                else "none: outside its window"
            )
            yield f"{where}: {total[i]:.6g} GPUs, above {what}"

    def pools(self) -> Iterator[str]:
        """All jobs together hold no more GPUs than are up and not firm."""
        free = self.raw.available - self.raw.firm
        for n, t in np.argwhere(_beyond(self.by_pool, free)).tolist():
            yield f"pool {self.raw.pools[n]} at {self._hour(t)}: {self.by_pool[n, t]:.6g} GPUs, above its {free[n, t]:.6g}"

    def proven(self, solution: xr.Dataset) -> Iterator[str]:
        """The GPUs of every pool are those that were proven: power, peaks, caps and cost follow from them."""
        planned = solution["group_gpus"].values.sum(axis=0)
        dropped = LEAST_GPUS * len(self.raw.jobs)  # holdings that are the solver's noise, at most one per job
        apart = np.abs(self.by_pool - planned)
        for n, t in np.argwhere(~(apart <= dropped + SLACK * np.maximum(1.0, planned))).tolist():
            where = f"pool {self.raw.pools[n]} at {self._hour(t)}"
            yield f"{where}: {self.by_pool[n, t]:.6g} GPUs, but {planned[n, t]:.6g} were proven"

    def work(self, solution: xr.Dataset) -> Iterator[str]:
        """Work done, deferred and unserved is the work that there is; no more waits than may."""
        raw = self.raw
        speed = np.where(raw.resident, raw.speed, 0.0)
        hours = self.gpus * raw.horizon.dt[self.time]
        done = np.bincount(self.job, weights=hours * speed[self.job, self.pool], minlength=len(raw.jobs))
        deferred, unserved = solution["deferred"].values, solution["unserved"].values
        # What a job may lose to holdings below LEAST_GPUS, each period in each of its pools.
        lost = LEAST_GPUS * float(raw.horizon.dt.sum()) * speed.sum(axis=1)
        apart = np.abs(done + deferred + unserved - raw.work)
        for j in np.flatnonzero(~(apart <= lost + SLACK * np.maximum(1.0, raw.work))).tolist():
            yield (
                f"job {raw.jobs[j]}: {done[j]:.6g} GPU-hours done, {deferred[j]:.6g} deferred and {unserved[j]:.6g} "
                f"unserved, of {raw.work[j]:.6g}"
            )
        for j in np.flatnonzero(_beyond(deferred, raw.may_wait)).tolist():
            yield f"job {raw.jobs[j]}: {deferred[j]:.6g} GPU-hours deferred, of which {raw.may_wait[j]:.6g} may wait"

    def _entry(self, e: int) -> str:
        return f"job {self.raw.jobs[self.job[e]]} in pool {self.raw.pools[self.pool[e]]} at {self._hour(self.time[e])}"

    def _hour(self, t: int) -> str:
        return _hour(self.raw, t)


def _hour(raw: RawLimits, t: int) -> str:
    return f"{np.datetime_as_string(raw.horizon.time[t], unit='m')}Z"


def _jobs_of(raw: RawLimits, problem: xr.Dataset) -> Iterator[str]:
    """The Problem has the work, windows, GPUs, speeds, waits and values of the job table."""
    p = values_of(problem)
    at = np.take_along_axis(p["speed"], np.maximum(p["pool_class"], 0), axis=1)
    speed = np.where(p["pool_class"] >= 0, at, 0.0)[p["job_group"]]
    value = np.where(np.isnan(raw.value), p["penalty"], raw.value)
    read: dict[str, tuple[Floats, Floats]] = {
        "work": (p["work_left"], raw.work), "most GPUs": (p["max_gpus"], raw.most_gpus),
        "work that may wait": (p["deferred_max"], raw.may_wait), "value": (p["penalty"], value),
        "mark as expected": (p["expected"], raw.expected.astype(float)),
        "speeds by pool": (speed, np.where(raw.resident, raw.speed, 0.0)),
    }  # fmt: skip
    for what, (assumed, given) in read.items():
        for j in np.unique(np.argwhere(_differs(assumed, given))[:, 0]).tolist():
            yield f"job {raw.jobs[j]}: its {what} was assembled wrongly"
    every = np.arange(len(raw.horizon))
    for jobs in np.split(np.arange(len(raw.jobs)), range(AT_ONCE, len(raw.jobs), AT_ONCE)):
        wrong = _differs(p["open"][jobs], raw.open_share(jobs[:, None], every))
        for j, t in np.argwhere(wrong)[:MOST_NAMED].tolist():
            yield f"job {raw.jobs[jobs[j]]} at {_hour(raw, t)}: its window was assembled wrongly"


def _counts_of(raw: RawLimits, problem: xr.Dataset) -> Iterator[str]:
    """The Problem has the GPUs of the pools and the connections of the sites."""
    p = values_of(problem)
    yield from _apart(raw, "pool", raw.pools, p["available"], raw.available, SAME)
    yield from _apart(raw, "pool", raw.pools, p["firm"], raw.firm, SAME)
    yield from _apart(raw, "site", raw.sites, p["grid_limit_mw"], raw.grid_mw, SAME)


def _apart(
    raw: RawLimits, what: str, names: tuple[str, ...], assumed: Floats, given: Floats, share: float
) -> Iterator[str]:
    for i, t in np.argwhere(_differs(assumed, given, share)).tolist():
        yield f"{what} {names[i]} at {_hour(raw, t)}: {assumed[i, t]:.6g} was assembled, the inputs give {given[i, t]:.6g}"


def _caps_of(raw: RawLimits, problem: xr.Dataset) -> Iterator[str]:
    """The Problem has every PUE cap in every window and no other, each with its own balance of the past."""
    p = values_of(problem)
    names = [str(label).partition("@")[0] for label in problem["cap"].values]
    rows = zip(names, p["cap_site"], p["cap_start"], p["cap_stop"], p["cap_limit"], p["cap_credit"], strict=True)
    assumed = {(name, int(s), int(a), int(b), float(limit)): float(credit) for name, s, a, b, limit, credit in rows}
    given = {(c.name, c.site, c.start, c.stop, c.limit): c for c in raw.caps}
    for key in [*sorted(set(given) - set(assumed)), *sorted(set(assumed) - set(given))]:
        name, _, start, stop, limit = key
        if key in assumed or not given[key].may_lack:
            what = "was assembled, which the inputs do not have" if key in assumed else "was not assembled"
            yield f"PUE cap {name}: its limit {limit:g} from {_hour(raw, start)} on over {stop - start} periods {what}"
    for key in sorted(set(given) & set(assumed)):
        mine, theirs = assumed[key], given[key].credit
        if not abs(mine - theirs) <= SAME_MWH + SAME * abs(theirs):
            where = f"PUE cap {key[0]} from {_hour(raw, key[2])} on"
            yield f"{where}: a balance of {mine:.6g} MWh was assembled, the state gives {theirs:.6g} MWh"
