"""The quotas as Kueue ClusterQueues for server-side apply: one queue per group, one ResourceFlavor per pool.

Only `spec.resourceGroups` is stated. Server-side apply refuses to take it from another manager of the same queue, so
that a queue somebody else looks after is never changed silently. CPU and memory must not be covered by these queues:
exclude them in Kueue's configuration (`resources.excludeResourcePrefixes`) or give these jobs a queue of their own.
"""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from energy.handover.quota import Quotas, safe, stamp

API = "kueue.x-k8s.io/v1beta1"
#: Resource that a GPU is requested as.
RESOURCE = "nvidia.com/gpu"
PREFIX = "hydrocool"


def queue_name(key: str) -> str:
    """ClusterQueue of a group."""
    return safe(f"{PREFIX}-{key}")


def flavor_name(pool: str) -> str:
    """ResourceFlavor of a pool."""
    return safe(*pool.split("/"))


def cluster_queues(quotas: Quotas, period: int, resource: str = RESOURCE) -> list[dict[str, Any]]:
    """One ClusterQueue per group with the quota of a period, (K,)."""
    start = quotas.start[period]
    end = quotas.start[period + 1] if period + 1 < len(quotas.start) else quotas.end
    return [_queue(quotas, k, period, resource, stamp(start), stamp(end)) for k in range(len(quotas.groups))]


def _queue(quotas: Quotas, k: int, t: int, resource: str, start: str, end: str) -> dict[str, Any]:
    group = quotas.groups[k]
    flavors = [
        {
            "name": Quoted(flavor_name(pool)),
            "resources": [{"name": resource, "nominalQuota": int(quotas.gpus[k, n, t])}],
        }
        for n, pool in enumerate(quotas.pools)
        if pool in group.speeds
    ]
    flavors.sort(key=lambda f: str(f["name"]))
    # Quoted: kubectl reads YAML 1.1, in which a time or a word such as `no` is not text.
    said = {"from": f"{start}Z", "to": f"{end}Z", "run": safe(quotas.run_id)}
    notes = {f"hydrocool.dev/{key}": Quoted(value) for key, value in said.items()}
    return {
        "apiVersion": API, "kind": "ClusterQueue",
        "metadata": {"name": Quoted(queue_name(group.key)), "annotations": notes},
        "spec": {"resourceGroups": [{"coveredResources": [resource], "flavors": flavors}]},
    }  # fmt: skip


def manifest(quotas: Quotas, period: int, resource: str = RESOURCE) -> str:
    """The YAML of one period, for ``kubectl apply --server-side``."""
    yaml, out = YAML(), io.StringIO()
    yaml.explicit_start = True
    yaml.dump_all(cluster_queues(quotas, period, resource), out)
    return out.getvalue()
