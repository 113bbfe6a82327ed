"""Reports as one HTML file each that opens offline, without scripts, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from energy.report import cooling, evidence, history, pue, sites
from energy.report.charts import Picture, TimeAxis, variables
from energy.report.figures import RunFigures
from energy.report.night import SECTIONS as NIGHT_SECTIONS
from energy.report.night import night_view
from energy.report.plan import plan_view
from energy.runs.record import Record


def render(record: Record) -> str:
    """The page of a run from its Record alone: the plan, and before it the night where the record has one."""
    run = RunFigures(record)
    plan = plan_view(run)
    night = None if record.night is None else night_view(record.night, run)
    title = f"hydrocool: {night.top.title}" if night else plan.top.title
    view = {"title": title, "plan": plan, "night": night, "night_sections": NIGHT_SECTIONS}
    return _html("report.html.j2", pictures=_pictures(run), **view)


def render_history(nights: Sequence[history.Past], most: int = history.NIGHTS) -> str:
    """The page of the last nights, in any order; the last run of a day counts."""
    days = history.window(nights, most)
    view = history.history_view(days)
    return _html("history.html.j2", title=view.top.title, view=view, chart=history.chart(days) if days else None)


def _pictures(run: RunFigures) -> dict[str, list[Picture]]:
    """Small multiples over the horizon by the name of their section."""
    time = TimeAxis(run.time, run.dt)
    return {
        "week": [sites.week_picture(run, time, s) for s in run.shown],
        "reservoirs": evidence.reservoir_pictures(run),
        "gpus": [sites.fleet_picture(run, time, *who) for who in (("plan", "Plan"), ("base", "Run-now"))],
        "gpus_by_site": [sites.gpu_picture(run, time, s) for s in run.shown],
        "pue": pue.pictures(run, time, pue.caps(run)),
        "cooling": [cooling.picture(run, time, s) for s in run.shown],
        "pue_curves": [picture for s in run.shown for picture in cooling.curve_pictures(run, s)],
    }


def _html(template: str, **context: object) -> str:
    colours = {"light": Markup(variables("light")), "dark": Markup(variables("dark"))}
    return _environment().get_template(template).render(colours=colours, **context)


@cache
def _environment() -> Environment:
    """Templates of this package: every text is escaped, a name that is missing is an error."""
    return Environment(
        loader=PackageLoader("energy.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
