"""The last nights: each day once, gaps shown, links only to folders."""

from __future__ import annotations

import pytest

from energy.report.history import Past, counts, saved, terminal, window
from energy.report.history_page import render
from tests.nightly.nights import HOSTILE, failed, night
from tests.report.test_page import LARGEST_BYTES, Page


def past(
    date: str,
    status: str = "OK",
    rung: str = "lp",
    saving: float | None = 100.0,
    run_id: str = "",
    reasons: tuple[str, ...] = (),
) -> Past:
    return Past(date, status, rung, run_id or f"f_{date}", saving, 1000.0, 1e-9, 60.0, 250.0, 0.0, 0.0, reasons)


NIGHTS = [
    past("2018-05-04", "FAILED", "nothing", None, reasons=("disk full",)), past("2018-05-01"),
    past("2018-05-03", "DEGRADED", "greedy", -20.0, reasons=("time limit",)),
]  # fmt: skip


def test_every_day_of_the_window_once_with_its_gaps():
    days = window(NIGHTS)
    assert [(d, p and p.status) for d, p in days] == [
        ("2018-05-01", "OK"),
        ("2018-05-02", None),
        ("2018-05-03", "DEGRADED"),
        ("2018-05-04", "FAILED"),
    ]
    assert counts(days) == {"OK": 1, "DEGRADED": 1, "FAILED": 1, "no run": 1}
    assert saved(days) == 80.0


def test_the_last_run_of_a_day_counts_and_the_window_ends_after_most_days():
    again = [*NIGHTS, past("2018-05-03", saving=50.0), past("2017-01-01")]
    days = window(again, 3)
    assert [d for d, _ in days] == ["2018-05-02", "2018-05-03", "2018-05-04"]
    assert saved(days) == 50.0


def test_from_night_json():
    p = Past.of(night(), 61.0, 254.0)
    assert (p.date, p.saving_eur, p.cost_eur, p.fallback_hours, p.solve_seconds) == (
        "2018-04-30",
        5971.0,
        47431.0,
        6.0,
        61.0,
    )
    assert Past.of(failed()).href == ""


def test_page_links_published_nights_alone():
    html = render(NIGHTS)
    page = Page(html)
    assert page.open == []
    links = {v for _, n, v in page.attributes if n == "href"}
    assert links == {"./f_2018-05-01/report.html", "./f_2018-05-03/report.html"}
    assert "80.00 EUR saved in 4 nights" in page.words()
    assert "disk full" in page.words()
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_run_ids_get_no_link_and_hostile_reasons_are_text(text):
    html = render([past("2018-05-01", "DEGRADED", text, run_id=text, reasons=(text,))])
    page = Page(html)
    assert page.open == []
    assert not [v for _, n, v in page.attributes if n == "href" and ".." in v]
    assert not {"script", "img"} & set(page.tags)
    assert len(html) < LARGEST_BYTES
    lines = terminal([past("2018-05-01", "DEGRADED", text, reasons=(text,))])
    assert all(len(line) <= 110 and line.replace("\u00a0", "").isprintable() for line in lines)


@pytest.mark.parametrize("run_id", ["..", "../../etc", "a/b", "/abs", "javascript:alert(1)", ".hidden", "", "x" * 300])
def test_only_names_of_folders_are_linked(run_id):
    p = Past("2018-05-01", "OK", "lp", run_id, 1.0, 1.0, None, None, None, 0.0, 0.0, ())
    assert p.href == ""


def test_terminal_shows_a_light_and_a_bar_per_night_and_the_reasons():
    lines = terminal(NIGHTS)
    assert lines[0] == "2018-05-01 to 2018-05-04: 1 OK, 1 DEGRADED, 1 FAILED, 1 no run; saved 80.00\u00a0EUR"
    assert lines[1] == "state   ✓·!✕"
    assert lines[2] == "saving  █ − "
    assert lines[3] == "2018-05-04 ✕ FAILED (nothing): disk full"


def test_ninety_nights_stay_small():
    many = [past(f"2018-{m:02d}-{d:02d}", saving=float(d)) for m in (1, 2, 3, 4) for d in range(1, 29)]
    html = render(many)
    assert len(html.encode()) < LARGEST_BYTES
    assert html.count("<tr>") == 1 + sum(p is not None for _, p in window(many))
    assert len(terminal(many)[1]) == len("state   ") + 90


def test_without_nights():
    assert "No night on record yet" in Page(render([])).words()
    assert terminal([]) == ["No night is on record yet; energy nightly makes the first."]
