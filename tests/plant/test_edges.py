"""Chords at their edges: kinks beside an end, the hour that is named, errors at the least load that counts."""

from dataclasses import replace

import numpy as np
import pytest

from energy.plant import Chords, PlantError, chord_error, chords, kinks, overhead, piecewise, weather_from
from energy.plant.model import Curve, curve_of
from tests.plant.conftest import named

MILD = weather_from([12.0], relative_humidity=[60.0])


@pytest.mark.parametrize(("gap", "own"), [(0.0005, False), (0.002, True)])
@pytest.mark.parametrize("end", ["low", "high"])
def test_a_kink_beside_an_end_has_no_breakpoint_of_its_own(gap, own, end):
    """Within a thousandth of design it has none, at two thousandths it has."""
    plant = named("dlc_dry_cooler")
    kink = float(kinks(plant, MILD)[0, 0])  # the strongest: the least flow of the rack pumps
    low, high = (kink - gap, 0.9) if end == "low" else (0.2, kink + gap)
    breaks = chords(plant, MILD, np.array([low]), np.array([high]), 8).breaks[0]
    assert (breaks[0], breaks[-1]) == (low, high)
    assert bool((np.abs(breaks - kink) < 1e-12).any()) is own


def test_the_first_bad_hour_is_named_across_blocks(monkeypatch):
    """Of eight hours in blocks of three the sixth is concave, by 0.4·0.1 MW/MW per segment of 0.1."""

    class Bent(Curve):
        def overhead(self, load):
            answer = super().overhead(load)
            warm = self.state.cop < 10.0  # the hot hour
            return replace(answer, electrical=answer.electrical - np.where(warm, 0.2, 0.0) * np.asarray(load) ** 2)

    monkeypatch.setattr(piecewise, "curve_of", lambda p, w: Bent(**vars(curve_of(p, w))))
    monkeypatch.setattr(piecewise, "BLOCK_HOURS", 3)
    air = np.array([-20.0] * 5 + [35.0] + [-20.0] * 2)
    weather = weather_from(air, relative_humidity=np.full(8, 20.0))
    with pytest.raises(PlantError) as error:
        chords(named("airside_economizer"), weather, np.full(8, 0.4), np.full(8, 0.9), 5)
    words = str(error.value)
    assert words.startswith("plant airside_economizer: overhead is not convex in load in hour 5: a slope falls by 0.")
    assert words.endswith(" MW/MW; allowed: 1e-08")


def test_error_of_one_chord_by_hand():
    """The chord from 0.2 to 1 stands highest over the curve at one of the loads looked at, in points of PUE there."""
    plant = named("chiller_tower")
    ends = overhead(plant, MILD, np.array([[0.2, 1.0]])).total
    load = 0.2 + 0.8 * np.arange(1, 8) / 8
    chord = ends[0, 0] + (ends[0, 1] - ends[0, 0]) * (load - 0.2) / 0.8
    expected = ((chord - overhead(plant, MILD, load[None, :]).total[0]) / load).max()
    curve = Chords(np.array([[0.2, 1.0]]), ends)
    assert chord_error(plant, MILD, curve) == pytest.approx(expected)
    assert expected > 0.001


def test_errors_below_the_load_that_is_promised_do_not_count():
    """From 0 to 0.2 nothing is promised; a chord that begins at 0.2 itself is."""
    plant = named("chiller_tower")
    low = np.array([[0.0, 0.19]])
    assert chord_error(plant, MILD, Chords(low, overhead(plant, MILD, low).total + 0.01)) == 0.0
    edge = np.array([[0.2 - 0.1, 0.2 + 0.1]])  # the middle of one point lies at 0.2
    lifted = Chords(edge, overhead(plant, MILD, edge).total + 0.01)
    flat = Chords(edge, overhead(plant, MILD, edge).total)
    assert chord_error(plant, MILD, lifted, 1) - chord_error(plant, MILD, flat, 1) == pytest.approx(0.01 / 0.2)


def test_segments_go_where_the_curve_bends_most():
    """Two pieces, one straight and one bent: all but one of the segments go to the bent one, evenly."""
    plant = named("airside_economizer", electrical=dict.fromkeys(type(named("dlc_tower").electrical).model_fields, 0.0))
    (kink,) = kinks(plant, MILD)[0]  # below it the fan stands at its slowest and overhead is flat
    breaks = chords(plant, MILD, np.array([0.05]), np.array([1.0]), 6).breaks[0]
    np.testing.assert_allclose(breaks, [0.05, *np.linspace(kink, 1.0, 6)])
