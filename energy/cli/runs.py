"""The commands on a kept run folder: report, bill, attribute, replay. Each works from the folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from energy.cli.exit_codes import exit_codes, fail
from energy.errors import DEGRADED

RunFolder = Annotated[Path, typer.Option("--run", help="A run folder.")]
Output = Annotated[Path | None, typer.Option("--output", help="File to write; default: report.html in the folder.")]


def report(run: RunFolder, output: Output = None) -> None:
    """Draw the report of a run folder again, from its files alone."""
    with exit_codes():
        from energy.report.page import render
        from energy.runs.folder import PAGE, read_run, save_page

        target = output or run / PAGE
        save_page(render(read_run(run)), target)
        typer.echo(str(target))


def bill(run: RunFolder) -> None:
    """Price a run's schedule again from the inputs in its folder: invoice lines per site, month and component."""
    with exit_codes():
        from energy.cli.tables import bill_table
        from energy.runs.recompute import bill_agrees, reproduce

        record, saved = reproduce(run)
        bill_table(saved.plan.bill)
        if not bill_agrees(record, saved):
            _differs([f"bill {record.summary['bill_eur']:.2f} EUR then, {saved.plan.bill.total():.2f} EUR now"])


def attribute(run: RunFolder) -> None:
    """What each kind of foresight saves, and rules of thumb: restricted problems solved from a run folder's inputs."""
    with exit_codes():
        from energy.attribution import attribute as attribute_saved
        from energy.cli.tables import Progress, attribution_table
        from energy.runs.recompute import reproduce

        with Progress() as progress:
            found = attribute_saved(reproduce(run)[1], progress.stage)
        attribution_table({"attribution": found.as_dict()})


def replay(run: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Solve a run folder's inputs once more and say whether objective and certificate agree; exit code 6 if not."""
    with exit_codes():
        from energy.cli.tables import Progress
        from energy.runs.recompute import replay_run

        with Progress() as progress:
            again = replay_run(run, progress.stage)
        for line in again.message():
            typer.echo(line)
        if found := again.differences():
            _differs(found)
        typer.echo("objective and certificate agree")


def _differs(found: list[str]) -> NoReturn:
    fail(DEGRADED, f"does not agree with the run folder: {'; '.join(found)}")
