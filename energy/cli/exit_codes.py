"""Expected failures as one line and an exit code, and options that hold a day or a moment."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import NoReturn

import typer

from energy.errors import CONFIGURATION, DATA, FAULT, IMPOSSIBLE, INTERRUPTED, SOLVER, UNPUBLISHED

#: Most characters of a fault's own words in a message.
LONGEST_FAULT = 300


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn every expected failure into one line and its exit code; any other error is a fault, its traceback in a file."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        fail(INTERRUPTED, "interrupted; nothing half-written is left, older run folders are as they were")
    except Exception as e:
        code = next((code for kind, code in _codes().items() if isinstance(e, kind)), None)
        if code is None:
            fail(
                FAULT,
                f"a fault of this program, {type(e).__name__}: {_short(e)}; please report it with {_kept_traceback()}",
            )
        fail(code, str(e))


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:LONGEST_FAULT]


def _kept_traceback() -> str:
    """Path of a new file with the traceback; it holds no more than a terminal would have shown."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="hydrocool-fault-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(traceback.format_exc())
    return file.name


def _codes() -> dict[type[Exception], int]:
    """Exit code by kind of error. Imported on failure: a command that succeeds need not wait for unused rooms."""
    from energy.errors import (
        CertificateError,
        ConfigError,
        ImpossibleWork,
        NightError,
        RunFolderError,
        SeriesError,
        StoreError,
    )
    from energy.plant import PlantError
    from energy.schema import SchemaError
    from energy.solve import SolverError
    from energy.sources.client.answer import SourceError
    from energy.sources.client.cache import NotOnFile
    from energy.sources.client.credentials import CredentialError

    return {
        NotOnFile: DATA, CredentialError: CONFIGURATION, SourceError: CONFIGURATION,
        NightError: UNPUBLISHED, StoreError: CONFIGURATION,
        ConfigError: CONFIGURATION, PlantError: CONFIGURATION, RunFolderError: CONFIGURATION,
        SeriesError: DATA, SchemaError: DATA, ImpossibleWork: IMPOSSIBLE, SolverError: SOLVER,
        CertificateError: SOLVER,
    }  # fmt: skip


def fail(code: int, message: str) -> NoReturn:
    """Print one line on stderr and end."""
    typer.echo(f"energy: {message}", err=True)
    raise typer.Exit(code)


def day_of(option: str, value: str) -> date:
    """The day that an option names."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        fail(CONFIGURATION, f"{option} {value!r} is not a day; allowed: YYYY-MM-DD")


def moment_of(option: str, value: str, allowed: str) -> datetime:
    """The moment that an option names (UTC); a moment without an offset is UTC.

    Parameters
    ----------
    allowed : end of the message about any other value
    """
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        fail(CONFIGURATION, f"{option} {value!r}{allowed}")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
