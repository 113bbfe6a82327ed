"""A few of many like cases in `make test`; the rest is slow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def few(cases: Iterable[Any], quick: int) -> list[Any]:
    """The first `quick` cases as they are, the others marked slow; each a value or a tuple of them."""
    every = list(cases)
    rest = (case if isinstance(case, tuple) else (case,) for case in every[quick:])
    return [*every[:quick], *(pytest.param(*case, marks=pytest.mark.slow) for case in rest)]
