"""The commands of the nightly run: `energy nightly`, `ingest`, `history`, `doctor`."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from energy.cli.exit_codes import exit_codes, fail
from energy.errors import CONFIGURATION, UNPUBLISHED

if TYPE_CHECKING:
    from energy.nightly.config import NightlyWorkspace
    from energy.nightly.outcome import Night


Config = Annotated[Path, typer.Argument(help="Nightly file.")]
ConfigOption = Annotated[Path, typer.Option("--config", help="Nightly file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
DEFAULT = Path("nightly.yaml")
ingest = typer.Typer(help="Read what meters and clusters report into the state database.", no_args_is_help=True)


def nightly(
    config: Config = DEFAULT,
    day: Annotated[
        str | None,
        typer.Option("--date", help="Delivery day, YYYY-MM-DD; without it tomorrow from the auction on, else today."),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First delivery day of a back-fill.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last delivery day of a back-fill, inclusive.")] = None,
    reprocess: Annotated[
        str, typer.Option("--reprocess", help="Nights of a back-fill: none (those never run), failed, all.")
    ] = "none",
    as_json: Json = False,
) -> None:
    """Plan the night: read, settle yesterday, solve, prove, bill, publish; exit code 7 when nothing was published."""
    with exit_codes():
        from energy.nightly.config import due, load_nightly
        from energy.nightly.run import worst

        workspace = load_nightly(config)
        if first is not None or last is not None:
            nights = _back_fill(
                workspace, _day("--from", first), _not_ahead(workspace, "--to", _day("--to", last)), reprocess
            )
        else:
            target = _not_ahead(workspace, "--date", _day("--date", day)) if day else due(workspace.config)
            nights = iter([_run(workspace, target, reprocess == "all", reprocess == "all")])
        raise typer.Exit(worst([_printed(night, as_json) for night in nights]))


def _back_fill(workspace: NightlyWorkspace, first: date, last: date, reprocess: str) -> Iterator[Night]:
    """Each night as it ends; only the last one has metrics and messages."""
    from energy.errors import StoreError
    from energy.nightly.case import nights_to_run
    from energy.nightly.database import open_state

    try:
        with open_state(workspace) as store:
            days = nights_to_run(store, first, last, reprocess)
    except StoreError as e:  # worth another attempt, as for a single night
        fail(UNPUBLISHED, str(e))
    for day in days:
        yield _outcome(workspace, day, reprocess == "all", quiet=day != days[-1])


def _outcome(workspace: NightlyWorkspace, day: date, reprocess: bool, quiet: bool) -> Night:
    """One night of a back-fill: whatever ends it, the nights after it are run."""
    from energy.errors import NightError
    from energy.nightly.outcome import Night
    from energy.nightly.run import EXPECTED

    try:
        return _run(workspace, day, reprocess, from_snapshot=True, quiet=quiet)
    except (NightError, *EXPECTED) as e:
        return Night(day, "FAILED", reasons=[str(e)])
    except Exception as e:  # a fault of the program: seen on stderr, and no reason to leave out the others
        traceback.print_exc()
        return Night(day, "FAILED", reasons=[f"{type(e).__name__}: {e}"])


def _run(
    workspace: NightlyWorkspace, day: date, reprocess: bool, from_snapshot: bool, quiet: bool = False
) -> Night:  # fmt: skip
    """One night, from files or live."""
    from energy.nightly.run import Series, run_night, series_from_files

    def on_progress(text: str) -> None:
        typer.echo(text, err=True)

    series: Series = series_from_files
    if workspace.config.live:
        from energy.nightly.live import fetched_now, fetched_then

        series = fetched_then if from_snapshot else fetched_now
    return run_night(workspace, day, reprocess, on_progress, from_snapshot, quiet, series)


def plan_night(given: Path, made: Path) -> None:
    """Plan a night that was read, in a process of its own that can be killed: `energy nightly` calls it."""
    with exit_codes():
        from energy.nightly.fallback import serve

        serve(given, made)


def _printed(night: Night, as_json: bool) -> Night:
    """The night, once it is on the screen."""
    _print(night, as_json)
    return night


def _print(night: Night, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({
            "date": str(night.day), "status": night.status, "method": night.method, "exit_code": night.code,
            "run_id": night.run_id, "folder": str(night.folder) if night.folder else None,
            "unchanged": night.unchanged, "reasons": night.reasons, "night": night.night,
        }))  # fmt: skip
        return
    where = str(night.folder) if night.folder else "nothing published, latest is as it was"
    same = " (unchanged: the same inputs were published before)" if night.unchanged else ""
    typer.echo(f"{night.day} {night.status} by {night.method}: {where}{same}")
    for reason in night.reasons:
        typer.echo(f"  - {reason}")


@ingest.command()
def meter(file: Annotated[Path, typer.Argument(help="CSV: utc, site, import_mwh, optional hours, it_mwh.")],
          config: ConfigOption = DEFAULT) -> None:  # fmt: skip
    """Metered energy by site and period: bills and balances of days that are not settled yet use it."""
    with exit_codes():
        from energy.nightly.config import load_nightly
        from energy.nightly.metering import read_meter

        typer.echo(read_meter(load_nightly(config), file).message())


@ingest.command()
def progress(file: Annotated[Path, typer.Argument(help="CSV: at, job, gpu_hours (reference GPU-hours done so far).")],
             config: ConfigOption = DEFAULT) -> None:  # fmt: skip
    """What jobs have really done: the next night plans what is left."""
    with exit_codes():
        from energy.nightly.config import load_nightly
        from energy.nightly.metering import read_progress

        typer.echo(f"{read_progress(load_nightly(config), file)} reports")


def history(
    config: Config = DEFAULT,
    nights: Annotated[int, typer.Option("--nights", min=1, help="How many of the last nights.")] = 90,
    as_json: Json = False,
) -> None:
    """The last nights: state, fallback method, cost, realised saving, imputed hours, undone work."""
    with exit_codes():
        from energy.cli.tables import console
        from energy.nightly.config import load_nightly
        from energy.nightly.history import last_nights, lights, table

        workspace = load_nightly(config)
        rows = last_nights(workspace, nights)
        if as_json:
            typer.echo(json.dumps(rows))
            return
        for line in lights(workspace, nights):
            typer.echo(line)
        console().print(table(rows))


def doctor(
    config: Config = DEFAULT,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Put the database aside and build it again.")] = False,
) -> None:
    """Check what a night needs: files, series, database, disk, lock, clock, solver; or rebuild the database."""
    with exit_codes():
        from energy.nightly.config import load_nightly
        from energy.nightly.doctor import check_health
        from energy.nightly.rebuild import rebuild_store

        workspace = load_nightly(config)
        if rebuild:
            typer.echo(rebuild_store(workspace))
        found = check_health(workspace)
        for finding in found:
            typer.echo(
                f"{'warn' if finding.warns else 'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.message}"
            )
        raise typer.Exit(0 if all(f.ok for f in found) else CONFIGURATION)


def _day(option: str, value: str | None) -> date:
    try:
        return date.fromisoformat(value or "")
    except ValueError:
        fail(CONFIGURATION, f"{option} {value!r} is not a day; allowed: YYYY-MM-DD")


def _not_ahead(workspace: NightlyWorkspace, option: str, day: date) -> date:
    """The day, where an auction can have set its prices: a plan of a later one would stand in the way of real nights."""
    from energy.nightly.precedence import tomorrow

    if day > (last := tomorrow(workspace)):
        fail(
            CONFIGURATION,
            f"{option} {day} is later than tomorrow ({last} on the fleet's clock); a slip, or a wrong clock?",
        )
    return day


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(nightly)
    app.command("plan-night", hidden=True)(plan_night)
    app.command()(history)
    app.command()(doctor)
    app.add_typer(ingest, name="ingest")
