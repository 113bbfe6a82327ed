"""The night as a Prometheus textfile, for the node exporter's textfile collector.

Written beside its place and renamed, so that the collector never reads half a file. Names and labels are those of
`NAMES`; alert rules and dashboard in `deploy/` use no others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from energy.nightly.config import replace_file
from energy.report.night import remedy_eur

#: Metric -> help. All are gauges with the label `fleet`.
NAMES = {
    "hydrocool_last_success_timestamp_seconds": "When a plan was last published.",
    "hydrocool_last_run_timestamp_seconds": "When the last nightly run ended, whatever came of it.",
    "hydrocool_delivery_day_timestamp_seconds": "Midnight (UTC) of the day that the last run planned.",
    "hydrocool_status": "1 for the status of the last run: OK, DEGRADED or FAILED.",
    "hydrocool_fallback_method": "1 for the fallback method that the last run ended on.",
    "hydrocool_solve_seconds": "Seconds spent in the solver.",
    "hydrocool_wall_seconds": "Seconds from start to end of the run.",
    "hydrocool_gap_ratio": "Duality gap of the certificate over the gross bill.",
    "hydrocool_cost_eur": "Bill of the plan over its horizon.",
    "hydrocool_saving_eur": "Realised saving against run-now, by period.",
    "hydrocool_cost_variance_eur": "Realised less ex-ante cost of the day before, by cause.",
    "hydrocool_forecast_hours": "Hours of the horizon whose prices are forecast.",
    "hydrocool_imputed_hours": "Hours filled because a source had none, by kind and series.",
    "hydrocool_unserved_gpu_hours": "Work that cannot be done in time.",
    "hydrocool_deferred_gpu_hours": "Work left for after the horizon.",
    "hydrocool_jobs": "Jobs by state: done, running, left, late (cannot meet the deadline any more), at_risk (not finished in time), refused (set aside, not planned), missing (unfinished, in the queue no more).",
    "hydrocool_remedy_eur": "Power and cooling for all work at risk, each job by its cheapest remedy; absent where one has none.",
    "hydrocool_pue_credit_mwh": "Balance of a PUE cap or legal limit so far, in its year or window; below zero it is overdrawn.",
    "hydrocool_peak_mw": "Peak of the month so far.",
    "hydrocool_notify_failures": "Messages of the last run that could not be delivered.",
}
STATES = ("OK", "DEGRADED", "FAILED")
METHODS = ("lp", "simplex", "greedy", "last_good", "nothing")
#: Longest label value [characters]; longer ones end in a hash, so that two never become one series.
LONGEST_LABEL = 120
#: Characters of that hash: 2^48 values.
HASH = 12
Sample = tuple[str, dict[str, str], float]


class MetricsError(OSError):
    """The metrics file cannot be written; names it and the reason."""


@dataclass(frozen=True)
class Timing:
    """Values outside the published bytes: times [UTC], durations [s], messages not delivered."""

    finished: datetime
    last_success: datetime | None
    solve_seconds: float | None = None
    wall_seconds: float | None = None
    notify_failures: int = 0


def samples(night: Mapping[str, Any], timing: Timing) -> list[Sample]:
    """Every sample of a night; an unknown value is left out, never zero."""
    fleet = {"fleet": str(night["fleet"])}
    known = [(n, fleet | labels, float(v)) for n, labels, v in _values(night, timing) if v is not None]
    return list({(n, tuple(sorted(labels.items()))): (n, labels, v) for n, labels, v in known}.values())


def _values(night: Mapping[str, Any], timing: Timing) -> Iterator[tuple[str, dict[str, str], Any]]:
    """Metric, labels and value; None where it is unknown."""
    day, jobs = date.fromisoformat(night["date"]), night["jobs"]
    yield "hydrocool_last_success_timestamp_seconds", {}, timing.last_success and timing.last_success.timestamp()
    yield "hydrocool_last_run_timestamp_seconds", {}, timing.finished.timestamp()
    yield "hydrocool_delivery_day_timestamp_seconds", {}, datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    for status in STATES:  # all states and methods, one of them 1: a query needs no `absent`
        yield "hydrocool_status", {"status": status}, status == night["status"]
    for method in METHODS:
        yield "hydrocool_fallback_method", {"method": method}, method == night["method"]
    yield "hydrocool_solve_seconds", {}, timing.solve_seconds
    yield "hydrocool_wall_seconds", {}, timing.wall_seconds
    yield "hydrocool_gap_ratio", {}, night["gap"]
    yield "hydrocool_cost_eur", {}, night["cost_eur"]
    for period, value in night["saving_eur"].items():
        yield "hydrocool_saving_eur", {"period": str(period)}, value
    for cause, value in (night["last_settled_day"] or {"variance_eur": {}})["variance_eur"].items():
        yield "hydrocool_cost_variance_eur", {"cause": str(cause)}, value
    yield "hydrocool_forecast_hours", {}, night["forecast"]["hours"]
    for kind, found in night["imputed_hours"].items():
        for series, hours in found.items():
            yield "hydrocool_imputed_hours", {"kind": str(kind), "series": str(series)}, hours
    yield "hydrocool_unserved_gpu_hours", {}, night["unserved_gpu_hours"]
    yield "hydrocool_deferred_gpu_hours", {}, night["deferred_gpu_hours"]
    for state in ("done", "running", "left", "late", "at_risk", "refused", "missing"):
        value = jobs.get(state)  # a number, or a list of jobs; nights of older versions had no missing ones
        yield "hydrocool_jobs", {"state": state}, len(value) if isinstance(value, list) else value
    yield "hydrocool_remedy_eur", {}, remedy_eur(night) if jobs["at_risk"] is not None else None
    for p in night["pue"]:
        yield "hydrocool_pue_credit_mwh", {"site": str(p["site"]), "cap": str(p["cap"])}, p["credit_mwh"]
    for p in night["peaks"]:
        yield "hydrocool_peak_mw", {"site": str(p["site"]), "month": str(p["month"])}, p["mw"]
    yield "hydrocool_notify_failures", {}, timing.notify_failures


def text(night: Mapping[str, Any], timing: Timing) -> str:
    """The file: the text exposition format, metrics in the order of NAMES."""
    lines: dict[str, list[str]] = {metric: [] for metric in NAMES}
    for metric, labels, value in samples(night, timing):
        written = ",".join(f'{k}="{label(v)}"' for k, v in labels.items())
        lines[metric].append(f"{metric}{{{written}}} {value!r}")
    found = [[f"# HELP {n} {NAMES[n]}", f"# TYPE {n} gauge", *mine] for n, mine in lines.items() if mine]
    return "".join(f"{line}\n" for block in found for line in block)


def label(value: str) -> str:
    """Label value without control characters, cut where it is long, with backslash and quotes escaped."""
    printable = "".join(c if c.isprintable() else " " for c in value)
    if len(printable) > LONGEST_LABEL or printable != value:
        end = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:HASH]
        printable = f"{printable[: LONGEST_LABEL - HASH - 1]}~{end}"
    return printable.replace("\\", "\\\\").replace('"', '\\"')


def write(night: Mapping[str, Any], timing: Timing, path: Path) -> None:
    """Write the textfile (name it `*.prom`) beside its place and rename it.

    Raises
    ------
    MetricsError : the file cannot be written; an older file is untouched.
    """
    try:  # *.prom alone is collected: the unfinished file ends otherwise
        replace_file(path, text(night, timing).encode())
    except OSError as e:
        raise MetricsError(f"{path}: the metrics cannot be written ({e.strerror or e})") from None
