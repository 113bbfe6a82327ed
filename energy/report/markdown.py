"""The night in Markdown, for mail and chat: short enough for a phone, readable as plain text.

Names from outside stand in code spans, where no renderer looks for links, mentions, HTML or emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from energy.report.night import (
    Night,
    by_work,
    cure,
    day_of,
    light,
    moment_of,
    name,
    overdrawn,
    refused,
    sentence,
    summary,
    title,
)
from energy.report.words import eur, mwh, number, short_day

#: Most jobs, caps and reasons in a message; the report has them all.
MOST_LINES = 5
#: What acts inside a line, and what would make a list, heading or rule of its beginning.
_INSIDE, _BEGIN = re.compile(r"([\\`*_\[\]|~])"), re.compile(r"^(\d+(?=[.)])|(?=[#>+=-]))")


def code(text: object) -> str:
    """A name as a code span, harmless in tables too."""
    return f"`{name(text).replace('`', chr(39)).replace('|', '¦').replace('<', '‹').replace('>', '›') or '?'}`"


def escaped(text: object) -> str:
    """A reason as text: HTML and Markdown characters lose their meaning."""
    line = _INSIDE.sub(r"\\\1", sentence(text).replace("&", "&amp;").replace("<", "&lt;"))
    return _BEGIN.sub(r"\1\\", line)


def page(night: Night, link: str | None = None) -> str:
    """Heading, reasons, sentences, days ahead, jobs late, at risk or set aside, PUE, notes; `link` is where the report can be read."""
    parts = [
        _top(night),
        _reasons(night),
        " ".join(escaped(s) for s in summary(night)),
        _days(night),
        _late(night),
        _risk(night),
        _listed("Set aside and not planned", refused(night), "jobs"),
        _pue(night),
        _listed("Notes", night.get("notes", []), "notes"),
    ]
    parts.append(
        f"Known on {moment_of(night['known_at'])}; run {code(night['run_id'])}."
        + (f" Report: <{link}>" if link else "")
    )
    return "\n\n".join(p for p in parts if p) + "\n"


def subject(night: Night) -> str:
    """One line of plain text for a mail's subject."""
    return title(night)


def _top(night: Night) -> str:
    status, sign, meaning = light(night)
    return f"## {escaped(title(night))}\n\n**{sign} {status}**: {meaning}."


def _reasons(night: Night) -> str:
    found = night["reasons"]
    lines = [f"- {escaped(r)}" for r in found[:MOST_LINES]]
    return "\n".join(lines + _more(len(found), "reasons"))


def _days(night: Night) -> str:
    """Energy and cost of the fleet by day, with the site that takes most."""
    lines = []
    days = sorted({r["date"] for r in night["plan"]})
    for d in days[:MOST_LINES]:
        rows = [r for r in night["plan"] if r["date"] == d]
        most = max(rows, key=lambda r: r["mwh"])
        energy, cost = sum(r["mwh"] for r in rows), sum(r["eur"] for r in rows)
        lines.append(f"| {short_day(day_of(d))} | {mwh(energy)} | {eur(cost)} | {code(most['site'])} |")
    return "\n".join(["| Day | Energy | Cost | Most at |", "|---|---:|---:|---|", *lines]) if lines else ""


def _late(night: Night) -> str:
    found = sorted(night["jobs"]["late"], key=lambda j: -j["gpu_hours_left"])
    lines = [
        f"- {code(j['id'])} due {moment_of(j['deadline'])}: {number(j['gpu_hours_left'], 1)} GPU-h left"
        for j in found[:MOST_LINES]
    ]
    return (
        "\n".join(["**Deadlines that cannot be met any more**", "", *lines, *_more(len(found), "jobs")])
        if lines
        else ""
    )


def _risk(night: Night) -> str:
    found = by_work(night)
    lines = [
        f"- {code(j['id'])} due {moment_of(j['deadline'])}: {number(j['gpu_hours_short'], 1)} GPU-h short; cure: {_cure(night, j)}"
        for j in found[:MOST_LINES]
    ]
    return "\n".join(["**Jobs at risk**", "", *lines, *_more(len(found), "jobs")]) if lines else ""


def _cure(night: Night, job: Mapping[str, Any]) -> str:
    cost = f", the work then costs at least {eur(job['cost_eur'])}" if job.get("cure") else ""
    return f"{escaped(cure(night, job))}{cost}"


def _listed(title: str, found: Sequence[str], what: str) -> str:
    lines = [f"- {escaped(text)}" for text in found[:MOST_LINES]]
    return "\n".join([f"**{title}**", "", *lines, *_more(len(found), what)]) if lines else ""


def _pue(night: Night) -> str:
    tight = overdrawn(night)
    lines = [f"- {code(p['site'])}, {code(p['cap'])}: {number(p['credit_mwh'], 1)} MWh" for p in tight[:MOST_LINES]]
    return "\n".join(["**PUE caps overdrawn**", "", *lines, *_more(len(tight), "caps")]) if lines else ""


def _more(count: int, what: str) -> list[str]:
    return [f"- {number(count - MOST_LINES)} more {what} in the report"] if count > MOST_LINES else []
