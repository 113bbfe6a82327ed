"""The commands. Heavy imports happen inside them, so that `energy --help` answers at once."""

from __future__ import annotations

import io
import json
import logging
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from energy.cli import handover, nightly, runs
from energy.cli import sources as live_commands
from energy.cli.exit_codes import day_of, exit_codes, fail
from energy.errors import CONFIGURATION, DEGRADED, OK, SOLVER

app = typer.Typer(
    name="energy",
    help="Where and when to run every training job so that power and cooling cost least.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(handover.handover)
app.command()(handover.queue)


def _print_version(asked: bool) -> None:
    """Print the versions and end; they are looked up only when asked for."""
    if asked:
        from importlib.metadata import version

        from energy import __version__

        typer.echo(f"hydrocool {__version__} (HiGHS {version('highspy')}, Pyomo {version('pyomo')})")
        raise typer.Exit(OK)


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of hydrocool, HiGHS and Pyomo.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


CaseArg = Annotated[Path | None, typer.Argument(help="Case file; without it the reference case.", show_default=False)]
FirstDay = Annotated[str | None, typer.Option("--start", help="First local day, YYYY-MM-DD.", show_default=False)]
LastDay = Annotated[str | None, typer.Option("--end", help="Last local day, inclusive.", show_default=False)]
Fill = Annotated[bool, typer.Option("--fill", help="Fill gaps in series, labelled, instead of refusing them.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")]
Attribute = Annotated[
    bool, typer.Option("--attribute", help="Also solve the restricted problems that explain the saving by cause.")
]
Plan = Annotated[
    str,
    typer.Option("--plan", help="ipx or simplex (solver), greedy, or a schedule.csv (.parquet) to trim and re-check."),
]
TimeLimit = Annotated[float, typer.Option("--time-limit", min=1, help="Most seconds that the solver may take.")]
Page = Annotated[bool, typer.Option("--page/--no-page", help="Draw the report.")]
Out = Annotated[Path, typer.Option("--out", help="Folder that run folders are written to.")]
FleetFile = Annotated[Path | None, typer.Option("--fleet", help="Fleet file.", show_default=False)]
JobTable = Annotated[Path | None, typer.Option("--jobs", help="Job table of a live case.", show_default=False)]
Live = Annotated[bool, typer.Option("--live", help="Fetch prices and weather of --fleet, from tomorrow on.")]
app.command()(live_commands.fetch)
app.command()(live_commands.sources)
for command in (runs.report, runs.bill, runs.attribute, runs.replay):
    app.command()(command)
app.command()(nightly.nightly)
app.command("plan-night", hidden=True)(nightly.plan_night)
app.command("night-step", hidden=True)(nightly.night_step)
app.command()(nightly.history)
app.command()(nightly.doctor)
app.add_typer(nightly.ingest, name="ingest")


@app.command()
def optimize(
    case: CaseArg = None, start: FirstDay = None, end: LastDay = None, fill: Fill = False,
    out: Out = Path("data/runs"), as_json: Json = False, attribute: Attribute = False,
    live: Live = False, fleet: FleetFile = None, jobs: JobTable = None, as_of: live_commands.AsOf = None,
    plan: Plan = "ipx", time_limit: TimeLimit = 1200.0, page: Page = True,
) -> None:  # fmt: skip
    """Solve a case, prove and price the plan, write the run folder and print the result."""
    for wrong, message in ((live and case, "either a case or --live"), (live and not fleet, "--live needs --fleet"),
                           (not live and (fleet or jobs), "--fleet and --jobs belong to --live")):  # fmt: skip
        if wrong:
            fail(CONFIGURATION, message)
    with exit_codes():
        from energy.attribution import attribute_run
        from energy.cli.tables import Progress, attribution_table, result_table
        from energy.optimize import optimize as run_optimize
        from energy.optimize import planner
        from energy.runs.folder import check_writable, publish, record_of

        check_writable(out)
        with Progress(quiet=as_json) as progress:
            if live and fleet:
                from energy.fetch import live_case, open_client

                first, last = live_commands.option_day("--start", start), live_commands.option_day("--end", end)
                tell = partial(typer.echo, err=True) if not as_json else lambda _: None
                with open_client(as_of=live_commands.moment(as_of)) as client:
                    case = live_case(fleet, client, jobs, first, last, tell=tell)
                start = end = as_of = None
            (options, maker), known = planner(plan, time_limit), live_commands.moment(as_of)
            days = _horizon(start, end)
            run = run_optimize(case or _reference(), days, fill, options, progress.stage, known, maker)
            if run.outcome.status == "FAILED":
                fail(SOLVER, f"no plan: {'; '.join(run.outcome.reasons)}")
            if attribute:
                run = attribute_run(run, progress.stage)
            progress.stage("write the run folder")
            record, drawn = record_of(run), None
            if page:
                from energy.report.page import render  # a run without a page does not load it

                drawn = render(record)
            folder = publish(record, out, drawn)
        if as_json:
            print(json.dumps(run.summary, indent=2, default=float, allow_nan=False))
        else:
            result_table(run, folder)
            attribution_table(run.summary)
        raise typer.Exit(DEGRADED if run.outcome.status == "DEGRADED" else OK)


@app.command()
def check(case: CaseArg = None, start: FirstDay = None, end: LastDay = None, fill: Fill = False) -> None:
    """Check that every input of a case can be used, without solving it."""
    with exit_codes():
        from energy.cli.tables import check_table
        from energy.inputs.load import read_inputs
        from energy.problem import assemble

        inputs = read_inputs(case or _reference(), _horizon(start, end), fill)
        check_table(inputs, assemble(inputs))


@app.command()
def pue(
    case: CaseArg = None, start: FirstDay = None, end: LastDay = None, fill: Fill = False, as_json: Json = False,
    fleet: Annotated[Path | None, typer.Option("--fleet", help="Fleet file, with --weather; instead of a case.")] = None,
    weather: Annotated[list[str] | None, typer.Option("--weather", help="SITE=FILE, once per site; a year.")] = None,
    load: Annotated[float, typer.Option("--load", help="IT load of every hall, share of design.")] = 0.85,
    picture: Annotated[Path | None, typer.Option("--picture", help="Write an SVG of PUE against dry bulb and load to this file.")] = None,
) -> None:  # fmt: skip
    """PUE, WUE, free cooling and worst hour of each site and hall in its weather, at a constant load."""
    with exit_codes():
        from energy import plant_study as plants
        from energy.cli.tables import pue_table

        if not 0 < load <= 1:
            fail(CONFIGURATION, f"--load {load:g}; allowed: above 0, at most 1 (share of design)")
        days = _horizon(start, end)
        if fleet is not None:
            given = weather or []
            pairs = dict(text.partition("=")[::2] for text in given)
            if not pairs or not all(pairs.values()) or len(pairs) < len(given):
                fail(CONFIGURATION, f"--weather {' '.join(given)}; allowed with --fleet: SITE=FILE, once per site")
            air = plants.air_of_files(fleet, {site: Path(file) for site, file in pairs.items()}, days, fill)
        else:
            air = plants.air_of_case(case or _reference(), days, fill)
        found = plants.figures(air, load)
        if picture is not None:
            picture.write_text(plants.picture(air, load), encoding="utf-8")
        if as_json:
            print(json.dumps([vars(f) for f in found], indent=2, allow_nan=False))
        else:
            pue_table(found, load)


@app.command()
def formulation(arrays: Annotated[bool, typer.Option("--arrays", help="The table of arrays instead.")] = False) -> None:
    """Print the whole linear program, or the table of arrays, as Markdown."""
    if arrays:
        from energy.schema import markdown as text
    else:
        from energy.program import formulation as text
    typer.echo(text(), nl=False)


@app.command()
def new(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Write the reference case as files to edit: your own fleet, jobs and prices in five minutes."""
    with exit_codes():
        from energy.cli.templates import write_starter

        case = write_starter(folder)
        typer.echo(str(case))
        typer.echo(f"Edit fleet.yaml, jobs.csv and the series; then: energy check {case} and energy optimize {case}")


@app.command()
def schemas(folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path("docs/schemas")) -> None:
    """Write the JSON Schemas of the YAML files, for completion in editors."""
    from energy.cli.templates import write_all

    for path in write_all(folder):
        typer.echo(str(path))


def _reference() -> Path:
    from energy.inputs.resources import root

    return root() / "models" / "cases" / "reference.yaml"


def _horizon(start: str | None, end: str | None) -> dict[str, object]:
    """Overrides of the horizon; a start alone keeps the number of days."""
    given = {k: v for k, v in (("start", start), ("end", end)) if v is not None}
    return {name: day_of(f"--{name}", value).isoformat() for name, value in given.items()}


def main(argv: list[str] | None = None) -> Any:
    """Entry point of the `energy` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a log that knows only ASCII must not end a run
    logging.getLogger("pyomo.core").setLevel(logging.CRITICAL)  # it prints what it raises, Ctrl-C too, to stdout
    return app(argv if argv is not None else sys.argv[1:])
