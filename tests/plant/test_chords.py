"""Chords: above the curve, as near as promised, on the kinks, fast."""

import time
from dataclasses import replace

import numpy as np
import pytest

from energy.plant import (
    PlantError,
    Weather,
    chord_error,
    chords,
    chords_within,
    kinks,
    load_limit,
    overhead,
    piecewise,
    weather_from,
)
from energy.plant.model import Curve, curve_of
from tests.plant.conftest import load_plant, named, random_weather


def between(plant, weather, low=0.2, high=1.0, number=8):
    hours = len(weather.temp_air)
    return chords(plant, weather, np.full(hours, low), np.broadcast_to(high, hours).astype(float), number)


def interpolate(curve, load):
    rows = zip(load, curve.breaks, curve.overhead, strict=True)
    return np.array([np.interp(u, breaks, values) for u, breaks, values in rows])


@pytest.mark.parametrize("number", [1, 2, 5, 8, 15])
def test_chords_lie_on_or_above_the_curve(plant_file, number):
    plant, weather = load_plant(plant_file), random_weather(150, 1)
    curve = between(plant, weather, 0.05, 1.0, number)
    assert curve.breaks.shape == curve.overhead.shape == (150, number + 1)
    assert (np.diff(curve.breaks, axis=1) >= 0).all()
    load = np.linspace(0.05, 1.0, 381) * np.ones((150, 1))
    assert (interpolate(curve, load) - overhead(plant, weather, load).total).min() >= -1e-12
    np.testing.assert_array_equal(curve.breaks[:, [0, -1]], np.tile([0.05, 1.0], (150, 1)))
    np.testing.assert_array_equal(curve.overhead, overhead(plant, weather, curve.breaks).total)


def within(plant, weather, low=0.2, tolerance=0.0005):
    least = np.full(len(weather.temp_air), low)
    return chords_within(plant, weather, least, np.maximum(load_limit(plant, weather), low), tolerance)


@pytest.mark.parametrize("low", [0.02, 0.2, 0.6])
def test_default_error_and_bias_hold_in_any_weather(plant_file, low):
    """The bar of 0.0005 PUE points over loads of 0.2 to 1, looked at four times as closely as the search does."""
    plant, weather = load_plant(plant_file), random_weather(3000, 2, -20.0, 40.0)
    curve = within(plant, weather, low)
    assert chord_error(plant, weather, curve, 31).max() <= 0.0005
    load = 0.2 + (curve.breaks[:, -1:] - 0.2) * np.random.default_rng(3).uniform(0.0, 1.0, (3000, 4))
    load = np.clip(load, curve.breaks[:, :1], curve.breaks[:, -1:])
    excess = interpolate(curve, load) - overhead(plant, weather, load).total
    assert excess.sum() / load.sum() <= 0.0003


def test_no_more_segments_than_the_tolerance_asks_for(plant_file):
    plant, weather = load_plant(plant_file), random_weather(500, 2, -20.0, 40.0)
    curve = within(plant, weather)
    fewer = between(plant, weather, 0.2, curve.breaks[:, -1], curve.breaks.shape[1] - 2)
    assert chord_error(plant, weather, fewer).max() > 0.98 * 0.0005
    assert within(plant, weather, tolerance=0.005).breaks.shape[1] < curve.breaks.shape[1]
    with pytest.raises(PlantError, match="more than 40 segments"):
        within(plant, weather, tolerance=1e-7)


def test_one_bad_hour_among_many_is_found():
    """The search begins in a sample of the hours; the hour that decides need not be among them."""
    plant = named("adiabatic_dry_chiller")
    mild, hot = weather_from(np.full(2000, 5.0), temp_dew=np.full(2000, 0.0)), random_weather(300, 5, 20.0, 40.0)
    mixed = Weather(*(np.concatenate([a[:1000], b, a[1000:]]) for a, b in zip(mild, hot, strict=True)))
    assert (
        within(plant, mixed).breaks.shape[1] >= within(plant, hot).breaks.shape[1] > within(plant, mild).breaks.shape[1]
    )
    assert chord_error(plant, mixed, within(plant, mixed), 31).max() <= 0.0005


