"""The night in Markdown, for mail and chat: short enough for a phone, readable as plain text.

Names from outside are in code spans, where no renderer looks for links, mentions, HTML or emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace

from energy.report.formatting import eur, mwh, name, number, sentence, short_day
from energy.report.view import NightFigures, NightJob, Top

#: Most jobs, caps and reasons in a message; the report has them all.
MOST_LINES = 5
#: What acts inside a line, and what would make a list, heading or rule of its beginning.
#: A space without width: behind the sign that makes a mention or a link, chats and mails see neither.
NO_WIDTH = "\u200b"
#: Signs that call people or make links of names: @everyone, #channel, http://, www., mailto:.
_CALLS = re.compile(r"(@(?=\w)|#(?=\w)|:(?=//)|\bwww(?=\.)|\bmailto(?=:))")
_INSIDE, _BEGIN = re.compile(r"([\\`*_\[\]|~])"), re.compile(r"^(\d+(?=[.)])|(?=[#>+=-]))")


def code(text: object) -> str:
    """A name as a code span, harmless in tables too."""
    return f"`{name(text).replace('`', chr(39)).replace('|', '¦').replace('<', '‹').replace('>', '›') or '?'}`"


def escaped(text: object) -> str:
    """A reason as text: HTML and Markdown characters, mentions and bare links lose their meaning."""
    line = _INSIDE.sub(r"\\\1", sentence(text).replace("&", "&amp;").replace("<", "&lt;"))
    return _BEGIN.sub(r"\1\\", _CALLS.sub(rf"\1{NO_WIDTH}", line))


def page(night: SimpleNamespace, link: str | None = None) -> str:
    """Heading, reasons, sentences, days ahead, jobs late, at risk or set aside, PUE, notes.

    Parameters
    ----------
    night : as `night_view` makes it
    link : address of the report
    """
    top: Top = night.top
    n: NightFigures = night.figures
    days = [f"| {short_day(d.day)} | {mwh(d.mwh)} | {eur(d.eur)} | {code(d.most_at)} |" for d in n.days[:MOST_LINES]]
    tight = [f"{code(c.site)}, {code(c.name)}: {number(c.balance_mwh or 0.0, 1)} MWh" for c in n.caps if c.overdrawn]
    parts = [
        f"## {escaped(top.title)}\n\n**{top.status.sign} {top.status.word}**: {top.status.meaning}.",
        _items([escaped(r) for r in top.reasons], "reasons"),
        " ".join(escaped(s) for s in top.summary),
        "\n".join(["| Day | Energy | Cost | Most at |", "|---|---:|---:|---|", *days]) if days else "",
        _items([f"{_due(j)} left" for j in n.late], "jobs", "Deadlines that cannot be met any more"),
        _items([f"{_due(j)} short; remedy: {_remedy(j)}" for j in n.at_risk], "jobs", "Jobs at risk"),
        _items([escaped(r) for r in n.refused], "jobs", "Set aside and not planned"),
        _items([f"{_due(j)} left" for j in n.missing], "jobs", "Missing from the queue"),
        _items(tight, "caps", "PUE caps overdrawn"),
        _items([escaped(x) for x in night.notes], "notes", "Notes"),
        f"Known on {night.known_at}; run {code(night.run_id)}." + (f" Report: <{link}>" if link else ""),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def _items(found: Sequence[str], what: str, title: str = "") -> str:
    """The first items of a list with its title and the number of the others; empty without any."""
    lines = [f"- {text}" for text in found[:MOST_LINES]]
    lines += [f"- {number(len(found) - MOST_LINES)} more {what} in the report"] if len(found) > MOST_LINES else []
    return "\n".join([*([f"**{title}**", ""] if title else []), *lines]) if found else ""


def _due(job: NightJob) -> str:
    return f"{code(job.name)} due {job.deadline}: {number(job.gpu_hours, 1)} GPU-h"


def _remedy(job: NightJob) -> str:
    cost = "" if job.cost_eur is None else f", the work then costs at least {eur(job.cost_eur)}"
    return f"{escaped(job.remedy)}{cost}"
