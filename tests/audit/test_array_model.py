"""The certificate's arrays of a Problem with a bit of everything: blocks, bounds, rows and costs by hand."""

import numpy as np
import pytest

from energy.audit.array_model import Builder, array_model, lowest
from energy.audit.certificate import boxes, certify, dual_bound
from energy.schema import values_of
from tests.audit.toy import plan, toy


@pytest.fixture(scope="module")
def case():
    return toy()


@pytest.fixture(scope="module")
def model(case):
    return array_model(case)


def test_blocks_are_numbered_where_they_exist():
    """Two blocks of columns with a hole, two of rows: bounds as floats, coefficients only where both exist."""
    b = Builder()
    b.variable("x", np.array([True, False, True]), 0, [1, 2, 3])
    b.variable("y", np.array([True]), -1, np.inf)
    b.row("r", np.array([True, False]), -np.inf, 5)
    b.row("s", np.array([True]), 2, [2])
    assert {k: v.tolist() for k, v in b.columns.items()} == {"x": [0, -1, 1], "y": [2]}
    assert {k: v.tolist() for k, v in b.rows.items()} == {"r": [0, -1], "s": [1]}
    assert (b.n_columns, b.n_rows) == (3, 2)
    for found, expected in ((b.low, [[0, 0], [-1]]), (b.up, [[1, 3], [np.inf]]), (b.row_low, [[-np.inf], [2]]),
                            (b.row_up, [[5], [2]])):  # fmt: skip
        assert [x.tolist() for x in found] == expected
        assert all(x.dtype == np.float64 for x in found)
    b.put(b.rows["r"][:, None], b.columns["x"], 2)
    b.put(b.rows["s"], b.columns["y"], [-1])
    b.put(b.rows["s"], b.columns["y"], [4])  # adds up
    np.testing.assert_array_equal(b.matrix().toarray(), [[2, 2, 0], [0, 0, 3]])
    assert b.matrix().dtype == np.float64  # whole numbers too


#: Where a variable exists: a job's classes and periods, a group's pools, sun, heat that is wanted, charges with bands,
#: contracts that save something.
COLUMNS = {"cumulative_gpus": 15, "group_gpus": 15, "unserved": 3, "deferred": 2, "it": 9, "segment_load": 15, "facility": 6, "grid_import": 6,
           "grid_export": 6, "solar_use": 6, "heat": 3, "peak": 2, "band": 2, "offtake": 8, "top_up": 3, "cap_breach": 4}  # fmt: skip
#: Job 0 and 1 have two classes; rows 1 and 2 of post-horizon capacity have both or one job; billed peaks in every period of both charges.
ROWS = {"finish": 3, "link": 15, "pool_capacity": 12, "post_horizon_capacity": 3, "it_power": 9, "segments": 9,
        "facility_power": 6, "balance": 6, "heat_available": 3, "billed_peak": 6, "bands": 1, "offtake_limit": 6,
        "minimum_bill": 3, "pue_cap": 4}  # fmt: skip


def test_size_of_every_block(model):
    """Blocks that this Problem gives nothing to do are empty."""
    for blocks, sizes in ((model.columns, COLUMNS), (model.rows, ROWS)):
        assert {k: n for k, v in blocks.items() if (n := int((v >= 0).sum()))} == sizes
    assert model.matrix.shape == (sum(ROWS.values()), sum(COLUMNS.values()))


UP = {"cumulative_gpus": 9, "group_gpus": np.inf, "unserved": [5.5, 6, 2], "deferred": [3, 2], "it": 1000, "facility": np.inf, "grid_import": 1000,
      "grid_export": [2, 2, 2, 3, 3, 3], "solar_use": [5, 5, 30, 20, 2, 1.5], "heat": [100, 4, 3], "peak": np.inf,
      "band": [3, 1000], "offtake": [20, 2, 2, 3, 3, 5, 5, 5], "top_up": np.inf, "cap_breach": np.inf,
      "segment_load": [2, np.inf] * 3 + [np.inf] * 3 + [1, np.inf] * 3}  # fmt: skip


def test_bounds(model):
    """From 0 up to limits of the input; a peak from its floor; the last segment is open."""
    for name, up in UP.items():
        there = model.columns[name][model.columns[name] >= 0]
        np.testing.assert_array_equal(model.up[there], np.broadcast_to(up, len(there)), err_msg=name)
        low = [2, 30] if name == "peak" else 0
        np.testing.assert_array_equal(model.low[there], np.broadcast_to(low, len(there)), err_msg=name)


