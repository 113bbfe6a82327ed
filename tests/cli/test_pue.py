"""`energy pue`: annual figures of sites and halls at a constant load, from a case or from a fleet and weather files."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from energy.plant import overhead
from energy.plant_study import air_of_case, air_of_files, figures, picture


def test_figures_are_those_of_the_plants(case):
    air = air_of_case(case.path)
    found = {f.name: f for f in figures(air, 0.6)}
    assert list(found) == ["north", "north/liquid", "south", "south/air"]
    weather = air.weather["north"]
    drawn = overhead(air.plants["north/liquid"], weather, np.full((48, 1), 0.6))
    hall = found["north/liquid"]
    assert hall.pue == pytest.approx(1 + float(drawn.total.mean()) / 0.6, rel=1e-12)
    assert hall.worst_pue == pytest.approx(1 + float(drawn.total.max()) / 0.6)
    assert (hall.hours, hall.derated_hours) == (48.0, 0.0)
    # the site has 0.05 MW beside its hall of 2 MW
    assert found["north"].pue == pytest.approx(hall.pue + 0.05 / (0.6 * 2.0))
    assert found["south"].pue == pytest.approx(found["south/air"].pue)


def test_a_hot_hour_derates_and_is_counted(case):
    for column, value in {"temp_air": "44", "temp_dew": "5"}.items():
        case.cell("weather_north.csv", "2024-03-05T14", column, value)
    found = {f.name: f for f in figures(air_of_case(case.path))}
    assert found["north/liquid"].derated_hours == found["north"].derated_hours == 1.0
    assert found["north/liquid"].worst_hour == "2024-03-05T14:00Z"
    assert found["south"].derated_hours == 0.0


def test_fleet_and_weather_give_what_the_case_gives(case):
    files = {n: case.folder / f"weather_{n}.csv" for n in ("north", "south")}
    days = {"start": "2024-03-05", "end": "2024-03-06"}
    assert figures(air_of_files(case.folder / "fleet.yaml", files, days)) == figures(air_of_case(case.path))


def test_command_prints_a_row_per_site_and_hall(case, energy):
    drawing = case.folder / "out.svg"
    code, out, err = energy("pue", case.path, "--picture", drawing)
    assert (code, err) == (0, "")
    for words in ("At load 0.85 of design, 48 h", "north/liquid", "south/air", "WUE"):
        assert words in out
    root = ElementTree.fromstring(drawing.read_text(encoding="utf-8"))
    assert root.tag.endswith("svg")
    assert len(root.findall("{http://www.w3.org/2000/svg}svg")) == 4
    assert "north · PUE over dry bulb, °C, load 0.85" in [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]


def test_command_speaks_json(case, energy):
    rows = json.loads(energy("pue", case.path, "--json").out)
    assert rows[0]["name"] == "north"
    assert rows[0]["pue"] > 1


def test_picture_is_the_same_each_time(case):
    air = air_of_case(case.path)
    assert picture(air) == picture(air)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--load", "0"), "above 0, at most 1"),
        (("--fleet", "fleet.yaml"), "SITE=FILE, once per site"),
        (("--fleet", "fleet.yaml", "--weather", "north"), "SITE=FILE"),
        (("--fleet", "fleet.yaml", "--weather", "moon=weather_north.csv"), "no site 'moon'"),
    ],
)
def test_command_refuses_in_one_line(case, energy, monkeypatch, arguments, words):
    monkeypatch.chdir(case.folder)
    code, out, err = energy("pue", *arguments)
    assert code == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
