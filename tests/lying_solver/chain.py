"""The ordinary chain from Problem to verdict, with a place at which a fault can be put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import xarray as xr

from benchmarks.enrich import enriched
from benchmarks.instances import Size, random_problem
from energy.audit.certificate import Certificate, certify
from energy.audit.verdict import judge
from energy.program import build
from energy.solve import Raw, SolverError, StandardForm, compile_model, gate, solution, solve

#: Seed of a case in which every variable is above nothing and every row has a price that differs from its neighbours'.
HONEST = 645


@dataclass(frozen=True)
class Verdict:
    """Who refused, in which words, and the status that comes of it; `by` is empty when nobody did."""

    by: str
    status: str
    words: str
    proof: Certificate | None = None


def random_case(seed: int) -> xr.Dataset:
    """A Problem with a bit of everything. The first minimum bill has no demand charge that counts towards it:
    otherwise the program may as well raise a billed peak as top the bill up."""
    size = Size(jobs=8, sites=2, periods=14, groups=2, speeds=2, utilisation=0.95, bands=True, demand_rate=50.0,
                negative_share=0.2, halls_per_site=2)  # fmt: skip
    problem = enriched(random_problem(size, seed), seed, share=1.0).isel(charge=slice(1, None))
    first = problem["minimum"] == problem["minimum"][0]
    return problem.assign(minimum_eur=problem["minimum_eur"] + np.where(first, 100.0, 0.0))


#: Cases on which a fault is tried until one refuses it, when it need not matter in any one of them.
SEEDS = (645, 96, 372, 398, 226, 7, 11)


def honest_problem() -> xr.Dataset:
    """One in which every row, bound and cost term has something to do."""
    return random_case(HONEST)


def verdict(
    problem: xr.Dataset,
    form_lies: Callable[[StandardForm], StandardForm] = lambda form: form,
    raw_lies: Callable[[Raw], Raw] = lambda raw: raw,
    solution_lies: Callable[[xr.Dataset], xr.Dataset] = lambda found: found,
) -> Verdict:
    """Build, compile, solve, gate, read back, prove and judge, with a lie in between."""
    model = build(problem)
    form = form_lies(compile_model(model))
    try:
        raw = raw_lies(solve(form))
        gate(raw, form.cost, form.offset)
        found = solution(problem, model, form, raw)
    except SolverError as refusal:
        return Verdict("gate", "FAILED", str(refusal))
    proof = certify(problem, solution_lies(found))
    if proof.passed:
        return Verdict("", "OK", "", proof)
    # Without proof neither bill nor replay is looked at.
    outcome = judge(problem, xr.Dataset(), proof, cast(Any, None), xr.Dataset())
    return Verdict("certificate", outcome.status, "; ".join(outcome.reasons), proof)
