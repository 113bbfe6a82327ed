"""What can end a night: each names what it is about and the way out."""

from __future__ import annotations


class NightError(RuntimeError):
    """Nothing was published and `latest` is as it was; says why."""


class StoreError(RuntimeError):
    """The state database cannot be used; names the file, the reason and the way out."""
