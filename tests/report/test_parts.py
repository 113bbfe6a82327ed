"""The parts of the page that do arithmetic: formats, path compaction, the split of the saving, caps, jobs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.audit.verdict import cap_excess
from energy.report import charts, costs, jobs, pue
from energy.report.charts import MOST_LABELS, MOST_STEPS, ROLES, TimeAxis
from energy.report.figures import PARTS, RunFigures
from energy.report.formatting import (
    counted,
    eur,
    hours,
    limit,
    listed,
    moment,
    number,
    power_of_ten,
    share,
    short_day,
    unit,
)
from energy.report.page import render
from energy.report.view import left, table
from tests.report.build import record_of, small


@pytest.fixture(scope="module")
def run():
    return RunFigures(small(speeds=2, periods=48, jobs=20, sites=3, groups=3))


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (number(1234567.891, 1), "1\u202f234\u202f567.9"),
        (number(-1234.5), "−1\u202f234"),
        (number(-0.001, 2), "0.00"),
        (number(3, sign=True), "+3"),
        (number(0, sign=True), "0"),
        (unit(5, "MW"), "5\u00a0MW"),
        (eur(12.3456), "12.35\u00a0EUR"),
        (eur(1234.5), "1\u202f234\u00a0EUR"),
        (share(0.1073), "10.7\u00a0%"),
        (power_of_ten(1.7067e-15), "1.7 × 10⁻¹⁵"),
        (power_of_ten(0.0), "0"),
        (hours(0.25), "15\u00a0min"),
        (hours(24.0), "24\u00a0h"),
        (hours(3.26), "3.3\u00a0h"),
        (limit(1.1), "1.10"),
        (limit(1.125), "1.125"),
        (listed([]), "none"),
        (listed(["a"]), "a"),
        (listed(["a", "b", "c"]), "a, b and c"),
        (listed(list("abcdef"), 4), "a, b, c and 3 others"),
        (counted(1, "job"), "1 job"),
        (counted(2, "job"), "2 jobs"),
        (moment(np.datetime64("2018-04-30T22:00")), "30 Apr 2018 22:00 UTC"),
        (short_day(np.datetime64("2018-05-01")), "1 May"),
        (short_day("2018-05-01"), "1 May"),
        (moment("2019-03-02T12:00+01:00"), "2 Mar 2019 11:00 UTC"),
        (number(None, 2), "–"),
        (eur(None), "–"),
    ],
)
def test_formats(made, wanted):
    assert made == wanted


def test_path_steps_draw_the_points():
    rng = np.random.default_rng(1)
    points = np.cumsum(rng.integers(-90, 90, size=(60, 2)), axis=0)
    points[10:20, 1] = points[10, 1]
    at, drawn = np.zeros(2), []
    for command, text in re.findall(r"([Mlhv])([^Mlhv]*)", charts.steps([(int(x), int(y)) for x, y in points], False)):
        values = [float(v) for v in re.findall(r"-?[\d.]+", text)]
        step = {"M": values, "l": values, "h": [values[0], 0.0], "v": [0.0, values[0]]}[command]
        at = np.array(step) if command == "M" else at + np.array(step)
        drawn.append(at)
    kept = np.r_[0:11, 19:60]
    assert np.array(drawn) == pytest.approx(points[kept] / charts.TENTH)


def test_a_closed_path_ends_where_it_began():
    assert charts.steps([(0, 0), (10, 0), (10, 10)], True) == "M0 0h1v1z"


@pytest.mark.parametrize(
    ("scale", "most", "wanted"),
    [
        ((0.0, 10.5), 4, ["0", "5", "10"]), ((0.0, 7.1), 4, ["0", "2", "4", "6"]), ((-3.0, 9.0), 4, ["0", "5"]),
        ((1.07, 1.13), 3, ["1.08", "1.10", "1.12"]), ((0.0, 1.0), 4, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ((0.0, 100.0), 4, ["0", "25", "50", "75", "100"]), ((0.0, 12600.0), 4, ["0", "5\u202f000", "10\u202f000"]),
    ],
)  # fmt: skip
def test_labels_of_a_scale_are_round_and_few(scale, most, wanted):
    found = charts.labels(scale, most)
    assert [word for _, word in found] == wanted
    assert len(found) <= most + 1


def test_marks_stay_inside_their_panel_and_gaps_interrupt_lines():
    panel = charts.panels([100.0])[0]
    panel.x, panel.y = (0.0, 3.0), (0.0, 10.0)
    panel.line(np.arange(4.0), np.array([5.0, np.nan, 20.0, -7.0]), "plan", 1.0)
    panel.area(np.arange(4.0), np.full(4, np.nan), np.full(4, np.nan), "rule")
    picture = str(charts.svg([panel], 'a <name> & "more"'))
    line = next(p for p in re.findall(r'<path d="([^"]*)" fill="none" stroke="var\(--plan\)"', picture))
    assert [float(v) for v in re.findall(r"M[\d.]+ ([\d.]+)", line)] == [charts.GAP + 50.0, charts.GAP]
    assert 'aria-label="a &lt;name&gt; &amp; &#34;more&#34;"' in picture
    assert 'd=""' not in picture


def test_a_picture_of_nothing_and_of_one_value_has_a_scale():
    empty, flat = charts.panels([50.0])[0], charts.panels([50.0])[0]
    flat.line(np.array([1.0]), np.array([2.0]), "plan", 1.0)
    for panel in (empty, flat):
        assert "nan" not in charts.svg([panel], "x")


def test_colours_are_told_apart_by_their_marks():
    assert len({light for light, _ in ROLES.values()}) == len(ROLES)


def test_causes_add_up_to_the_saving(run):
    found = costs.causes(run)
    assert sum(c.saving_eur for c in found) == pytest.approx(run.record.summary["saving_eur"], rel=1e-9)
    assert [c.saving_eur for c in found] == sorted((c.saving_eur for c in found), reverse=True)


def test_classes_add_up_to_the_bill(run):
    assert costs.by_class(run, "plan").sum() == pytest.approx(run.record.summary["bill_eur"], rel=1e-9)
    names = {"excise": "taxes and levies", "grid_energy": "grid energy", "spot": "spot", "marginal_loss": "grid energy"}
    assert {c: costs.class_of(c, "spot" if c == "spot" else "energy") for c in names} == names
    assert costs.class_of("grid_power", "demand") == "demand charges"
    assert costs.class_of("tnuos_residual", "fixed") == "contracts and fixed"


def test_job_savings_are_the_price_times_the_holding(run):
    found = jobs.changes(run)
    done = run.entries("plan").groupby("job")["work"].sum()
    assert sum(c.work for c in found) == pytest.approx(float(done.sum()), rel=1e-9)
    plan, base = (run.entries(who)[list(PARTS)].to_numpy().sum() for who in ("plan", "base"))
    assert sum(c.total for c in found) == pytest.approx(base - plan, rel=1e-9)
    one = jobs.sentence(found[0])
    assert re.match(r"^runs .* on average, .*; 1\u202f000 GPU-hours cost it .*EUR instead of .*EUR: .*\.$", one)


def test_caps_agree_with_the_audit(run):
    excess = cap_excess(run.problem, run.plan)
    found = pue.caps(run)
    assert [c.name for c in found] == ["s0:year", "s1:year", "s2:year"]
    for cap in found:
        assert max(-cap.room_mwh, 0.0) == pytest.approx(excess[cap.rows].max(), abs=1e-9)
        assert cap.pue[0] == pytest.approx(run.record.summary["pue"][run.sites[cap.site]])


def test_rolling_caps_are_summed_over_their_windows():
    problem = random_problem(Size(cap=None), 3)
    axis = {"cap": [f"s0:day@{i}" for i in range(3)] + ["fleet:hour@0"]}
    rows = {"cap_site": [0, 0, 0, -1], "cap_start": [0, 1, 2, 5], "cap_stop": [12, 13, 14, 6],
            "cap_limit": [1.2] * 3 + [1.3], "cap_credit": [0.0] * 4, "cap_penalty": [1e4] * 4}  # fmt: skip
    problem = problem.drop_dims("cap").assign({n: ("cap", np.array(v)) for n, v in rows.items()}).assign_coords(axis)
    record = record_of(problem)
    page = render(record)
    assert ">windows</text>" in page
    assert "3 windows of 12" in page
    day, hour = pue.caps(RunFigures(record))
    assert (len(day.rows), day.rolling, hour.rolling, hour.site) == (3, True, False, -1)
    assert day.value_eur == pytest.approx(record.prices["value_cap"].values[:3].sum() / 100)


@pytest.mark.parametrize(
    ("periods", "hours_each"), [(1, 1.0), (24, 1.0), (168, 1.0), (672, 1.0), (672, 0.25), (8760, 1.0)]
)
def test_pictures_of_any_length_stay_legible(run, periods, hours_each):
    start = run.time[0] + np.arange(periods) * np.timedelta64(round(60 * hours_each), "m")
    axis = TimeAxis(start, np.full(periods, hours_each))
    assert len(axis.starts) <= MOST_STEPS
    assert len(axis.ticks()) <= MOST_LABELS + 1
    assert len(axis.labels(axis.ticks())) == len(axis.ticks())
    values = np.random.default_rng(0).normal(size=(2, periods))
    assert axis.mean(values) @ np.diff(axis.edges) == pytest.approx(values.sum(axis=1) * hours_each)


def test_full_pools_are_counted(run):
    full = costs.full_periods(run)
    free = run.problem["available"].values - run.problem["firm"].values - run.used("plan")
    assert ((full > 0) == (free.min(axis=1) < costs.WHOLE_GPU)).all()


def test_limits_that_bind_have_a_worth():
    problem = random_problem(Size(sites=2, groups=1), 3)
    tight = problem.assign(grid_limit_mw=problem["grid_limit_mw"] * 0.8, available=problem["available"] + 50)
    run = RunFigures(record_of(tight))
    grid = costs.grid_table(run)
    assert grid is not None
    assert grid.rows[0][0].text in run.sites
    assert costs.grid_table(RunFigures(small())) is None


def test_deadlines_that_cost_nothing_are_not_listed():
    problem = random_problem(Size(jobs=3), 3)
    run = RunFigures(record_of(problem.assign(open=problem["open"] * 0 + 1)))
    assert costs.deadline_table(run) is None
    assert "No deadline inside the horizon costs anything" in costs.deadlines_text(run)
    assert costs.deadline(run, 0) == "1 Feb 2020 00:00 UTC"


def test_tables_refuse_ragged_rows_and_have_at_least_one():
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        table((left("a"), left("b")), [("x",)])
    assert table((left("a"), left("b")), [], ("total", "0")) is None
    assert [c.text for c in table((left("a"), left("b")), [("x", None)]).rows[0]] == ["x", "–"]
