"""A past day in the books of both policies: the plan in force as its night made it, and run-now beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from energy.audit.bill import bill
from energy.audit.replay import replay
from energy.inputs.jobs import Job
from energy.inputs.state import State
from energy.operate.books import EMPTY, Entry, book, cost_of, day_schedule, executed, inputs_of, run_now_table, work_of
from energy.operate.config import Place
from energy.operate.errors import StoreError
from energy.operate.in_force import InForce, in_force
from energy.operate.metering import NO_METER, meter_of
from energy.operate.reported import with_reports
from energy.operate.store import Store
from energy.optimize import facts
from energy.problem import Inputs, read_inputs

#: The two policies with books of their own.
PLAN, RUN_NOW = "plan", "run_now"


@dataclass
class Books:
    """What a night settles from.

    Attributes
    ----------
    case : case folder with every series that is known now
    jobs : every job of the queue of now, by id
    known_at : moment of the night (UTC)
    """

    place: Place
    store: Store
    case: Path
    jobs: dict[str, Job]
    known_at: pd.Timestamp
    _plan: InForce | None = None
    _now: Inputs | None = None

    def plan(self, day: date) -> InForce:
        """The plan in force on a day."""
        self._plan = in_force(self.place, self.store, day, self._plan)
        return self._plan

    def inputs(self, plan: InForce, day: date) -> Inputs:
        """The day with the fleet that the plan was made for and the series of now."""
        self._now = self._now or read_inputs(self.case)
        return inputs_of(self.case, day, plan.seen_now(self._now))


@dataclass(frozen=True)
class Booked:
    """A day in the books: state after it by policy, and the rows of both policies, or none where it is not settled yet."""

    states: dict[str, State]
    days: list[dict[str, Any]]
    work: list[dict[str, Any]]


def book_day(books: Books, states: dict[str, State], day: date, settled: bool) -> Booked:
    """Book the plan in force and, where the day is settled, run-now.

    Parameters
    ----------
    states : at the start of the day, by policy

    Raises
    ------
    InputError, OSError : series of now or what was kept then do not hold.
    """
    plan = books.plan(day)
    inputs = books.inputs(plan, day)
    table = executed(inputs, plan.schedule, plan.jobs, dict(states[PLAN].work_done))
    meter = meter_of(books.store, inputs) if settled else NO_METER
    entry = book(inputs, states[PLAN], table, plan.jobs, meter, plan.held)
    entry = _reported(books, plan, inputs, table, states[PLAN], entry)
    if not settled:
        return Booked(states | {PLAN: entry.state}, [], [])
    why = _why(plan, inputs, states[PLAN], entry, table)
    base, idle = _run_now(plan, inputs, states[RUN_NOW], books.jobs)
    days = [_row(PLAN, day, entry, why | {"night": plan.row["night"], "metered": int(not meter.empty)}),
            _row(RUN_NOW, day, base, {"idle_eur": idle})]  # fmt: skip
    work = _work(PLAN, day, entry.work) + _work(RUN_NOW, day, base.work)
    return Booked({PLAN: entry.state, RUN_NOW: base.state}, days, work)


def work_alone(books: Books, state: State, day: date) -> State:
    """The state after a day whose books cannot be made: its plan's work is done, and would else be done again.

    Where its plan cannot be read either, the state is as it was.
    """
    try:
        plan = books.plan(day)
        inputs = plan.without_series(day)
        table = executed(inputs, plan.schedule, plan.jobs, dict(state.work_done))
        work = work_of(inputs, table, plan.jobs)
        done = {**state.work_done, **{k: state.work_done.get(k, 0.0) + v for k, v in sorted(work.items())}}
        done = with_reports(books.store, inputs, table, done, plan.jobs | books.jobs, books.known_at)
    except StoreError:
        raise
    except Exception:  # why the day cannot be booked is told already; tonight's plan comes first
        return state
    return state.model_copy(update={"work_done": done})


def _reported(
    books: Books, plan: InForce, inputs: Inputs, table: pd.DataFrame, before: State, entry: Entry
) -> Entry:  # fmt: skip
    """The entry with what the cluster reported of its jobs."""
    planned = dict(entry.state.work_done)
    done = with_reports(books.store, inputs, table, planned, plan.jobs | books.jobs, books.known_at)
    changed = {k: max(v - before.work_done.get(k, 0.0), 0.0) for k, v in done.items() if v != planned.get(k)}
    return replace(entry, work=entry.work | changed, state=entry.state.model_copy(update={"work_done": done}))


def _run_now(plan: InForce, inputs: Inputs, state: State, later: dict[str, Job]) -> tuple[Entry, float]:
    """What run-now does on the day with the jobs of then and those that came since, and what no job at all costs [EUR]."""
    jobs = plan.jobs_with(later)
    table = run_now_table(inputs, state, jobs)
    return book(inputs, state, table, jobs, NO_METER), cost_of(inputs, state, EMPTY)


def _why(plan: InForce, inputs: Inputs, before: State, entry: Entry, table: pd.DataFrame) -> dict[str, float]:
    """Promised, and the difference by price, weather, load and the rest; the five add up to what was real.

    The rest: work done or state different from what the night took for granted. A day of an older plan has no
    promise of its own: it is priced with that night's forecast, and one behind its horizon with what was real.
    """
    day = inputs.case.horizon.start
    then = plan.as_seen(day) or inputs
    guess = replace(facts(then), state=before)
    priced = replace(guess, series=replace(guess.series, prices=inputs.series.prices), fx=inputs.fx)
    truth = replace(facts(inputs), state=before)
    old_air, new_air = (
        replay(known, day_schedule(on, table, plan.held)) for known, on in ((guess, then), (truth, inputs))
    )
    by_forecast, by_price = bill(guess, old_air).total(), bill(priced, old_air).total()
    by_weather = bill(truth, new_air).total()
    own = plan.row["night"] == str(day)
    promised = float(plan.row["promised_eur"]) if own else by_forecast
    return {"promised_eur": promised, "price_eur": by_price - by_forecast, "weather_eur": by_weather - by_price,
            "load_eur": entry.eur - by_weather, "other_eur": by_forecast - promised}  # fmt: skip


def _row(policy: str, day: date, entry: Entry, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "policy": policy, "day": str(day), "night": None, "real_eur": entry.eur, "idle_eur": None, "promised_eur": None,
        "price_eur": None, "weather_eur": None, "load_eur": None, "other_eur": None, "energy_mwh": entry.energy_mwh,
        "gpu_hours": sum(entry.work[k] for k in sorted(entry.work)), "metered": 0,
        "state": json.dumps(entry.state.model_dump(mode="json", exclude_defaults=True)), **more,
    }  # fmt: skip


def _work(policy: str, day: date, work: dict[str, float]) -> list[dict[str, Any]]:
    return [{"policy": policy, "day": str(day), "job": k, "gpu_hours": work[k]} for k in sorted(work)]
