"""The quotas as a shell script of Slurm QOS limits (sacctmgr): one QOS per pool, one per pool and group."""

from __future__ import annotations

from energy.handover.quota import Quotas, digits, quoted, safe, stamp, stretches
from energy.report.formatting import one_line

#: First part of every QOS name, so that no other QOS is ever touched.
PREFIX = "hc"
_SCRIPT = """#!/bin/sh
# GPU limits of a plan, as Slurm QOS limits. Run it at the start of every period, from cron or a timer.
# Plan {run}, {first} to {last} UTC.
#
#   sh limits.sh          the limits of the present period
#   sh limits.sh MOMENT   of another one, such as 202605010600 (UTC)
#   sh limits.sh setup    make the QOS that are missing, without limits
#   sh limits.sh lift     take every limit away
#
# The QOS of a pool limits all jobs of its partition together (partition QOS); that of a pool and group those jobs.
{names}
set -eu
when=${{1:-now}}

plan() {{ cat <<'END_OF_PLAN'
{rows}
END_OF_PLAN
}}

every='{every}'
# Of older plans: these have no job any more, and no GPU. One that was taken away is not missed.
former='{former}'

known=$(sacctmgr --noheader --parsable2 show qos format=name)
missing=
for qos in $every; do
  printf '%s\\n' "$known" | grep -qxF -- "$qos" || missing="$missing $qos"
done

limit() {{ sacctmgr --immediate --quiet modify qos where "name=$1" set "GrpTRES=gres/gpu=$2" </dev/null; }}

old() {{ for qos in $former; do if printf '%s\n' "$known" | grep -qxF -- "$qos"; then limit "$qos" "$1"; fi; done; }}

case $when in
setup) for qos in $missing; do sacctmgr --immediate --quiet add qos "$qos"; done; exit 0 ;;
esac
if [ -n "$missing" ]; then
  echo "no such QOS:$missing; make them with: sh limits.sh setup" >&2
  exit 4
fi
case $when in
lift) for qos in $every; do limit "$qos" -1; done; old -1; exit 0 ;;
now) when=$(date -u +%Y%m%d%H%M) ;;
*[!0-9]*|'') echo "moment $when; allowed: setup, lift, now or YYYYMMDDHHMM (UTC)" >&2; exit 2 ;;
esac
if [ "$when" -lt {start} ] || [ "$when" -ge {end} ]; then
  echo "the plan holds from {start} to {end} UTC, not at $when; limits stay as they are" >&2
  exit 3
fi
plan | while read -r from to qos gpus; do
  if [ "$when" -ge "$from" ] && [ "$when" -lt "$to" ]; then limit "$qos" "$gpus"; fi
done
old 0
"""


def script(quotas: Quotas) -> str:
    """A POSIX shell script; every name in its body is lower case letters, digits, dots and hyphens."""
    mine, total = qos_names(quotas), quotas.gpus.sum(axis=0)
    series = [(qos(p), total[n]) for n, p in enumerate(quotas.pools)]
    series += [(qos(quotas.pools[n], quotas.groups[k].key), quotas.gpus[k, n]) for k, n in quotas.pairs()]
    rows = sorted(
        (f"{digits(a)} {digits(b)}", name, gpus)
        for name, values in series
        if name in mine
        for a, b, gpus in stretches(quotas, values)
    )  # from, to, QOS, GPUs: every stretch of equal quota, in the order of time
    return _SCRIPT.format(
        run=quoted(one_line(quotas.run_id)[:200]), first=stamp(quotas.start[0]), last=stamp(quotas.end),
        names="\n".join(f"# {qos(p)} = {quoted(one_line(p)[:200])}" for p in quotas.pools),
        rows="\n".join(f"{span} {name} {gpus}" for span, name, gpus in rows), every=" ".join(mine),
        former=" ".join(qos_names(quotas, former=True)), start=digits(quotas.start[0]), end=digits(quotas.end),
    )  # fmt: skip


def qos(pool: str, *group: str) -> str:
    """QOS of a pool, or of a group's jobs in it."""
    return safe(PREFIX, *pool.split("/"), *group)


def qos_names(quotas: Quotas, former: bool = False) -> list[str]:
    """QOS of the plan, or those that only older plans have: pools, then pools with their groups."""
    pools = [qos(p) for p in quotas.pools if (p in quotas.gone) == former]
    keys = [(quotas.pools[n], quotas.groups[k]) for k, n in quotas.pairs()]
    return pools + [qos(pool, group.key) for pool, group in keys if (not group.jobs) == former]
