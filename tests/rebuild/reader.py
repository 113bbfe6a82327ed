"""The optimum of a `problem.nc`, from what docs/formulation.md and docs/arrays.md say of it.

Nothing here imports the package: a reader of the two pages can write this. Each block below is one section of the page, in
plain loops; where the pages left a choice, the sentence that settled it is quoted.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import highspy
import numpy as np
import xarray as xr

INF = float("inf")


class Program:
    """Columns, rows and cost as they are added, by name and index."""

    def __init__(self):
        self.at, self.low, self.up, self.cost, self.offset = {}, [], [], [], 0.0
        self.rows, self.row_low, self.row_up = [], [], []

    def variable(self, *key, low=0.0, up=INF, cost=0.0):
        self.at[key] = len(self.low)
        self.low.append(low)
        self.up.append(up)
        self.cost.append(cost)

    def price(self, cost, *key):
        self.cost[self.at[key]] += cost

    def row(self, terms, low=-INF, up=INF):
        entries = defaultdict(float)
        for coefficient, *key in terms:
            entries[self.at[tuple(key)]] += coefficient
        self.rows.append(entries)
        self.row_low.append(low)
        self.row_up.append(up)

    def optimum(self):
        lp, h = highspy.HighsLp(), highspy.Highs()
        h.setOptionValue("output_flag", False)
        h.setOptionValue("solver", "ipx")
        lp.num_col_, lp.num_row_, lp.offset_ = len(self.low), len(self.rows), self.offset
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = map(np.array, (self.cost, self.low, self.up))
        lp.row_lower_, lp.row_upper_ = np.array(self.row_low), np.array(self.row_up)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *(len(r) for r in self.rows)])
        lp.a_matrix_.index_ = np.array([i for r in self.rows for i in r])
        lp.a_matrix_.value_ = np.array([v for r in self.rows for v in r.values()])
        h.passModel(lp)
        h.run()
        assert h.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return h.getInfo().objective_function_value


def optimum(path: Path) -> float:
    """Cost of the best plan [EUR]."""
    ds = xr.load_dataset(path, engine="h5netcdf")
    p = {str(k): v.values for k, v in ds.data_vars.items()}
    m, size = (
        Program(),
        {
            d: ds.sizes.get(d, 0)
            for d in (
                "job",
                "group",
                "pool",
                "hall",
                "site",
                "time",
                "charge",
                "contract",
                "minimum",
                "cap",
                "post_horizon",
            )
        },
    )
    _jobs(m, p, size)
    _halls(m, p, size)
    _grid(m, p, size)
    _tariffs(m, p, size)
    _caps(m, p, size)
    return m.optimum()


def _jobs(m, p, size):
    open_ = {j: np.flatnonzero(p["open"][j] > 0) for j in range(size["job"])}
    classes = {k: np.flatnonzero(p["speed"][k] > 0) for k in range(size["group"])}
    mine = defaultdict(list)  # jobs of the group that are open in the period
    for j in range(size["job"]):
        k = p["job_group"][j]
        m.variable("unserved", j, up=p["work_left"][j], cost=p["penalty"][j])
        if p["deferred_max"][j] > 0:
            m.variable("deferred", j, up=p["deferred_max"][j], cost=p["terminal_price"][j])
        for t in open_[j]:
            mine[k, t].append(j)
            for c in classes[k]:
                m.variable("cumulative", j, c, t, up=p["max_gpus"][j] * p["open"][j, t])
    holders = defaultdict(list)
    for k, t in mine:
        for n in np.flatnonzero(p["pool_class"][k] >= 0):
            m.variable("gpus", k, n, t)
            holders[n, t].append(k)
    for j in range(size["job"]):
        k = p["job_group"][j]
        speeds = [*p["speed"][k][classes[k]], 0.0]  # "speed after the slowest class: 0"
        terms = [
            (p["dt"][t] * (speeds[i] - speeds[i + 1]), "cumulative", j, c, t)
            for t in open_[j]
            for i, c in enumerate(classes[k])
        ]
        terms += [(1.0, "unserved", j)] + ([(1.0, "deferred", j)] if ("deferred", j) in m.at else [])
        m.row(terms, p["work_left"][j], p["work_left"][j])
    for (k, t), jobs in mine.items():
        for c in classes[k]:
            pools = np.flatnonzero((p["pool_class"][k] >= 0) & (p["pool_class"][k] <= c))
            m.row([*((1.0, "cumulative", j, c, t) for j in jobs), *((-1.0, "gpus", k, n, t) for n in pools)], 0.0, 0.0)
    for (n, t), groups in holders.items():
        m.row([(1.0, "gpus", k, n, t) for k in groups], up=p["available"][n, t] - p["firm"][n, t])
    for g in range(size["post_horizon"]):
        who = [
            j for j in range(size["job"])
            if ("deferred", j) in m.at and p["due_after"][j] <= p["post_horizon_until"][g] and p["post_horizon_group"][g] in (-1, p["job_group"][j])
        ]  # fmt: skip
        if who:
            m.row(
                [(1.0 / p["speed"][p["job_group"][j]].max(), "deferred", j) for j in who],
                up=p["post_horizon_capacity"][g],
            )


def _halls(m, p, size):
    for h in range(size["hall"]):
        pools = np.flatnonzero(p["pool_hall"] == h)
        for t in range(size["time"]):
            m.variable("it", h, t, up=p["hall_mw"][h, t])
            real = np.flatnonzero(p["width"][h, t] > 0)  # "a segment of width 0 does not exist"
            for i in real:  # "the last segment has no end"
                m.variable("segment", h, t, i, up=INF if i == real[-1] else p["width"][h, t, i])
            base = p["base_it"][h, t]
            held = [
                (-(p["busy_mw"][n] - p["idle_mw"][n]), "gpus", k, n, t)
                for n in pools for k in range(size["group"]) if ("gpus", k, n, t) in m.at
            ]  # fmt: skip
            m.row([(1.0, "it", h, t), *held], base, base)
            m.row([(1.0, "it", h, t), *((-1.0, "segment", h, t, i) for i in real)], base, base)


def _grid(m, p, size):
    dt = p["dt"]
    for s in range(size["site"]):
        halls = np.flatnonzero(p["hall_site"] == s)
        for t in range(size["time"]):
            m.variable("facility", s, t)
            m.variable("import", s, t, up=p["grid_limit_mw"][s, t], cost=dt[t] * p["price"][s, t])
            m.variable("export", s, t, up=p["export_limit_mw"][s, t], cost=-dt[t] * p["export_price"][s, t])
            m.variable("sun", s, t, up=p["solar_mw"][s, t])
            m.variable("heat", s, t, up=p["heat_limit_mw"][s, t], cost=-dt[t] * p["heat_price"][s, t])
            fixed = p["other_site_mw"][s, t] + p["base_overhead"][halls, t].sum()
            load = [(-1.0, "it", h, t) for h in halls]
            load += [
                (-p["slope"][h, t, i], "segment", h, t, i) for h in halls for i in np.flatnonzero(p["width"][h, t] > 0)
            ]
            m.row([(1.0, "facility", s, t), *load], fixed, fixed)
            m.row(
                [(1.0, "facility", s, t), (-1.0, "import", s, t), (1.0, "export", s, t), (-1.0, "sun", s, t)], 0.0, 0.0
            )
            m.row([(1.0, "heat", s, t), *((-p["heat_share"][h], "it", h, t) for h in halls)], up=0.0)
            contracts = (
                np.flatnonzero((p["contract_site"] == s) & (p["contract_mw"][:, t] > 0)) if size["contract"] else []
            )
            minimums = np.flatnonzero(p["minimum_site"] == s) if size["minimum"] else []
            lowest = p["price"][s, t] - max([0.0, *(p["contract_saving"][q, t] for q in contracts)])
            lowest -= sum(max(p["minimum_rate"][b, t], 0.0) for b in minimums)
            if lowest < -1e-9:  # negative_hours
                for h in halls:
                    m.price(dt[t] * lowest * p["chord"][h, t], "it", h, t)
                    m.offset -= dt[t] * lowest * p["chord"][h, t] * p["base_it"][h, t]
                    for i in np.flatnonzero(p["width"][h, t] > 0):
                        m.price(-dt[t] * lowest * p["slope"][h, t, i], "segment", h, t, i)
    m.offset += p["fixed_eur"].sum()


def _tariffs(m, p, size):
    charges = defaultdict(list)  # demand charges of a site and month: rate and variable
    for d in range(size["charge"]):
        s, real = p["charge_site"][d], np.flatnonzero(p["charge_band_mw"][d] > 0)
        where = s, p["charge_month"][d]
        m.variable("peak", d, low=p["charge_floor"][d])
        for t in np.flatnonzero(p["charge_weight"][d] > 0):
            m.row([(p["charge_weight"][d, t], "import", s, t), (-1.0, "peak", d)], up=0.0)
        if len(real) > 1:
            for b in real:
                m.variable("band", d, b, up=p["charge_band_mw"][d, b], cost=p["charge_rate"][d, b])
                charges[where].append((p["charge_rate"][d, b], "band", d, b))
            m.row([(1.0, "peak", d), *((-1.0, "band", d, b) for b in real)], 0.0, 0.0)
        else:  # "a charge with one band has no variable band: its peak has the rate"
            rate = p["charge_rate"][d, real[0]]
            m.price(rate, "peak", d)
            charges[where].append((rate, "peak", d))
    taken = defaultdict(list)
    for q in range(size["contract"]):
        for t in range(size["time"]):
            if p["contract_mw"][q, t] > 0:
                m.variable("offtake", q, t, up=p["contract_mw"][q, t], cost=-p["dt"][t] * p["contract_saving"][q, t])
                taken[p["contract_site"][q], t].append((1.0, "offtake", q, t))
    for (s, t), terms in taken.items():
        m.row([*terms, (-1.0, "import", s, t)], up=0.0)
    for b in range(size["minimum"]):
        s = p["minimum_site"][b]
        m.variable("top_up", b, cost=1.0)
        drawn = [(p["dt"][t] * p["minimum_rate"][b, t], "import", s, t) for t in range(size["time"])]
        m.row([(1.0, "top_up", b), *drawn, *charges[s, p["minimum_month"][b]]], low=p["minimum_eur"][b])


def _caps(m, p, size):
    for r in range(size["cap"]):
        m.variable("breach", r, cost=p["cap_penalty"][r])
        sites = range(size["site"]) if p["cap_site"][r] < 0 else [p["cap_site"][r]]
        terms = [(-1.0, "breach", r)]
        for t in range(p["cap_start"][r], p["cap_stop"][r]):
            terms += [(p["dt"][t], "facility", s, t) for s in sites]
            terms += [
                (-p["cap_limit"][r] * p["dt"][t], "it", h, t) for h in range(size["hall"]) if p["hall_site"][h] in sites
            ]
        m.row(terms, up=p["cap_credit"][r])
