"""The program as arrays, rebuilt from the Problem with numpy alone: the certificate's own model.

Written against DESIGN's algebra, not against `program/`: two independent readings of one formulation.

Numbers columns and rows of an array model block by block, with no idea of what they mean.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
import xarray as xr

from energy.schema import Bools, Floats, Ints, values_of


@dataclass
class Builder:
    """Numbers columns and rows block by block and collects coefficients and costs."""

    columns: dict[str, Ints] = field(default_factory=dict)
    rows: dict[str, Ints] = field(default_factory=dict)
    low: list[Floats] = field(default_factory=list)
    up: list[Floats] = field(default_factory=list)
    row_low: list[Floats] = field(default_factory=list)
    row_up: list[Floats] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    prices: list[tuple[Ints, Floats]] = field(default_factory=list)
    offset: float = 0.0
    n_columns: int = 0
    n_rows: int = 0

    def variable(self, name: str, exists: Bools, low: Any, up: Any) -> None:
        """Columns of one name where they exist, with their bounds."""
        self.columns[name], self.n_columns = _number(exists, self.n_columns)
        self.low.append(np.broadcast_to(low, exists.shape)[exists].astype(float))
        self.up.append(np.broadcast_to(up, exists.shape)[exists].astype(float))

    def row(self, name: str, exists: Bools, low: Any, up: Any) -> None:
        """Rows of one name where they exist, with their sides."""
        self.rows[name], self.n_rows = _number(exists, self.n_rows)
        self.row_low.append(np.broadcast_to(low, exists.shape)[exists].astype(float))
        self.row_up.append(np.broadcast_to(up, exists.shape)[exists].astype(float))

    def put(self, row: Any, column: Any, value: Any) -> None:
        """Coefficients where both the row and the column exist; shapes are broadcast together."""
        r, c, v = np.broadcast_arrays(row, column, np.asarray(value, dtype=float))
        there = (r >= 0) & (c >= 0)
        self.entries.append((r[there], c[there], v[there]))

    def price(self, column: Any, value: Any) -> None:
        """Cost of columns where they exist; shapes are broadcast together."""
        c, v = np.broadcast_arrays(column, np.asarray(value, dtype=float))
        self.prices.append((c[c >= 0], v[c >= 0]))

    def costs(self) -> Floats:
        """Cost of every column."""
        out = np.zeros(self.n_columns)
        for column, value in self.prices:
            np.add.at(out, column, value)
        return out

    def matrix(self) -> Any:
        """All coefficients, sparse by columns."""
        r, c, v = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        return sp.csc_array(sp.coo_array((v, (r, c)), shape=(self.n_rows, self.n_columns)))


def _number(exists: Bools, first: int) -> tuple[Ints, int]:
    numbers = np.full(exists.shape, -1, dtype=np.int64)
    count = int(exists.sum())
    numbers[exists] = np.arange(first, first + count)
    return numbers, first + count


INF = float("inf")
#: A marginal price closer to zero is rounding of sums of prices [EUR/MWh]; they are at most 1e4, to 1e-16 each.
ROUNDING_EUR_MWH = 1e-9
#: Adds columns, rows or costs of a Problem's arrays to a model.
Block = Callable[[Builder, dict[str, Any]], None]


@dataclass
class ArrayModel:
    """min cost·x + offset, row_low <= matrix x <= row_up, low <= x <= up; blocks by variable and row name."""

    cost: Floats
    offset: float
    matrix: Any
    row_low: Floats
    row_up: Floats
    low: Floats
    up: Floats
    columns: dict[str, Ints]  # variable -> column number by index, -1 where the variable does not exist
    rows: dict[str, Ints]

    def vector(self, solution: xr.Dataset) -> Floats:
        """Values of a Solution in column order."""
        return _gather(self.columns, len(self.cost), {k: solution[k].values for k in self.columns})

    def duals(self, solution: xr.Dataset) -> Floats:
        """Row duals of a Solution in row order."""
        return _gather(self.rows, len(self.row_low), {k: solution[f"dual_{k}"].values for k in self.rows})


def _gather(numbers: dict[str, Ints], size: int, values: dict[str, Floats]) -> Floats:
    out = np.zeros(size)
    for name, number in numbers.items():
        exists = number >= 0
        out[number[exists]] = values[name][exists]
    return out


def array_model(problem: xr.Dataset) -> ArrayModel:
    """Rebuild the whole program from the Problem."""
    p = values_of(problem)
    b = Builder()
    for block in (*VARIABLES, *ROWS, *BILLED, *UNBILLED):
        block(b, p)
    sides: Iterable[list[Floats]] = (b.row_low, b.row_up, b.low, b.up)
    row_low, row_up, low, up = (np.concatenate(x) for x in sides)
    return ArrayModel(b.costs(), b.offset, b.matrix(), row_low, row_up, low, up, b.columns, b.rows)


def cost_by_variable(problem: xr.Dataset, solution: xr.Dataset, blocks: Iterable[Block]) -> dict[str, float]:
    """Cost of a Solution in some blocks of the objective [EUR], by variable that they price."""
    p, b = values_of(problem), Builder()
    for block in (*VARIABLES, *blocks):
        block(b, p)
    cost, priced = b.costs(), np.concatenate([column.ravel() for column, _ in b.prices])
    return {
        name: float(np.where(number >= 0, cost[number], 0.0).ravel() @ solution[name].values.ravel())
        for name, number in b.columns.items()
        if np.isin(number[number >= 0], priced).any()
    }


def _job_variables(b: Builder, p: dict[str, Any]) -> None:
    is_open = p["open"] > 0
    has_class = p["speed"][p["job_group"]] > 0
    group_open = np.array([is_open[p["job_group"] == k].any(axis=0) for k in range(len(p["speed"]))])
    held = has_class[:, :, None] & is_open[:, None, :]
    b.variable("cumulative_gpus", held, 0.0, (p["max_gpus"][:, None] * p["open"])[:, None, :])
    gpus = np.asarray((p["pool_class"] >= 0)[:, :, None] & group_open[:, None, :])
    b.variable("group_gpus", gpus, 0.0, INF)
    b.variable("unserved", np.full(len(p["work_left"]), True), 0.0, p["work_left"])
    b.variable("deferred", p["deferred_max"] > 0, 0.0, p["deferred_max"])


def _hall_variables(b: Builder, p: dict[str, Any]) -> None:
    everywhere = np.full(p["hall_mw"].shape, True)
    b.variable("it", everywhere, 0.0, p["hall_mw"])
    real = p["width"] > 0
    behind = np.cumsum(real[:, :, ::-1], axis=2)[:, :, ::-1] - real  # real segments after this one
    b.variable("segment_load", real, 0.0, np.where(behind > 0, p["width"], INF))


def _site_variables(b: Builder, p: dict[str, Any]) -> None:
    always = np.full(p["price"].shape, True)
    b.variable("facility", always, 0.0, INF)
    b.variable("grid_import", always, 0.0, p["grid_limit_mw"])
    b.variable("grid_export", always, 0.0, p["export_limit_mw"])
    b.variable("solar_use", p["solar_mw"] > 0, 0.0, p["solar_mw"])
    b.variable("heat", p["heat_limit_mw"] > 0, 0.0, p["heat_limit_mw"])


def _tariff_variables(b: Builder, p: dict[str, Any]) -> None:
    """Billed peaks with their bands, contracts, minimum bills and PUE caps."""
    b.variable("peak", np.full(len(p["charge_floor"]), True), p["charge_floor"], INF)
    many = np.count_nonzero(p["charge_band_mw"] > 0, axis=1, keepdims=True) > 1
    b.variable("band", np.asarray(many & (p["charge_band_mw"] > 0)), 0.0, p["charge_band_mw"])
    b.variable("offtake", (p["contract_mw"] > 0) & (p["contract_saving"] > 0), 0.0, p["contract_mw"])
    b.variable("top_up", np.full(len(p["minimum_eur"]), True), 0.0, INF)
    b.variable("cap_breach", np.full(len(p["cap_limit"]), True), 0.0, INF)


def _job_rows(b: Builder, p: dict[str, Any]) -> None:
    """Work of the jobs, their limits, and the pools that they run in."""
    # Work done, deferred and unserved is the work left.
    group = p["job_group"]
    b.row("finish", np.full(len(group), True), p["work_left"], p["work_left"])
    b.put(
        b.rows["finish"][:, None, None], b.columns["cumulative_gpus"], _steps(p["speed"])[group][:, :, None] * p["dt"]
    )
    b.put(b.rows["finish"], b.columns["unserved"], 1.0)
    b.put(b.rows["finish"], b.columns["deferred"], 1.0)
    # GPUs of a class and the faster ones: those that jobs of a group hold are those that the group holds in its pools.
    gpus = b.columns["group_gpus"]
    group_open = np.asarray((gpus >= 0).any(axis=1))
    b.row("link", (p["speed"] > 0)[:, :, None] & group_open[:, None, :], 0.0, 0.0)
    b.put(b.rows["link"][p["job_group"]], b.columns["cumulative_gpus"], 1.0)
    for c in range(p["speed"].shape[1]):
        in_class = np.where((p["pool_class"] <= c)[:, :, None], gpus, -1)
        b.put(b.rows["link"][:, c][:, None, :], in_class, -1.0)
    # All groups together hold no more GPUs of a pool than there are beside the firm ones.
    gpus = b.columns["group_gpus"]
    b.row("pool_capacity", np.asarray((gpus >= 0).any(axis=0)), -INF, p["available"] - p["firm"])
    b.put(np.broadcast_to(b.rows["pool_capacity"], (len(p["speed"]), *b.rows["pool_capacity"].shape)), gpus, 1.0)


def _steps(speed: Floats) -> Floats:
    """What a GPU does more in a class than in the group's next slower one, (K, C); classes not used give nothing."""
    slower = np.maximum.accumulate(speed[:, ::-1], axis=1)[:, ::-1]  # fastest of this class and those after it
    return np.where(speed > 0, speed - np.pad(slower, ((0, 0), (0, 1)))[:, 1:], 0.0)