INF = np.inf
#: Equal sides, or one open; hall 0 needs 7.3 MW when idle, site 0 1 + 0.4 beside IT.
SIDES = {
    "finish": ([5.5, 6, 2],) * 2, "link": (0, 0),
    "pool_capacity": (-INF, [9] * 3 + [16] * 3 + [4] * 3 + [10] * 3), "post_horizon_capacity": (-INF, [2, 1, 2.5]),
    "it_power": ([7.3] * 3 + [0] * 6,) * 2, "segments": ([7.3] * 3 + [0] * 6,) * 2,
    "facility_power": ([1.4] * 3 + [0.5] * 3,) * 2, "balance": (0, 0), "heat_available": (-INF, 0),
    "billed_peak": (-INF, 0), "bands": (0, 0), "offtake_limit": (-INF, 0), "minimum_bill": ([3000, 100, 10], INF),
    "pue_cap": (-INF, [0.1, 0, 0, 0]),
}  # fmt: skip


def test_sides_of_rows(model):
    for name, sides in SIDES.items():
        there = model.rows[name][model.rows[name] >= 0]
        for found, expected in zip((model.row_low, model.row_up), sides, strict=True):
            np.testing.assert_allclose(found[there], np.broadcast_to(expected, len(there)), err_msg=name)


#: One row of each kind as a sum over variables at hand, coefficients times values of the plan of `tests.audit.toy`.
ACTIVITY = {
    "finish": [5.5, 6, 2],  # work done in half-hours, undone and left for later
    "post_horizon_capacity": [2, 0.5, 2.5],  # deferred work over the fastest speed: job 2 at 1/2, job 1 at 2
    "it_power": [[7.3] * 3, [0] * 3, [0] * 3], "segments": [[7.3] * 3, [0] * 3, [0] * 3],
    "facility_power": [[1.4] * 3, [0.5] * 3], "balance": [[0] * 3, [0] * 3],
    "heat_available": [7 - 7, 0 - 4.85, 3 - 3.65],
    "billed_peak": [[6.28 - 11.42, 0, -11.42], [-30, 1.9 - 30, -30]], "bands": [0],
    "offtake_limit": [[0, 2 - 11.42, 0], [0, 0, 0]], "minimum_bill": [3000, 100, 47.96],
    "pue_cap": [0.1, 0, -2.55, 0],
    "pool_capacity": [[4, 3, 0], [4, 0, 0], [1, 0, 0], [0, 2, 0]],
}  # fmt: skip


def test_rows_of_a_plan(case, model):
    activity = model.matrix @ model.vector(plan())
    for name, expected in ACTIVITY.items():
        there = model.rows[name][model.rows[name] >= 0]
        np.testing.assert_allclose(activity[there], np.ravel(expected), atol=1e-12, err_msg=name)


#: EUR per unit: half-hours of the price; the hull of hours that may be paid for; bands and the charge without bands.
COST = {
    "cumulative_gpus": 0, "group_gpus": 0, "unserved": 1000, "deferred": [5, 6], "it": [-0.5 * 7 * 0.22, -0.5 * 16 * 0.22, 0, -0.7, -1.6, 0, 0, 0, 0],
    "segment_load": [0.35, 1.05, 0.8, 2.4, 0, 0, 0.7, 1.6, 0, *[0] * 6], "facility": 0,
    "grid_import": [5, -2.5, 7.5, 10, 15, 10], "grid_export": [-1.5, -1.5, 0, -2, -2, -2], "solar_use": 0,
    "heat": [-1, 0.5, -1], "peak": [0, 50], "band": [100, 200], "offtake": [-4, -1.5, -0.5, -4.5, -0.5, -0.5, -3, -0.5],
    "top_up": 1, "cap_breach": [40, 50, 60, 70],
}  # fmt: skip


def test_cost_of_every_column(model):
    for name, expected in COST.items():
        there = model.columns[name][model.columns[name] >= 0]
        np.testing.assert_allclose(model.cost[there], np.broadcast_to(expected, len(there)), atol=1e-12, err_msg=name)
    assert model.offset == pytest.approx(7 + 0.5 * (7 + 16) * 0.22 * 7.3)


