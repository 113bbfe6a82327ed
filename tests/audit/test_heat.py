"""Heat reuse: what the program sells is what the replay hands over, the bill agrees, and PUE never knows of it."""

import numpy as np
import pytest

from energy.audit.verdict import pue
from energy.errors import ConfigError
from energy.optimize import optimize
from tests.cases import SmallCase

BUYER = {"limit_mw": 0.5, "price_eur_per_mwh": 15.0, "temperature_c": 45.0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The small case without a buyer, with one, and with one who needs 70 °C from a heat pump."""
    out = []
    for i, buyer in enumerate((None, BUYER, BUYER | {"temperature_c": 70.0, "heat_pump_cop": 3.0})):
        case = SmallCase(tmp_path_factory.mktemp(f"heat{i}"))
        out.append(optimize((case.edit("fleet.yaml", "sites.north.heat_reuse", buyer) if buyer else case).path))
    return out


def test_proof_and_bill_hold_with_heat(runs):
    for run in runs:
        assert run.certificate.passed
        assert run.outcome.reasons == ()
        assert abs(run.reconciliation.unexplained_eur) <= 0.01


def test_heat_is_what_loop_and_buyer_allow(runs):
    _, sold, pumped = runs
    for run in (sold, pumped):
        heat, it = run.plan.replay["heat_mw"].values, run.plan.replay["it_mw"].values
        assert np.abs(heat - run.solution["heat"].values).max() <= 1e-4
        assert (heat[0] <= 0.85 * 0.9 * it[0] + 1e-9).all()
        assert heat[0].max() == pytest.approx(0.5)
        assert not heat[1].any()
    worth = runs[2].problem["heat_price"].values[0]
    assert (worth < 15).any()
    assert not pumped.plan.replay["heat_mw"].values[0][worth < -1e-9].any()


def test_heat_lowers_the_bill_and_never_the_pue(runs):
    without, sold, pumped = (run.summary["bill_eur"] for run in runs)
    assert sold < pumped < without
    run = runs[1]
    site = run.summary["cooling"]["sites"]["north"]
    replayed = run.plan.replay.sel(site="north")
    facility, it, heat = (float(replayed[n].sum()) for n in ("facility_mw", "site_it_mw", "heat_mw"))
    assert site["erf"] == pytest.approx(heat / facility)
    assert site["ere"] == pytest.approx((facility - heat) / it)
    assert pue(run.plan.replay)["north"] == pytest.approx(facility / it)
    assert site["ere"] < 1 < pue(run.plan.replay)["north"]
    lines = [x for x in run.plan.bill.lines if x.kind == "heat"]
    assert sum(x.amount_eur for x in lines) == pytest.approx(-15.0 * heat)


def test_the_heat_pump_pays_for_its_power(runs):
    run = runs[2]
    by_name = {x.component: x for x in run.plan.bill.lines if x.kind == "heat"}
    assert by_name["heat_pump"].quantity == pytest.approx(by_name["heat_sales"].quantity / 3.0)
    price, heat = run.problem["price"].values[0], run.plan.replay["heat_mw"].values[0]
    assert by_name["heat_pump"].amount_eur == pytest.approx(float(price @ heat) / 3.0)


def test_heat_that_no_hall_gives_is_refused(case):
    case.edit("fleet.yaml", "sites.south.heat_reuse", BUYER)
    case.refused(ConfigError, "sites.south.heat_reuse", "no hall has a liquid loop that returns 45 °C")
    case.edit("fleet.yaml", "sites.south.heat_reuse.heat_pump_cop", 0.5).refused(ConfigError, "heat_pump_cop")


def test_too_cold_a_loop_needs_a_heat_pump(case):
    case.edit("fleet.yaml", "sites.north.heat_reuse", BUYER | {"temperature_c": 51.0})
    case.refused(ConfigError, "sites.north.heat_reuse", "a heat_pump_cop")
    case.edit("fleet.yaml", "sites.north.heat_reuse.heat_pump_cop", 4.0)
    assert case.problem()["heat_share"].values.tolist() == pytest.approx([0.85 * 0.9, 0.0])
