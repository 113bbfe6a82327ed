"""The commands between hydrocool and a scheduler: `energy handover` and `energy queue`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from energy.cli.exit_codes import fail, moment_of
from energy.errors import CONFIGURATION, DATA

if TYPE_CHECKING:
    from energy.handover import Quotas


class Target(StrEnum):
    """Formats of the hand-over."""

    slurm = "slurm"
    kueue = "kueue"
    json = "json"
    ics = "ics"


Plan = Annotated[Path, typer.Argument(help="A run folder, or a folder of nights (or its `latest`): the active plan.")]
To = Annotated[Target, typer.Option("--to", help="What takes it over.")]
Out = Annotated[Path | None, typer.Option("--out", help="Output file; default: standard output.")]
Moment = Annotated[
    str, typer.Option("--at", help="Period of kueue and --apply: now, or a time such as 2026-05-01T06:00Z.")
]
Apply = Annotated[bool, typer.Option("--apply", help="Change the scheduler now (slurm, kueue); never done otherwise.")]


Yes = Annotated[
    bool, typer.Option("--yes", help="Also where unfinished jobs are missing from the queue: they get no GPUs.")
]
#: Missing jobs that a message names; the others are counted.
MOST_NAMED = 3


def handover(run: Plan, to: To, out: Out = None, at: Moment = "now", apply: Apply = False, yes: Yes = False) -> None:
    """Hourly GPU quota of each pool and group: Slurm limits script, Kueue queues, JSON or calendar."""
    from energy.errors import RunFolderError
    from energy.handover import exports, kueue, slurm
    from energy.handover.apply import ApplyError
    from energy.handover.apply import apply as apply_to
    from energy.handover.quota import digits

    if apply and to not in (Target.slurm, Target.kueue):
        fail(CONFIGURATION, f"--apply --to {to}; allowed: slurm, kueue")
    try:
        found = _quotas(run, to, at)
        if found.missing and not yes:
            named = ", ".join(found.missing[:MOST_NAMED])
            more = f" and {len(found.missing) - MOST_NAMED} more" if len(found.missing) > MOST_NAMED else ""
            what = f"unfinished jobs are missing from the queue of this plan: {named}{more}; it gives their GPUs away"
            fail(DATA, f"{what}. Put them back into the queue and plan the night again, or hand over with --yes")
        if to is Target.kueue:
            text = kueue.manifest(found, _period(found, at))
        else:
            write = {Target.slurm: slurm.script, Target.json: exports.json_text, Target.ics: exports.calendar_text}
            text = write[to](found)
        if out is not None:
            _replace(out, text)
        elif not apply:
            typer.echo(text, nl=False)
        if apply:
            arguments = [digits(found.start[_period(found, at)])] if to is Target.slurm else []
            typer.echo(apply_to(to, text, *arguments), nl=False)
    except (RunFolderError, ApplyError) as e:
        fail(CONFIGURATION, str(e))
    except OSError as e:
        fail(CONFIGURATION, f"{out}: cannot be written ({e.strerror}); choose another with --out")


def _quotas(run: Path, to: Target, at: str) -> Quotas:
    """Quotas of a run; of a folder of nights those of the active plan, and of those after it where all periods are wanted."""
    from energy.handover import quotas
    from energy.nightly.active_plans import folder_of_nights, plan_at
    from energy.runs.folder import read_run

    nights = folder_of_nights(run)
    return quotas(read_run(run)) if nights is None else plan_at(nights, _moment("--at", at), to is not Target.kueue)


def _replace(path: Path, text: str) -> None:
    """Write a file that is whole or not there: a scheduler's own job may read it at any moment."""
    if path.exists() and not path.is_file():  # a pipe, a terminal
        path.write_text(text, encoding="utf-8", newline="")
        return
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.replace(path)


def _period(found: Quotas, at: str) -> int:
    """The period that holds a moment."""
    import numpy as np

    moment = _moment("--at", at)
    period = found.period_at(np.datetime64(moment.replace(tzinfo=None), "ns"))
    if period is None:
        holds = f"the plan holds from {found.start[0]} to {found.end} UTC"
        fail(CONFIGURATION, f"--at {at}: {holds}, not at {moment:%Y-%m-%dT%H:%M}")
    return period


SlurmFiles = Annotated[
    list[Path],
    typer.Argument(
        help="Output files of squeue --json or sacct --parsable2; a job in two files is read from the later one."
    ),
]
TableOut = Annotated[Path | None, typer.Option("--out", help="Job table to write; without it standard output.")]
WrittenAt = Annotated[
    str, typer.Option("--at", help="When the file was written; now, a time, or nothing where it says so.")
]
Slack = Annotated[float, typer.Option("--slack-h", min=0, help="Hours a job may end after its earliest end.")]
GpuKinds = Annotated[str, typer.Option("--gpu-kinds", help="For requests without a kind, such as gb300=2;h200=1.")]
TimeZone = Annotated[str, typer.Option("--time-zone", help="Time zone of sacct's times.")]
History = Annotated[
    bool, typer.Option("--history", help="Keep jobs that have ended, with what they took: nothing of it is left.")
]
ProgressFile = Annotated[
    Path | None,
    typer.Option("--progress", help="For nightly runs: whole work in the job table, and the work done in this file."),
]


def queue(
    files: SlurmFiles, out: TableOut = None, at: WrittenAt = "", slack: Slack = 24.0, gpu_kinds: GpuKinds = "",
    time_zone: TimeZone = "UTC", history: History = False, progress: ProgressFile = None,
) -> None:  # fmt: skip
    """The queue of Slurm as a job table for `energy optimize`, or with --progress for `energy nightly`."""
    from zoneinfo import available_timezones

    from energy.errors import SeriesError
    from energy.handover.job_table import Rules, job_table, read_queues

    if time_zone not in available_timezones():
        allowed = "a name of the IANA database, such as Europe/Oslo"
        fail(CONFIGURATION, f"--time-zone {time_zone!r}; allowed: {allowed}")
    try:
        given = _moment("--at", at) if at else None
        found = read_queues(files, time_zone, given)
        moment = found.at or datetime.now(UTC)
        table = job_table(found, Rules(moment, slack, gpu_kinds, history, whole=progress is not None))
    except SeriesError as e:
        fail(DATA, str(e))
    if progress is not None:
        _write("--progress", progress, table.progress())
    if out is None:
        typer.echo(table.csv(), nl=False)
    else:
        _write("--out", out, table.csv())
    for what in (*(f"job {job} {why}" for job, why in table.left_out), *found.unread):
        typer.echo(f"left out: {what}", err=True)


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as e:
        fail(CONFIGURATION, f"{path}: cannot be written ({e.strerror}); choose another with {option}")


def _moment(option: str, text: str) -> datetime:
    """Now, or an ISO time; without a zone it is UTC."""
    return (
        datetime.now(UTC)
        if text == "now"
        else moment_of(option, text, "; allowed: now, or a time such as 2026-05-01T06:00Z")
    )
