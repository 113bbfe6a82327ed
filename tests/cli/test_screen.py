"""Progress on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from energy.cli import tables


@pytest.fixture
def stream(monkeypatch):
    """What Progress writes to a terminal."""
    out = io.StringIO()
    monkeypatch.setattr(tables, "console", lambda stderr=False: Console(file=out, force_terminal=True, width=80))
    return out


def test_spinner_on_a_terminal_ends_with_its_stage(stream):
    with tables.Progress() as progress:
        progress.stage("read")
        progress.stage("solve")
    text = stream.getvalue()
    assert "s  read" in text
    assert "s  solve" in text
    assert text.rstrip().endswith("\x1b[2K") or "\x1b[?25h" in text, "the cursor is shown again"


def test_spinner_stops_when_a_stage_fails(stream):
    def interrupted():
        with tables.Progress() as progress:
            progress.stage("solve")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "\x1b[?25h" in stream.getvalue(), "the cursor is shown again"
    assert "s  solve" not in stream.getvalue()


def test_quiet_says_nothing(stream):
    with tables.Progress(quiet=True) as progress:
        progress.stage("read")
    assert stream.getvalue() == ""


def test_headline_warns_when_the_work_is_not_equal(case):
    from energy.optimize import optimize

    run = optimize(case.path)
    assert "not a comparison of equals" not in tables.headline(run)
    run.summary["equal_work"] = False
    assert tables.headline(run).endswith("not a comparison of equals")
