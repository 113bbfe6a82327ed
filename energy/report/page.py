"""The report: one HTML file that opens offline, without scripts, the same bytes for the same run."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from energy.report import charts, cooling, costs, evidence, headline, jobs, night_page, pue, sites
from energy.report.charts import variables
from energy.report.text import Table, eur, number, prose, row, share, table, words
from energy.report.view import Horizon, View
from energy.runs.record import Record

SECTIONS = (
    ("sites", "Sites"), ("week", "Price, weather and load"), ("gpus", "GPUs in use"), ("pue", "PUE"),
    ("cooling", "Cooling"), ("limits", "Limits"), ("costs", "Costs"), ("jobs", "Which jobs wait, and why"), ("deadlines", "Dearest deadlines"),
    ("help", "What would help"), ("worth", "What more capacity is worth"),
    ("executable", "Can it be run as it stands?"), ("data", "Data"), ("bill", "Objective and bill"),
    ("certificate", "Certificate"), ("run", "Run"),
)  # fmt: skip


def render(record: Record) -> str:
    """The page of a run, self-contained: pictures, words and tables from the Record alone."""
    view = View(record)
    with charts.drawing():
        context = _top(view) | _pictures(view) | _money(view) | _work(view) | _back(view) | _night(view)
    return environment().get_template("report.html.j2").render(context)


def sections(view: View) -> list[tuple[str, str]]:
    """Anchors and titles in the order of the page.

    What would help comes first where work is undone or a cap breached; reservoirs after the week, where there are any.
    """
    out = sorted(SECTIONS, key=lambda x: not (x[0] == "help" and jobs.urgent(view)))
    if evidence.pictures(view):
        out.insert([anchor for anchor, _ in out].index("week") + 1, ("reservoirs", "Reservoirs"))
    return out


def _night(view: View) -> dict[str, Any]:
    """The nightly edition, and its title, where the record is a night's."""
    if view.record.night is None:
        return {"night": None}
    night = night_page.context(view.record.night, view)
    return {"night": night, "title": f"hydrocool: {night['title']}"}


