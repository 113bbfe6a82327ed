"""The quotas as JSON, with everything that a scheduler of one's own needs: periods, pools, groups and their jobs."""

from __future__ import annotations

import json
from typing import Any

from energy.handover.kueue import flavor_name, queue_name
from energy.handover.quota import Quotas, stamp
from energy.handover.slurm import group_qos, pool_qos

#: Changes with the layout of the document.
VERSION = 1


def document(quotas: Quotas) -> dict[str, Any]:
    """The document: `gpus` of each pool and group by period, names of QOS and queues beside the fleet's own."""
    periods = [{"start": f"{stamp(t)}Z", "hours": float(dt)} for t, dt in zip(quotas.start, quotas.dt, strict=True)]
    pools = [{"pool": p, "slurm_qos": pool_qos(p), "kueue_flavor": flavor_name(p)} for p in quotas.pools]
    groups = [
        {"group": g.key, "kueue_queue": queue_name(g.key), "speed": g.speeds, "jobs": list(g.jobs)}
        for g in quotas.groups
    ]
    limits = [
        {"pool": quotas.pools[n], "group": quotas.groups[k].key, "slurm_qos": group_qos(quotas.pools[n], quotas.groups[k].key),
         "gpus": quotas.gpus[k, n].tolist()}
        for k, n in quotas.pairs()
    ]  # fmt: skip
    return {
        "version": VERSION, "run_id": quotas.run_id, "unit": "GPU", "end": f"{stamp(quotas.end)}Z",
        "periods": periods, "pools": pools, "groups": groups, "quota": limits,
    }  # fmt: skip


def text(quotas: Quotas) -> str:
    """The document as ASCII JSON."""
    return json.dumps(document(quotas), indent=1, allow_nan=False) + "\n"
