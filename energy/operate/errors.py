"""What can end a night: each names what it is about and the way out."""

from __future__ import annotations


class NightError(RuntimeError):
    """Nothing was published and `latest` is as it was; says why."""


class OlderNight(NightError):
    """A later night is published already; names both."""


class RunFolderError(OSError):
    """A run folder, or a file of it, cannot be written or read; names it and the reason."""


class StoreError(RuntimeError):
    """The state database cannot be used; names the file, the reason and the way out."""
