"""GPUs of each pool that each group of jobs may hold in each period: whole numbers from the plan's fractions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from energy.handover.names import digest
from energy.report.record import Record
from energy.schema import Bools, Floats, Ints, Times

#: Jobs that stand for arrivals not yet submitted: they hold room in the plan and are never handed over.
EXPECTED = "expected-"
#: A fraction this far below a whole number of GPUs counts as whole: far above rounding of sums, far below a GPU.
WHOLE = 1e-6


@dataclass(frozen=True)
class Group:
    """Jobs that may run in the same pools at the same speeds. `key` is the same every night as long as those are."""

    key: str
    speeds: dict[str, float]
    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Quotas:
    """What the plan hands over. `gpus` is (K, N, T) in whole GPUs; `start` (T,) UTC, `dt` (T,) [h].

    A group without jobs, and a pool of `gone`, are of older plans: they have nothing any more, and are told so.
    """

    run_id: str
    pools: tuple[str, ...]
    groups: tuple[Group, ...]
    start: Times
    dt: Floats
    gpus: Ints
    gone: tuple[str, ...] = ()

    @property
    def end(self) -> np.datetime64:
        """First moment after the plan (UTC)."""
        return np.datetime64(self.start[-1] + np.timedelta64(round(float(self.dt[-1]) * 3600), "s"))

    def period_at(self, moment: np.datetime64) -> int | None:
        """Position of the period that holds a moment (UTC); None outside the plan."""
        inside = self.start[0] <= moment < self.end
        return int(np.searchsorted(self.start, moment, side="right")) - 1 if inside else None

    def pairs(self) -> list[tuple[int, int]]:
        """(group, pool) that belong together, also where the plan gives nothing: their quota is then zero."""
        return [(k, n) for k, g in enumerate(self.groups) for n, pool in enumerate(self.pools) if pool in g.speeds]


def groups_of(problem: xr.Dataset) -> tuple[Group, ...]:
    """Groups of a plan that have a job of their own, whatever they hold."""
    pools = tuple(str(v) for v in problem["pool"].values)
    return tuple(g for g in _groups(problem, pools, ~expected(problem)) if g.jobs)


def quotas(record: Record) -> Quotas:
    """Quotas of a run, from its Schedule; expected jobs left out."""
    problem, placement = record.problem, record.placement
    real = ~expected(problem)
    room = np.floor(problem["available"].values - problem["firm"].values + WHOLE).astype(np.int64)
    held = _held(problem, placement, real)
    pools = tuple(str(v) for v in problem["pool"].values)
    groups = _groups(problem, pools, real)
    keep = [k for k, g in enumerate(groups) if g.jobs]
    dt = problem["dt"].values
    return Quotas(
        str(record.manifest.get("run_id", "")), pools, tuple(groups[k] for k in keep), problem["time"].values, dt,
        whole(held[keep], room, dt),
    )  # fmt: skip


def expected(problem: xr.Dataset) -> Bools:
    """Jobs that nobody has submitted yet, (J,)."""
    named = np.array([str(j).startswith(EXPECTED) for j in problem["job"].values], dtype=bool)
    return named | (problem["expected"].values > 0) if "expected" in problem else named


def _held(problem: xr.Dataset, placement: xr.Dataset, real: Bools) -> Floats:
    """GPUs by group, pool and period, (K, N, T)."""
    job, pool, t, gpus = (placement[f"entry_{x}"].values for x in ("job", "pool", "time", "gpus"))
    out = np.zeros((problem.sizes["group"], problem.sizes["pool"], problem.sizes["time"]))
    mine = real[job]
    np.add.at(out, (problem["job_group"].values[job[mine]], pool[mine], t[mine]), gpus[mine])
    return out


def _groups(problem: xr.Dataset, pools: tuple[str, ...], real: Bools) -> list[Group]:
    place, speed = problem["pool_class"].values, problem["speed"].values
    out = []
    for k in range(problem.sizes["group"]):
        speeds = {pools[n]: float(speed[k, c]) for n, c in enumerate(place[k]) if c >= 0}
        jobs = [str(j) for j in problem["job"].values[(problem["job_group"].values == k) & real]]
        out.append(Group(f"g{digest(speeds)}", speeds, tuple(jobs)))
    return out


def whole(held: Floats, room: Ints, dt: Floats) -> Ints:
    """Whole GPUs, (K, N, T), whose GPU-hours follow the plan's and whose sum never exceeds the pool's room.

    What rounding takes from a group in one period [GPU-h] is carried into the next: of the groups that hold a fraction
    of a GPU, those with most carried get the GPUs that the sum of fractions makes whole.
    """
    out = np.zeros(held.shape, dtype=np.int64)
    carried = np.zeros(held.shape[:2])
    for t, hours in enumerate(dt):
        now = held[:, :, t]
        base = np.floor(now + WHOLE).astype(np.int64)
        broken = now - base > WHOLE
        wanted = now - base + carried / hours
        due = np.floor(wanted.sum(axis=0, where=broken) + WHOLE).astype(np.int64)
        extra = np.minimum(due, room[:, t] - base.sum(axis=0))
        out[:, :, t] = base + _extra(np.where(broken, wanted, -np.inf), extra)
        carried += (now - out[:, :, t]) * hours
    return out


def _extra(wanted: Floats, extra: Ints) -> Ints:
    """One more GPU for the `extra[n]` groups that want it most, (K, N)."""
    order = np.argsort(np.argsort(-wanted, axis=0, kind="stable"), axis=0, kind="stable")
    return ((order < np.maximum(extra, 0)) & np.isfinite(wanted)).astype(np.int64)


def stretches(quotas: Quotas, values: Ints) -> list[tuple[np.datetime64, np.datetime64, int]]:
    """Neighbouring periods of one value: start, end (UTC), value."""
    first = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0]))
    ends = [*quotas.start[first[1:]], quotas.end]
    return [(quotas.start[i], end, int(values[i])) for i, end in zip(first, ends, strict=True)]


def stamp(at: np.datetime64) -> str:
    """2018-04-30T06:00 (UTC)."""
    return str(np.datetime_as_string(at.astype("datetime64[m]")))


def digits(at: np.datetime64) -> str:
    """201804300600 (UTC): a number that shells compare."""
    return "".join(c for c in stamp(at) if c.isdigit())
