"""The quotas as Kueue ClusterQueues for server-side apply: one queue per group, one ResourceFlavor per pool.

Only `spec.resourceGroups` is stated. Server-side apply refuses to take it from another manager of the same queue, so
that a queue somebody else looks after is never changed silently. CPU and memory must not be covered by these queues:
exclude them in Kueue's configuration (`resources.excludeResourcePrefixes`) or give these jobs a queue of their own.
"""

from __future__ import annotations

import io

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


def manifest(quotas: Quotas, period: int, resource: str = RESOURCE) -> str:
    """YAML of one ClusterQueue per group with the quota of a period, for ``kubectl apply --server-side``."""
    start = quotas.start[period]
    end = quotas.start[period + 1] if period + 1 < len(quotas.start) else quotas.end
    said = {"from": f"{stamp(start)}Z", "to": f"{stamp(end)}Z", "run": safe(quotas.run_id)}
    queues = []
    for group, gpus in zip(quotas.groups, quotas.gpus[:, :, period], strict=True):
        flavors = [
            {"name": Quoted(flavor_name(pool)), "resources": [{"name": resource, "nominalQuota": int(gpus[n])}]}
            for n, pool in enumerate(quotas.pools)
            if pool in group.speeds
        ]
        flavors.sort(key=lambda f: str(f["name"]))
        # Quoted: kubectl reads YAML 1.1, in which a time or a word such as `no` is not text.
        notes = {f"hydrocool.dev/{key}": Quoted(value) for key, value in said.items()}
        queues.append({
            "apiVersion": API, "kind": "ClusterQueue",
            "metadata": {"name": Quoted(queue_name(group.key)), "annotations": notes},
            "spec": {"resourceGroups": [{"coveredResources": [resource], "flavors": flavors}]},
        })  # fmt: skip
    yaml, out = YAML(), io.StringIO()
    yaml.explicit_start = True
    yaml.dump_all(queues, out)
    return out.getvalue()
