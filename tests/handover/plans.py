"""Hand-made plans: one pool or two, groups, fractions of GPUs, hostile names."""

from __future__ import annotations

from typing import Any

import numpy as np

from energy.handover import Group, Quotas
from tests.nightly.nights import HOSTILE

START = np.datetime64("2026-05-01T06:00", "ns")


def plan(
    pools: tuple[str, ...] = ("narvik/n1/gb300", "malmo/m1/h200"),
    hours: tuple[float, ...] = (1.0, 1.0, 1.0),
    **other: Any,
) -> Quotas:
    """Two groups: the first may use every pool, the second the first pool alone."""
    edges = np.concatenate([[0.0], np.cumsum(hours)])[:-1]
    start = START + (edges * 3600).astype("timedelta64[s]")
    groups = (Group("g1111aaaa", dict.fromkeys(pools, 1.0), ("j1",)), Group("g2222bbbb", {pools[0]: 2.0}, ("j2", "j3")))
    gpus = np.zeros((2, len(pools), len(hours)), dtype=np.int64)
    gpus[0, 0], gpus[0, -1], gpus[1, 0] = 100, np.arange(len(hours)), 28
    return Quotas(
        **(
            {"run_id": "night-1", "pools": pools, "groups": groups, "start": start, "dt": np.array(hours), "gpus": gpus}
            | other
        )
    )


def hostile() -> Quotas:
    """Every pool, job and the run id is one of HOSTILE."""
    names = tuple(t.replace("/", "∕") + "/h/p" for t in HOSTILE)
    p = plan(names, run_id=HOSTILE[5])
    return Quotas(
        p.run_id, p.pools, (Group("g1111aaaa", dict.fromkeys(names, 1.0), HOSTILE), p.groups[1]), p.start, p.dt, p.gpus
    )
