"""About 300 waiting jobs, drawn from the joint distribution of GPUs and duration of the Kalos cluster."""

from __future__ import annotations

import csv
import gzip
import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from builder.groups import GROUPS, Group

SEED, COUNT = 2018, 300
#: Jobs shorter than this [h] are left out: 224 of 319, together 0.7 % of the recorded GPU-hours.
SHORTEST_H = 0.25
#: Longer runs are cut to this [h], so that a day of slack and a choice of start remain inside the week.
LONGEST_H = 96.0
#: Every job uses this many times the recorded GPUs: the fleet is that much larger than the cluster.
GPU_SCALE = 2
#: Last deadline [h]: the week in which summer time begins has 167 hours.
HORIZON_H = 167.0
SLACK_H = (24.5, 119.5)  # one to five days, half an hour of room for rounding
#: Share of the jobs that wait already when the week begins.
BACKLOG = 0.15
#: Every so many jobs states its own value [EUR per reference GPU-hour]: assumption, order of a rental price.
VALUED_EVERY, VALUE_EUR = 12, 2.0
GPU_EDGES = (32, 128, 320, 512)  # strata of recorded GPUs
HOUR_EDGES = (1.0, 4.0, 12.0, 36.0)  # strata of recorded duration [h]
#: Duration of a draw = recorded duration times a factor from this range (a smoothed bootstrap).
JITTER = (0.85, 1.15)

COLUMNS = (
    "id", "label", "gpu_hours", "max_gpus", "release", "deadline", "gpu_kinds", "jurisdictions", "home_site",
    "value_eur_per_gpu_hour", "gang_gpus", "min_run_h", "movable",
)  # fmt: skip

T = TypeVar("T")
Draw = Callable[[], float]


@dataclass(frozen=True)
class Recorded:
    """One job as the cluster ran it, or a draw from it: GPUs, hours, kind of work."""

    gpus: int
    hours: float
    kind: str


def build(kalos: Path, path: Path) -> None:
    """Write `jobs.csv`; only `random.Random.random` is used, whose stream Python guarantees."""
    draw = random.Random(SEED).random
    drawn = _shuffled(_stratified(_read(kalos), draw), draw)
    groups = _assign([job.gpus for job in drawn], draw)
    windows = [_window(job.hours, u, draw) for job, u in zip(drawn, _spread(len(drawn), draw), strict=True)]
    homes = _homes(groups, [_work(job, group) for job, group in zip(drawn, groups, strict=True)])
    jobs = sorted(zip(windows, drawn, groups, homes, strict=True), key=lambda j: j[0])
    lines = [",".join(COLUMNS)] + [_row(i, *job) for i, job in enumerate(jobs, 1)]
    path.write_bytes(("\n".join(lines) + "\n").encode("ascii"))


def _read(kalos: Path) -> list[Recorded]:
    with gzip.open(kalos, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    jobs = [Recorded(int(r["gpus"]), float(r["duration_s"]) / 3600, r["kind"].split("_")[0]) for r in rows]
    return [job for job in jobs if job.hours >= SHORTEST_H]


def _stratified(jobs: Sequence[Recorded], draw: Draw) -> list[Recorded]:
    """Draws per stratum in proportion to its jobs, systematic inside it (by recorded GPU-hours)."""
    strata: dict[tuple[int, int], list[Recorded]] = {}
    for job in sorted(jobs, key=lambda j: (j.gpus * j.hours, j.gpus)):
        strata.setdefault((bisect_left(GPU_EDGES, job.gpus), bisect_left(HOUR_EDGES, job.hours)), []).append(job)
    keys = sorted(strata)
    counts = _apportion([len(strata[k]) / len(jobs) for k in keys], COUNT)
    return [_smooth(job, draw) for k, n in zip(keys, counts, strict=True) for job in _systematic(strata[k], n, draw)]


def _apportion(shares: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to `shares` that add up to `total` (largest remainders)."""
    counts = [math.floor(share * total) for share in shares]
    order = sorted(range(len(shares)), key=lambda i: (counts[i] - shares[i] * total, i))
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts


def _systematic(jobs: Sequence[Recorded], count: int, draw: Draw) -> list[Recorded]:
    start = draw()
    return [jobs[int((i + start) * len(jobs) / count)] for i in range(count)]


def _smooth(job: Recorded, draw: Draw) -> Recorded:
    low, high = JITTER
    return Recorded(job.gpus, min(LONGEST_H, job.hours * (low + (high - low) * draw())), job.kind)


def _shuffled(items: Sequence[T], draw: Draw) -> list[T]:
    keys = [draw() for _ in items]
    return [items[i] for i in sorted(range(len(items)), key=keys.__getitem__)]


def _spread(count: int, draw: Draw) -> list[float]:
    """Evenly spread numbers in [0, 1) in random order; the first `BACKLOG` share of them is zero."""
    return _shuffled([max(0.0, (i + draw()) / count - BACKLOG) / (1 - BACKLOG) for i in range(count)], draw)


def _assign(gpus: Sequence[int], draw: Draw) -> list[Group]:
    """Groups in the stated shares; a job larger than its group takes swaps places with one that fits."""
    counts = _apportion([g.share for g in GROUPS], len(gpus))
    pack = _shuffled([g for g, n in zip(GROUPS, counts, strict=True) for _ in range(n)], draw)
    for i, size in enumerate(gpus):
        if size > pack[i].largest:
            k = next(k for k, other in enumerate(gpus) if other <= pack[i].largest and size <= pack[k].largest)
            pack[i], pack[k] = pack[k], pack[i]
    return pack


def _window(hours: float, place: float, draw: Draw) -> tuple[float, float]:
    """Release and deadline [h]: the release by `place`, then a slack from what the week leaves, never under a day."""
    low, high = SLACK_H
    release = math.floor(2 * place * (HORIZON_H - hours - low)) / 2
    slack = low + (min(high, HORIZON_H - hours - release) - low) * draw()
    return release, math.floor(2 * (release + hours + slack)) / 2


def _homes(groups: Sequence[Group], work: Sequence[float]) -> list[str]:
    """Home sites: the largest job first, each to the site whose share of the group's work is most behind."""
    total: dict[int, float] = {}
    for group, hours in zip(map(GROUPS.index, groups), work, strict=True):
        total[group] = total.get(group, 0.0) + hours
    due = {(g, s): w * total[g] / sum(GROUPS[g].homes.values()) for g in total for s, w in GROUPS[g].homes.items()}
    homes = [""] * len(groups)
    for i in sorted(range(len(groups)), key=lambda i: (-work[i], i)):
        group = GROUPS.index(groups[i])
        homes[i] = max(GROUPS[group].homes, key=lambda site: due[group, site])
        due[group, homes[i]] -= work[i]
    return homes


def _work(job: Recorded, group: Group) -> float:
    """Reference GPU-hours: the draw's hours on its scaled GPUs of the fastest kind its group accepts."""
    return GPU_SCALE * job.gpus * job.hours * group.fastest


def _row(number: int, window: tuple[float, float], job: Recorded, group: Group, home: str) -> str:
    max_gpus = GPU_SCALE * job.gpus
    kinds = ";".join(f"{kind}={speed:g}" for kind, speed in group.gpu_kinds.items())
    value = f"{VALUE_EUR:g}" if number % VALUED_EVERY == 0 else ""
    times = [f"+{hour:g}h" for hour in window]
    label = f"{job.kind} {max_gpus} GPU"
    return ",".join([f"j{number:03d}", label, f"{_work(job, group):.1f}", str(max_gpus), *times, kinds,
                     ";".join(group.jurisdictions), home, value, "", "", ""])  # fmt: skip
