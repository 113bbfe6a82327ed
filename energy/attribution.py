"""Savings by cause: each step lifts one restriction, is solved and certified, and is priced by the bill.

    run now -> time shifting -> site shifting -> cooling awareness -> peak awareness -> full

The steps add up to the total exactly, because each is the difference of two bills. A step can lose: shifting
in time without looking at peaks may build a new one, and caps that bind cost something in the last step.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from energy.audit.certificate import Certificate, certify
from energy.audit.invoice import price
from energy.optimize import Run, Saved, solve_problem
from energy.schedule.disaggregate import disaggregate
from energy.schedule.dispatch import RULES, done, planned_work
from energy.schema import Floats, validate
from energy.schema import arrays as arrays_module
from energy.solve import Options


@dataclass(frozen=True)
class Step:
    """A way to run the same work: its bill, and what it saves against the step before."""

    name: str
    cost_eur: float
    saving_eur: float
    work_gpu_hours: float
    certificate: Certificate | None

    def as_dict(self) -> dict[str, object]:
        """The step with `certified` in place of its certificate; None where nothing was solved."""
        figures = {k: getattr(self, k) for k in ("name", "cost_eur", "saving_eur", "work_gpu_hours")}
        return {**figures, "certified": self.certificate.passed if self.certificate else None}


@dataclass(frozen=True)
class Attribution:
    """The waterfall, and the rules of thumb beside it."""

    steps: tuple[Step, ...]
    rules: tuple[Step, ...]

    def as_dict(self) -> dict[str, object]:
        """Content of summary.json and the report."""
        return {"steps": [s.as_dict() for s in self.steps], "rules": [s.as_dict() for s in self.rules]}


def attribute(run: Saved, tell: Callable[[str], None] = lambda _: None) -> Attribution:
    """Solve the restricted problems of a run and price each plan.

    Raises
    ------
    SolverError : a restricted problem has no trustworthy answer.
    """
    p = settled(run.problem, run.solution)
    work = float(done(p, run.plan.schedule).sum())
    blind = without_limits(without_peaks(constant_pue(p, run.baseline.replay)))
    restricted = {
        "time shifting": at_home(blind, run.baseline.schedule),
        "site shifting": blind,
        "cooling awareness": without_limits(without_peaks(p)),
        "peak awareness": without_limits(p),
    }
    costs: list[tuple[str, float, float, Certificate | None]] = [
        ("run now", run.baseline.bill.total(), float(done(p, run.baseline.schedule).sum()), None)
    ]
    for name, problem in restricted.items():
        tell(name)
        found, proof = _certified(problem)
        schedule = as_original(run.problem, problem, disaggregate(problem, found))
        worked = float(done(run.problem, schedule).sum())
        costs.append((name, price(run.inputs, schedule).bill.total(), worked, proof))
    costs.append(("full", run.plan.bill.total(), work, run.certificate))
    before = [costs[0][1], *(cost for _, cost, _, _ in costs[:-1])]
    steps = (Step(n, cost, old - cost, w, proof) for (n, cost, w, proof), old in zip(costs, before, strict=True))
    return Attribution(tuple(steps), tuple(_rules(run)))


def attribute_run(run: Run, tell: Callable[[str], None] = lambda _: None) -> Run:
    """The Run with its attribution in the summary, where the report and the commands find it."""
    return replace(run, summary=run.summary | {"attribution": attribute(run, tell).as_dict()})


def _certified(problem: xr.Dataset) -> tuple[xr.Dataset, Certificate]:
    """Solution with its proof. Nobody runs these plans, so they need no vertex: crossover only where it proves more."""
    found, _ = solve_problem(problem, Options(crossover=False))
    proof = certify(problem, found)
    if not proof.passed:
        found, _ = solve_problem(problem)
        proof = certify(problem, found)
    return found, proof


def _rules(run: Saved) -> list[Step]:
    """The same work under each rule of thumb, against running at once."""
    work = planned_work(run.problem, run.solution)
    home = [j.home_site for j in run.inputs.jobs]
    out = []
    for name, rule in RULES.items():
        schedule = rule(run.problem, work, home)
        cost = price(run.inputs, schedule).bill.total()
        out.append(Step(name, cost, run.baseline.bill.total() - cost, float(done(run.problem, schedule).sum()), None))
    return out


def settled(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """Problem in which every plan leaves for later what the plan leaves: the rest is equal work."""
    stays = problem["work_left"].values - solution["deferred"].values
    none = {"deferred_max": ("job", np.zeros(len(stays))), "work_left": ("job", np.maximum(stays, 0.0))}
    return problem.isel(post_horizon=slice(0, 0)).assign(none)


def constant_pue(problem: xr.Dataset, baseline: xr.Dataset) -> xr.Dataset:
    """Every hall at its energy-weighted PUE of run-now, whatever weather and load: what most optimisers assume."""
    dt = baseline["dt"].values
    share = (baseline["overhead_mw"].values @ dt) / (baseline["it_mw"].values @ dt)
    slope = np.where(problem["width"].values > 0, share[:, None, None], 0.0)
    flat = {"slope": slope, "chord": np.broadcast_to(share[:, None], problem["chord"].shape).copy(),
            "base_overhead": share[:, None] * problem["base_it"].values}  # fmt: skip
    return problem.assign({k: (problem[k].dims, v) for k, v in flat.items()})


def without_peaks(problem: xr.Dataset) -> xr.Dataset:
    """No demand charge is seen."""
    return problem.isel(charge=slice(0, 0))


def without_limits(problem: xr.Dataset) -> xr.Dataset:
    """No PUE cap, contract volume or minimum bill is seen."""
    return problem.isel(cap=slice(0, 0), contract=slice(0, 0), minimum=slice(0, 0))


def at_home(problem: xr.Dataset, schedule: xr.Dataset) -> xr.Dataset:
    """Each job keeps, site by site, the work that run-now does there; only its hours are free.

    A job on several sites becomes one job per site, each with the job's window and GPU limit; hours that
    run-now uses behind the deadline stay open, so that its own schedule remains feasible.
    """
    parts = _parts(problem, schedule)
    job = np.array([j for j, _, _, _ in parts])
    rows = [problem["pool_class"].values[problem["job_group"].values[j]] for j in job]
    site_of = problem["hall_site"].values[problem["pool_hall"].values]
    eligible = np.array([np.where(site_of == s, row, -1) for row, (_, s, _, _) in zip(rows, parts, strict=True)])
    speed = problem["speed"].values[problem["job_group"].values[job]]
    kinds, group = np.unique(np.concatenate([eligible, speed], axis=1), axis=0, return_inverse=True)
    pools = problem.sizes["pool"]
    reduced = problem.drop_dims(["job", "group"])
    classes = kinds[:, :pools].astype(np.int64)
    used = np.array([[(row == c).any() for c in range(speed.shape[1])] for row in classes])
    arrays = {
        "job_group": ("job", group.astype(np.int64)), "pool_class": (("group", "pool"), classes),
        "speed": (("group", "speed_class"), np.where(used, kinds[:, pools:], 0.0)),
        "work_left": ("job", np.array([w for _, _, w, _ in parts])), "max_gpus": ("job", problem["max_gpus"].values[job]),
        "open": (("job", "time"), np.maximum(problem["open"].values[job], np.array([o for *_, o in parts]))),
        **{k: ("job", problem[k].values[job]) for k in ("penalty", "expected", "terminal_price", "due_after")},
        "deferred_max": ("job", np.zeros(len(job))),
    }  # fmt: skip
    coords = {
        "job": [f"{problem['job'].values[j]}|{s}" for j, s, _, _ in parts],
        "group": [f"g{i}" for i in range(len(classes))],
    }
    return validate.check(reduced.assign_coords(coords).assign(arrays), arrays_module.PROBLEM)


def _parts(problem: xr.Dataset, schedule: xr.Dataset) -> list[tuple[int, int, float, Floats]]:
    """(job, site, reference GPU-hours, periods used) of each job and site that run-now uses."""
    site_of = problem["hall_site"].values[problem["pool_hall"].values]
    job, site = schedule["entry_job"].values, site_of[schedule["entry_pool"].values]
    out = []
    for j, s in sorted(set(zip(job.tolist(), site.tolist(), strict=True))):
        mine = (job == j) & (site == s)
        used = np.zeros(problem.sizes["time"])
        used[schedule["entry_time"].values[mine]] = 1.0
        out.append((j, s, float(done(problem, schedule.isel(entry=np.flatnonzero(mine)))[j]), used))
    return out


def as_original(problem: xr.Dataset, restricted: xr.Dataset, schedule: xr.Dataset) -> xr.Dataset:
    """Schedule of a restricted problem in the positions of the original jobs."""
    names = {str(n): i for i, n in enumerate(problem["job"].values)}
    original = np.array([names[str(n).split("|")[0]] if "|" in str(n) and str(n) not in names else names[str(n)]
                         for n in restricted["job"].values])  # fmt: skip
    columns = [schedule[f"entry_{k}"].values for k in ("pool", "time", "gpus")]
    return validate.as_schedule(problem, original[schedule["entry_job"].values], *columns)
