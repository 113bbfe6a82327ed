"""The nightly edition: every section, figures that add up, harmless and small for whatever a night holds."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from energy.nightly.summary import hours_by_quality
from energy.report.markdown import page as markdown
from energy.report.night import SECTIONS, night_view
from energy.report.page import render
from energy.report.plan import SECTIONS as PLAN
from tests.nightly.nights import HOSTILE, failed, hostile_night, night
from tests.report.build import small
from tests.report.test_page import LARGEST_BYTES, Page


@pytest.fixture(scope="module")
def record():
    return small(sites=3, groups=2, jobs=6, periods=48)


@pytest.fixture(scope="module")
def html(record):
    return render(replace(record, night=night()))


def test_night_sections_then_the_plan(html):
    page = Page(html)
    assert page.open == []
    assert re.findall(r'<section id="(.*?)">', html) == [name for name, _ in (*SECTIONS, *PLAN)]
    assert len(re.findall("<h1>", html)) == 1
    assert html.index('id="hours"') < html.index('<header id="plan"') < html.index('id="sites"')
    ids = [v for _, name, v in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {v[1:] for _, name, v in page.attributes if name == "href"} <= set(ids)


def test_light_headline_and_savings_stand_first(html):
    words = Page(html).words()
    top = words.split("Ex-ante and realised cost")[0]
    assert "✓ OK the optimised plan, proven cheapest" in top
    assert "Last night saved 5 971 EUR, 11.1 % of the bill" in top
    assert "158 912 EUR" in top
    assert "671 405 EUR" in top


def test_ordinary_report_has_no_night(record):
    plain = render(record)
    assert "nightly report" not in plain
    assert '<header class="night">' not in plain


def test_nothing_runs_and_nothing_is_fetched(html):
    page = Page(html)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes
    assert not {"script", "link", "iframe", "object", "img", "base", "form"} & set(page.tags)
    assert all(v.startswith("#") for _, name, v in page.attributes if name in ("src", "href", "action"))


def test_same_night_same_bytes(record, html):
    assert render(replace(record, night=night())) == html


def test_hostile_names_are_text_and_the_page_stays_small(record):
    html = render(replace(record, night=hostile_night()))
    page = Page(html)
    assert page.open == []
    assert len(html.encode()) < LARGEST_BYTES
    assert not {"script", "img"} & set(page.tags)
    assert not [v for _, name, v in page.attributes if name.startswith("on")]
    assert "x" * 300 not in html
    assert "\u202e" not in html
    assert "\x00" not in html
    assert "{{7*7}}" in html


def test_ex_ante_cost_and_causes_add_up_to_the_bill():
    y = night()["last_settled_day"]
    rows = {
        r[0].text: float(r[1].text.replace("\u202f", "").replace("−", "-")) for r in night_view(night()).ex_ante.rows
    }
    assert rows["Realised cost"] == y["realised_cost_eur"]
    parts = ("Ex-ante cost of the plan", "Prices", "Weather", "Load", "The rest")
    assert sum(rows[p] for p in parts) == rows["Realised cost"]
    assert rows["Starting every job at once"] - rows["Realised cost"] + rows["Work put off"] == rows["Saved"]
    assert rows["Work put off"] == -y["backlog_eur"] != 0


def test_the_main_cause_is_the_one_that_points_the_same_way():
    assert "mainly through prices (+1\u202f612\u00a0EUR)" in night_view(night()).ex_ante_text
    cheaper = night()["last_settled_day"] | {
        "realised_cost_eur": 46000.0,
        "variance_eur": {"price": 500.0, "weather": -620.0, "load": 0.0, "other": 0.0},
    }
    assert (
        "120\u00a0EUR cheaper, mainly through weather (−620\u00a0EUR)"
        in night_view(night(last_settled_day=cheaper)).ex_ante_text
    )
    kept = night()["last_settled_day"] | {"realised_cost_eur": 46120.0}
    assert "That is what the plan had expected" in night_view(night(last_settled_day=kept)).ex_ante_text


def test_bars_of_the_causes_are_in_proportion():
    found = {bar.name: bar for bar in night_view(night()).variance}
    assert found["Prices"].width == 60.0
    assert found["Prices"].loss
    assert found["Load"].width == pytest.approx(60 * 171 / 1612, abs=0.05)
    assert not found["Load"].loss


def test_plan_table_sums_sites_days_and_what_comes_later():
    long = night()
    long["plan"] += [
        {"site": "narvik", "date": f"2018-05-{d:02d}", "mwh": 10.0, "eur": 300.0, "gpu_hours": 1.0} for d in (7, 8, 9)
    ]
    view = night_view(long)
    found = view.plan
    fleet = [float(c.text.replace("\u202f", "")) for c in found.total[1:]]
    assert found.columns[-2].label == "Later"
    assert fleet[-2] == 30.0
    assert fleet[-1] == pytest.approx(sum(r["mwh"] for r in long["plan"]), abs=0.5)
    assert sum(fleet[:-1]) == pytest.approx(fleet[-1], abs=4)  # each is rounded to a MWh
    widths = [sum(w for _, w in bar.parts) for bar in view.days]
    assert max(widths) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"saving_eur": {"last_settled_day": -120.0, "month_to_date": 1.0, "year_to_date": 1.0}},
            "Last night cost 120\u00a0EUR more than starting every job at once",
        ),
        (
            {
                "saving_eur": {"last_settled_day": None, "month_to_date": None, "year_to_date": None},
                "last_settled_day": None,
            },
            "The plan for 30 Apr 2018 is ready",
        ),
        ({"method": "nothing"}, "No new plan: the one before stays active"),
    ],
)
def test_headline_of_other_nights(changes, says):
    assert night_view(night(**changes)).top.headline == says


def test_unknown_states_count_as_failed():
    assert night_view(night(status="FINE")).top.title.startswith("FAILED")


def test_first_night_and_calm_night_have_their_own_words():
    first = night(
        last_settled_day=None, saving_eur={"last_settled_day": None, "month_to_date": None, "year_to_date": None}
    )
    assert "This is the first night on record" in night_view(first).top.summary[0]
    assert "has not been priced" in night_view(failed()).top.summary[0]
    caps = night()["pue"]
    assert night_view(night(pue=[])).top.summary[-1] == "No job is at risk, and no PUE cap is in force."
    assert night_view(night(pue=caps[:1])).top.summary[-1] == "No job is at risk, and PUE so far is within every cap."
    hourly = caps[0] | {"period": "hour", "so_far": None, "credit_mwh": None}
    assert (
        night_view(night(pue=[caps[0], hourly]))
        .top.summary[-1]
        .endswith("PUE so far is within every cap whose balance is known.")
    )
    assert night_view(night()).top.summary[-1] == "1 PUE cap is overdrawn."


def test_page_of_a_first_night_and_of_one_that_holds_nothing(record):
    bare = night(
        last_settled_day=None, saving_eur={"last_settled_day": None, "month_to_date": None, "year_to_date": None}, plan=[], changes=[], pue=[],
        peaks=[], quality={}, forecast={"method": "shape", "hours": 0, "error_relative_to_last_week": None},
        jobs={"done": 0, "running": 0, "left": 0, "late": [], "at_risk": [], "refused": []},
    )  # fmt: skip
    words = Page(render(replace(record, night=bare))).words()
    for text in (
        "no night before this one",
        "no plan for the next days",
        "Nothing moved",
        "No PUE cap is in force",
        "No job is late or at risk of missing",
    ):
        assert text in words


def test_late_jobs_are_told_first_and_no_sentence_says_that_all_is_well(record):
    """One deadline has passed, one lies ahead and is out of reach."""
    late = [{"id": "a", "deadline": "2018-04-29T06:00:00Z", "gpu_hours_left": 100.0},
            {"id": "b", "deadline": "2018-05-01T06:00:00Z", "gpu_hours_left": 900.0}]  # fmt: skip
    now = night(status="DEGRADED", pue=[], jobs=night()["jobs"] | {"late": late})
    assert night_view(now).top.headline.startswith("2 jobs will not be done in time; last night saved 5")
    assert night_view(now).top.summary[-1] == "2 jobs cannot meet their deadlines any more."
    words = Page(render(replace(record, night=now))).words()
    assert "Deadlines that cannot be met any more" in words
    assert "have passed" not in words
    assert "No job is" not in words
    text = markdown(night_view(now))
    assert text.index("- `b` due 1 May 2018 06:00 UTC: 900.0 GPU-h left") < text.index("- `a` due 29 Apr")


def test_jobs_set_aside_and_notes_stand_in_page_summary_and_headline(record):
    aside = ["job big: max_gpus 5000 is more than any pool has", "queue.csv: row 7 (job bad): gpu_hours: 'many'"]
    now = night(status="DEGRADED", notes=["day 2018-04-20 was given up"], jobs=night()["jobs"] | {"refused": aside})
    assert night_view(now).top.headline.startswith("2 jobs set aside; last night saved")
    assert night_view(now).top.summary[-1].startswith("2 jobs are set aside and not planned; ")
    words = Page(render(replace(record, night=now))).words()
    text = markdown(night_view(now))
    for line in (*aside, "day 2018-04-20 was given up"):
        assert line in words
        assert line in text.replace("\\", "")
    assert "No job is" not in words


def test_pue_table_says_which_limits_are_legal_and_over_what_they_are_held():
    caps = [
        *night()["pue"],
        night()["pue"][1] | {"site": "fleet", "period": "720 h", "so_far": None, "credit_mwh": None},
    ]
    rows = [[c.text for c in r] for r in night_view(night(pue=caps)).caps.rows]
    below = [r[1].below for r in night_view(night(pue=caps)).caps.rows]
    assert below == ["in force", "of the fleet file", "of the fleet file"]
    assert [r[3] for r in rows] == ["the year", "the year", "any 720 h"]
    assert rows[2][4:] == ["–", "–"]


def test_prices_of_the_day_stand_against_the_weeks_before():
    [first, *_] = night_view(night()).prices.rows
    assert [c.text for c in first] == ["NO4", "36.00", "40.00", "32.00", "−9.00", "56.00", "3"]
    assert [c.below for c in first] == [
        "EUR/MWh",
        "",
        "the day −10\u00a0%",
        "the day +12\u00a0%",
        "11:00 UTC",
        "17:00 UTC",
        "",
    ]
    unknown = dict.fromkeys(night()["prices"][0]) | {
        "zone": "NO4",
        "currency": "EUR",
        "hours": 0.0,
        "hours_below_zero": 0.0,
    }
    [row] = night_view(night(prices=[unknown])).prices.rows
    assert [c.text for c in row] == ["NO4", *["–"] * 6]


def test_strips_show_the_hours_of_each_quality(record):
    quality = record.problem["price_quality"].copy()
    quality.values[:] = 2
    quality.values[1, :12] = 0
    changed = replace(
        record, datasets=record.datasets | {"problem": record.problem.assign(price_quality=quality)}, night=night()
    )
    html = render(changed)
    dt = record.problem["dt"].values
    assert f'title="auction, {dt[:12].sum():g}\u00a0h"' in html
    widths = [float(w) for w in re.findall(r'<i style="width:([\d.]+)%;background:var\(--\w+\)" title', html)]
    assert sum(widths) == pytest.approx(100 * 2 * len(record.problem["site"]), abs=0.1)
    assert np.isfinite(widths).all()


def test_filled_hours_stand_beside_their_series(record):
    """Series are named as the summary of a run names them."""
    series = [{"kind": "weather", "name": "copenhagen", "quality": {"measured": 18.0, "persistence": 6.0}},
              {"kind": "price", "name": "DK2", "quality": {"auction": 24.0}}]  # fmt: skip
    now = night(quality=hours_by_quality(series))
    assert {r[0].text: r[2].text for r in night_view(now).quality.rows} == {"weather copenhagen": "6", "price DK2": "0"}
    assert set(hours_by_quality(series)) <= set(night()["quality"])


def test_every_hostile_text_is_tested():
    assert len(set(HOSTILE)) == len(HOSTILE) > 8
