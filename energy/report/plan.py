"""The view of a plan: status, saving, sentences that can be sent on as they are, and all that the page shows below."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from energy.report import charts, cooling, costs, evidence, jobs, pue, remedies, sites
from energy.report.costs import Cause
from energy.report.figures import RunFigures
from energy.report.formatting import NOT_KNOWN, counted, day, eur, hours, listed, moment, mwh, number, share, unit
from energy.report.jobs import Change
from energy.report.view import Saving, Tile, Top, status_of
from energy.runs.record import setpoint_table

SECTIONS = (
    ("sites", "Sites"), ("week", "Price, weather and load"), ("gpus", "GPUs in use"), ("pue", "PUE"),
    ("cooling", "Cooling"), ("limits", "Limits"), ("costs", "Costs"), ("jobs", "Which jobs wait, and why"), ("deadlines", "Dearest deadlines"),
    ("help", "Binding limits"), ("worth", "What more capacity is worth"),
    ("executable", "Can it be run as it stands?"), ("data", "Data"), ("bill", "Objective and bill"),
    ("certificate", "Certificate"), ("run", "Run"),
)  # fmt: skip
#: A cause is named in the summary when it is at least this share of the largest.
NAMED = 0.25
#: Most causes in the summary: the reader wants the main ones.
MOST_CAUSES = 2
#: End of the names of devices that are solar arrays, after their site.
SOLAR = "/solar"
#: Shares of the work below this do not count as moved.
MOVED = 0.02
#: A mean delay below this is no delay [h].
SAME_TIME_H = 0.1


def plan_view(run: RunFigures) -> SimpleNamespace:
    """The view of a run's plan against run-now: the names that report.html.j2 shows, in the order of the page."""
    changes, causes, caps = jobs.changes(run), costs.causes(run), pue.caps(run)
    hidden, many = len(run.sites) - len(run.shown), charts.TimeAxis(run.time, run.dt).periods_per_step
    return SimpleNamespace(
        top=_top(run, causes, changes), case=run.record.summary.get("case", "without a name"), sections=sections(run),
        undone=evidence.undone_table(run), warnings=evidence.warnings(run), notes=notes(run), urgent=remedies.urgent(run),
        remedies_text=remedies.remedies_text(run), remedies=remedies.remedies_table(run), sites=sites.site_table(run),
        steps_note=f"Each step is the mean of {many} periods." if many > 1 else "",
        shown_note=f"The {len(run.shown)} sites that draw most are shown; {hidden} more are in the tables." if hidden else "",
        most_gpus=number(sites.most_gpus(run)), fleet_legend=sites.fleet_legend(run), kinds_legend=sites.kinds_legend(run),
        caps=pue.cap_table(caps), caps_text=costs.caps_text(caps), derated=derated(run),
        cooling_legend=cooling.legend(run), halls=cooling.hall_table(run), limits=pue.limit_table(run),
        missed=pue.missed(run), limit_sources=pue.sources(run), causes=costs.cause_bars(causes),
        cost_legend=list(costs.CLASSES.items()), cost_bars=costs.cost_bars(run), foresight=costs.foresight(run),
        rules=costs.rules_table(run), classes=costs.class_table(run), invoice=costs.invoice_table(run),
        jobs_text=jobs.overview(changes), changes=[(c.name, jobs.sentence(c)) for c in changes[: jobs.TOP]],
        jobs=jobs.job_table(changes), deadlines_text=costs.deadlines_text(run), deadlines=costs.deadline_table(run),
        gpus_text=costs.gpus_text(run), gpus=costs.gpu_table(run), grid=costs.grid_table(run),
        shape=evidence.executability(run), series=evidence.series_table(run), credits=evidence.credits_due(run),
        reconciliation_text=evidence.reconciliation_text(run), reconciliation=evidence.reconciliation(run),
        certificate=evidence.certificate(run), run=evidence.run_tables(run),
    )  # fmt: skip


