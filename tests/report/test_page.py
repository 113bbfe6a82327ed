"""The page: self-contained, harmless, the same each time, and whole for every kind of run."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.report.page import render
from energy.report.plan import SECTIONS
from tests.report.build import record_of, renamed, small, with_carbon

LARGEST_BYTES = 1_000_000
HOSTILE = '<script>alert("x")</script>"><img src=//evil.example/a onerror=1>\'{{7*7}}$\\frac{1}{0}$'
VOID = {"meta", "img", "br", "link", "input", "hr"}
SERIES = [
    {
        "kind": "price",
        "name": "NO4",
        "file": "p.csv",
        "licence": "CC BY 4.0",
        "source": HOSTILE,
        "quality": {"scenario": 24},
    },
    {"kind": "weather", "name": "s0", "file": "w.csv", "licence": "", "source": "EPW", "quality": {"measured": 24}},
]


class Page(HTMLParser):
    """What a browser would see: tags in balance, attributes, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def record():
    return small(speeds=2, periods=48, sites=3, groups=3, jobs=12)


@pytest.fixture(scope="module")
def html(record):
    return render(record)


def is_whole(html: str) -> Page:
    """What holds for every page."""
    page = Page(html)
    assert page.open == []
    assert len(html.encode()) < LARGEST_BYTES
    assert "script" not in page.tags
    assert "nan" not in re.findall(r"[a-z]+", page.words())
    headings = [name for _, name in SECTIONS]
    assert all(f"<h2>{name}</h2>" in html for name in headings)
    return page


def test_every_section_in_order(html):
    is_whole(html)
    assert re.findall(r"<h2>(.*?)</h2>", html) == [name for _, name in SECTIONS]
    assert re.findall(r'<section id="(.*?)">', html) == [name for name, _ in SECTIONS]


def test_nothing_is_fetched(html):
    page = Page(html)
    csp = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("meta", "content", csp) in page.attributes
    assert not {"script", "link", "iframe", "object", "img", "base"} & set(page.tags)
    targets = [v for _, name, v in page.attributes if name in ("src", "href", "xlink:href", "srcset", "action")]
    assert targets
    assert all(v.startswith("#") for v in targets)
    assert "http:" not in html
    assert "https:" not in html
    assert not re.search(r"@import|url\((?!#)", html)


