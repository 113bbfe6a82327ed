"""Every part of the program alone, written as an LP file, and what such a file means."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import highspy
import pyomo.environ as pyo

from energy.program import CONSTRAINTS, COST, VARIABLES, build
from energy.solve.highs import _Quiet
from tests.golden.tiny import tiny

FOLDER = Path(__file__).parent
#: File name -> kind of part and its name in the program's tables.
PARTS = {f"{kind}_{name}.lp": (kind, name) for kind, table in
         (("bounds", VARIABLES), ("constraint", CONSTRAINTS), ("cost", COST)) for name in table}  # fmt: skip
#: Largest relative difference of a number in a file: LP files carry 17 digits.
SAME = 1e-12

Meaning = dict[str, Any]


def write(part: str, path: Path) -> None:
    """Write one part of the tiny Problem's program as an LP file with speaking names."""
    kind, name = PARTS[part]
    m = build(tiny())
    m.cost.deactivate()
    for each in CONSTRAINTS:
        if (kind, each) != ("constraint", name):
            getattr(m, each).deactivate()
    wanted = {"bounds": lambda: pyo.quicksum(getattr(m, name).values()), "constraint": lambda: 0.0,
              "cost": lambda: COST[name](m)}[kind]  # fmt: skip
    m.part = pyo.Objective(expr=wanted())
    m.write(str(path), io_options={"symbolic_solver_labels": True})


def meaning(part: str, path: Path) -> Meaning:
    """Numbers by name: bounds of columns, rows with their sides and coefficients, or the terms of the cost."""
    h = _Quiet()
    assert h.readModel(str(path)) == highspy.HighsStatus.kOk, f"{path} is not an LP file that HiGHS reads"
    lp = h.getLp()
    columns = list(lp.col_names_)
    kind = PARTS[part][0]
    if kind == "bounds":
        used = {c: (float(a), float(b)) for c, a, b in zip(columns, lp.col_lower_, lp.col_upper_, strict=True)}
        return {c: v for c, v in used.items() if c != "ONE_VAR_CONSTANT"}
    if kind == "cost":
        return {c: float(v) for c, v in zip(columns, lp.col_cost_, strict=True) if v}
    return _rows(h, lp, columns)


def _rows(h: Any, lp: Any, columns: list[str]) -> Meaning:
    out: Meaning = {}
    for i, row in enumerate(lp.row_names_):
        _, at, values = h.getRowEntries(i)
        terms = {columns[c]: float(v) for c, v in zip(at, values, strict=True)}
        if set(terms) != {"ONE_VAR_CONSTANT"}:
            out[row] = (float(lp.row_lower_[i]), float(lp.row_upper_[i]), terms)
    return out


def differences(old: Meaning, new: Meaning) -> list[str]:
    """What differs, by name."""
    out = [f"{k}: gone" for k in old.keys() - new.keys()] + [f"{k}: new" for k in new.keys() - old.keys()]
    for key in old.keys() & new.keys():
        if not _same(old[key], new[key]):
            out.append(f"{key}: {old[key]} -> {new[key]}")
    return sorted(out)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return math.isclose(a, b, rel_tol=SAME)  # infinity is only close to itself
