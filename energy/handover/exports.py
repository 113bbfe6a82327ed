"""The quotas as JSON and as a calendar (iCalendar, RFC 5545).

JSON has everything that a scheduler of one's own needs: periods, pools, groups and their jobs. The calendar has one
event for each stretch of hours in which a pool has a quota.
"""

from __future__ import annotations

import json
import re

import numpy as np

from energy.handover.kueue import flavor_name, queue_name
from energy.handover.quota import Quotas, digest, stamp, stretches
from energy.handover.slurm import qos
from energy.report.formatting import name

#: Changes with the layout of the document.
VERSION = 1


def json_text(quotas: Quotas) -> str:
    """ASCII JSON: `gpus` of each pool and group by period, names of QOS and queues beside the fleet's own."""
    periods = [{"start": f"{stamp(t)}Z", "hours": float(dt)} for t, dt in zip(quotas.start, quotas.dt, strict=True)]
    pools = [{"pool": p, "slurm_qos": qos(p), "kueue_flavor": flavor_name(p)} for p in quotas.pools]
    groups = [
        {"group": g.key, "kueue_queue": queue_name(g.key), "speed": g.speeds, "jobs": list(g.jobs)}
        for g in quotas.groups
    ]
    limits = []
    for k, n in quotas.pairs():
        pool, key = quotas.pools[n], quotas.groups[k].key
        limits.append({"pool": pool, "group": key, "slurm_qos": qos(pool, key), "gpus": quotas.gpus[k, n].tolist()})
    document = {
        "version": VERSION, "run_id": quotas.run_id, "unit": "GPU", "end": f"{stamp(quotas.end)}Z",
        "periods": periods, "pools": pools, "groups": groups, "quota": limits,
    }  # fmt: skip
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


#: Most octets of a line before it is folded (RFC 5545, 3.1).
LINE = 75
_SPECIAL = re.compile(r"([\\;,])")


def calendar_text(quotas: Quotas) -> str:
    """The calendar; the same bytes for the same plan, so that an import replaces its own events."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hydrocool//hand-over//EN", "CALSCALE:GREGORIAN", "X-WR-CALNAME:GPU quotas"]  # fmt: skip
    total = quotas.gpus.sum(axis=0)
    for n, pool in enumerate(quotas.pools):
        for start, end, gpus in stretches(quotas, total[n]):
            lines += _event(quotas, n, pool, start, end, gpus) if gpus else []
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in folded(line))


def _event(quotas: Quotas, n: int, pool: str, start: np.datetime64, end: np.datetime64, gpus: int) -> list[str]:
    """One event, described by the range of each group's quota inside it."""
    held = quotas.gpus[:, n][:, (quotas.start >= start) & (quotas.start < end)]
    ranges = [
        (g.key, v.min(), v.max()) for g, v in zip(quotas.groups, held, strict=True) if pool in g.speeds and g.jobs
    ]
    shares = [f"{key}: {low} to {high} GPUs" if low < high else f"{key}: {high} GPUs" for key, low, high in ranges]
    return [
        "BEGIN:VEVENT", f"UID:{_utc(start)}-{digest(pool)}@hydrocool", f"DTSTAMP:{_utc(quotas.start[0])}",
        f"DTSTART:{_utc(start)}", f"DTEND:{_utc(end)}", f"SUMMARY:{escaped(f'{gpus} GPUs in {name(pool)}')}",
        f"DESCRIPTION:{escaped('; '.join(shares))}", "TRANSP:TRANSPARENT", "END:VEVENT",
    ]  # fmt: skip


def escaped(text: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11): names are one line already."""
    return _SPECIAL.sub(r"\\\1", text)


def folded(line: str) -> list[str]:
    """Lines of at most 75 octets; those that go on begin with a space. No character is cut in two."""
    out, now = [], ""
    for c in line:
        if len((now + c).encode()) > LINE:
            out.append(now)
            now = " "
        now += c
    return [*out, now]


def _utc(at: np.datetime64) -> str:
    return str(np.datetime_as_string(at.astype("datetime64[s]"))).replace("-", "").replace(":", "") + "Z"
