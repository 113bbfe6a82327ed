"""The nightly edition's top: light, headline, tiles and the sentences that are sent on as they are.

A night is the dictionary of `night.json`: what the plan of one delivery day rests on, what the day before promised
and cost, and what needs a hand. The same words serve the page, the Markdown summary and the title of a message.

The night in Markdown, for mail and chat: short enough for a phone, readable as plain text.

Names from outside stand in code spans, where no renderer looks for links, mentions, HTML or emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from energy.report.headline import LIGHTS
from energy.report.jobs import change
from energy.report.text import clipped, counted, day, eur, moment, mwh, number, one_line, share, short_day

Night = Mapping[str, Any]
#: Reasons longer than this are cut [characters]; night.json has them in full.
LONGEST_REASON = 300
#: What each rung of the ladder stands for, in a reader's words.
RUNGS = {
    "lp": "the optimised plan, proven cheapest",
    "simplex": "the optimised plan, proven cheapest by the second method",
    "greedy": "a plan by rule (earliest deadline first into the cheapest hours), not proven cheapest",
    "last_good": "the last good plan, trimmed to what is still open and checked again",
    "nothing": "no new plan: the one before stays in force",
}
#: Causes of a difference between promise and bill: key in night.json, word in a sentence, meaning.
CAUSES = (
    ("price", "prices", "day-ahead prices other than forecast"),
    ("weather", "weather", "cooling in the weather that came"),
    ("load", "load", "jobs and GPUs that ran other than planned"),
    ("other", "the rest", "what none of the three explains"),
)  # fmt: skip


def name(text: object) -> str:
    """A name from outside: one line, short enough for a table."""
    return clipped(one_line(str(text)))


def sentence(text: object) -> str:
    """A reason from outside: one line, cut where it is longer than a reader reads."""
    line = one_line(str(text))
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"


def day_of(iso: str) -> np.datetime64:
    """A day of night.json, such as 2019-03-02."""
    return np.datetime64(date.fromisoformat(iso).isoformat())


def moment_of(iso: str) -> str:
    """2 Mar 2019 11:00 UTC, from an ISO time of night.json."""
    at = datetime.fromisoformat(iso)
    plain = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return moment(np.datetime64(plain.isoformat()))


def light(night: Night) -> tuple[str, str, str]:
    """Status, sign that reads without colour, and what was published."""
    status = str(night["status"])
    sign = LIGHTS.get(status, LIGHTS["FAILED"])[0]
    return (status if status in LIGHTS else "FAILED"), sign, RUNGS.get(str(night["rung"]), RUNGS["nothing"])


def headline(night: Night) -> str:
    """The night in one line: work that will not be done first, then what last night saved."""
    if night["rung"] == "nothing":
        return "No new plan: the one before stays in force"
    undone, saving = _undone(night), _saving(night)
    return f"{undone}; {saving[0].lower()}{saving[1:]}" if undone else saving


def _undone(night: Night) -> str:
    """Jobs that are late, not finished or not planned; empty without any."""
    jobs, aside = len(night["jobs"]["late"]) + len(night["jobs"]["at_risk"]), len(refused(night))
    parts = [f"{counted(jobs, 'job')} will not be done in time"] if jobs else []
    parts += [f"{counted(aside, 'job')} set aside"] if aside else []
    return ", ".join(parts)


def refused(night: Night) -> list[str]:
    """Why jobs were set aside, one line each; nights of earlier versions only counted them."""
    found = night["jobs"].get("refused", [])
    return [sentence(r) for r in found] if isinstance(found, list) else []


def _saving(night: Night) -> str:
    """What last night saved, or why there is nothing to say."""
    saved = night["saving_eur"]["last_night"]
    if saved is None:
        return f"The plan for {day(day_of(night['date']))} is ready"
    if saved < 0:
        return f"Last night cost {eur(-saved)} more than starting every job at once"
    return f"Last night saved {eur(saved)}{_of_run_now(night)}"


def _of_run_now(night: Night) -> str:
    """, 28 % of the bill."""
    yesterday = night["yesterday"]
    whole = yesterday["run_now_eur"] if yesterday else 0.0
    return f", {share(yesterday['saving_eur'] / whole)} of the bill" if whole > 0 else ""


def title(night: Night) -> str:
    """Subject of a mail, heading of a chat message, title of the page."""
    status, _, _ = light(night)
    return f"{status}: {name(night['fleet'])}, {day(day_of(night['date']))}: {headline(night)}"


def summary(night: Night) -> list[str]:
    """Yesterday, its promise, the days to come, what needs a hand: sentences in plain language."""
    return [s for s in (_yesterday(night), promise(night), _ahead(night), _care(night)) if s]


def _yesterday(night: Night) -> str:
    y = night["yesterday"]
    if not y and night["saving_eur"]["month_to_date"] is None:
        return "This is the first night on record: savings are counted from tomorrow."
    if not y:
        return "The day before has not been priced."
    sign = "saved" if y["saving_eur"] >= 0 else "cost an extra"
    return (
        f"On {short_day(day_of(y['date']))} power and cooling cost {eur(y['real_eur'])}; starting every job at once "
        f"would have cost {eur(y['run_now_eur'])}{_behind(y)}, so the plan {sign} {eur(abs(y['saving_eur']))}."
    )


def _behind(y: Night) -> str:
    """Work that the plan put off or caught up on against run-now, and what it counts for; nothing below half a euro."""
    hours, worth = y.get("behind_gpu_hours", 0.0), y.get("behind_eur", 0.0)
    if abs(worth) < 0.5:
        return ""
    what = "more, which the plan still has to do" if hours > 0 else "less, which the plan caught up on"
    return f" and would have done {number(abs(hours))} GPU-hours {what} (counted at {eur(abs(worth))})"


def promise(night: Night) -> str:
    """Whether yesterday's plan kept its promise, and the main reason if not."""
    y = night["yesterday"]
    if not y:
        return ""
    more = y["real_eur"] - y["promised_eur"]
    if abs(more) < 0.5:  # below half a euro there is nothing to explain
        return f"That is what the plan had promised, {eur(y['promised_eur'])}."
    key, word, _ = max(CAUSES, key=lambda c: y["why"][c[0]] * (1 if more > 0 else -1))
    return (
        f"The plan had promised {eur(y['promised_eur'])}; the day came {eur(abs(more))} "
        f"{'dearer' if more > 0 else 'cheaper'}, mainly through {word} ({eur(y['why'][key], sign=True)})."
    )


