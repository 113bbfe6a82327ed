"""No kind can be half added: program, bill, certificate, roll-over, report and docs know every kind of every family.

A kind without an example here fails; a new one needs its class, its line in the docs and its example.
"""

import json
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal, get_args

import numpy as np
import pytest

from energy.audit.compliance import figure
from energy.audit.invoice import roll_forward, site_lines
from energy.inputs.components import Component, RollOver, StateNames
from energy.inputs.components.fixed import Fixed
from energy.inputs.contracts import Contract
from energy.inputs.fleet import Fleet, Period, Site
from energy.inputs.limits import Metric
from energy.inputs.metered import Line
from energy.inputs.plants import load_plant, read_plant_file
from energy.inputs.resources import root
from energy.inputs.state import Balance
from energy.inputs.tariffs import Tariff
from energy.inputs.terms import EnergyPrice, FixedCost
from energy.optimize import optimize
from energy.plant import ARCHETYPES, Plant, archetypes
from energy.problem import assemble
from energy.report.costs import CLASSES, class_of
from energy.schema.invoice import LINE_KINDS
from tests.audit.toy import program_cost
from tests.bills.meter import Meter
from tests.cases import SmallCase
from tests.in_step import CHECKOUT

#: What a file says of one of each kind, beside its name.
COMPONENTS = {
    "energy": {"value": 1000, "unit": "NOK/MWh"},
    "spot_share": {"value": 0.5, "unit": "1"},
    "demand": {"value": 1e6, "unit": "NOK/MW/month"},
    "fixed": {"value": 1e6, "unit": "NOK/month"},
    "minimum_bill": {"value": 1e7, "unit": "NOK/month"},
}
CONTRACTS = {
    "hedge": {"mw": 1.0, "price": 1000},
    "take_or_pay": {"mw": 1.0, "price": 1000},
    "capped_price": {"mw": 1.0, "price": 10, "premium": 100},
}
CAPS = {
    "year": {"limit": 1.5},
    "rolling": {"limit": 1.5, "window_h": 24},
    "hour": {"limit": 2.0, "above_it_mw": 0.01},
}
PLANTS = sorted((root() / "models" / "plants").glob("*.yaml"))


def component(kind):
    """One of a kind, as a file writes it."""
    assert kind in COMPONENTS, f"no example of component kind {kind}"
    said = {"name": kind, "kind": kind, "valid_from": date(2015, 1, 1), "source": "made up", "confidence": "L"}
    return said | COMPONENTS[kind]


def contract(kind):
    """One of a kind, as a file writes it."""
    assert kind in CONTRACTS, f"no example of contract kind {kind}"
    return {"name": kind, "kind": kind} | CONTRACTS[kind]


def priced(case):
    """Cost of 1 MW and a little at the northern site [EUR] by the program's arrays, and the invoice lines of the same."""
    inputs = case.inputs()
    problem = assemble(inputs)
    horizon = inputs.horizon
    drawn = np.zeros((problem.sizes["site"], len(horizon)))
    drawn[0] = 1 + 0.5 * np.sin(np.arange(len(horizon)))
    fed = np.zeros(len(horizon))
    lines = [x for s, name in enumerate(inputs.fleet.sites) for x in site_lines(inputs, name, horizon, drawn[s], fed)]
    return program_cost(problem, drawn, 0 * drawn, 0 * drawn), lines


def check_priced(folder, file, key, said):
    """What the file now says costs the same in program and bill, is not nothing, and has lines with a class of the report."""
    case = SmallCase(folder).edit("fleet.yaml", "sites.north.pue_caps", []).edit(file, key, [])
    program, lines = priced(case)
    program_with, lines_with = priced(case.edit(file, key, [said]))
    added = sum(x.amount_eur for x in lines_with) - sum(x.amount_eur for x in lines)
    assert abs(added) > 1, "the bill does not know it"
    assert program_with - program == pytest.approx(added, abs=0.01), "program and bill differ"
    mine = [x for x in lines_with if x.component.startswith(said["name"]) and x.site == "north"]
    assert mine
    assert all(x.kind in LINE_KINDS and class_of(x.component, x.kind) in CLASSES for x in mine)


def check_rolled_over(said):
    """The bills of two nights in a row, the second with the state after the first, add up to that of both."""
    tariff = Tariff.model_validate({"name": "made_up", "country": "NO", "currency": "NOK", "components": [said]})
    whole, first = Meter(tariff, "2024-03-05", "2024-03-07"), Meter(tariff, "2024-03-05", "2024-03-06")
    night = first.load(1.0, {"2024-03-05T12:00": 3.0})
    state = roll_forward(first.inputs(40.0), first.replayed(night)).site("s").model_dump()
    second = Meter(tariff, "2024-03-06", "2024-03-07", state=state)
    day = second.load(2.0)
    both = total(first.bill(night)) + total(second.bill(day))
    assert total(whole.bill(np.concatenate([night, day]))) == pytest.approx(both, abs=1e-6)


