"""Cooling and electrical physics of a hall: weather and load in, overhead and chords out. Imports nothing else."""

from energy.plant.archetypes import ARCHETYPES
from energy.plant.arrays import Overhead, PlantError
from energy.plant.model import kinks, load_limit, overhead
from energy.plant.parameters import Plant
from energy.plant.piecewise import Chords, chord_error, chords, chords_within
from energy.plant.weather import Weather, weather_from

__all__ = [
    "ARCHETYPES", "Chords", "Overhead", "Plant", "PlantError", "Weather",
    "chord_error", "chords", "chords_within", "kinks", "load_limit", "overhead", "weather_from",
]  # fmt: skip
