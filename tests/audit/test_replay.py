"""What a schedule draws, from the raw files: IT power counted by hand, and every input that must make a difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from energy.audit.replay import replay
from energy.audit.site_prices import energy_price, feed_in_price, grid_exchange, solar
from energy.schema import validate
from energy.schema.calendar import Horizon
from tests.cases import SmallCase

HOURS = 48
SOUTH, PV = "sites.south", {"dc_mw": 2.0, "ac_mw": 1.5}


@pytest.fixture
def small(tmp_path):
    return SmallCase(tmp_path)


def schedule(case, **entries):
    """A Schedule of the case: entry_* by hand; nothing runs where nothing is given."""
    at = (entries.get(k, []) for k in ("job", "pool", "time", "gpus"))
    kinds = (int, int, int, float)
    return validate.as_schedule(case.problem(), *(np.array(x, dtype=k) for x, k in zip(at, kinds, strict=True)))


def again(case, **entries):
    return replay(case.inputs(), schedule(case, **entries))


def test_it_power_is_gpus_times_their_power(small):
    """North: 80 firm of 800 and a job's 100 in hour 5, 50 kW beside them. South: 40 firm of 400 and 400 idle."""
    power = small.inputs().powers
    gb, h, a = (power[k] for k in ("north/liquid/gb300", "south/air/h200", "south/air/a100"))
    found = again(small, job=[0], pool=[0], time=[5], gpus=[100.0])
    north = np.full(HOURS, 80 * gb.busy_mw + 720 * gb.idle_mw + 0.05)
    north[5] += 100 * (gb.busy_mw - gb.idle_mw)
    south = 40 * h.busy_mw + 360 * h.idle_mw + 400 * a.idle_mw
    np.testing.assert_allclose(found["it_mw"].values, [north, np.full(HOURS, south)], rtol=1e-12)
    np.testing.assert_allclose(found["site_it_mw"], found["it_mw"], rtol=1e-12)
    overhead = found["overhead_mw"].values
    np.testing.assert_allclose(found["facility_mw"].values, found["it_mw"].values + overhead + [[0.05], [0.0]])
    assert (overhead > 0).all()


def test_maintenance_switches_gpus_off_by_the_minute(small):
    """300 of 800 GPUs off from 10:00 to 11:30 of Oslo (09:00Z to 10:30Z): a whole hour and half of the next."""
    window = {"from": "2024-03-05T10:00", "to": "2024-03-05T11:30", "gpus": 300}
    small.edit("fleet.yaml", "sites.north.halls.liquid.pools.gb300.maintenance", [window])
    gb = small.inputs().powers["north/liquid/gb300"]
    it = again(small)["it_mw"].values[0]
    saved = 300 * (gb.idle_mw - gb.off_mw)
    np.testing.assert_allclose(it[8:12] - it[0], [0, -saved, -saved / 2, 0], atol=1e-12)


def test_a_phase_that_arrives_is_installed_from_its_local_day(small):
    count = [{"from": "2024-01-01", "value": 800}, {"from": "2024-03-06", "value": 900}]
    small.edit("fleet.yaml", "sites.north.halls.liquid.pools.gb300.count", count)
    gb = small.inputs().powers["north/liquid/gb300"]
    it = again(small)["it_mw"].values[0]
    np.testing.assert_allclose(it[23:] - it[0], 100 * gb.idle_mw)  # midnight in Oslo is 23:00Z
    np.testing.assert_allclose(it[:23], it[0])


def test_a_pool_that_the_fleet_lacks_is_refused(small):
    table = schedule(small)
    other = table.assign_coords(pool=["north/liquid/gb300", "south/air/h200", "south/air/b200"])
    with pytest.raises(ValueError, match="pool 'south/air/b200' is not in the fleet"):
        replay(small.inputs(), other)


@pytest.mark.parametrize(("column", "value"), [("relative_humidity", 70.0), ("temp_wet_bulb", 18.0)])
def test_any_measure_of_moisture_will_do(small, column, value):
    """Weather files give dew point, relative humidity or wet bulb; the plant cools with each, and damp air costs more."""
    weather = "weather_south.csv"
    dry, damp = value, value + (25.0 if column == "relative_humidity" else 3.0)

    def with_moisture(row, moisture):
        return {"utc": row["utc"], "temp_air": 26.0, "pressure": row["pressure"], column: moisture}

    small.edit("fleet.yaml", f"{SOUTH}.halls.air.plant", "adiabatic_dry_chiller")
    drawn = []
    for moisture in (dry, damp):
        small.each(weather, lambda row, m=moisture: with_moisture(row, m))
        drawn.append(float(again(small)["overhead_mw"].values[1].sum()))
    assert drawn[0] > 0
    assert drawn[0] != pytest.approx(drawn[1], rel=1e-6)