def total(lines):
    return sum(x.amount_eur for month in lines.values() for x in month.values())


@pytest.mark.parametrize("kind", Component.kinds)
def test_component_in_program_bill_and_report(tmp_path, kind):
    check_priced(tmp_path, "tariff.yaml", "components", component(kind))


@pytest.mark.parametrize("kind", Component.kinds)
def test_component_rolls_over(kind):
    check_rolled_over(component(kind))


@pytest.mark.parametrize("kind", Component.kinds)
def test_component_counts_for_a_minimum_bill_in_program_and_bill_alike(tmp_path, kind):
    """Beside a minimum that it does not reach, towards which it must count in both or in neither."""
    least = component("minimum_bill") | {"name": "least"}
    case = SmallCase(tmp_path).edit("fleet.yaml", "sites.north.pue_caps", [])
    beside = [least] if kind == "minimum_bill" else [component(kind), least]
    before, _ = priced(case.edit("tariff.yaml", "components", []))
    program, lines = priced(case.edit("tariff.yaml", "components", beside))
    spot = sum(x.amount_eur for x in lines if x.site == "south" or x.kind == "spot")
    assert program - before == pytest.approx(sum(x.amount_eur for x in lines) - spot, abs=0.01)


@pytest.mark.parametrize("kind", Contract.kinds)
def test_contract_in_program_bill_and_report(tmp_path, kind):
    check_priced(tmp_path, "fleet.yaml", "sites.north.contracts", contract(kind))


def test_certificate_and_reconciliation_hold_with_every_kind(tmp_path):
    """All components, contracts and cap periods in one case, solved: rows by hand, dual bound, bill."""
    assert set(CAPS) == set(get_args(Period))
    case = SmallCase(tmp_path).edit("tariff.yaml", "components", [component(k) for k in Component.kinds])
    case.edit("fleet.yaml", "sites.north.contracts", [contract(k) for k in Contract.kinds])
    case.edit("fleet.yaml", "sites.north.pue_caps", [{"name": p, "period": p} | said for p, said in CAPS.items()])
    run = optimize(case.path)
    assert run.certificate.passed
    assert abs(run.reconciliation.unexplained_eur) <= 0.01
    assert {str(c).split(":")[1].split("@")[0] for c in run.problem["cap"].values} == set(CAPS)
    billed = {x.component for x in run.plan.bill.lines if x.site == "north"}
    assert set(Component.kinds) <= billed
    assert all(any(x.startswith(k) for x in billed) for k in Contract.kinds)


def test_every_line_has_a_class_and_no_other_kind_passes():
    assert {class_of("x", kind) for kind in LINE_KINDS} | {"taxes and levies"} == set(CLASSES)
    with pytest.raises(ValueError, match="'subscribed'"):
        class_of("x", "subscribed")


@pytest.mark.parametrize("metric", get_args(Metric))
def test_every_limit_has_a_figure(metric):
    assert figure(metric, Balance(facility_mwh=12, it_mwh=10, water_m3=5, reused_mwh=3)) > 0