def sections(run: RunFigures) -> list[tuple[str, str]]:
    """Anchors and titles in the order of the page.

    Binding limits come first where work is undone or a cap breached; reservoirs after the week, where there are any.
    """
    out = sorted(SECTIONS, key=lambda x: not (x[0] == "help" and remedies.urgent(run)))
    if evidence.hydropower(run):
        out.insert([anchor for anchor, _ in out].index("week") + 1, ("reservoirs", "Reservoirs"))
    return out


def _saving(run: RunFigures) -> Saving:
    s = run.record.summary
    return Saving(s["bill_eur"], s["baseline_eur"], s["saving_eur"])


def _top(run: RunFigures, causes: list[Cause], changes: list[Change]) -> Top:
    s, saving = run.record.summary, _saving(run)
    status = status_of(s["status"])
    headline = f"The plan {saving.verb('saves', 'costs an extra')}, {share(abs(saving.share))} of the bill"
    days = f"{day(run.time[0])} – {day(run.end - np.timedelta64(1, 's'))}"
    title = f"hydrocool: {s.get('case', '')} {days}: {status.word}"
    length = f"{hours(float(run.edges[-1]))} in {counted(len(run.dt), 'period')}"
    summary = [_where(run, changes), _much(run), _why(run, causes)]
    return Top(title, status, headline, _tiles(run), f"{moment(run.time[0])} to {moment(run.end)}, {length}",
               s["reasons"], summary)  # fmt: skip


def _tiles(run: RunFigures) -> list[Tile]:
    """Cost, energy, CO2, PUE."""
    s, saving = run.record.summary, _saving(run)
    base = s["energy_mwh"]["baseline"]
    saved = base - s["energy_mwh"]["plan"]
    return [
        Tile("Cost", eur(saving.cost_eur), f"run-now {eur(saving.run_now_eur)}"),
        Tile("Energy saved" if saved >= 0 else "Extra energy", mwh(abs(saved)),
             f"{share(abs(saved) / base if base else 0.0)} of run-now's {mwh(base)}"),
        _carbon_tile(run),
        Tile("PUE", number(s["pue"].get("fleet"), 4), f"run-now {number(s['pue_baseline'].get('fleet'), 4)}"),
    ]  # fmt: skip


def _where(run: RunFigures, changes: list[Change]) -> str:
    """Where the work runs, and how long it waits on average."""
    later = jobs.mean(changes, "later")
    wait = f"and lets it wait {hours(later)}" if later > 0 else f"and {hours(-later)} earlier"
    wait = "at the same time" if abs(later) < SAME_TIME_H else wait
    work = [np.bincount(e["site"], e["work"], len(run.sites)) for e in map(run.entries, ("plan", "base"))]
    plan, base = (x / x.sum() if x.sum() > 0 else x for x in work)
    gain = plan - base
    best = [int(s) for s in np.argsort(-gain, kind="stable")[:2] if gain[s] >= MOVED]
    run_now = f"(“run-now”), {wait} on average."
    if len(run.sites) == 1:
        return f"The plan runs the work at {run.sites[0]}, like starting every job at once {run_now}"
    if not best:
        return f"The plan shares the work among the sites as starting every job at once at home does {run_now}"
    names = listed([run.sites[s] for s in best])
    after, before = (share(float(x[best].sum()), 0) for x in (plan, base))
    share_there = f"{after} of the work in {names}, against {before}"
    return f"The plan runs {share_there} when every job starts at once at home {run_now}"


def _much(run: RunFigures) -> str:
    s, saving = run.record.summary, _saving(run)
    saved, c = s["energy_mwh"]["baseline"] - s["energy_mwh"]["plan"], s["carbon_t"]
    equal = "for the same work" if s["equal_work"] else "for work that is NOT equal"
    energy = f"{mwh(abs(saved))} {'less' if saved >= 0 else 'more'} energy"
    carbon = NOT_KNOWN
    if c["plan"] is not None:
        less, known = c["baseline"] - c["plan"], len(c["known_sites"])
        where = "" if known == len(run.sites) else f" at the {known} sites where it is known"
        carbon = f"{unit(abs(less), 't', 1)} {'lower' if less >= 0 else 'higher'}{where}"
    return (
        f"That {saving.verb('saves', 'costs an extra')} ({share(abs(saving.share))}) {equal}: "
        f"{eur(saving.cost_eur)} instead of {eur(saving.run_now_eur)}, with {energy}; CO₂ is {carbon}."
    )


