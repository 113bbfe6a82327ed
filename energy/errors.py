"""Errors of input, nights and stores: each names what it is about and the way out. Exit codes of the commands.

Exit codes are what a shell script or a scheduler can act on. UNPUBLISHED: a night that ended without a plan of its own,
`latest` as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """Input that cannot be used as it stands.

    Parameters
    ----------
    where : file and key, row or coordinate, as the user would find it
    what : what is wrong there, with the value found
    allowed : what is allowed instead
    """

    def __init__(self, where: object, what: str, allowed: str = "") -> None:
        self.where, self.what, self.allowed = str(where), what, allowed
        super().__init__(f"{where}: {what}" + (f"; allowed: {allowed}" if allowed else ""))


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Errors raised inside name the file that they are about."""
    try:
        yield
    except InputError as e:
        raise type(e)(f"{path}: {e.where}", e.what, e.allowed) from None


class ConfigError(InputError):
    """A fleet, tariff, plant or case file is wrong (exit code 2)."""


class SeriesError(InputError):
    """A price, weather or carbon series or a job table is wrong (exit code 3)."""


class ImpossibleWork(InputError):
    """The jobs or the firm load cannot be served by this fleet whatever the schedule (exit code 4)."""


class CertificateError(RuntimeError):
    """A plan that must not be published: its Schedule or bill breaks what the raw inputs say; names what (exit code 5)."""


OK, FAULT, CONFIGURATION, DATA, IMPOSSIBLE, SOLVER, DEGRADED, UNPUBLISHED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 7, 130


class NightError(RuntimeError):
    """A night that published nothing and left `latest` as it was; names the reason."""


class OlderNight(NightError):
    """A night that is older than a published one; names both."""


class RunFolderError(OSError):
    """A run folder, or a file of it, cannot be written or read; names it and the reason."""


class NewerFormat(RunFolderError):
    """A run folder or night was written by a newer version of this program; names it and both format versions."""


class StoreError(RuntimeError):
    """The state database cannot be used; names the file, the reason and the way out."""


class OlderLayout(StoreError):
    """The state database has an older layout, which the next night migrates; names both layouts."""