def _post_horizon_capacity(b: Builder, p: dict[str, Any]) -> None:
    """Work that waits and is due by a moment fits the capacity until then, in GPU-hours of the job's fastest pool."""
    due = p["due_after"] <= p["post_horizon_until"][:, None]
    mine = (p["post_horizon_group"][:, None] == p["job_group"]) | (p["post_horizon_group"][:, None] < 0)
    counted = np.where(due & mine, b.columns["deferred"], -1)
    b.row("post_horizon_capacity", np.asarray((counted >= 0).any(axis=1)), -INF, p["post_horizon_capacity"])
    b.put(b.rows["post_horizon_capacity"][:, None], counted, 1.0 / p["speed"].max(axis=1)[p["job_group"]])


def _cooling_rows(b: Builder, p: dict[str, Any]) -> None:
    """IT power of halls and its cooling."""
    # Rows it_power, (H, T) [MW]: IT power above `base_it` equals the extra power of busy GPUs.
    it = b.columns["it"]
    b.row("it_power", it >= 0, p["base_it"], p["base_it"])
    b.put(b.rows["it_power"], it, 1.0)
    b.put(b.rows["it_power"][p["pool_hall"]], b.columns["group_gpus"], -(p["busy_mw"] - p["idle_mw"])[:, None])
    # IT power above that of the idle hall lies on the cooling segments.
    it = b.columns["it"]
    b.row("segments", it >= 0, p["base_it"], p["base_it"])
    b.put(b.rows["segments"], it, 1.0)
    b.put(b.rows["segments"][:, :, None], b.columns["segment_load"], -1.0)


