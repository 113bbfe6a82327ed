"""Binding limits, on the page and on the screen: first where work is undone, beside the worth of capacity elsewhere."""

from __future__ import annotations

import re

import pytest

from energy.cli.tables import MOST_HELP, helpful
from energy.report import remedies
from energy.report.figures import RunFigures
from energy.report.page import render
from energy.report.plan import sections
from tests.closed_forms.builder import one, problem
from tests.closed_forms.words import Cap, Job
from tests.report.build import record_of, renamed

POOL = "site0/hall0/h200"


def view_of(*jobs, caps=(), **site):
    case = problem([one([10, 20, 30, 95], **site)], jobs, caps=caps)
    return RunFigures(record_of(renamed(case, "pool", [POOL])))


def words(html):
    """The section's text as a reader sees it, spaces plain."""
    part = re.search(r'<section id="help">(.*?)</section>', html, re.S).group(1)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part).replace("\u00a0", " ").replace("\u202f", " "))


@pytest.fixture(scope="module")
def short():
    """A job that lacks 3 GPU-hours: 3 GPUs in its window of 3 hours, 12 to do; one GPU more would do it."""
    return view_of(Job(12, 9, window=(0, 3), penalty=100), gpus=[3, 3, 3, 0], other=1.0)


def test_undone_work_names_job_site_hour_amount_remedy_and_price(short):
    html = render(short.record)
    text = words(html)
    assert "1 job cannot be finished within the limits" in text
    assert "Job job0 3.0 GPU-h undone, 300 EUR site0 1 Jan 00:00" in text
    assert "more GPUs in site0/hall0/h200: +1.00 GPUs 1 Jan 00:00 to 1 Jan 02:00; key count 240 EUR" in text
    assert sections(short)[0] == ("help", "Binding limits")
    assert html.index('id="help"') < html.index('id="sites"')
    assert html.count('id="help"') == 1


def test_the_screen_says_the_same_in_a_line_each(short):
    told = helpful(short.record.summary)
    assert told[0] == "Binding limits:"
    assert told[1].startswith("  - job job0: 3.0 GPU-hours undone (300.00 EUR), scarcest at site0 at 2021-01-01T00:00Z")
    assert told[1].endswith(
        "cheapest remedy: count of site0/hall0/h200 up by 1 GPUs from 2021-01-01T00:00Z to 2021-01-01T02:00Z: saves up to 240.00 EUR"
    )
    many = {"binding_limits": [{"message": str(i)} for i in range(MOST_HELP + 2)]}
    assert helpful(many)[-1] == "  - and 2 more in the report"
    assert helpful({"binding_limits": []}) == []


def test_a_breached_cap_names_the_cap_that_holds():
    view = view_of(Job(5, 5), caps=[Cap(1.2, penalty=40)], overhead=((100.0, 0.4),))
    text = words(render(view.record))
    assert "1 PUE cap cannot be met" in text
    assert "PUE cap cap0 exceeded by 1.000 MWh, 40.00 EUR site0" in text
    assert "a looser PUE cap cap0: +0.2000 key limit 40.00 EUR" in text


def test_later_deadline_and_other_remedies_are_named():
    view = view_of(Job(12, 4, window=(0, 2), penalty=100), other=1.0)
    text = words(render(view.record))
    assert "more GPUs at once for job job0: +2.00 GPUs key max_gpus 340 EUR" in text  # 2 more hours' work at 10 and 20
    assert "a later deadline of job job0: +1 h (280 EUR)" in text  # an hour at 30


def test_limits_that_cost_money_stand_beside_the_worth_of_capacity():
    view = view_of(Job(10, 9), grid=4.0)
    html = render(view.record)
    text = words(html)
    assert remedies.urgent(view) is False
    assert "All work is done and every cap is met" in text
    assert "The grid connection of site0 tight site0 1 Jan 00:00" in text
    assert "a larger grid connection of site0: +1.00 MW" in text
    assert html.index('id="costs"') < html.index('id="help"') < html.index('id="worth"')
    assert sections(view)[0][0] == "sites"


def test_nothing_to_say_is_said():
    view = view_of(Job(5, 5))
    assert words(render(view.record)).strip() == (
        "Binding limits None: all work is done, every cap is met, and no connection, pool or cap costs more than a euro."
    )


def test_old_run_folders_have_no_advice(short):
    summary = {k: v for k, v in short.record.summary.items() if k != "binding_limits"}
    assert (
        remedies.entries(
            RunFigures(
                type(short.record)(short.record.datasets, short.record.schedule_table, short.record.bills, summary, {})
            )
        )
        == []
    )
