"""GPU quotas: whole GPUs of each pool that each group of jobs may hold in each period, from the plan's fractions.

Quotas of several plans merge: each plan holds until the next begins, and groups that no plan has any more hold zero.
Names of groups and pools become names that Slurm, Kubernetes and file systems accept, one to one with the fleet's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from energy.runs.record import Record
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
    """Quotas of a plan: `gpus` (K, N, T) in whole GPUs; `start` (T,) UTC, `dt` (T,) [h].

    A group without jobs, and a pool of `gone`, belong to older plans: they are handed over with zero GPUs. `missing` are
    unfinished jobs that the queue of the night named no more: they may still run, and have no GPUs in the plan.
    """

    run_id: str
    pools: tuple[str, ...]
    groups: tuple[Group, ...]
    start: Times
    dt: Floats
    gpus: Ints
    gone: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

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
    return tuple(g for g in _groups(problem) if g.jobs)


def quotas(record: Record) -> Quotas:
    """Quotas of a run, from its Schedule; expected jobs left out."""
    problem, schedule = record.problem, record.schedule
    real = ~expected(problem)
    room = np.floor(problem["available"].values - problem["firm"].values + WHOLE).astype(np.int64)
    held = np.zeros((problem.sizes["group"], problem.sizes["pool"], problem.sizes["time"]))
    job, pool, t, gpus = (schedule[f"entry_{x}"].values for x in ("job", "pool", "time", "gpus"))
    mine = real[job]
    np.add.at(held, (problem["job_group"].values[job[mine]], pool[mine], t[mine]), gpus[mine])
    pools = tuple(str(v) for v in problem["pool"].values)
    groups = _groups(problem)
    keep = [k for k, g in enumerate(groups) if g.jobs]
    dt = problem["dt"].values
    return Quotas(
        str(record.manifest.get("run_id", "")), pools, tuple(groups[k] for k in keep), problem["time"].values, dt,
        whole(held[keep], room, dt), missing=tuple(j["id"] for j in (record.night or {"jobs": {}})["jobs"].get("missing", [])),
    )  # fmt: skip


def expected(problem: xr.Dataset) -> Bools:
    """Jobs that nobody has submitted yet, (J,)."""
    named = np.array([str(j).startswith(EXPECTED) for j in problem["job"].values], dtype=bool)
    return named | (problem["expected"].values > 0) if "expected" in problem else named


def _groups(problem: xr.Dataset) -> list[Group]:
    """All groups with their jobs, expected ones left out."""
    pools, real = [str(v) for v in problem["pool"].values], ~expected(problem)
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
        rank = np.argsort(np.argsort(-np.where(broken, wanted, -np.inf), axis=0, kind="stable"), axis=0, kind="stable")
        out[:, :, t] = base + ((rank < np.maximum(extra, 0)) & broken)
        carried += (now - out[:, :, t]) * hours
    return out


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


#: Apart in the run id of joined quotas.
AND = " and "


def joined(parts: Sequence[Quotas], former: Sequence[Group] = ()) -> Quotas:
    """One plan after the other, (K, N, T) over all of their groups and pools.

    A group or pool that a part does not have gets nothing in it: otherwise the scheduler would keep its last quota.

    Parameters
    ----------
    parts : in the order of their beginnings, one at least; a part that ends before the next begins is the last one
    former : groups of older plans; those that no part has are in the outcome without jobs, and with no GPU
    """
    used = list(parts[:1])
    for part in parts[1:]:
        if used[-1].end < part.start[0]:
            break
        used[-1] = _until(used[-1], part.start[0])
        used.append(part)
    merged: dict[str, Group] = {}
    for group in (*(g for part in used for g in part.groups), *(replace(g, jobs=()) for g in former)):
        known = merged[group.key].jobs if group.key in merged else ()
        merged[group.key] = replace(group, jobs=tuple(dict.fromkeys((*known, *group.jobs))))
    groups, keys = tuple(merged.values()), list(merged)
    pools = tuple(dict.fromkeys(p for part in used for p in part.pools))
    gone = tuple(dict.fromkeys(p for g in groups for p in g.speeds if p not in pools))
    start, dt = (np.concatenate([getattr(p, name) for p in used]) for name in ("start", "dt"))
    gpus, first = np.zeros((len(groups), len(pools + gone), len(start)), dtype=np.int64), 0
    for part in used:
        rows, columns = [keys.index(g.key) for g in part.groups], [pools.index(p) for p in part.pools]
        gpus[np.ix_(rows, columns, range(first, first + len(part.start)))] = part.gpus
        first += len(part.start)
    run_id, missing = AND.join(dict.fromkeys(p.run_id for p in used)), dict.fromkeys(j for p in used for j in p.missing)
    return Quotas(run_id, pools + gone, groups, start, dt, gpus, gone, tuple(missing))


def _until(quotas: Quotas, end: np.datetime64) -> Quotas:
    """The periods that begin before a moment (UTC), the last one cut there."""
    keep = quotas.start < end
    start, dt = quotas.start[keep], quotas.dt[keep].copy()
    if len(start):
        dt[-1] = min(dt[-1], (end - start[-1]) / np.timedelta64(1, "h"))
    return replace(quotas, start=start, dt=dt, gpus=quotas.gpus[:, :, keep])


#: Longest name made here: a label of Kubernetes and a name of Slurm both hold it.
LONGEST = 60
#: Characters of the hash that keeps changed names apart: 2^32 values for some hundred names.
HASH = 8
_CLEAN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def safe(*parts: str) -> str:
    """Parts joined by dots, in lower case letters, digits and hyphens (RFC 1123).

    Parts that are clean already stay as they are; anything else is replaced and made unique by a hash.
    """
    joined = ".".join(parts)
    if all(_CLEAN.fullmatch(p) for p in parts) and len(joined) <= LONGEST:
        return joined
    pieces = [re.sub(r"[^a-z0-9]+", "-", p.lower()).strip("-") for p in parts]
    text = ".".join(p or "x" for p in pieces)[: LONGEST - HASH - 1].strip(".-")
    return f"{re.sub(r'[.-]*[.][.-]*', '.', text)}-{digest(parts)}"


def digest(content: object) -> str:
    """A short hash of anything JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:HASH]


def quoted(text: str) -> str:
    """A name for a comment: one line of ASCII between double quotes."""
    return json.dumps(text)
