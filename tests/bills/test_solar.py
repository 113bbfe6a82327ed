"""On-site solar against pvlib's own ModelChain, and its plain properties."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pvlib
import pytest

from energy.plant.photovoltaics import CLEARNESS, INVERTER_EFFICIENCY, MOUNT, Array, solar_power

#: pvlib 0.16 uses an attribute that pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")

ARRAY = Array(50.1, 8.7, 110, dc_mw=10.0, ac_mw=8.0, tilt_deg=30, azimuth_deg=170, losses_percent=14,
              temperature_coefficient_per_k=-0.0035)  # fmt: skip
DAYS = ("2019-03-20", "2019-06-21", "2019-12-21")
NO_OTHER_LOSS = dict.fromkeys(
    ("shading", "snow", "mismatch", "wiring", "connections", "lid", "nameplate_rating", "age", "availability"), 0
)


def hours_of(day, minutes=60):
    """Period starts of a UTC day and their middles."""
    start = np.datetime64(day)
    time = np.arange(start, start + np.timedelta64(1, "D"), np.timedelta64(minutes, "m")).astype("datetime64[ns]")
    return time, pd.DatetimeIndex(time + np.timedelta64(30 * minutes, "s"), tz="UTC")


def sky(day, clearness):
    """Weather of a day at the middles of its hours: clear sky, or its share split by Erbs."""
    time, middle = hours_of(day)
    place = pvlib.location.Location(ARRAY.latitude, ARRAY.longitude, altitude=ARRAY.altitude_m)
    clear = place.get_clearsky(middle, linke_turbidity=3.0)
    ghi = clearness * clear["ghi"]
    split = pvlib.irradiance.erbs(ghi, place.get_solarposition(middle)["zenith"], middle).fillna(0)
    beam = clear if clearness == 1 else split
    air = 12 + 6 * np.sin((np.arange(24) - 8) / 24 * 2 * np.pi)
    return time, pd.DataFrame(
        {"ghi": ghi, "dni": beam["dni"], "dhi": beam["dhi"], "temp_air": air, "wind_speed": 3.0}, index=middle
    )


def ours(time, weather, array=ARRAY):
    """The code under test on a weather table."""
    column = {k: weather[k].to_numpy() for k in weather}
    light = (column["ghi"], column["dni"], column["dhi"])
    return solar_power(array, time, 1.0, column["temp_air"], column["wind_speed"], light)


def model_chain(weather, **options):
    """PVWatts as pvlib's ModelChain runs it [MW]."""
    system = pvlib.pvsystem.PVSystem(
        surface_tilt=ARRAY.tilt_deg, surface_azimuth=ARRAY.azimuth_deg, temperature_model_parameters=MOUNT,
        module_parameters={"pdc0": ARRAY.dc_mw, "gamma_pdc": ARRAY.temperature_coefficient_per_k},
        inverter_parameters={"pdc0": ARRAY.ac_mw / INVERTER_EFFICIENCY, "eta_inv_nom": INVERTER_EFFICIENCY},
        losses_parameters={"soiling": ARRAY.losses_percent, **NO_OTHER_LOSS},
    )  # fmt: skip
    place = pvlib.location.Location(ARRAY.latitude, ARRAY.longitude, altitude=ARRAY.altitude_m)
    chain = pvlib.modelchain.ModelChain.with_pvwatts(system, place, **options)
    return chain.run_model(weather).results.ac.fillna(0.0).to_numpy()


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("clearness", [1.0, 0.5])
def test_same_as_pvlibs_own_chain(day, clearness):
    """ModelChain.with_pvwatts as it comes (Perez, physical reflection): a day within 1 %, an hour 1 % of dc_mw.

    What is left is refraction: ModelChain gives the day's temperature to the sun position, we the annual mean.
    """
    time, weather = sky(day, clearness)
    expected, power = model_chain(weather), ours(time, weather)
    assert expected.sum() > 4
    assert power.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert np.abs(power - expected).max() <= 0.01 * ARRAY.dc_mw


@pytest.mark.parametrize("day", DAYS)
def test_clear_sky_estimate_where_irradiance_is_missing(day):
    """CLEARNESS times the clear sky, split by Erbs; calm wind of 1 m/s."""
    time, weather = sky(day, CLEARNESS)
    weather["wind_speed"] = 1.0
    estimate = solar_power(ARRAY, time, 1.0, weather["temp_air"].to_numpy())
    assert estimate == pytest.approx(ours(time, weather), abs=1e-6)
    assert 0 < estimate.sum() < 0.75 * ours(*sky(day, 1.0)).sum()


@pytest.mark.parametrize("day", DAYS)
def test_nothing_at_night(day):
    _, middle = hours_of(day)
    place = pvlib.location.Location(ARRAY.latitude, ARRAY.longitude, altitude=ARRAY.altitude_m)
    night = place.get_solarposition(middle)["apparent_elevation"].to_numpy() < -1
    assert night.sum() >= 6
    time, weather = sky(day, 1.0)
    assert (ours(time, weather)[night] == 0).all()
    assert (solar_power(ARRAY, time, 1.0, np.full(24, 10.0))[night] == 0).all()


def test_linear_in_dc_power_until_the_inverter_clips():
    """PVWatts inverters bend at part load: arrays scaled with their inverter are linear, and clip at ac_mw."""
    time, weather = sky("2019-06-21", 1.0)
    once = ours(time, weather)
    twice = ours(time, weather, replace(ARRAY, dc_mw=20.0, ac_mw=16.0))
    assert twice == pytest.approx(2 * once, rel=1e-12)
    clipped = ours(time, weather, replace(ARRAY, dc_mw=30.0))
    assert clipped.max() == pytest.approx(ARRAY.ac_mw, rel=1e-9)


def test_nearly_linear_in_dc_power_with_a_large_inverter():
    """Same inverter, nothing clipped: twice the modules give twice the power but for the inverter's part load."""
    time, weather = sky("2019-06-21", 1.0)
    wide = replace(ARRAY, ac_mw=20.0)
    once, twice = ours(time, weather, wide), ours(time, weather, replace(wide, dc_mw=20.0))
    noon = once > 0.5 * once.max()
    assert twice[noon] == pytest.approx(2 * once[noon], rel=0.015)


def test_never_below_zero_and_never_above_the_inverter():
    for clearness in (1.0, 0.5, 0.05):
        power = ours(*sky("2019-12-21", clearness))
        assert power.min() == 0
        assert power.max() <= ARRAY.ac_mw


def test_quarter_hours_average_to_the_hour():
    """Means of four quarters against the hour's middle: 2 % of dc_mw, where the sun rises or sets."""
    hourly, _ = hours_of("2019-06-21")
    quarters, _ = hours_of("2019-06-21", 15)
    hour = solar_power(ARRAY, hourly, 1.0, np.full(24, 20.0))
    mean = solar_power(ARRAY, quarters, 0.25, np.full(96, 20.0)).reshape(24, 4).mean(axis=1)
    assert np.abs(hour - mean).max() <= 0.02 * ARRAY.dc_mw
    assert mean.sum() == pytest.approx(hour.sum(), rel=0.01)


def test_the_sun_stands_in_the_south_at_noon():
    """In UTC at 8.7° east: an array facing south-east peaks before, one facing south-west after it."""
    time, weather = sky("2019-03-20", 1.0)
    peak = [int(ours(time, weather, replace(ARRAY, azimuth_deg=a)).argmax()) for a in (135, 180, 225)]
    assert peak == sorted(peak)
    assert peak[0] < 11 < peak[2]