def test_no_hours_need_one_segment():
    none = weather_from(np.empty(0), temp_dew=np.empty(0))
    assert within(named("dlc_tower"), none).breaks.shape == (0, 2)


def test_breakpoints_stand_on_the_kinks(plant_file):
    plant, weather = load_plant(plant_file), random_weather(300, 4)
    at = kinks(plant, weather)
    curve = between(plant, weather, 0.2, 1.0, 12)
    inside = (at > 0.201) & (at < 0.999)
    distance = np.abs(curve.breaks[:, :, None] - at[:, None, :]).min(axis=1)
    assert np.where(inside, distance, 0.0).max() <= piecewise.MERGE
    assert np.median(distance[inside]) < 1e-12


def test_ranges_without_width_and_beside_the_kinks():
    plant, weather = named("dlc_dry_cooler"), random_weather(4, 5)
    low, high = np.array([0.0, 0.3, 0.5, 1.0]), np.array([0.0, 0.3001, 0.52, 1.2])
    curve = chords(plant, weather, low, high, 6)
    np.testing.assert_array_equal(curve.breaks[:, 0], low)
    np.testing.assert_array_equal(curve.breaks[:, -1], high)
    assert (np.diff(curve.breaks, axis=1) >= 0).all()
    empty = chords(plant, Weather(*(np.empty(0) for _ in range(4))), np.empty(0), np.empty(0), 3)
    assert empty.breaks.shape == (0, 4)


def test_blocks_do_not_change_the_answer(monkeypatch):
    plant, weather = named("chiller_tower"), random_weather(50, 6)
    whole = between(plant, weather)
    monkeypatch.setattr(piecewise, "BLOCK_HOURS", 7)
    np.testing.assert_array_equal(between(plant, weather).breaks, whole.breaks)


def test_a_concave_curve_is_refused_by_name(monkeypatch):
    class Concave(Curve):
        def overhead(self, load):
            answer = super().overhead(load)
            return replace(answer, electrical=answer.electrical - 0.2 * load**2)

    monkeypatch.setattr(piecewise, "curve_of", lambda p, w: Concave(**vars(curve_of(p, w))))
    with pytest.raises(PlantError, match="plant airside_economizer: overhead is not convex in load in hour 0"):
        between(named("airside_economizer"), random_weather(3, 7))


@pytest.mark.parametrize(
    ("low", "high", "number", "message"),
    [
        ([0.2], [1.0], 0, "at least one segment"),
        ([0.2, 0.2], [1.0], 3, r"low \(2,\)"),
        ([0.2], [[1.0]], 3, r"high \(1, 1\)"),
        ([0.8], [0.4], 3, r"high - low\[0\] is -0.4"),
        ([-0.1], [0.4], 3, r"low\[0\] is -0.1"),
        ([0.1], [np.nan], 3, r"high\[0\] is nan"),
    ],
)
def test_ranges_that_cannot_be(low, high, number, message):
    with pytest.raises(PlantError, match=message):
        chords(named("dlc_dry_cooler"), weather_from([10.0], temp_dew=[5.0]), np.array(low), np.array(high), number)


@pytest.mark.slow  # a bar of speed, for a quiet machine
def test_twenty_sites_for_a_year_in_a_second(plant_file):
    plant, weather = load_plant(plant_file), random_weather(8760 * 20, 9)
    number = within(plant, random_weather(500, 9, -20.0, 40.0)).breaks.shape[1] - 1
    times = []
    for _ in range(2):  # the better of two: the machine is shared
        start = time.process_time()
        between(plant, weather, 0.2, 1.0, number)
        times.append(time.process_time() - start)
    assert min(times) < 1.0
