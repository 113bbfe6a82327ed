"""What earlier days left behind lands in the right arrays."""

import numpy as np
import pytest

from tests.cases import SmallCase

HISTORY = [
    {"start": f"2024-03-04T{h:02d}:00:00Z", "hours": 1, "facility_mwh": 1.3, "it_mwh": 1.0} for h in range(18, 24)
]


def with_state(case, **state):
    case.edit("case.yaml", "state", "state.yaml")
    for key, value in state.items():
        case.edit("state.yaml", key, value)
    return case


def test_without_a_state_everything_is_zero(case):
    problem = case.problem()
    assert not problem["charge_floor"].any()
    assert not problem["cap_credit"].any()
    assert problem["work_left"].values.tolist() == [j.gpu_hours for j in case.inputs().jobs]


def test_peaks_so_far_by_site_and_month(tmp_path):
    case = SmallCase(tmp_path, "2024-03-31")
    peaks = {
        "north": {"peak_so_far_mw": {"2024-03": 1.5, "2024-02": 9.0}},
        "south": {"peak_so_far_mw": {"2024-04": 0.4}},
    }
    case.edit("fleet.yaml", "sites.south.tariff", "tariff.yaml")
    floor = with_state(case, sites=peaks).problem()["charge_floor"]
    assert floor.sel(charge="north:peak@2024-03") == 1.5
    assert floor.sel(charge="south:peak@2024-04") == 0.4
    assert float(floor.sum()) == pytest.approx(1.9)


def test_year_to_date_is_the_credit_of_the_running_year(tmp_path):
    case = SmallCase(tmp_path, "2023-12-31").edit("fleet.yaml", "fleet_pue_caps", [{"name": "all", "limit": 1.2}])
    balances = {"north": {"year_to_date": {"facility_mwh": 1100.0, "it_mwh": 1000.0}},
                "south": {"year_to_date": {"facility_mwh": 230.0, "it_mwh": 200.0}}}  # fmt: skip
    credit = with_state(case, sites=balances).problem()["cap_credit"].to_series().to_dict()
    assert credit == pytest.approx({
        "north:contract@2023": 1.25 * 1000 - 1100, "north:contract@2024": 0,
        "fleet:all@2023": 1.2 * 1200 - 1330, "fleet:all@2024": 0,
    })  # fmt: skip


def test_a_legal_limit_gets_the_balance_of_the_running_year_alone(tmp_path):
    case = SmallCase(tmp_path, "2027-12-31").edit("fleet.yaml", "sites.south.limits", ["de_enefg"])
    case.edit("fleet.yaml", "sites.south.commissioned", "2027-01-01").edit("fleet.yaml", "sites.north.pue_caps", [])
    past = {"south": {"year_to_date": {"facility_mwh": 1100.0, "it_mwh": 1000.0}}}
    case.edit("fleet.yaml", "sites.south.halls.air.design_mw", 5.0).edit("fleet.yaml", "sites.south.grid_limit_mw", 9.0)
    credit = with_state(case, sites=past).problem()["cap_credit"].to_series().to_dict()
    years = {name.split("@")[1]: value for name, value in credit.items()}
    assert set(years) == {"2027", "2028"}
    assert years["2028"] == 0
    assert years["2027"] != 0


RATCHET = {"look_back_months": 2, "ratchet_share": 0.8}


@pytest.mark.parametrize(
    ("peaks", "floor"),
    [
        ({"2024-03": 1.0, "2024-02": 2.0}, 1.6),  # 0.8 of February
        ({"2024-03": 1.7, "2024-02": 2.0}, 1.7),  # its own is higher, and counts whole
        ({"2024-02": 1.0, "2024-01": 2.5}, 2.0),  # two months back still count
        ({"2024-02": 1.0, "2023-12": 9.0}, 0.8),  # three do not
    ],
)
def test_a_ratchet_takes_its_share_of_the_months_before(tmp_path, peaks, floor):
    case = SmallCase(tmp_path)
    for key, value in RATCHET.items():
        case.edit("tariff.yaml", f"components.1.{key}", value)
    problem = with_state(case, sites={"north": {"peak_so_far_mw": peaks}}).problem()
    assert float(problem["charge_floor"].sel(charge="north:peak@2024-03")) == pytest.approx(floor)


def test_a_ratchet_weighs_the_hours_of_the_months_before(tmp_path):
    """Over the end of March: April's peak counts March's hours by 0.8, March's counts none of April's."""
    case = SmallCase(tmp_path, "2024-03-31")
    plain = case.problem()["charge_weight"]
    for key, value in RATCHET.items():
        case.edit("tariff.yaml", f"components.1.{key}", value)
    weight = case.problem()["charge_weight"]
    march, april = (weight.sel(charge=f"north:peak@2024-{m}").values for m in ("03", "04"))
    in_april = plain.sel(charge="north:peak@2024-04").values
    assert 0 < in_april.sum() < len(in_april)
    np.testing.assert_allclose(april, np.where(in_april == 1, 1.0, 0.8))
    np.testing.assert_array_equal(march, 1 - in_april)