def _carbon_tile(run: RunFigures) -> Tile:
    """CO2 where the grid's intensity is known; never a zero for what is not known."""
    c = run.record.summary["carbon_t"]
    if c["plan"] is None:
        return Tile("CO₂", NOT_KNOWN, "no carbon series was given")
    saved, known, sites = c["baseline"] - c["plan"], len(c["known_sites"]), len(run.sites)
    where = "all sites" if known == sites else f"{known} of {sites} sites; the others are {NOT_KNOWN}"
    below = f"plan {unit(c['plan'], 't', 1)}, run-now {unit(c['baseline'], 't', 1)}; {where}"
    return Tile("CO₂ saved" if saved >= 0 else "Extra CO₂", unit(abs(saved), "t", 1), below)


def _why(run: RunFigures, causes: list[Cause]) -> str:
    gains = [c for c in causes if c.saving_eur > 0]
    named = [c for c in gains[:MOST_CAUSES] if c.saving_eur >= NAMED * gains[0].saving_eur]
    phrases = listed([f"{c.phrase} ({eur(c.saving_eur)})" for c in named])
    reason = f"Mainly because {phrases}" if named else "No single cause lowers the bill"
    caps = " and every PUE cap" if run.problem.sizes["cap"] else ""
    kept = f"every deadline{caps} is kept" if run.record.summary["status"] == "OK" else "mind the reservations above"
    return f"{reason}; {kept}."


def notes(run: RunFigures) -> list[str]:
    """Reservations about the comparison: unequal or late work, work outside the horizon or only expected, notices."""
    s, out = run.record.summary, []
    if not s["equal_work"]:
        out.append("Run-now does not finish the same work: the saving is not a comparison of equals.")
    if (late := s.get("baseline_late_gpu_hours", 0.0)) > 0:
        out.append(f"Run-now does {number(late)} GPU-hours after their deadlines; the plan does none.")
    if s.get("jobs_outside_horizon", 0):
        out.append(
            f"{number(s['jobs_outside_horizon'])} jobs of the table lie outside the horizon and are not part of this."
        )
    later, expected = s.get("deferred", {}), s.get("expected", {})
    if later.get("jobs", 0):
        out.append(
            f"{number(later['gpu_hours'])} GPU-hours of {counted(later['jobs'], 'job')} wait for after the horizon, where "
            f"they are likely to cost {eur(later['eur'])}: not part of the bill."
        )
    if expected.get("pseudo_jobs", 0):
        out.append(
            f"Energy and cost include {number(expected['plan_gpu_hours'])} GPU-hours of work that is only expected to arrive (of "
            f"{number(expected['due_gpu_hours'])} counted on); no job of the schedule is one of them."
        )
    return out + held_back(run) + derated(run) + [f"{n}." for n in s.get("notices", [])]


def held_back(run: RunFigures) -> list[str]:
    """Solar arrays that the plan holds back although the site could use more."""
    held = setpoint_table(run.record.schedule).groupby("device", sort=False)["hours"].sum()
    solar = {str(device).removesuffix(SOLAR): float(h) for device, h in held.items() if str(device).endswith(SOLAR)}
    return [
        f"At {owner} the plan holds the solar array back for {hours(h)}: drawing from the grid is paid for then."
        for owner, h in solar.items()
    ]


def derated(run: RunFigures) -> list[str]:
    """Halls that hot or humid weather holds below their limit."""
    halls = run.record.summary.get("cooling", {}).get("halls", {})
    return [
        f"Hall {name} is derated for {hours(h['derated_hours'])}, by up to {unit(h['most_derated_mw'], 'MW', 3)} of IT "
        "power: in that weather its plant cannot hold the supply setpoint at full load."
        for name, h in halls.items()
        if h["derated_hours"] > 0
    ]