def _grid_rows(b: Builder, p: dict[str, Any]) -> None:
    """Facility power, what supplies it, and heat handed over."""
    # Facility power of a site is that of its halls, their overhead and what else it draws.
    c, hall_site = b.columns, p["hall_site"]
    fixed = p["other_site_mw"].copy()
    np.add.at(fixed, hall_site, p["base_overhead"])
    b.row("facility_power", c["facility"] >= 0, fixed, fixed)
    b.put(b.rows["facility_power"], c["facility"], 1.0)
    b.put(b.rows["facility_power"][hall_site], c["it"], -1.0)
    b.put(b.rows["facility_power"][hall_site][:, :, None], c["segment_load"], -p["slope"])
    # What a site draws is what the supplies give it.
    b.row("balance", b.columns["facility"] >= 0, 0.0, 0.0)
    b.put(b.rows["balance"], b.columns["facility"], 1.0)
    for name, sign in SUPPLIES.items():
        b.put(b.rows["balance"], b.columns[name], -sign)
    # No more heat is handed over than warm liquid loops give.
    b.row("heat_available", b.columns["heat"] >= 0, -INF, 0.0)
    b.put(b.rows["heat_available"], b.columns["heat"], 1.0)
    giving = np.where(p["heat_share"][:, None] > 0, b.columns["it"], -1)
    b.put(b.rows["heat_available"][p["hall_site"]], giving, -p["heat_share"][:, None])


