"""A solar array that a plan holds back stays held back in the table that is published, and in the books of its days."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from energy.nightly.accounts import EMPTY, cost_of, cut_to_day, day_schedule, ex_ante_cost
from energy.optimize import optimize
from energy.runs.folder import record_of
from energy.runs.record import SETPOINTS, read_setpoints, setpoint_table, write
from energy.schedule.setpoints import setpoints
from energy.schedule.table import read_schedule
from tests.bills.test_minimum_bill import BINDING, CHARGE, minimum, small

SUN = {"dc_mw": 0.6, "ac_mw": 0.5}


@pytest.fixture(scope="module")
def held_run(tmp_path_factory):
    """A binding minimum bill pays for drawing: the array stands still in some hours."""
    return published(tmp_path_factory.mktemp("held"), CHARGE, minimum(BINDING))


def published(tmp_path, *tariff):
    """A run of the small case with an array at south, and its folder."""
    run = optimize(small(tmp_path, *tariff, solar=SUN).path)
    folder = tmp_path / "run"
    folder.mkdir()
    write(record_of(run), folder)
    return run, folder


def test_books_of_the_published_tables_are_the_bill_of_the_plan(held_run):
    run, folder = held_run
    table, held = read_schedule(folder / "schedule.parquet"), read_setpoints(folder)
    assert len(held) > 0
    assert (held["device"] == "south/solar").all()
    inputs = run.inputs
    books = cost_of(inputs, inputs.state, table, held)
    assert books == pytest.approx(run.plan.bill.total(), abs=1e-6)
    assert abs(cost_of(inputs, inputs.state, table) - books) > 0.01, "the sun that is held back makes a difference"


def test_run_folders_have_setpoints_by_device(held_run):
    """The schedule file as it is in memory; a schedule that limits no device has no such axis."""
    run, folder = held_run
    on_disk = xr.load_dataset(folder / "schedule.nc", engine="h5netcdf")
    assert on_disk["setpoint"].dims == ("device", "time")
    assert on_disk["device"].values.tolist() == ["south/solar"]
    np.testing.assert_array_equal(on_disk["setpoint"].values[0], setpoints(run.plan.schedule)["south/solar"])
    assert "device" not in xr.load_dataset(folder / "baseline_schedule.nc", engine="h5netcdf").dims
    table = pd.read_csv(folder / SETPOINTS)
    assert table.columns.tolist() == ["device", "start", "hours", "setpoint_mw"]
    assert set(table["device"]) == {"south/solar"}


def test_hours_of_other_days_and_sites_that_are_gone_are_no_part_of_a_day(held_run):
    run, folder = held_run
    held, day = read_setpoints(folder), date(2024, 3, 5)
    inputs = cut_to_day(run.inputs, day)
    limit = setpoints(day_schedule(inputs, EMPTY, held))["south/solar"]
    mine = held[held["start"].isin(inputs.horizon.time)]
    assert 0 < len(mine) < len(held)
    assert (limit < 1e5).sum() == len(mine)
    gone = held.assign(device="elsewhere/solar")
    assert "south/solar" not in setpoints(day_schedule(inputs, EMPTY, gone))


def test_no_file_where_nothing_is_held_back(tmp_path):
    run, folder = published(tmp_path, CHARGE)
    assert not (folder / SETPOINTS).exists()
    assert len(setpoint_table(run.plan.schedule)) == len(read_setpoints(folder)) == 0


def test_the_ex_ante_cost_of_a_night_keeps_to_it(held_run, tmp_path):
    """What the first day costs by the published tables, with the limit beside the schedule and without."""
    run, folder = held_run
    jobs = {j.id: j for j in run.inputs.jobs}
    alone = shutil.copy(folder / "schedule.parquet", tmp_path)
    both, without = (
        ex_ante_cost(
            run.inputs, date(2024, 3, 5), read_schedule(table), read_setpoints(table.parent), run.inputs.state, jobs
        )
        for table in (folder / "schedule.parquet", Path(alone))
    )
    assert both != pytest.approx(without, abs=0.01)


def test_a_device_may_be_called_na(tmp_path):
    (tmp_path / SETPOINTS).write_text("device,start,setpoint_mw\nNA,2024-03-12T10:00:00Z,0.25\n", encoding="utf-8")
    held = read_setpoints(tmp_path)
    assert held["device"].tolist() == ["NA"]
    assert held["setpoint_mw"].tolist() == [0.25]
