"""The top of the page: verdict, saving, and three sentences that can be sent on as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from energy.report.costs import Cause
from energy.report.jobs import Change
from energy.report.text import NOT_KNOWN, counted, day, eur, hours, listed, moment, mwh, number, share, unit
from energy.report.view import View
from energy.runs.record import held_back as hours_held_back

#: A light for each status: word, sign that reads without colour, meaning.
LIGHTS = {
    "OK": ("✓", "proven cheapest, all work done, every limit kept"),
    "DEGRADED": ("!", "usable with the reservations named here"),
    "FAILED": ("✕", "not proven: do not use"),
}
#: A cause is named in the summary when it is at least this share of the largest.
NAMED = 0.25
#: Most causes in the summary: the reader wants the main ones.
MOST_CAUSES = 2
#: Shares of the work below this do not count as moved.
MOVED = 0.02


@dataclass(frozen=True)
class Tile:
    """A headline figure with the line below it."""

    name: str
    figure: str
    below: str


def light(view: View) -> tuple[str, str, str]:
    """Status, sign and meaning; what is unknown counts as FAILED."""
    status = str(view.record.summary["status"])
    sign, meaning = LIGHTS.get(status, LIGHTS["FAILED"])
    return status, sign, meaning


def tiles(view: View) -> list[Tile]:
    """Cost, energy, CO2, PUE."""
    s = view.record.summary
    base = s["energy_mwh"]["baseline"]
    saved = base - s["energy_mwh"]["plan"]
    pue, base_pue = (number(s[name].get("fleet", np.nan), 4) for name in ("pue", "pue_baseline"))
    return [
        Tile("Cost", eur(s["bill_eur"]), f"run-now {eur(s['baseline_eur'])}"),
        Tile("Energy saved" if saved >= 0 else "Extra energy", mwh(abs(saved)),
             f"{share(abs(saved) / base if base else 0.0)} of run-now's {mwh(base)}"),
        _carbon(view),
        Tile("PUE", pue, f"run-now {base_pue}"),
    ]  # fmt: skip


def _carbon(view: View) -> Tile:
    """CO2 where the grid's intensity is known; never a zero for what is not known."""
    c = view.record.summary["carbon_t"]
    if c["plan"] is None:
        return Tile("CO₂", NOT_KNOWN, "no carbon series was given")
    saved, known = c["baseline"] - c["plan"], len(c["known_sites"])
    where = (
        "all sites" if known == len(view.sites) else f"{known} of {len(view.sites)} sites; the others are {NOT_KNOWN}"
    )
    name = "CO₂ saved" if saved >= 0 else "Extra CO₂"
    return Tile(
        name,
        unit(abs(saved), "t", 1),
        f"plan {unit(c['plan'], 't', 1)}, run-now {unit(c['baseline'], 't', 1)}; {where}",
    )


def period(view: View) -> str:
    """29 Apr 2018 22:00 UTC to 6 May 2018 22:00 UTC, 168 h."""
    length = f"{hours(float(view.edges[-1]))} in {counted(len(view.dt), 'period')}"
    return f"{moment(view.time[0])} to {moment(view.end)}, {length}"


def days(view: View) -> str:
    """29 Apr 2018 – 6 May 2018."""
    return f"{day(view.time[0])} – {day(view.end - np.timedelta64(1, 's'))}"


def summary(view: View, causes: list[Cause], changes: list[Change]) -> list[str]:
    """Where and when, how much, and why: three sentences in plain language."""
    return [_where(view, changes), _much(view), _why(view, causes)]


def _where(view: View, changes: list[Change]) -> str:
    wait = _wait(changes)
    plan, base = (work_by_site(view, who) for who in ("plan", "base"))
    gain = plan - base
    best = [int(s) for s in np.argsort(-gain, kind="stable")[:2] if gain[s] >= MOVED]
    if len(view.sites) == 1:
        return f"The plan runs the work at {view.sites[0]}, like starting every job at once (“run-now”), {wait}."
    if not best:
        return (
            f"The plan shares the work among the sites as starting every job at once at home does (“run-now”), {wait}."
        )
    names = listed([view.sites[s] for s in best])
    after, before = (share(float(x[best].sum()), 0) for x in (plan, base))
    return (
        f"The plan runs {after} of the work in {names}, against {before} when every job starts at once at home "
        f"(“run-now”), {wait}."
    )


def _wait(changes: list[Change]) -> str:
    work = sum(c.work for c in changes)
    later = sum(c.work * c.later for c in changes) / work if work else 0.0
    if abs(later) < 0.1:
        return "at the same time on average"
    return f"and lets it wait {hours(later)} on average" if later > 0 else f"and {hours(-later)} earlier on average"


