"""Reports as one HTML file each that opens offline, without scripts, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from energy.report import charts, cooling, evidence, history, pue, sites
from energy.report.charts import Picture, TimeAxis, variables
from energy.report.figures import RunFigures
from energy.report.night import SECTIONS as NIGHT_SECTIONS
from energy.report.night import night_view
from energy.report.plan import plan_view
from energy.report.view import ReportView
from energy.runs.record import Record


def render(record: Record) -> str:
    """The page of a run, self-contained: pictures, texts and tables from the Record alone."""
    run = RunFigures(record)
    view = report_view(record, run)
    with charts.drawing():
        pictures = _pictures(run)
    return _html(
        "report.html.j2",
        title=view.title,
        plan=view.plan,
        night=view.night,
        pictures=pictures,
        night_sections=NIGHT_SECTIONS,
    )


def render_history(nights: Sequence[history.Past], most: int = history.NIGHTS) -> str:
    """The page of the last nights, in any order; the last run of a day counts."""
    days = history.window(nights, most)
    view = history.history_view(days)
    with charts.drawing():
        chart = history.chart(days) if days else None
    return _html("history.html.j2", title=view.top.title, view=view, chart=chart)


def report_view(record: Record, run: RunFigures) -> ReportView:
    """What the report shows: the plan, and before it the night where the record has one."""
    plan = plan_view(run)
    if record.night is None:
        return ReportView(plan.top.title, plan, None)
    night = night_view(record.night, run)
    return ReportView(f"hydrocool: {night.top.title}", plan, night)


def _pictures(run: RunFigures) -> dict[str, list[Picture]]:
    """Small multiples over the horizon by the name of their section."""
    time = TimeAxis(run.time, run.dt)
    return {
        "week": sites.week_pictures(run, time), "reservoirs": evidence.reservoir_pictures(run),
        "gpus": sites.fleet_pictures(run, time), "gpus_by_site": sites.gpu_pictures(run, time),
        "pue": pue.pictures(run, time, pue.caps(run)), "cooling": cooling.pictures(run, time),
        "pue_curves": cooling.curve_pictures(run),
    }  # fmt: skip


def _html(template: str, **context: object) -> str:
    colours = {"light": Markup(variables("light")), "dark": Markup(variables("dark"))}
    return _environment().get_template(template).render(colours=colours, **context)


@cache
def _environment() -> Environment:
    """Templates of this package; every name from outside is escaped, a missing one is an error."""
    return Environment(
        loader=PackageLoader("energy.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
