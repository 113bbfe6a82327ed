"""One real night, solved once, that the tests of publishing start from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from energy.nightly.outcome import Night
from tests.nightly.nightcase import NightCase, keep_run


class Solved(NamedTuple):
    """An undisturbed night: its folder, its outcome, and the pickled run of its solve."""

    case: NightCase
    night: Night
    run: Path


@pytest.fixture(scope="session")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Solved:
    """The undisturbed night."""
    folder = tmp_path_factory.mktemp("undisturbed")
    case = NightCase(folder / "case")
    return Solved(case, keep_run(case, folder / "run"), folder / "run")


@pytest.fixture
def nights(tmp_path: Path) -> NightCase:
    """A nightly folder of its own."""
    return NightCase(tmp_path / "case")
