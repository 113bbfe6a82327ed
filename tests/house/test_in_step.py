"""docs/ is what the code generates."""

from tests.in_step import expected, stale


def test_generated_files_are_in_step():
    assert expected()
    assert stale() == []