def _tariff_rows(b: Builder, p: dict[str, Any]) -> None:
    """Billed peaks, volumes of contracts and minimum bills."""
    # A billed peak is at least what is drawn in each hour that counts, by its weight.
    weight = p["charge_weight"]
    b.row("billed_peak", weight > 0, -INF, 0.0)
    b.put(b.rows["billed_peak"], b.columns["grid_import"][p["charge_site"]], weight)
    b.put(b.rows["billed_peak"], b.columns["peak"][:, None], -1.0)
    # A billed peak with several rates is the sum of its bands.
    band = b.columns["band"]
    b.row("bands", np.asarray((band >= 0).any(axis=1)), 0.0, 0.0)
    b.put(b.rows["bands"], b.columns["peak"], 1.0)
    b.put(b.rows["bands"][:, None], band, -1.0)
    # No more is taken from contracts than is drawn.
    drawn, taken = b.columns["grid_import"], b.columns["offtake"]
    offered = np.full(drawn.shape, False)
    np.logical_or.at(offered, p["contract_site"], taken >= 0)
    b.row("offtake_limit", offered, -INF, 0.0)
    b.put(b.rows["offtake_limit"][p["contract_site"]], taken, 1.0)
    b.put(b.rows["offtake_limit"], drawn, -1.0)
    # Energy and demand charges of site and month, topped up, reach the minimum.
    row = "minimum_bill"
    b.row(row, np.full(len(p["minimum_eur"]), True), p["minimum_eur"], INF)
    b.put(b.rows[row], b.columns["top_up"], 1.0)
    counted = np.where(p["minimum_rate"] != 0, b.columns["grid_import"][p["minimum_site"]], -1)
    b.put(b.rows[row][:, None], counted, p["minimum_rate"] * p["dt"])
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    for column, rate in _demand_terms(b, p):
        b.put(np.where(same, b.rows[row][:, None], -1), column, rate)


def _demand_terms(b: Builder, p: dict[str, Any]) -> list[tuple[Ints, Floats]]:
    """(column, rate) by charge: the peak of charges with one band, each band of the others."""
    one = b.columns["band"].max(axis=1, initial=-1) < 0
    only = np.argmax(p["charge_band_mw"] > 0, axis=1)
    single = np.take_along_axis(p["charge_rate"], only[:, None], axis=1)[:, 0]
    terms = [(np.where(one, b.columns["peak"], -1), single)]
    return terms + [(b.columns["band"][:, i], p["charge_rate"][:, i]) for i in range(p["charge_rate"].shape[1])]


