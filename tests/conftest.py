"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import SmallCase


@pytest.fixture
def case(tmp_path: Path) -> SmallCase:
    """A small complete case in a folder of its own."""
    return SmallCase(tmp_path)
