"""Bytes that are on the disk before their name is: what a power cut must not take back."""

from __future__ import annotations

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Every file and folder below a folder, and the folder itself.

    Raises
    ------
    OSError : one of them cannot be written.
    """
    for path in sorted(folder.rglob("*")):
        sync_one(path)
    sync_one(folder)


def sync_one(path: Path) -> None:
    """A file, or the names in a folder.

    Raises
    ------
    OSError : it cannot be written.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
