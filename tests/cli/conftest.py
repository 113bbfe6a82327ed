"""The command in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from energy.cli.app import main


class Result(NamedTuple):
    """What a command leaves: exit code and both streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def energy(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run ``energy ...`` and return exit code and output, that of libraries in C included."""

    def run(*args: object) -> Result:
        with pytest.raises(SystemExit) as exit_:
            main([str(a) for a in args])
        out, err = capfd.readouterr()
        return Result(int(exit_.value.code or 0), out, err)

    return run