def environment() -> Environment:
    """Templates of this package; every name from outside is escaped, a missing one is an error."""
    return Environment(
        loader=PackageLoader("energy.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _top(view: View) -> dict[str, Any]:
    """Verdict, headline, tiles, warnings, summary."""
    s = view.record.summary
    status, sign, meaning = headline.light(view)
    saving = f"{'saves' if s['saving_eur'] >= 0 else 'costs an extra'} {eur(abs(s['saving_eur']))}"
    return {
        "title": f"hydrocool: {s.get('case', '')} {headline.days(view)}: {status}",
        "case": s.get("case", "without a name"),
        "status": status, "sign": sign, "meaning": meaning, "reasons": s["reasons"], "period": headline.period(view),
        "headline": f"The plan {saving}, {share(abs(s['saving_share']))} of the bill", "tiles": headline.tiles(view),
        "warnings": evidence.warnings(view), "notes": headline.notes(view), "undone": evidence.undone_table(view),
        "sections": sections(view), "urgent": jobs.urgent(view),
        "advice_words": jobs.advice_words(view), "advice_table": jobs.advice_table(view), "site_table": sites.site_table(view),
        "light_colours": Markup(variables("light")), "dark_colours": Markup(variables("dark")),
    }  # fmt: skip


def _pictures(view: View) -> dict[str, Any]:
    """Small multiples over the horizon, with notes on what they leave out."""
    horizon = Horizon.of(view)
    hidden = len(view.sites) - len(view.shown)
    found = pue.caps(view)
    many = horizon.periods_per_step
    shown = (
        f"The {len(view.shown)} sites that draw most are shown; {hidden} more stand in the tables." if hidden else ""
    )
    return {
        "week": sites.pictures(view, horizon), "reservoirs": evidence.pictures(view),
        "gpu_fleet": sites.fleet_pictures(view, horizon),
        "gpu_sites": sites.site_pictures(view, horizon), "pue": pue.pictures(view, horizon, found),
        "fleet_key": sites.fleet_key(view), "kinds_key": sites.kinds_key(view), "gpu_total": sites.total(view),
        "steps_note": f"Each step is the mean of {many} periods." if many > 1 else "", "shown_note": shown,
        "shown_note_short": f" {shown}" if shown else "",
        "cooling": cooling.pictures(view, horizon), "cooling_key": cooling.parts_key(view),
        "pue_curves": cooling.curve_pictures(view), "hall_table": cooling.hall_table(view), "derated": headline.derated(view), "limit_table": pue.limit_table(view),
        "missed": pue.missed(view), "limit_sources": pue.sources(view),
        "cap_table": pue.cap_table(found) if found else None, "cap_words": costs.cap_words(found),
    }  # fmt: skip


def _money(view: View) -> dict[str, Any]:
    """Causes of the saving, bars and invoice tables."""
    found = costs.causes(view)
    largest = max(abs(c.saving_eur) for c in found) or 1.0
    rows = [
        {
            "name": c.name,
            "saving_eur": c.saving_eur,
            "text": eur(c.saving_eur, sign=True),
            "width": round(70 * abs(c.saving_eur) / largest, 1),
        }
        for c in found
    ]
    return {
        "steps": costs.steps(view), "rules_table": costs.rules_table(view),
        "causes": rows, "bars": costs.bars(view),
        "class_table": costs.class_table(view), "invoice_table": costs.invoice_table(view),
        "classes_key": sites.key(list(costs.CLASSES), list(costs.CLASSES.values())),
    }  # fmt: skip


def _work(view: View) -> dict[str, Any]:
    """Jobs, deadlines, worth of capacity, and the summary that needs them."""
    changes = jobs.changes(view)
    return {
        "summary": headline.summary(view, costs.causes(view), changes), "jobs_overview": jobs.overview(changes),
        "changes": [{"name": c.name, "text": jobs.sentence(c)} for c in changes[: jobs.TOP]],
        "job_table": jobs.job_table(changes), "deadline_words": costs.deadline_words(view),
        "deadline_table": costs.deadline_table(view), "gpu_table": costs.gpu_table(view),
        "gpu_words": costs.gpu_words(view), "grid_table": costs.grid_table(view),
    }  # fmt: skip


def _back(view: View) -> dict[str, Any]:
    """What the figures rest on: shape, series, reconciliation, certificate, versions."""
    return {
        "shape": evidence.executability(view), "series": evidence.series_table(view),
        "credits": evidence.credits_due(view),
        "bill_words": evidence.reconciliation_words(view), "bill_table": evidence.reconciliation(view),
        "certificate": evidence.certificate_words(view), "run_tables": _run_tables(view),
    }  # fmt: skip


def _run_tables(view: View) -> list[tuple[str, Table]]:
    """The manifest's small print: run, versions, seconds, input hashes."""
    m = view.record.manifest
    solver = m.get("solver", {})
    run = {
        "run id": m.get("run_id", ""),
        "written": str(m.get("created_utc", "")).replace("T", " ").replace("+00:00", " UTC"),
        "solver status": solver.get("status", ""), "solver iterations": number(solver.get("iterations", 0)),
    }  # fmt: skip
    seconds = {k: f"{v:.3f}" for k, v in m.get("seconds", {}).items()}
    found = {"Run": run, "Versions": m.get("versions", {}), "Seconds by stage": seconds,
             "Input files, SHA-256": m.get("inputs_sha256", {})}  # fmt: skip
    return [(name, _pairs(pairs)) for name, pairs in found.items() if pairs]


def _pairs(pairs: dict[str, Any]) -> Table:
    return table((words("Item"), prose("Value")), [row(str(k), str(v)) for k, v in pairs.items()])