def test_rolling_windows_with_their_history(case):
    case.edit(
        "fleet.yaml", "sites.north.pue_caps", [{"name": "day", "limit": 1.25, "period": "rolling", "window_h": 6}]
    )
    alone = case.problem()
    assert alone.sizes["cap"] == 43, "windows that begin before the horizon have no history"
    problem = with_state(case, sites={"north": {"history": HISTORY}}).problem()
    assert problem.sizes["cap"] == 48
    credit = problem["cap_credit"].values
    assert credit[:6] == pytest.approx([5 * -0.05, 4 * -0.05, 3 * -0.05, 2 * -0.05, -0.05, 0])
    assert problem["cap_start"].values[:7].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert problem["cap_stop"].values[:7].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert str(problem["cap"].values[5]) == "north:day@2024-03-05T06:00"


def test_history_in_site_local_offsets_is_the_same(case):
    case.edit(
        "fleet.yaml", "sites.north.pue_caps", [{"name": "day", "limit": 1.25, "period": "rolling", "window_h": 6}]
    )
    expected = with_state(case, sites={"north": {"history": HISTORY}}).problem()
    local = [
        p | {"start": p["start"].replace("Z", "").replace(f"T{h}", f"T{h + 1}") + "+01:00"}
        for h, p in zip(range(18, 23), HISTORY, strict=False)
    ]
    local.append(HISTORY[-1])
    assert with_state(case, sites={"north": {"history": local}}).problem().identical(expected)


def test_hourly_caps_stand_only_where_the_idle_load_is_above_theirs(case):
    """Maintenance lowers the idle load for two hours: no row then."""
    case.edit("fleet.yaml", "sites.north.pue_caps", [{"name": "h", "limit": 1.4, "period": "hour", "above_it_mw": 0.5}])
    case.edit(
        "fleet.yaml",
        "sites.north.halls.liquid.pools.gb300.maintenance",
        [{"from": "2024-03-05T06:00", "to": "2024-03-05T08:00", "gpus": 200}],
    )
    problem = case.problem()
    assert sorted(set(range(48)) - set(problem["cap_start"].values)) == [5, 6]
    assert (problem["cap_stop"].values - problem["cap_start"].values == 1).all()


def test_work_already_done(case):
    work = with_state(case, work_done={"j1": 1000.0, "j5": 150.0, "j6": 1e6, "gone": 5.0}).problem()["work_left"]
    assert work.to_series().to_dict() == {"j1": 3000, "j2": 2500, "j3": 900, "j4": 600, "j5": 0, "j6": 0}


def test_work_done_makes_a_late_job_possible(case):
    from energy.errors import ImpossibleWork

    case.cell("jobs.csv", "j4", "deadline", "+15h").refused(ImpossibleWork, "job j4")
    assert np.isfinite(with_state(case, work_done={"j4": 300.0}).problem()["work_left"]).all()


INVOICE = {"charges": {"peak": {"rate_eur_per_mw": 400.0, "spread_h": 743.0, "billed_eur": 500.0}},
           "minimum_eur": 30.0, "counted_eur": 20.0, "top_up_eur": 10.0}  # fmt: skip


def test_invoice_so_far_raises_rates_and_is_paid_already(case):
    """March 2024 in Oslo has 743 h, the horizon 48 of them; 31,000 NOK at 0.1."""
    least = {"name": "least", "kind": "minimum_bill", "valid_from": "2015-01-01", "value": 9e6, "unit": "NOK/month",
             "source": "made up", "confidence": "L"}  # fmt: skip
    case.edit("tariff.yaml", "components", [*case.yaml("tariff.yaml")["components"], least])
    before = case.problem()
    north = {"peak_so_far_mw": {"2024-03": 1.25}, "invoice_so_far": {"2024-03": INVOICE}}
    after = with_state(case, sites={"north": north}).problem()
    peak, least = {"charge": "north:peak@2024-03"}, {"minimum": "north:least@2024-03"}
    assert float(after["charge_rate"].sel(peak)[0]) == pytest.approx(400 + 3100 * 48 / 743)
    assert float(after["charge_floor"].sel(peak)) == 1.25
    assert float((after["fixed_eur"] - before["fixed_eur"]).sel(site="north")) == pytest.approx(-500 - 10)
    assert float((after["minimum_eur"] - before["minimum_eur"]).sel(least)) == pytest.approx(30 - 20 + 500)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("invoice_so_far", {"2024-04": INVOICE}, ["2024-04", "needs a peak_so_far_mw of 2024-04"]),
        ("invoice_so_far", {"2024-03": {**INVOICE, "charges": {"paek": INVOICE["charges"]["peak"]}}},
         ["sites.north.invoice_so_far.2024-03.charges.paek", "tariff nordic has no such demand charge", "allowed: peak"]),
        ("window_peaks_mw", {"evening": {"2024-03": 1.0}}, ["sites.north.window_peaks_mw.evening", "allowed: none"]),
    ],
)  # fmt: skip
def test_state_that_does_not_fit(case, key, value, words):
    from energy.errors import ConfigError

    case.edit("state.yaml", "sites", {"north": {"peak_so_far_mw": {"2024-03": 1.0}, key: value}})
    case.edit("case.yaml", "state", "state.yaml").refused(ConfigError, "state.yaml", *words)


def test_invoice_of_a_month_to_come_is_refused(case):
    from energy.errors import ConfigError

    north = {"peak_so_far_mw": {"2024-05": 1.0}, "invoice_so_far": {"2024-05": INVOICE}}
    with_state(case, sites={"north": north}).refused(ConfigError, "invoice_so_far.2024-05", "2024-03-05")
