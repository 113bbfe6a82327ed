"""One three-period Problem in which every part of the program has something to do, with numbers told apart."""

from __future__ import annotations

import xarray as xr

from tests.closed_forms.builder import problem
from tests.closed_forms.words import Cap, Charge, Contract, Hall, Job, Minimum, Pool, PostHorizon, Site


def tiny() -> xr.Dataset:
    """Two sites, three halls, four pools, three jobs of two groups; a quarter-hour, an hour and two hours."""
    mixed = Hall((Pool([40, 40, 44], 0.011, 0.002, 3), Pool(30, 0.013, 0.003, [1, 2, 2])), ((0.2, 0.05), (0.5, 0.11)),
                 [0.021, 0.022, 0.023], 0.9, 0.017, 0.71)  # fmt: skip
    plain = Hall((Pool(25, 0.012, 0.004, 0),), ((0.3, 0.07),), 0.031, [0.41, 0.42, 0.43], heat_share=0.57)
    other = Hall((Pool(20, 0.016, 0.005, 1),), ((0.1, 0.06), (0.19, 0.17)), 0.037, 0.33, 0.019)
    sites = [
        Site(
            [53.0, -7.0, 31.0],
            (mixed, plain),
            1.9,
            0.041,
            [0.0, 0.23, 0.29],
            0.15,
            [11.0, -9.0, 13.0],
            17.0,
            [0.36, 0.0, 0.38],
            [8.0, 0.0, -2.5],
        ),
        Site([47.0, 43.0, -3.0], (other,), [0.71, 0.73, 0.79], 0.043, 0.0, 0.0, 0.0, 19.0, 0.34, 6.5),
    ]
    jobs = [
        Job(29, 21, (0, 2), {0: 1.0, 1: 0.6, 3: 0.6}, 101.0, 0.7),
        Job(37, 23, (1, 3), {0: 1.0, 1: 0.6, 3: 0.6}, 103.0, deferred_max=16.0, terminal_price=0.87, due=5.0),
        Job(15, 9, (0, 3), {2: 0.9}, 107.0, 0.4, deferred_max=12.0, terminal_price=0.91, due=30.0),
    ]
    charges = [
        Charge(((0.35, 61.0), (5.0, 83.0)), 0, [1.0, 0.8, 0.0], 0.13),
        Charge(((6.0, 67.0),), 1, [0.0, 1.0, 1.0]),
        Charge(((6.0, 71.0),), 0, [0.0, 0.0, 1.0], month=1),
    ]
    contracts = [Contract([0.09, 0.08, 0.0], [21.0, 0.0, 5.0]), Contract(0.06, [18.0, 2.0, 6.0]),
                 Contract(0.04, [14.0, 12.0, 0.0], site=1)]  # fmt: skip
    minimums = [Minimum(73.0, [4.0, 4.5, 0.0]), Minimum(79.0, [3.0, 3.0, 3.5], site=1)]
    caps = [
        Cap(1.21, -1, credit=0.02, penalty=5003.0),
        Cap(1.17, 0, 1, 3, -0.01, 5009.0),
        Cap(1.19, 1, 0, 1, 0.0, 5011.0),
    ]
    post_horizon = [
        PostHorizon(14.0, 24.0),
        PostHorizon(26.0, 48.0),
        PostHorizon(8.5, 48.0, 1),
        PostHorizon(3.5, 4.0),
    ]  # none is due by the last
    return problem(sites, jobs, charges, contracts, minimums, caps, hours=[0.25, 1.0, 2.0], post_horizon=post_horizon)