def test_lowest_marginal_price(case):
    """Price less the best contract of the hour and all that counts towards a minimum bill; rounding is zero."""
    p = values_of(case)
    np.testing.assert_allclose(lowest(p), [[-7, -16, 6], [18, 23, 18]])
    nearly = p | {"price": p["price"] + np.array([[7 - 1e-13, 0, 0], [0, 0, 0]])}
    assert lowest(nearly)[0, 0] == 0.0
    free = p | {"contract_mw": p["contract_mw"] * 0, "minimum_rate": -p["minimum_rate"]}
    np.testing.assert_allclose(lowest(free), p["price"])


#: What rows imply: GPUs that are not firm, a hall's room, grid and sun, the larger of floor and grid, all energy there is
#: and the credit, the minimum bill and all that counts.
BOX = {"group_gpus": [9] * 3 + [16] * 3 + [4] * 3 + [10] * 6, "segment_load": [2, 992.7] * 3 + [1000] * 3 + [1, 1000] * 3,
       "facility": [1005, 1005, 1030, 1020, 1002, 1001.5], "peak": [1000, 1000],
       "cap_breach": [3031.75 + 0.1, *[3031.75] * 3], "top_up": [3000 + 6000, 100 + 1500, 10 + 6000]}  # fmt: skip


def test_boxes(case, model):
    box = boxes(model, case)
    for name, numbers in model.columns.items():
        there = numbers[numbers >= 0]
        expected = np.broadcast_to(BOX.get(name, model.up[there]), len(there))
        np.testing.assert_allclose(box[there], expected, err_msg=name)


@pytest.mark.parametrize(("name", "price"), [("minimum_bill", -3.0), ("pool_capacity", 3.0), ("pue_cap", 0.5)])
def test_a_price_of_the_wrong_sign_counts_as_none(case, model, name, price):
    """A row with one side open has prices of one sign; the other proves nothing and must cost nothing."""
    box = boxes(model, case)
    nothing = np.zeros(len(model.row_low))
    wrong = nothing.copy()
    wrong[model.rows[name].max()] = price
    assert dual_bound(model, box, wrong) == dual_bound(model, box, nothing)
    right = dual_bound(model, box, -wrong)
    assert right != dual_bound(model, box, nothing)


def test_bound_without_prices_is_every_column_at_its_cheaper_end(case, model):
    """Fixed charges and what the hull gives back; -2.5 EUR/MW drawn, sun fed in, heat sold, contracts taken, hull, peaks.

    No row is looked at: what costs money is nothing, what earns money is as much as there may be."""
    contracts = 80 + 3 + 1 + 13.5 + 1.5 + 2.5 + 15 + 2.5
    hull = 1000 * (0.77 + 1.76 + 0.7 + 1.6)
    at_most = -1000 * 2.5 - 2 * 3 - 3 * 6 - 103 - contracts - hull
    expected = model.offset + at_most + 30 * 50  # the floor of a charge is paid in any case
    assert dual_bound(model, boxes(model, case), np.zeros(len(model.row_low))) == pytest.approx(expected)


def test_proof_counts_and_names_what_it_saw(case):
    x = plan()
    proof = certify(case, x)
    assert (proof.rows, proof.columns) == (sum(ROWS.values()), sum(COLUMNS.values()))
    assert proof.nonzeros == array_model(case).matrix.nnz
    assert (proof.largest_cost, proof.smallest_cost) == pytest.approx((1000.0, 0.35))
    assert proof.stated_eur == x.attrs["objective_eur"] == pytest.approx(proof.primal_eur)


@pytest.mark.parametrize(
    ("name", "at", "by", "violation", "worst"),
    [
        ("unserved", 1, 0.5, 0.5 / 6, "finish[1]"),  # more done than there is work: relative to 6
        ("grid_import", (1, 0), 2.0, 2.0, "balance[1, 0]"),
        ("cap_breach", 2, -0.25, 0.25, "cap_breach[2]"),  # below zero: relative to 1
        ("heat", (0, 2), 3.0, 2.35, "heat_available[0, 2]"),
        ("band", (0, 0), 5.0, 5.0, "bands[0]"),
    ],
)
def test_the_worst_row_or_bound_is_named(case, name, at, by, violation, worst):
    x = plan()
    x[name].values[at] += by
    proof = certify(case, x)
    assert (proof.max_violation, proof.worst_row) == (pytest.approx(violation), worst)
    assert not proof.passed
