"""Work and load that no schedule can serve: named before the solve (exit code 4)."""

import pytest

from energy.errors import ImpossibleWork
from tests.cases import GONE

POOL = "sites.north.halls.liquid.pools.gb300"
HALL = "sites.north.halls.liquid"


def phases(before, moment, after):
    """A value and what it becomes."""
    return [{"from": "2020-01-01", "value": before}, {"from": moment, "value": after}]


#: What cannot be -> (key of fleet.yaml, value, words of the message).
FLEETS = {
    "cap below what the plant can reach": ("sites.north.pue_caps.0.limit", 1.02,
        ["PUE cap north:contract", "limit 1.02 is below what the plants can reach", "at least 1.1"]),
    "fleet cap below what the plants can reach": ("fleet_pue_caps", [{"name": "f", "limit": 1.02}],
        ["PUE cap fleet:f", "limit 1.02"]),
    "hourly cap below what the plant can reach": ("sites.north.pue_caps",
        [{"name": "h", "limit": 1.01, "period": "hour", "above_it_mw": 0.1}],
        ["PUE cap north:h", "limit 1.01"]),
    "rolling cap below what the plant can reach": ("sites.north.pue_caps",
        [{"name": "r", "limit": 1.01, "period": "rolling", "window_h": 6}],
        ["PUE cap north:r", "limit 1.01"]),
    "firm GPUs above what maintenance leaves": (f"{POOL}.maintenance",
        [{"from": "2024-03-06T08:00", "to": "2024-03-06T12:00", "gpus": 730}],
        ["pool north/liquid/gb300 at 2024-03-06T07:00Z", "firm_gpus 80 above the 70 GPUs", "maintenance leave",
        "at most 70"]),
    "firm GPUs above what phases leave": (f"{POOL}.count", phases(60, "2024-03-06", 800),
        ["pool north/liquid/gb300 at 2024-03-05T00:00Z", "firm_gpus 80 above the 60 GPUs", "phases"]),
    "hall limit below idle load": (f"{HALL}.limit_mw", 0.5,
        ["hall north/liquid at 2024-03-05T00:00Z", "idle and firm load of 0.548 MW above the hall's limit of 0.500 MW",
        "limit_mw"]),
    "design load below idle load": (f"{HALL}.design_mw", phases(2.0, "2024-03-06", 0.5),
        ["hall north/liquid at 2024-03-05T23:00Z", "0.548 MW above", "0.500 MW", "design_mw"]),
    "hall that is still to come": (HALL, {"plant": "dlc_dry_cooler", "design_mw": phases(0, "2024-03-06", 2),
        "pools": {"gb300": {"gpu": "gb300", "count": phases(0, "2024-03-06", 800)}}},
        ["hall north/liquid at 2024-03-05T00:00Z", "design_mw is 0 MW", "a horizon after its first phase"]),
    "firm load above the grid limit": ("sites.north.grid_limit_mw", phases(3, "2024-03-06T12:00", 0.6),
        ["site north at 2024-03-06T11:00Z", "firm and idle load draws 0.65", "above the grid limit of 0.600 MW",
        "grid_limit_mw"]),
    "other load above the grid limit": ("sites.south.other_site_mw", 5,
        ["site south at 2024-03-05T00:00Z", "grid limit of 2.000 MW"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FLEETS)
def test_fleet_that_cannot_be(case, name):
    key, value, words = FLEETS[name]
    case.edit("fleet.yaml", key, value).refused(ImpossibleWork, f"{case.folder}/fleet.yaml: ", *words)


#: What cannot be -> (column, cell of job j4, words of the message).
JOBS = {
    "longer than its window": ("deadline", "+15h",
        ["600.0 GPU-hours do not fit", "2024-03-05 10:00:00Z … 2024-03-05 15:00:00Z",
        "at most 320.0 GPU-hours with 64 GPUs at speed 1"]),
    "window mostly outside the horizon": ("release", "+40h", ["part of its window", "inside the horizon"]),
    "larger than every pool": ("max_gpus", "401", ["max_gpus 401 is larger than every pool it may use", "at most 400"]),
    "jurisdiction of no site": ("jurisdictions", "UK",
        ["jurisdictions: no site carries UK", "tags of the sites: DE, EEA, EU, NO"]),
    "kind of no pool": ("gpu_kinds", "tpu=1",
        ["gpu_kinds: no pool among sites of DE has tpu", "kinds of the fleet: a100, gb300, h200"]),
    "kind only where it may not run": ("gpu_kinds", "gb300=1", ["gpu_kinds: no pool among sites of DE has gb300"]),
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_job_that_cannot_be_done(case, name):
    column, value, words = JOBS[name]
    case.cell("jobs.csv", "j4", column, value).refused(ImpossibleWork, f"{case.folder}/jobs.csv: job j4", *words)


def test_job_that_just_fits_its_window(case):
    case.cell("jobs.csv", "j4", "deadline", "+19.375h").problem()
    case.cell("jobs.csv", "j4", "deadline", "+19.37h").refused(ImpossibleWork, "job j4")


def test_country_is_a_jurisdiction(case):
    case.edit("fleet.yaml", "sites.south.jurisdictions", GONE).cell("jobs.csv", "j5", "jurisdictions", "DE")
    problem = case.cell("jobs.csv", "j6", "jurisdictions", "").problem()
    mine = problem["pool_class"].isel(group=int(problem["job_group"].sel(job="j5")))
    assert {pool.split("/")[0] for pool in mine["pool"].values[mine.values >= 0].tolist()} == {"south"}


def test_cap_that_a_year_to_date_balance_makes_up_for(case):
    case.edit("fleet.yaml", "sites.north.pue_caps.0.limit", 1.05).refused(
        ImpossibleWork, "north:contract", "state file"
    )
    case.edit("case.yaml", "state", "state.yaml")
    case.edit("state.yaml", "sites.north.year_to_date", {"facility_mwh": 1020.0, "it_mwh": 1000.0}).problem()


def test_best_pue_that_the_message_names_can_be_reached(case):
    message = case.edit("fleet.yaml", "sites.north.pue_caps.0.limit", 1.02).refused(ImpossibleWork, "at least ")
    best = float(message.split("at least ")[1].split(",")[0])
    case.edit("fleet.yaml", "sites.north.pue_caps.0.limit", best - 0.001).refused(ImpossibleWork, "north:contract")
    case.edit("fleet.yaml", "sites.north.pue_caps.0.limit", best).problem()
