"""Limits by name: which rules bind a site when, the rows they become, and their standing in summary and report."""

from datetime import date

import numpy as np
import pytest

from energy.errors import ConfigError
from energy.inputs.limits import Preset
from energy.inputs.resources import model_path, root
from energy.inputs.yaml_files import load_model
from energy.optimize import optimize
from energy.report.figures import RunFigures
from energy.report.page import render
from energy.report.pue import limit_table, missed, sources
from tests.cases import GONE, SmallCase


def case_at(folder, start, commissioned=None, *limits):
    """The small case with limits in the south, from a day on."""
    case = SmallCase(folder, start).edit("fleet.yaml", "sites.south.limits", list(limits))
    return (
        case.edit("fleet.yaml", "sites.south.commissioned", date.fromisoformat(commissioned)) if commissioned else case
    )


def rows(case):
    problem = case.problem()
    return {
        str(c): float(v)
        for c, v in zip(problem["cap"].values, problem["cap_limit"].values, strict=True)
        if str(c).startswith("south:")
    }


@pytest.mark.parametrize("path", sorted((root() / "models" / "limits").glob("*.yaml")), ids=lambda p: p.stem)
def test_presets_hold_and_are_named_like_their_file(path):
    preset = load_model(path, Preset)
    assert preset.name == path.stem
    assert "30134" in preset.boundary


@pytest.mark.parametrize(
    ("start", "commissioned", "name", "wanted"),
    [
        ("2026-06-30", "2026-07-01", "de_enefg", {"new_pue@2026": 1.2}),
        ("2027-03-01", "2026-07-01", "de_enefg", {"new_pue@2027": 1.2}),
        ("2027-03-01", "2026-06-30", "de_enefg", {}),
        ("2027-07-01", "2020-01-01", "de_enefg", {"existing_pue_2027@2027": 1.5}),
        ("2030-06-30", "2020-01-01", "de_enefg", {"existing_pue_2027@2030": 1.5, "existing_pue_2030@2030": 1.3}),
        ("2027-12-31", "2027-01-01", "de_enefg", {"new_pue@2027": 1.2, "new_pue@2028": 1.2}),
        ("2027-07-01", "2020-01-01", "de_enefg_draft_2026", {"existing_pue_2027@2027": 1.5}),
        ("2030-08-14", "2026-08-15", "de_enefg_draft_2026", {"new_pue@2030": 1.2}),
        ("2030-08-12", "2026-08-15", "de_enefg_draft_2026", {}),
        ("2032-02-20", "2028-02-29", "de_enefg_draft_2026", {}),
        ("2032-02-29", "2028-02-29", "de_enefg_draft_2026", {"new_pue@2032": 1.2}),
        ("2027-07-01", None, "eu_2024_1364", {}),
    ],
)
def test_rules_bind_by_date_and_commissioning(tmp_path, start, commissioned, name, wanted):
    found = rows(case_at(tmp_path, start, commissioned, name))
    assert found == {f"south:{name}.{rule}": value for rule, value in wanted.items()}


def test_small_sites_are_not_bound(tmp_path):
    case = case_at(tmp_path, "2027-03-01", "2027-01-01", "de_enefg").edit(
        "fleet.yaml", "sites.south.grid_limit_mw", 0.29
    )
    assert case.inputs().limits["south"] == ()


def test_what_does_not_hold_is_named(tmp_path):
    case = case_at(tmp_path, "2027-03-01", None, "de_enefg")
    case.refused(ConfigError, "sites.south", "depend on when the site was commissioned", "commissioned: YYYY-MM-DD")
    case.edit("fleet.yaml", "sites.south.limits", ["de_engef"]).refused(ConfigError, "de_engef", "known: de_enefg")
    case.edit("fleet.yaml", "sites.south.limits", ["mine.yaml"])
    (case.folder / "mine.yaml").write_text(model_path("limits", "own_targets").read_text(encoding="utf-8"), "utf-8")
    case.edit("mine.yaml", "rules.0.at_most", 0.9).refused(ConfigError, "rules.0", "must be 1 or more")
    case.edit("mine.yaml", "rules.0.at_most", GONE).edit("mine.yaml", "rules.2.at_most", 0.2)
    case.refused(ConfigError, "rules.2", "at_most does not belong to erf")
    case.edit("mine.yaml", "rules.2.at_most", GONE).edit("mine.yaml", "rules.2.name", "wue")
    case.refused(ConfigError, "two are named 'wue'")


def test_the_year_so_far_is_credit_and_standing(tmp_path):
    case = case_at(tmp_path, "2027-03-01", "2027-01-01", "de_enefg", "eu_2024_1364", "own_targets")
    past = {"facility_mwh": 118.0, "it_mwh": 100.0, "water_m3": 60.0, "reused_mwh": 1.0}
    case.edit("case.yaml", "state", "state.yaml").edit("state.yaml", "sites.south.year_to_date", past)
    run = optimize(case.path)
    found = {x["limit_name"]: x for x in run.summary["limits"]}
    law, water, heat = (found[n] for n in ("de_enefg.new_pue", "own_targets.wue", "own_targets.erf"))
    credit = run.problem["cap_credit"].sel(cap="south:de_enefg.new_pue@2027")
    assert float(credit) == pytest.approx(1.2 * 100 - 118)
    south = run.plan.replay.sel(site="south")
    facility, it = float(south["facility_mw"].sum()), float(south["site_it_mw"].sum())
    assert law["so_far"] == pytest.approx(1.18)
    assert law["plan"] == pytest.approx(facility / it)
    assert law["together"] == pytest.approx((118 + facility) / (100 + it))
    assert law["room"] == pytest.approx(1.2 * (100 + it) - 118 - facility)
    assert law["met"] is True
    assert law["tighter_eur"] == pytest.approx(0.01 * float(run.prices["value_cap"].sel(cap=credit["cap"])))
    assert law["breach_eur_per_mwh"] > 0
    assert (water["met"], water["tighter_eur"]) == (water["together"] <= 0.4, None)
    assert heat["met"] is False
    assert heat["together"] == pytest.approx(1.0 / (118 + facility))
    assert found["eu_2024_1364.report_pue"]["met"] is None
    assert not np.isnan(law["room"])


def test_the_report_shows_them(tmp_path):
    from energy.runs.folder import record_of

    case = case_at(tmp_path, "2027-03-01", "2027-01-01", "de_enefg")
    record = record_of(optimize(case.path))
    view = RunFigures(record)
    table = limit_table(view)
    assert table is not None
    assert [cells[0].text for cells in table.rows] == ["south", "south"]
    assert missed(view) == [
        "south: ERF of 2027 stands at 0.000 with this plan, limit 0.1 (de_enefg.erf_2026, in force)."
    ]
    assert "ISO/IEC 30134-2" in sources(view)[0]
    page = render(record)
    assert "de_enefg.new_pue" in page
    assert "“tighter by 0.01”" in page