def _ahead(night: Night) -> str:
    rows = night["plan"]
    if not rows:
        return ""
    days = sorted({r["date"] for r in rows})
    first = [r for r in rows if r["date"] == days[0]]
    most = max(first, key=lambda r: r["mwh"])
    energy = sum(r["mwh"] for r in first)
    part = f", {share(most['mwh'] / energy, 0)} of it in {name(most['site'])}" if energy > 0 else ""
    return (
        f"The new plan runs to {short_day(day_of(days[-1]))} and costs {eur(night['cost_eur'])}; "
        f"{short_day(day_of(days[0]))} takes {mwh(energy)}{part}."
    )


def _care(night: Night) -> str:
    risky, late = night["jobs"]["at_risk"], night["jobs"]["late"]
    tight = overdrawn(night)
    parts = (
        [f"{counted(len(late), 'job')} cannot meet {'its deadline' if len(late) == 1 else 'their deadlines'} any more"]
        if late
        else []
    )
    parts += [f"{counted(len(risky), 'job')} cannot be finished in time: {cured(night)}"] if risky else []
    aside = len(refused(night))
    parts += [f"{counted(aside, 'job')} {'is' if aside == 1 else 'are'} set aside and not planned"] if aside else []
    parts += [f"{counted(len(tight), 'PUE cap')} {'is' if len(tight) == 1 else 'are'} overdrawn"] if tight else []
    return f"{'; '.join(parts)}." if parts else f"No job is at risk, and {_within(night)}."


def _within(night: Night) -> str:
    known = [p for p in night["pue"] if p["credit_mwh"] is not None]
    if not known:
        return "no PUE cap is in force" if not night["pue"] else "no PUE cap has a balance yet"
    return f"PUE so far is within every cap{'' if len(known) == len(night['pue']) else ' whose balance is known'}"


def overdrawn(night: Night) -> list[Mapping[str, Any]]:
    """PUE caps and legal limits with a balance below zero."""
    return [p for p in night["pue"] if p["credit_mwh"] is not None and p["credit_mwh"] < 0]


def rescue(night: Night) -> float | None:
    """What the work of all jobs at risk would cost at least, each with its cheapest cure [EUR].

    None where a job has no cure, or where it is not known; 0 without such jobs.
    """
    costs = [j["cost_eur"] if "cure" in j else None for j in night["jobs"]["at_risk"]]
    known = [float(c) for c in costs if c is not None]
    return sum(known) if len(known) == len(costs) else None


def by_work(night: Night) -> list[Mapping[str, Any]]:
    """Jobs at risk, most work first."""
    return sorted(night["jobs"]["at_risk"], key=lambda j: -j["gpu_hours_short"])


def cure(night: Night, job: Mapping[str, Any]) -> str:
    """The change that saves a job at risk, in words."""
    if job.get("cure"):
        return change(job["cure"] | {"where": one_line(str(job["cure"]["where"]))})
    known = "cure" in job and night["gap"] is not None  # a plan by rule has no duals, older nights had no cures
    return "none: it cannot be saved by one change" if known else "not known"


def cured(night: Night) -> str:
    """What it takes to save the jobs at risk, in a few words."""
    cost = rescue(night)
    if cost is not None:
        return f"with the cheapest cure of each the work would cost at least {eur(cost)}"
    return "it is not known what would help" if night["gap"] is None else "not each can be saved by one change"


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
