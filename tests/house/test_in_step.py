"""docs/ is what the code generates."""

import re

from tests.in_step import CHECKOUT, expected, stale


def test_generated_files_are_in_step():
    assert expected()
    assert stale() == []


def test_sources_that_generated_pages_name_are_there():
    for name in ("docs/arrays.md", "docs/formulation.md"):
        named = re.findall(r"`(energy/[\w/]+\.py)`", expected()[name])
        assert named
        assert all((CHECKOUT / path).is_file() for path in named)