def _pue_cap(b: Builder, p: dict[str, Any]) -> None:
    """Facility energy of a window stays below the cap times its IT energy, credit and breach aside."""
    b.row("pue_cap", np.full(len(p["cap_limit"]), True), -INF, p["cap_credit"])
    b.put(b.rows["pue_cap"], b.columns["cap_breach"], -1.0)
    for r, (start, stop) in enumerate(zip(p["cap_start"], p["cap_stop"], strict=True)):
        site = int(p["cap_site"][r])
        sites, halls = (slice(None), slice(None)) if site < 0 else (slice(site, site + 1), p["hall_site"] == site)
        dt, row = p["dt"][start:stop], b.rows["pue_cap"][r]
        b.put(row, b.columns["facility"][sites, start:stop], dt)
        b.put(row, b.columns["it"][halls, start:stop], -p["cap_limit"][r] * dt)


def lowest(p: dict[str, Any]) -> Floats:
    """Marginal price if every rebate applies at once: best contract of the hour taken, minimum bill not yet reached."""
    rows = []
    for s, price in enumerate(p["price"]):
        here = (p["contract_site"] == s)[:, None] & (p["contract_mw"] > 0)
        contract = np.where(here, p["contract_saving"], 0.0).max(axis=0, initial=0.0)
        paid = np.clip(p["minimum_rate"][p["minimum_site"] == s], 0.0, None).sum(axis=0)
        rows.append(price - contract - paid)
    low = np.array(rows)
    return np.where(np.abs(low) < ROUNDING_EUR_MWH, 0.0, low)


def _energy(b: Builder, p: dict[str, Any]) -> None:
    """Power drawn at its price; where it may pay to draw, that part of the price sees overhead on its chord."""
    b.price(b.columns["grid_import"], p["dt"] * p["price"])
    negative = (p["dt"] * np.minimum(lowest(p), 0.0))[p["hall_site"]]
    b.price(b.columns["it"], negative * p["chord"])
    b.price(b.columns["segment_load"], -negative[:, :, None] * p["slope"])
    b.offset -= float((negative * p["chord"] * p["base_it"]).sum())


def _tariffs(b: Builder, p: dict[str, Any]) -> None:
    """Demand charges, savings of contracts, top-ups of minimum bills, and what no plan changes."""
    for column, rate in _demand_terms(b, p):
        b.price(column, rate)
    b.price(b.columns["offtake"], -p["dt"] * p["contract_saving"])
    b.price(b.columns["top_up"], 1.0)
    b.offset += float(p["fixed_eur"].sum())


def _sales(b: Builder, p: dict[str, Any]) -> None:
    """Power fed in and heat handed over."""
    paid = np.where(p["export_limit_mw"] > 0, p["dt"] * p["export_price"], 0.0)
    b.price(b.columns["grid_export"], -paid)
    b.price(b.columns["heat"], -p["dt"] * p["heat_price"])


def _penalties(b: Builder, p: dict[str, Any]) -> None:
    """Work unserved, work deferred at its terminal price, PUE caps exceeded."""
    b.price(b.columns["unserved"], p["penalty"])
    b.price(b.columns["deferred"], p["terminal_price"])
    b.price(b.columns["cap_breach"], p["cap_penalty"])


#: Blocks of columns.
VARIABLES: tuple[Block, ...] = (_job_variables, _hall_variables, _site_variables, _tariff_variables)
#: Blocks of rows, one per part of the program; a new part stands here and nowhere else.
ROWS: tuple[Block, ...] = (_job_rows, _post_horizon_capacity, _cooling_rows, _grid_rows, _tariff_rows, _pue_cap)
#: Blocks of the objective: what an invoice has lines for, and what none has.
BILLED: tuple[Block, ...] = (_energy, _tariffs, _sales)
UNBILLED: tuple[Block, ...] = (_penalties,)
#: What gives power to a site (1) or takes it (-1), by variable.
SUPPLIES = {"grid_import": 1.0, "grid_export": -1.0, "solar_use": 1.0}
