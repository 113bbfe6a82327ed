"""From night to night: work, balances, promises and what they came to."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from energy.audit.invoice import bill
from energy.audit.replay import replay
from energy.errors import SeriesError
from energy.inputs.load import read_inputs
from energy.inputs.state import State
from energy.nightly import run as page
from energy.nightly.accounts import day_schedule
from energy.nightly.database import open_store
from energy.nightly.metering import read_meter, read_progress
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.nightly.queue import DONE
from energy.schedule.table import read_schedule
from tests.nightly.nightcase import DAY, NightCase, canned

THIRD = DAY + timedelta(days=2)


@pytest.fixture(scope="module")
def three(tmp_path_factory) -> NightCase:
    """Three nights in a row; the third settles the first day."""
    case = NightCase(tmp_path_factory.mktemp("three") / "case")
    warm = {"temp_air": 19.0, "temp_dew": 8.0}  # else the cooling does not notice the weather
    case.each("weather_south.csv", lambda row: row | {k: f"{float(row[k]) + v:.1f}" for k, v in warm.items()})
    for k in range(3):
        night = case.night(DAY + timedelta(days=k))
        assert night.status == "OK", night.reasons
    return case


def days(case: NightCase) -> dict[str, dict]:
    with open_store(case.place.database) as store:
        return {r["policy"]: r for r in store.rows("SELECT * FROM settled_days")}


def night_json(case: NightCase) -> dict:
    return json.loads((case.out / "latest" / "night.json").read_text())


@pytest.mark.slow
def test_the_third_night_settles_the_first_day(three):
    rows = days(three)
    assert {r["day"] for r in rows.values()} == {str(DAY)}
    assert set(rows) == {"plan", "run_now"}
    assert rows["plan"]["night"] == str(DAY)


@pytest.mark.slow
def test_what_was_real_is_promise_and_causes(three):
    row = days(three)["plan"]
    causes = [row[f"{k}_variance_eur"] for k in ("price", "weather", "load", "other")]
    assert row["ex_ante_cost_eur"] + sum(causes) == pytest.approx(row["realised_cost_eur"], abs=1e-9)
    assert row["price_variance_eur"] == 0, "the day's prices were known"
    assert row["weather_variance_eur"] != 0, "its weather was not"
    told = night_json(three)["last_settled_day"]
    assert told["realised_cost_eur"] == row["realised_cost_eur"]
    assert told["saving_eur"] == pytest.approx(
        days(three)["run_now"]["realised_cost_eur"] - row["realised_cost_eur"] - told["backlog_eur"]
    )
    assert night_json(three)["saving_eur"]["month_to_date"] == pytest.approx(told["saving_eur"])


@pytest.mark.slow
def test_the_day_costs_what_its_schedule_costs_by_the_series(three):
    """Against a case over the day alone, from the raw files."""
    plan = three.out / json.loads((three.out / "latest" / "night.json").read_text())["run_id"]
    with open_store(three.place.database) as store:
        first = store.row("SELECT folder, snapshot FROM plans WHERE night = ?", str(DAY))
    table = read_schedule(three.out / first["folder"] / "schedule.parquet")
    kept = three.place.snapshots / first["snapshot"] / "case.yaml"
    three.edit("case.yaml", "horizon", {"start": str(DAY), "end": str(DAY), "time_zone": "Europe/Oslo"})
    inputs = read_inputs(three.path)
    assert read_inputs(kept).fleet == inputs.fleet
    assert plan.is_dir()
    begin, end = inputs.case.horizon.bounds()
    day = table[(table["start"] >= begin) & (table["start"] < end)]
    drawn = replay(inputs, day_schedule(inputs, day))
    assert days(three)["plan"]["realised_cost_eur"] == pytest.approx(bill(inputs, drawn).total(), rel=1e-9)


@pytest.mark.slow
def test_days_after_the_last_plan_are_settled_however_long_no_night_succeeded(solved, nights, monkeypatch):
    """Days that no job of the plan touches, and days behind its horizon."""
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    nights.each("queue.csv", lambda r: r | ({"release": "2024-03-14T06:00Z"} if r["id"] == "j1" else {}))
    assert nights.night().status == "OK"
    kept = nights.place.snapshots / nights.night().run_id / "jobs.csv"
    kept.write_text("".join(x for x in kept.read_text().splitlines(True) if x.startswith(("id,", "j1,"))))
    with open_store(nights.place.database) as store:
        settled = prepare(NightContext(nights.place, store, DAY + timedelta(days=6))).settlement
    mine = [d for d in settled.days if d["policy"] == "plan"]
    assert [d["day"] for d in mine] == [str(DAY + timedelta(days=k)) for k in range(5)]
    assert all(d["weather_variance_eur"] == d["price_variance_eur"] == 0 for d in mine[3:]), (
        "nothing was forecast for them"
    )
    for d in mine:
        causes = [d[f"{k}_variance_eur"] for k in ("price", "weather", "load", "other")]
        assert d["ex_ante_cost_eur"] + sum(causes) == pytest.approx(d["realised_cost_eur"])


@pytest.mark.slow
def test_work_goes_on_and_none_is_done_twice(three):
    with open_store(three.place.database) as store:
        work = {r["job"]: r["gpu_hours"] for r in store.rows("SELECT * FROM settled_work WHERE policy = 'plan'")}
        state = State.model_validate_json(days(three)["plan"]["state"])
        kept = store.row("SELECT snapshot FROM plans WHERE night = ?", str(THIRD))["snapshot"]
    assert work == pytest.approx(dict(state.work_done))
    inputs = read_inputs(three.place.snapshots / kept / "case.yaml")
    for job in (j for j in inputs.jobs if j.id in work):
        assert inputs.state.work_done[job.id] >= work[job.id] - 1e-9
        assert inputs.state.work_done[job.id] <= job.gpu_hours - DONE
    done = {"j1": 9000, "j2": 2500, "j3": 900, "j5": 150}
    assert all(hours <= done[name] + DONE for name, hours in work.items())


@pytest.mark.slow
def test_the_year_and_the_peak_are_in_the_case(three):
    state = read_inputs(three.place.snapshots / night_json(three)["run_id"] / "case.yaml").state
    settled = State.model_validate_json(days(three)["plan"]["state"])
    for name in ("north", "south"):
        assert state.sites[name].year_to_date.facility_mwh > settled.sites[name].year_to_date.facility_mwh > 0
        assert state.sites[name].peak_so_far_mw["2024-03"] >= settled.sites[name].peak_so_far_mw["2024-03"] > 0


@pytest.mark.slow
def test_a_job_is_done_left_or_not_submitted(three):
    jobs = night_json(three)["jobs"]
    assert jobs["done"] + jobs["left"] == 5
    assert jobs["late"] == []


@pytest.mark.slow
def test_bad_rows_and_jobs_that_nobody_can_run_are_told_and_do_not_stop_the_night(nights):
    rows = nights.rows("queue.csv")
    nights.put("queue.csv", [
        *rows, rows[0] | {"id": "bad", "gpu_hours": "many"}, rows[0] | {"id": "big", "max_gpus": "5000"},
        rows[0] | {"id": "nowhere", "jurisdictions": "MOON"}, rows[0] | {"id": "lost", "home_site": "atlantis"},
    ])  # fmt: skip
    night = nights.night()
    assert (night.status, night.method) == ("DEGRADED", "lp"), "submitted work that nobody plans is undone work"
    assert night.reasons[0].startswith("4 jobs are set aside and not planned: ")
    refused = " ".join(night.night["jobs"]["refused"])
    assert [w for w in ("job bad", "job big", "job nowhere", "job lost") if w not in refused] == []


@pytest.mark.slow
def test_a_late_job_is_planned_as_soon_as_may_be(nights):
    nights.cell("queue.csv", "j2", "deadline", "2024-03-11T05:00Z")
    night = nights.night()
    assert [j["id"] for j in night.night["jobs"]["late"]] == ["j2"]
    assert night.status == "DEGRADED"
    assert night.reasons[0].startswith("1 job cannot meet its deadline any more: j2 (")
    assert night.code == 6
    assert night.night["unserved_gpu_hours"] == pytest.approx(0, abs=1e-3)


@pytest.mark.slow
def test_a_night_without_work(nights):
    nights.each("queue.csv", lambda row: row | {"submitted": "2024-06-01T00:00Z"})
    night = nights.night()
    assert night.status == "OK"
    assert night.night["jobs"]["left"] == 0
    assert all(row["gpu_hours"] == 0 for row in night.night["plan"])


@pytest.mark.slow
def test_progress_that_was_reported_replaces_the_plan(nights, tmp_path):
    nights.night()
    report = tmp_path / "progress.csv"
    report.write_text("at,job,gpu_hours\n2024-03-12T11:30Z,j1,17.5\n")
    assert read_progress(nights.place, report) == 1
    night = nights.night(DAY + timedelta(days=1))
    state = read_inputs(nights.place.snapshots / night.run_id / "case.yaml").state
    table = read_schedule(
        nights.out / json.loads((nights.out / "latest" / "night.json").read_text())["run_id"] / "schedule.parquet"
    )
    assert not table.empty
    assert 17.5 <= state.work_done["j1"] <= 9000


@pytest.mark.slow
def test_a_meter_replaces_the_replay(nights, tmp_path):
    first = nights.night()
    plan = next(r for r in first.night["plan"] if r["date"] == str(DAY) and r["site"] == "north")
    rows = [f"2024-03-{11 if h == 23 else 12}T{h:02d}:00Z,north,{2 * plan['mwh'] / 24}" for h in (23, *range(23))]
    reading = tmp_path / "meter.csv"
    reading.write_text("\n".join(["utc,site,import_mwh", *rows]) + "\n")
    assert read_meter(nights.place, reading).readings == 24
    for k in (1, 2):
        nights.night(DAY + timedelta(days=k))
    row = days(nights)["plan"]
    assert row["metered"] == 1
    assert row["load_variance_eur"] > 0
    assert row["energy_mwh"] == pytest.approx(2 * plan["mwh"] + _south(first), rel=1e-3)


def _south(night) -> float:
    return next(r["mwh"] for r in night.night["plan"] if r["date"] == str(DAY) and r["site"] == "south")


@pytest.mark.parametrize(
    ("text", "words"),
    [("utc,site\n", "import_mwh"), ("utc,site,import_mwh\n2024-03-12T00:00Z,atlantis,1\n", "atlantis"),
     ("utc,site,import_mwh\nyesterday,north,1\n", "yesterday"), ("utc,site,import_mwh\n2024-03-12T00:00Z,north,-1\n", "row 2")],
)  # fmt: skip
def test_a_bad_reading_names_its_row(text, words, nights, tmp_path: Path):
    (tmp_path / "meter.csv").write_text(text)
    with pytest.raises(SeriesError, match=words):
        read_meter(nights.place, tmp_path / "meter.csv")