def test_ids_are_unique_and_links_lead_somewhere(html):
    page = Page(html)
    ids = [v for _, name, v in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {v[1:] for _, name, v in page.attributes if name == "href"} <= set(ids)
    assert set(re.findall(r"url\(#(.*?)\)", html)) <= set(ids)


def test_same_record_same_bytes(record, html):
    assert render(record) == html


def test_hostile_names_are_text():
    problem = random_problem(Size(jobs=3, sites=2), 3)
    problem = renamed(problem, "job", [HOSTILE, "j" * 200, "Ünïcode 作业"])
    problem = renamed(problem, "site", ["<b>s0</b>&$x^2$", "s1"])
    problem = renamed(problem, "pool", ["s0/h/<i>&amp;", "s1/h/p"])
    html = render(record_of(problem, {"series": SERIES, "run_id": HOSTILE, "versions": {HOSTILE: HOSTILE}}))
    page = is_whole(html)
    assert "evil.example" in page.words()
    assert not [v for _, name, v in page.attributes if name.startswith("on")]
    assert {"b", "i"} >= {t for t in page.tags if t in ("b", "i", "img")}
    assert "<b>s0" not in html
    assert "{{7*7}}" in html
    assert "$x^2$" in page.words()


def test_scenario_data_is_flagged_at_the_top(record):
    page = is_whole(render(replace(record, manifest={"series": SERIES})))
    top = page.words().split("Sites What each")[0]
    assert "scenario (made up from summary figures): price of s0, s1 and s2 and weather of s0, s1 and s2" in top


def test_measured_data_is_not_flagged():
    problem = random_problem(Size(), 3)
    seen = {n: problem[n] * 0 for n in ("price_quality", "weather_quality")}
    assert 'class="caution"' not in render(record_of(problem.assign(seen)))


@pytest.mark.parametrize(
    "size",
    [
        {"sites": 1, "groups": 1},
        {"jobs": 1, "groups": 1},
        {"cap": None},
        {"hours": 0.25, "periods": 96},
        {"periods": 1},
        {"negative_share": 0.5},
        {"demand_rate": 0.0},
        {"periods": 672, "sites": 1, "jobs": 4, "groups": 1, "negative_share": 0.3},
    ],
    ids=lambda size: ", ".join(f"{k} {v}" for k, v in size.items()),
)
def test_every_kind_of_run(size):
    is_whole(render(small(**size)))


@pytest.mark.slow  # seventy pictures
def test_many_sites_are_listed_and_some_drawn():
    html = render(small(sites=40, jobs=10, groups=2))
    is_whole(html)
    assert "The 12 sites that draw most are shown; 28 more are in the tables." in html
    assert html.count('<svg class="pic"') == 12 * 6 + 1 + 2
    assert all(f">s{i}</th>" in html for i in range(40))


def test_undone_work_comes_first():
    problem = random_problem(Size(sites=2, groups=1), 3)
    record = record_of(problem.assign(work_left=problem["work_left"] * 4))
    assert record.summary["status"] == "DEGRADED"
    page = is_whole(render(record))
    top = page.words().split("Cost ")[0]
    assert "! DEGRADED usable with the reservations named here" in top
    assert "left undone" in top
    assert "Left undone GPU-h" in top
    assert "mind the reservations above" in page.words()


def test_failed_is_said_plainly(record):
    proof = record.summary["certificate"] | {"pass": False}
    summary = record.summary | {"status": "FAILED", "reasons": ["certificate: gap 0.3"], "certificate": proof}
    text = is_whole(render(replace(record, summary=summary))).words()
    assert "FAILED not proven: do not use" in text
    assert "The proof FAILED" in text


def test_carbon_known_in_part_and_not_at_all(record, html):
    assert "CO₂ not known no carbon series was given" in Page(html).words()
    partly = with_carbon(random_problem(Size(), 3), 2)
    assert "2 of 3 sites; the others are not known" in Page(render(record_of(partly))).words()
    fully = with_carbon(random_problem(Size(), 3), 3)
    assert "; all sites" in Page(render(record_of(fully))).words()


def test_extra_cost_is_not_called_a_saving(record):
    changes = {"saving_eur": -12.5, "saving_share": -0.01, "equal_work": False}
    text = is_whole(render(replace(record, summary=record.summary | changes))).words()
    assert "The plan costs an extra 12.50 EUR" in text.replace("\u00a0", " ")
    assert "not a comparison of equals" in text


def test_old_record_without_optional_parts(record):
    summary = {k: v for k, v in record.summary.items() if k not in ("shape", "reconciliation", "certificate")}
    text = is_whole(render(replace(record, summary=summary, manifest={}))).words()
    assert "holds no certificate" in text
    assert "does not say where its series came from" in text


def test_job_that_never_runs():
    problem = random_problem(Size(jobs=4), 3)
    left = problem["work_left"].values * np.array([1.0, 0.0, 1.0, 0.0])
    text = is_whole(render(record_of(problem.assign(work_left=("job", left))))).words()
    assert "Of 2 jobs" in text


def test_waiting_work_and_expected_arrivals_are_said_apart():
    """One job may wait for nearly nothing, one is only expected: both are told, the latter is no job of the tables."""
    problem = random_problem(Size(jobs=4, sites=2, groups=2), 3)
    left, first = problem["work_left"].values, np.arange(4) == 0
    record = record_of(problem.assign(deferred_max=("job", left * first), expected=("job", 1.0 * (np.arange(4) == 2))))
    text = is_whole(render(record)).words().replace("\u00a0", " ").replace("\u202f", "")
    assert f"{left[0]:.0f} GPU-hours of 1 job wait for after the horizon" in text
    assert "likely to cost 0 EUR: not part of the bill" in text
    assert (
        f"include {left[2]:.0f} GPU-hours of work that is only expected to arrive (of {left[2]:.0f} counted on)" in text
    )
    assert "less: Terminal value" in text
    assert "Of 2 jobs" in text
    assert set(record.schedule_table["job"]) == {"j1", "j3"}
