"""Quotas of several plans as one: each from its beginning to that of the next, and what no plan has any more at zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from energy.handover.quota import Group, Quotas

#: Apart in the run id of joined quotas.
AND = " and "


def joined(parts: Sequence[Quotas], former: Sequence[Group] = ()) -> Quotas:
    """One plan after the other, (K, N, T) over all of their groups and pools.

    A group or pool that a part does not have gets nothing in it: what a scheduler was last told would stay otherwise.

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
    groups = _groups([g for part in used for g in part.groups], former)
    pools = tuple(dict.fromkeys(p for part in used for p in part.pools))
    gone = tuple(dict.fromkeys(p for g in groups for p in g.speeds if p not in pools))
    out = np.concatenate([_placed(part, groups, pools + gone) for part in used], axis=2)
    return Quotas(
        AND.join(dict.fromkeys(p.run_id for p in used)), pools + gone, groups, np.concatenate([p.start for p in used]),
        np.concatenate([p.dt for p in used]), out, gone,
    )  # fmt: skip


def _until(quotas: Quotas, end: np.datetime64) -> Quotas:
    """The periods that begin before a moment (UTC), the last one cut there."""
    keep = quotas.start < end
    start, dt = quotas.start[keep], quotas.dt[keep].copy()
    if len(start):
        dt[-1] = min(dt[-1], (end - start[-1]) / np.timedelta64(1, "h"))
    return replace(quotas, start=start, dt=dt, gpus=quotas.gpus[:, :, keep])


def _groups(named: Sequence[Group], former: Sequence[Group]) -> tuple[Group, ...]:
    """Each group once, with the jobs of every part; former ones without any."""
    out: dict[str, Group] = {}
    for group in (*named, *(replace(g, jobs=()) for g in former)):
        jobs = dict.fromkeys((*(out[group.key].jobs if group.key in out else ()), *group.jobs))
        out[group.key] = replace(group, jobs=tuple(jobs))
    return tuple(out.values())


def _placed(
    part: Quotas, groups: tuple[Group, ...], pools: tuple[str, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The part's GPUs on the axes of all."""
    out = np.zeros((len(groups), len(pools), len(part.start)), dtype=np.int64)
    keys = [g.key for g in groups]
    rows, columns = [keys.index(g.key) for g in part.groups], [pools.index(p) for p in part.pools]
    out[np.ix_(rows, columns)] = part.gpus
    return out