def test_carbon_follows_the_grids_intensity_and_what_is_drawn(small):
    """0.3 t/MWh of the zone of the south; the north's is not known and counts 0."""
    given = small.inputs()
    one = given.series.prices["DE-LU"].copy()
    one["value"] = one["value"] * 0 + 0.3
    raw = replace(given, series=replace(given.series, carbon={"DE-LU": one}))
    found = replay(raw, schedule(small))
    np.testing.assert_allclose(found["carbon_t"].values[1], 0.3 * found["import_mw"].values[1])
    assert (found["carbon_t"].values[0] == 0).all()


def test_cost_is_import_times_price_of_the_hour(small):
    raw = small.inputs()
    found = replay(raw, schedule(small))
    horizon = Horizon.of(found)
    for i, name in enumerate(("north", "south")):
        price = energy_price(raw, name, horizon)
        np.testing.assert_allclose(found["cost_eur"].values[i], found["import_mw"].values[i] * price * horizon.dt)
    tax = energy_price(raw, "north", horizon) - raw.series.prices["NO4"]["value"].sel(time=horizon.time).values
    np.testing.assert_allclose(tax, 8.0)  # 80 NOK/MWh at 0.1


def sunny(case, **feed_in):
    """Raw inputs of the case with an array in the south."""
    case.edit("fleet.yaml", f"{SOUTH}.solar", {**PV, **({"feed_in": feed_in} if feed_in else {})})
    return case.inputs()


def test_the_array_gives_what_its_own_weather_lets_it(small):
    """Wind cools modules and warm air heats them; beam light in the file replaces the clear-sky estimate."""
    raw = sunny(small)
    estimate = solar(raw, "south", raw.horizon)
    assert (estimate[[0, 1, 2, 24, 25]] == 0).all()
    assert 0 < estimate.max() <= 1.5
    assert (solar(raw, "north", raw.horizon) == 0).all()

    def with_weather(**columns):
        weather = raw.series.weather["south"].copy()
        for name, value in columns.items():
            weather[name] = ("time", np.broadcast_to(value, weather.sizes["time"]).astype(float))
        return solar(replace(raw, series=replace(raw.series, weather={"south": weather})), "south", raw.horizon).sum()

    assert with_weather(wind_speed=12.0) > with_weather(wind_speed=1.0)
    assert with_weather(temp_air=-10.0) > with_weather(temp_air=35.0)
    assert with_weather(ghi=0.0, dni=0.0, dhi=0.0) == 0.0
    full = with_weather(ghi=500.0, dni=0.0, dhi=500.0)
    assert full > with_weather(ghi=100.0, dni=0.0, dhi=100.0) > 0
    assert with_weather(ghi=0.0) == pytest.approx(estimate.sum())  # one of the three alone is not enough


def test_feed_in_prices(small):
    assert (feed_in_price(sunny(small), "north", small.inputs().horizon) == 0).all()
    assert (feed_in_price(sunny(small), "south", small.inputs().horizon) == 0).all()
    raw = sunny(small, limit_mw=1.0, price=300.0, currency="NOK")
    np.testing.assert_allclose(feed_in_price(raw, "south", raw.horizon), 30.0)
    raw = sunny(small, limit_mw=1.0, spot_share=0.5)
    time = raw.horizon.time
    spot = raw.series.prices["DE-LU"]["value"].sel(time=time).values
    np.testing.assert_allclose(feed_in_price(raw, "south", raw.horizon), spot / 2)


def test_without_feed_in_surplus_sun_is_curtailed_and_at_price_zero_it_still_serves_the_site(small):
    raw = sunny(small)
    time = raw.horizon.time
    sun = solar(raw, "south", raw.horizon)
    noon = int(sun.argmax())
    drawn, fed, used = grid_exchange(raw, "south", np.full(len(time), 0.1), raw.horizon)
    assert (drawn[noon], fed[noon], used[noon]) == (0.0, 0.0, 0.1)
    assert (drawn[0], used[0]) == (0.1, 0.0)
    price = raw.series.prices["DE-LU"].copy()
    price["value"] = price["value"] - (energy_price(raw, "south", raw.horizon)[noon]) * (price["time"] == time[noon])
    free = replace(raw, series=replace(raw.series, prices=raw.series.prices | {"DE-LU": price}))
    assert energy_price(free, "south", raw.horizon)[noon] == pytest.approx(0.0, abs=1e-9)
    price["value"] = price["value"] + 1e-6 * (price["time"] == time[noon])
    _, _, used = grid_exchange(free, "south", np.full(len(time), 0.1), raw.horizon)
    assert used[noon] == 0.1
