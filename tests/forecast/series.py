"""Made-up series for the forecasts."""

import numpy as np

ZONES = ("UTC", "Europe/Oslo", "Europe/Lisbon")
#: Nights of a clock change inside or just behind the history, and an ordinary week.
STARTS = ("2024-03-31T00:00", "2024-04-07T00:00", "2024-10-27T00:00", "2024-11-03T00:00", "2024-06-10T00:00")


def hours(first, count, step_min=60):
    return np.datetime64(first, "ns") + np.arange(count) * np.timedelta64(step_min, "m")


def noise(count, seed=0, level=40.0):
    rng = np.random.default_rng(seed)
    return level + 15 * np.sin(np.arange(count) * 2 * np.pi / 24) + rng.normal(0, 5, count)