def work_by_site(view: View, who: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Share of the reference work done at each site, (S,)."""
    entries = view.entries(who)
    work = np.bincount(entries["site"], weights=entries["work"], minlength=len(view.sites))
    return np.asarray(work / work.sum() if work.sum() > 0 else work, dtype=float)


def _much(view: View) -> str:
    s = view.record.summary
    saved = s["energy_mwh"]["baseline"] - s["energy_mwh"]["plan"]
    equal = "for the same work" if s["equal_work"] else "for work that is NOT equal"
    verb = "saves" if s["saving_eur"] >= 0 else "costs an extra"
    energy = f"{mwh(abs(saved))} {'less' if saved >= 0 else 'more'} energy"
    return (
        f"That {verb} {eur(abs(s['saving_eur']))} ({share(abs(s['saving_share']))}) {equal}: "
        f"{eur(s['bill_eur'])} instead of {eur(s['baseline_eur'])}, with {energy}; {_carbon_words(view)}."
    )


def _carbon_words(view: View) -> str:
    c = view.record.summary["carbon_t"]
    if c["plan"] is None:
        return f"CO₂ is {NOT_KNOWN}"
    change = c["baseline"] - c["plan"]
    where = (
        "" if len(c["known_sites"]) == len(view.sites) else f" at the {len(c['known_sites'])} sites where it is known"
    )
    return f"CO₂ is {unit(abs(change), 't', 1)} {'lower' if change >= 0 else 'higher'}{where}"


def _why(view: View, causes: list[Cause]) -> str:
    gains = [c for c in causes if c.saving_eur > 0]
    named = [c for c in gains[:MOST_CAUSES] if c.saving_eur >= NAMED * gains[0].saving_eur]
    told = listed([f"{c.words} ({eur(c.saving_eur)})" for c in named])
    reason = f"Mainly because {told}" if named else "No single cause lowers the bill"
    return f"{reason}; {_kept(view)}."


def _kept(view: View) -> str:
    if view.record.summary["status"] != "OK":
        return "mind the reservations above"
    caps = " and every PUE cap" if view.problem.sizes["cap"] else ""
    return f"every deadline{caps} is kept"


def notes(view: View) -> list[str]:
    """What else a reader must know about the comparison."""
    s = view.record.summary
    out = (
        [] if s["equal_work"] else ["Run-now does not finish the same work: the saving is not a comparison of equals."]
    )
    if s.get("baseline_late_gpu_hours", 0.0) > 0:
        out.append(
            f"Run-now does {number(s['baseline_late_gpu_hours'])} GPU-hours after their deadlines; the plan does none."
        )
    if s.get("left_out_jobs", 0):
        out.append(f"{number(s['left_out_jobs'])} jobs of the table lie outside the horizon and are not part of this.")
    return out + beyond(view) + held_back(view) + derated(view) + [f"{n}." for n in s.get("notices", [])]


def held_back(view: View) -> list[str]:
    """Solar arrays that the plan holds back although the site could use more."""
    held = hours_held_back(view.record.placement).groupby("site", sort=False)["hours"].sum()
    return [
        f"At {name} the plan holds the solar array back for {hours(float(h))}: drawing from the grid is paid for then."
        for name, h in held.items()
    ]


def beyond(view: View) -> list[str]:
    """Work that waits for after the horizon, and arrivals that the plan keeps room for."""
    later, expected = (view.record.summary.get(k, {}) for k in ("later", "expected"))
    out = []
    if later.get("jobs", 0):
        out.append(
            f"{number(later['gpu_hours'])} GPU-hours of {counted(later['jobs'], 'job')} wait for after the horizon, where "
            f"they are likely to cost {eur(later['eur'])}: not part of the bill."
        )
    if expected.get("pseudo_jobs", 0):
        out.append(
            f"Energy and cost include {number(expected['plan'])} GPU-hours of work that is only expected to arrive (of "
            f"{number(expected['due'])} counted on); no job of the schedule is one of them."
        )
    return out


def derated(view: View) -> list[str]:
    """Halls that hot or humid weather holds below their limit."""
    halls = view.record.summary.get("cooling", {}).get("halls", {})
    return [
        f"Hall {name} is derated for {hours(h['derated_hours'])}, by up to {unit(h['most_derated_mw'], 'MW', 3)} of IT "
        "power: in that weather its plant cannot hold the supply setpoint at full load."
        for name, h in halls.items()
        if h["derated_hours"] > 0
    ]
