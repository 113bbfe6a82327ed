"""How every expected failure becomes one line and its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from energy.errors import CONFIGURATION, DATA, IMPOSSIBLE, INTERRUPTED, SOLVER, UNPUBLISHED


@contextmanager
def exit_codes() -> Iterator[None]:
    """Every expected failure becomes one line and its exit code; what nobody expected stays a traceback."""
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        fail(INTERRUPTED, "interrupted; nothing half-written is left, older run folders are as they were")
    except Exception as e:
        code = next((code for kind, code in _codes().items() if isinstance(e, kind)), None)
        if code is None:
            raise
        fail(code, str(e))


def _codes() -> dict[type[Exception], int]:
    """Imported once something failed: a command that ends well need not wait for the rooms that it does not use."""
    from energy.errors import ConfigError, ImpossibleWork, NightError, RunFolderError, SeriesError, StoreError
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
    }  # fmt: skip


def fail(code: int, message: str) -> NoReturn:
    """One line on stderr, and the end."""
    typer.echo(f"energy: {message}", err=True)
    raise typer.Exit(code)
