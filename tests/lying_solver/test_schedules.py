"""Lies about the Schedule that is published: between Solution and bill, and in the Problem that it was proven for."""

import numpy as np
import pytest

from energy import optimize as main
from energy.cli import app as cli
from energy.errors import CertificateError
from energy.problem import assemble, pue_limits
from energy.schedule.dispatch import earliest_deadline_first
from energy.schema import as_schedule
from tests.cases import SmallCase
from tests.laws.transforms import changed


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Job j2 may run in the EU alone, and so not on the northern pool, whose kind it takes at twice the speed."""
    return SmallCase(tmp_path_factory.mktemp("case")).cell("jobs.csv", "j2", "jurisdictions", "EU")


def entries(schedule):
    return {k: schedule[f"entry_{k}"].values.copy() for k in ("job", "pool", "time", "gpus")}


def rebuilt(problem, e):
    return as_schedule(problem, e["job"], e["pool"], e["time"], e["gpus"])


def one_job(problem, e):
    e["job"][:] = 0


def last_of_its_group(problem, e):
    """What `jobs[a]` -> `jobs[-1]` in the disaggregation does."""
    group = problem["job_group"].values
    e["job"] = np.array([np.flatnonzero(group == group[j])[-1] for j in e["job"]])


def rotated(problem, e):
    e["job"] = (e["job"] + 1) % problem.sizes["job"]


def outside_the_window(problem, e):
    """Every job runs in the hours in which it must not, as much as before."""
    is_open = problem["open"].values > 0
    for j in range(problem.sizes["job"]):
        mine, closed = np.flatnonzero(e["job"] == j), np.flatnonzero(~is_open[j])
        e["time"][mine] = closed[np.arange(len(mine)) % len(closed)]


def on_the_norwegian_pool(problem, e):
    """Job j2 runs in the north: half the GPUs at twice the speed, so that its work is done."""
    job, north = problem["job"].values.tolist().index("j2"), problem["pool"].values.tolist().index("north/liquid/gb300")
    mine = e["job"] == job
    assert mine.any()
    e["pool"][mine], e["gpus"][mine] = north, e["gpus"][mine] / 2


LIES = {
    one_job: "job j1", last_of_its_group: "job j6 at .* outside its window", rotated: "of a kind that it does not take",
    outside_the_window: "outside its window", on_the_norwegian_pool: "job j2 in pool north/liquid/gb300 at .*jurisdictions",
}  # fmt: skip


def misreported(lie, honest):
    def disaggregate(problem, solution):
        found = entries(honest(problem, solution))
        lie(problem, found)
        return rebuilt(problem, found)

    return disaggregate


@pytest.mark.parametrize(("lie", "words"), LIES.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_lie_about_who_runs_where_and_when_is_not_published(case, lie, words, monkeypatch, record_property):
    record_property("attacks", 1)
    monkeypatch.setattr(main, "disaggregate", misreported(lie, main.disaggregate))
    with pytest.raises(CertificateError, match=words):
        main.optimize(case.path)


def test_the_refusal_is_exit_code_5_and_leaves_nothing(case, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(main, "disaggregate", misreported(rotated, main.disaggregate))
    monkeypatch.setattr("sys.argv", ["energy", "optimize", str(case.path), "--out", str(tmp_path / "runs")])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == cli.SOLVER == 5
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("energy: certificate: the schedule is not published: job j")
    assert not list(tmp_path.glob("runs/*"))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("work", lambda p: changed(p, work_left=p["work_left"].values * 0.9), "job j1: its work was assembled wrongly"),
        ("window", lambda p: changed(p, open=np.roll(p["open"].values, 1, axis=1)), "its window was assembled wrongly"),
        ("limit", lambda p: changed(p, max_gpus=p["max_gpus"].values + 1), "its most GPUs was assembled wrongly"),
        ("speed", lambda p: changed(p, speed=p["speed"].values * 1.01), "its speeds by pool was assembled wrongly"),
        ("gpus", lambda p: changed(p, available=p["available"].values - 1), "was assembled, the inputs give 800"),
        ("firm", lambda p: changed(p, firm=p["firm"].values * 0.5), "was assembled, the inputs give 80"),
        ("room", lambda p: changed(p, hall_mw=p["hall_mw"].values * 1.001), "hall north/liquid at .* was assembled"),
        ("meter", lambda p: changed(p, grid_limit_mw=p["grid_limit_mw"].values + 1), "site north at .* was assembled"),
        ("value", lambda p: changed(p, penalty=p["penalty"].values * 1.5), "job j6: its value was assembled wrongly"),
        ("cap", lambda p: changed(p, cap_limit=p["cap_limit"].values + 0.1), "PUE cap north:contract: its limit 1.25 from .* was not assembled"),
        ("cap of another year", lambda p: changed(p, cap_start=p["cap_start"].values + 24), "over 24 periods was assembled, which"),
        ("no cap", lambda p: p.isel(cap=slice(0, 0)), "PUE cap north:contract: its limit 1.25 from 2024-03-05T00:00Z on over 48 periods was not"),
    ],
)  # fmt: skip
def test_a_plan_proven_for_other_limits_is_not_published(case, name, change, words, monkeypatch, record_property):
    """Solver and certificate believe the Problem; what is published is compared with the files."""
    record_property("attacks", 1)
    monkeypatch.setattr(main, "assemble", lambda inputs: change(assemble(inputs)))
    with pytest.raises(CertificateError, match=words):
        main.optimize(case.path)


def test_the_year_to_date_credit_given_to_every_year_is_not_published(tmp_path, monkeypatch, record_property):
    """Over New Year the second year begins with nothing."""
    record_property("attacks", 1)
    case = SmallCase(tmp_path, start="2024-12-31").edit("case.yaml", "state", "state.yaml")
    case.edit("state.yaml", "sites.north.year_to_date", {"facility_mwh": 1200.0, "it_mwh": 1000.0})
    assert main.optimize(case.path).outcome.status == "OK"
    honest = pue_limits._years

    def every_year(limit, past, calendar, counted):
        credit = sum(limit * b.it_mwh - b.facility_mwh for b in past)
        return [(end, start, stop, credit) for end, start, stop, _ in honest(limit, past, calendar, counted)]

    monkeypatch.setattr(pue_limits, "_years", every_year)
    with pytest.raises(
        CertificateError,
        match=r"PUE cap north:contract from 2024-12-31T23:00Z on: a balance of 50 MWh .* the state gives 0 MWh",
    ):
        main.optimize(case.path)


@pytest.mark.parametrize("lie", [one_job, rotated, on_the_norwegian_pool], ids=lambda x: x.__name__)
def test_what_no_solver_made_is_checked_too(case, lie, monkeypatch, record_property):
    """A completed Schedule is lied about after its completion."""
    record_property("attacks", 1)
    honest = main.complete

    def complete(problem, schedule):
        found, solution = honest(problem, schedule)
        misreported = entries(found)
        lie(problem, misreported)
        return rebuilt(problem, misreported), solution

    assert main.optimize(case.path, maker=earliest_deadline_first).outcome.status == "DEGRADED"
    monkeypatch.setattr(main, "complete", complete)
    with pytest.raises(CertificateError, match="the schedule is not published"):
        main.optimize(case.path, maker=earliest_deadline_first)
