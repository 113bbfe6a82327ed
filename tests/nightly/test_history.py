"""The last nights: each day once, gaps shown, links only to folders."""

from __future__ import annotations

import json

import pytest

from energy.nightly.database import open_store
from energy.nightly.history import pasts, rows
from energy.report.history import Past, counts, saving, terminal, window
from energy.report.page import render_history as render
from tests.nightly.nights import HOSTILE, failed, night
from tests.report.test_page import LARGEST_BYTES, Page


def past(
    date: str,
    status: str = "OK",
    method: str = "lp",
    saving: float | None = 100.0,
    run_id: str = "",
    reasons: tuple[str, ...] = (),
) -> Past:
    return Past(date, status, method, run_id or f"f_{date}", saving, 1000.0, 1e-9, 60.0, 250.0, 0.0, 0.0, reasons)


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
    assert saving(days).saving_eur == 80.0


def test_the_last_run_of_a_day_counts_and_the_window_ends_after_most_days():
    again = [*NIGHTS, past("2018-05-03", saving=50.0), past("2017-01-01")]
    days = window(again, 3)
    assert [d for d, _ in days] == ["2018-05-02", "2018-05-03", "2018-05-04"]
    assert saving(days).saving_eur == 50.0


def test_from_night_json():
    p = Past.of(night(), 120.0, 900.0, 61.0, 254.0)
    assert (p.date, p.saving_eur, p.cost_eur, p.imputed_hours, p.solve_seconds) == (
        "2018-04-30",
        120.0,
        900.0,
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


def put(store, night, last_night, days):
    """A night on record whose report says `last_night`, and the days that it settled: (day, run-now, plan)."""
    told = json_of(date=night, saving_eur={"last_settled_day": last_night, "month_to_date": 0.0, "year_to_date": 0.0})
    store.put("runs", {"night": night, "run_id": f"f_{night}", "status": "OK", "method": "lp", "exit_code": 0, "reasons": "[]",
                       "started": "", "finished": "", "solve_seconds": 1.0, "wall_seconds": 2.0, "published": 1,
                       "imputed_hours": 0.0, "unserved_gpu_hours": 0.0, "cost_eur": 5000.0, "night_json": told})  # fmt: skip
    for day, base, plan in days:
        for policy, eur in (("run_now", base), ("plan", plan)):
            store.put("settled_days", {"policy": policy, "day": day, "night": night, "realised_cost_eur": eur, "idle_cost_eur": 0.0, "energy_mwh": 1.0,
                               "gpu_hours": 10.0, "metered": 0, "state": "{}"})  # fmt: skip


def json_of(**changes):
    return json.dumps(night(**changes))


def test_a_day_that_three_nights_saw_counts_once_and_every_day_of_a_late_settling_too(tmp_path):
    """Days 1 to 3 save 10, 20 and 40; nights 3 to 5 all say 10 of day 1, night 6 settles two days and says 40."""
    with open_store(tmp_path / "state.sqlite") as store:
        put(store, "2018-05-01", None, [])
        put(store, "2018-05-02", None, [])
        put(store, "2018-05-03", 10.0, [("2018-05-01", 110.0, 100.0)])
        put(store, "2018-05-04", 10.0, [])
        put(store, "2018-05-05", 10.0, [])
        put(store, "2018-05-06", 40.0, [("2018-05-02", 220.0, 200.0), ("2018-05-03", 440.0, 400.0)])
        found, table = pasts(store), rows(store, 90)
    by_day = {p.date: (p.saving_eur, p.cost_eur) for p in found}
    assert by_day == {
        "2018-05-01": (10.0, 100.0), "2018-05-02": (20.0, 200.0), "2018-05-03": (40.0, 400.0),
        "2018-05-04": (None, None), "2018-05-05": (None, None), "2018-05-06": (None, None),
    }  # fmt: skip
    assert {r["night"]: (r["saving_eur"], r["realised_cost_eur"]) for r in table} == by_day
    assert "saved 70.00\u00a0EUR" in terminal(found)[0]
    assert "70.00 EUR saved in 6 nights" in Page(render(found)).words()
