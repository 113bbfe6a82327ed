"""Cooling of one hall over the periods, from its plant: powers scale with the design load, water with the hours too."""

import numpy as np
import pytest

from energy.audit.replay import cooling
from energy.inputs.fleet import Fleet
from energy.plant import load_limit, overhead, weather_from
from energy.schema import COMPONENTS
from energy.schema.calendar import horizon
from tests.bills.meter import Meter, tariff
from tests.plant.conftest import named

METER = Meter(tariff({"kind": "fixed", "value": 1}), "2024-01-10", "2024-01-11", 30)
#: A hall of 2 MW that grows to 4 MW at noon; mild and humid, then hot.
HALL = {"design_mw": [{"from": "2024-01-01", "value": 2.0}, {"from": "2024-01-10T12:00", "value": 4.0}],
        "plant": "none", "pools": {"p": {"gpu": "none", "count": 1}}}  # fmt: skip
AIR = weather_from(np.linspace(18.0, 46.0, 48), relative_humidity=np.full(48, 40.0))
DESIGN = np.array([2.0] * 24 + [4.0] * 24)


def hall_of(**more):
    fleet: Fleet = Meter(METER.tariff, METER.start, METER.end, site={"halls": {"h": HALL | more}}).inputs(40.0).fleet
    return fleet.sites["s"].halls["h"]


def cooled(name, hall=None):
    periods = horizon(METER.time, np.full(48, 0.5))
    return cooling(named(name), hall or hall_of(), AIR, np.full(48, 1.5), periods, METER.zone)


@pytest.mark.parametrize("name", ["dlc_dry_cooler", "dlc_tower", "airside_economizer", "adiabatic_dry_chiller"])
def test_powers_and_water_by_design_load(name):
    """1.5 MW are 0.75, then 0.375 of design."""
    found = cooled(name)
    per_mw = overhead(named(name), AIR, (1.5 / DESIGN)[:, None])
    assert set(found) == {"overhead_mw", "water_m3", "free_cooling", "derating_mw", *COMPONENTS}
    for part in COMPONENTS:
        np.testing.assert_allclose(found[part], getattr(per_mw, part[:-3])[:, 0] * DESIGN, err_msg=part)
    np.testing.assert_allclose(found["overhead_mw"], per_mw.total[:, 0] * DESIGN)
    np.testing.assert_allclose(found["water_m3"], per_mw.water[:, 0] * DESIGN / 2)
    np.testing.assert_allclose(found["free_cooling"], per_mw.free_cooling[:, 0])
    assert found["free_cooling"].max() > 0.2


def test_derating_is_what_weather_takes_from_the_hall_or_from_its_own_limit():
    """A chiller-less hall loses what is above its load limit; with a limit of its own of 3 MW, what is above that too."""
    most = load_limit(named("dlc_dry_cooler"), AIR) * DESIGN
    assert most.min() < 3.0 < most.max()
    np.testing.assert_allclose(cooled("dlc_dry_cooler")["derating_mw"], DESIGN - most)
    limited = cooled("dlc_dry_cooler", hall_of(limit_mw=3.0))["derating_mw"]
    np.testing.assert_allclose(limited, np.maximum(np.minimum(DESIGN, 3.0) - most, 0.0))
    assert (cooled("airside_economizer")["derating_mw"] == 0).all()