def test_docs_and_schemas_know_every_kind():
    page = (CHECKOUT / "docs" / "tariffs.md").read_text(encoding="utf-8")
    assert [k for k in Component.kinds if f"| `{k}` |" not in page] == []
    assert [k for k in Contract.kinds if f"`{k}`" not in page] == []
    plants = (CHECKOUT / "docs" / "plants.md").read_text(encoding="utf-8")
    assert [a for a in ARCHETYPES if f"## {a}\n" not in plants] == []
    for name, family in (("tariff", Component), ("fleet", Contract)):
        schema = json.loads((CHECKOUT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
        known = {d["properties"].get("kind", {}).get("const") for d in schema["$defs"].values()}
        assert set(family.kinds) <= known


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_archetype_cools_a_hall_and_says_its_heat(tmp_path, archetype):
    """A file ships with it; the problem has its overhead; a loop of liquid gives heat, and only that."""
    files = [p for p in PLANTS if read_plant_file(p).archetype == archetype]
    assert files, "no file in models/plants"
    plant = load_plant(files[0])
    carried, _ = plant.liquid_heat()
    assert (carried > 0) == ("liquid_share" in type(plant).model_fields)
    case = SmallCase(tmp_path).edit("fleet.yaml", "sites.north.halls.liquid.plant", files[0].stem)
    buyer = {"limit_mw": 0.5, "price_eur_per_mwh": 15.0, "temperature_c": 70.0, "heat_pump_cop": 3.0}
    problem = case.edit("fleet.yaml", "sites.north.pue_caps", []).problem()
    assert (problem["base_overhead"].values[0] > 0).all()
    if carried:
        sold = case.edit("fleet.yaml", "sites.north.heat_reuse", buyer).problem()
        assert float(sold["heat_share"][0]) == pytest.approx(0.9 * carried)


# What a company would write to add a kind: one class.
class Whole:
    """All that a kind says but what it adds to the program: 1,000 NOK per subscribed MW and year."""

    units: ClassVar = ("{currency}/MW/year",)
    line_kind: ClassVar = "fixed"
    billed_by_month: ClassVar = True
    counted: ClassVar = True
    at_most_one: ClassVar = False

    def per_mwh(self, meter):
        return np.zeros(len(meter.dt))

    @classmethod
    def lines(cls, versions, meter, month, before):
        c, inside = versions[-1], month.inside
        share = float(meter.dt[inside] @ meter.money()[inside]) / month.whole_h / 12
        amount = c.value * c.mw * share
        return [Line(meter.site, month.label, c.name, "fixed", c.mw, "MW", amount / c.mw, amount)]

    @classmethod
    def roll_over(cls, versions, meter, running, lines):
        return RollOver()

    def state_names(self):
        return StateNames()

    def stated(self, reduced):
        return "value", f"{self.value:g}"


SUBSCRIBED = {"name": "subscribed", "kind": "subscribed", "valid_from": date(2015, 1, 1), "source": "made up",
              "confidence": "L", "value": 1000, "mw": 50, "unit": "NOK/MW/year"}  # fmt: skip


@pytest.fixture
def rebuilt_models():
    """Files that know the kinds defined by now; afterwards only those of before."""
    before = {family: dict(family.kinds) for family in (Component, Contract)}

    def rebuilt():
        for model in (Tariff, Site, Fleet):
            model.model_rebuild(force=True)

    yield rebuilt
    for family, kinds in before.items():
        family.kinds.clear()
        family.kinds.update(kinds)
    rebuilt()


def test_a_whole_kind_needs_no_other_file(tmp_path, rebuilt_models):
    """Defined here alone it is read, planned, billed, carried and shown."""

    class Subscribed(Whole, Component):
        kind: Literal["subscribed"]
        value: float
        mw: float

        def terms(self, reduced):
            return (FixedCost(self.value * self.mw, "year"),)

    rebuilt_models()
    check_priced(tmp_path, "tariff.yaml", "components", SUBSCRIBED)
    check_rolled_over(SUBSCRIBED)


def test_a_kind_without_terms_is_not_defined():
    """The errand of old: a kind that nobody prices. Now the class itself is refused."""
    with pytest.raises(TypeError, match=r"kind subscribed \(Subscribed\) lacks terms$"):

        class Subscribed(Whole, Component):
            kind: Literal["subscribed"]
            value: float
            mw: float

    assert "subscribed" not in Component.kinds


def test_a_kind_that_does_not_say_its_line_kind_is_not_defined():
    said = {k: v for k, v in vars(Whole).items() if k not in ("line_kind", "counted")}
    bare = type("Bare", (), said)
    with pytest.raises(TypeError, match=r"lacks counted, line_kind, terms$"):
        type(
            "Subscribed",
            (bare, Component),
            {"__annotations__": {"kind": Literal["subscribed"]}, "__module__": __name__},
        )


def test_a_kind_without_a_name_or_with_one_taken_is_not_defined():
    with pytest.raises(TypeError, match="Nameless lacks kind"):

        class Nameless(Whole, Component):
            value: float

    with pytest.raises(TypeError, match="kind fixed is defined twice: Fixed and Again"):

        class Again(Fixed):
            pass

    assert Component.kinds["fixed"] is Fixed


@pytest.mark.parametrize("wrong", [(), (EnergyPrice(price=1.0),), (FixedCost(1000 * 49, "year"),)])
def test_terms_that_are_not_the_bill_are_red(tmp_path, rebuilt_models, wrong):
    class Subscribed(Whole, Component):
        kind: Literal["subscribed"]
        value: float
        mw: float

        def terms(self, reduced):
            return wrong

    rebuilt_models()
    with pytest.raises(AssertionError, match="program and bill differ"):
        check_priced(tmp_path, "tariff.yaml", "components", SUBSCRIBED)


def test_half_a_contract_is_not_defined():
    with pytest.raises(TypeError, match=r"kind swing \(Swing\) lacks line_kind, lines, saves, terms$"):

        class Swing(Contract):
            kind: Literal["swing"]

    assert "swing" not in Contract.kinds


def test_an_archetype_that_does_not_say_its_heat_is_not_defined():
    """Not 0 heat in silence."""
    plant = ARCHETYPES["dlc_tower"]
    said = {n: getattr(plant, n) for n in ("state", "overhead", "heat_limit", "kink_heats")}
    with pytest.raises(TypeError, match="archetype IceLake lacks liquid_heat"):
        type("IceLake", (Plant,), {**said, "__module__": __name__})
    with pytest.raises(TypeError, match="archetype dlc_tower is defined twice"):
        type("DlcTower", (plant,), {"__module__": __name__})


def test_every_file_of_the_archetypes_is_read():
    assert {p.stem for p in Path(archetypes.__file__).parent.glob("[!_]*.py")} == set(ARCHETYPES)
