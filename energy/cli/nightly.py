"""The commands of the nightly run: `energy nightly`, `ingest`, `history`, `doctor`."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from energy.cli.exit_codes import day_of, exit_codes, fail
from energy.errors import CONFIGURATION, UNPUBLISHED

if TYPE_CHECKING:
    from energy.nightly.config import NightlyWorkspace
    from energy.nightly.outcome import Night


Config = Annotated[Path, typer.Argument(help="Nightly file.")]
ConfigOption = Annotated[Path, typer.Option("--config", help="Nightly file.")]
DeliveryDay = Annotated[
    str | None,
    typer.Option("--date", help="Delivery day, YYYY-MM-DD; without it tomorrow from the auction on, else today."),
]
First = Annotated[str | None, typer.Option("--from", help="First delivery day of a back-fill.")]
Last = Annotated[str | None, typer.Option("--to", help="Last delivery day of a back-fill, inclusive.")]
Reprocess = Annotated[
    str, typer.Option("--reprocess", help="Nights of a back-fill: none (those never run), failed, all.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
DEFAULT = Path("nightly.yaml")
ingest = typer.Typer(help="Read what meters and clusters report into the state database.", no_args_is_help=True)


def nightly(
    config: Config = DEFAULT, day: DeliveryDay = None, first: First = None, last: Last = None,
    reprocess: Reprocess = "none", as_json: Json = False,
) -> None:  # fmt: skip
    """Plan the night: read, settle yesterday, solve, prove, bill, publish; exit code 7 when nothing was published."""
    with exit_codes():
        from energy.nightly.config import due, load_nightly
        from energy.nightly.run import worst

        workspace = load_nightly(config)
        if first is not None or last is not None:
            begin, end = day_of("--from", first or ""), _not_ahead(workspace, "--to", last or "")
            nights = _back_fill(workspace, begin, end, reprocess)
        else:
            target = _not_ahead(workspace, "--date", day) if day else due(workspace.config)
            nights = iter([_run(workspace, target, reprocess == "all", reprocess == "all")])
        done = []
        for night in nights:
            _print(night, as_json)
            done.append(night)
        raise typer.Exit(worst(done))


def _back_fill(workspace: NightlyWorkspace, first: date, last: date, reprocess: str) -> Iterator[Night]:
    """Run the nights and yield each as it ends; only the last one has metrics and messages, and none stops the next."""
    from energy.errors import NightError, StoreError
    from energy.nightly.case import nights_to_run
    from energy.nightly.database import open_state
    from energy.nightly.outcome import Night
    from energy.nightly.run import EXPECTED

    try:
        with open_state(workspace) as store:
            days = nights_to_run(store, first, last, reprocess)
    except StoreError as e:  # worth another attempt, as for a single night
        fail(UNPUBLISHED, str(e))
    for day in days:
        try:
            yield _run(workspace, day, reprocess == "all", from_snapshot=True, quiet=day != days[-1])
        except (NightError, *EXPECTED) as e:
            yield Night(day, "FAILED", reasons=[str(e)])
        except Exception as e:  # a fault of the program: seen on stderr, and no reason to leave out the others
            traceback.print_exc()
            yield Night(day, "FAILED", reasons=[f"{type(e).__name__}: {e}"])


def _run(
    workspace: NightlyWorkspace, day: date, reprocess: bool, from_snapshot: bool, quiet: bool = False
) -> Night:  # fmt: skip
    """One night in a child, which ends with the night's budget."""
    from energy.nightly import child

    if not child.SEPARATE:
        return _run_here(workspace.path, day, reprocess, from_snapshot, quiet)
    return child.run_in_child(workspace, day, reprocess, from_snapshot, quiet, partial(typer.echo, err=True))


def night_step(given: Path, made: Path) -> None:
    """Run one night in a process of its own that ends with its budget: `energy nightly` calls it."""
    with exit_codes():
        from energy.nightly.child import serve

        serve(given, made, _run_here)


def _run_here(config: Path, day: date, reprocess: bool, from_snapshot: bool, quiet: bool) -> Night:
    """One night in this process, from files or live."""
    from energy.nightly.config import load_nightly
    from energy.nightly.run import Series, run_night, series_from_files

    workspace, series = load_nightly(config), cast("Series", series_from_files)
    if workspace.config.live:
        from energy.nightly.live import fetched_now, fetched_then

        series = fetched_then if from_snapshot else fetched_now
    return run_night(workspace, day, reprocess, partial(typer.echo, err=True), from_snapshot, quiet, series)


def plan_night(given: Path, made: Path) -> None:
    """Plan a night that was read, in a process of its own that can be killed: `energy nightly` calls it."""
    with exit_codes():
        from energy.nightly.fallback import serve

        serve(given, made)


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
            mark = "warn" if finding.warns else "ok  " if finding.ok else "FAIL"
            typer.echo(f"{mark} {finding.what}: {finding.message}")
        raise typer.Exit(0 if all(f.ok for f in found) else CONFIGURATION)


def _not_ahead(workspace: NightlyWorkspace, option: str, value: str) -> date:
    """The day of an option, where an auction can have set its prices: the plan of a later day would block real nights."""
    from energy.nightly.outcome import tomorrow

    if (day := day_of(option, value)) > (last := tomorrow(workspace)):
        why = f"is later than tomorrow ({last} on the fleet's clock); a slip, or a wrong clock?"
        fail(CONFIGURATION, f"{option} {day} {why}")
    return day
