"""Settling: every past day that is known in full goes into the books, and the work of those that are not yet counts.

The plan in force on a day, with what its night knew: past days are settled with the fleet and the jobs of then.

A past day in the books of both policies: the plan in force as its night made it, and run-now beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from energy.audit.invoice import bill
from energy.audit.replay import replay
from energy.errors import InputError, StoreError
from energy.inputs.consistency import demand_lines, windowed
from energy.inputs.jobs import Job
from energy.inputs.load import Inputs, read_inputs
from energy.inputs.state import SiteState, State, load_state
from energy.inputs.tariffs import Tariff
from energy.nightly.accounts import (
    EMPTY,
    Entry,
    book,
    cost_of,
    day_schedule,
    executed,
    inputs_of,
    opened,
    run_now_table,
    with_reports,
    work_of,
)
from energy.nightly.case import CASE, QUEUE, recall
from energy.nightly.config import Place
from energy.nightly.database import Store
from energy.nightly.logs import logger
from energy.nightly.metering import NO_METER, meter_of
from energy.nightly.outcome import PLAN, RUN_NOW, Known
from energy.nightly.queue import Queue, most_gpus, set_aside
from energy.nightly.snapshot import HISTORY_DAYS
from energy.schedule.table import read_held_back, read_schedule

#: Days after which a day is settled with what stands in for a series that never came, or given up where it has no books.
PATIENCE_DAYS = 7
#: Days before the delivery day that the series of a night reach back to, whole local days of every site.
REACH_DAYS = HISTORY_DAYS - 2


@dataclass
class Settled:
    """Days settled by this night, and the state in which the delivery day begins.

    Attributes
    ----------
    state : at the start of the delivery day, by what is known
    days, work : rows of the database
    reasons : what makes the night DEGRADED: days that have no books
    notes : what does not
    """

    state: State
    days: list[dict[str, Any]] = field(default_factory=list)
    work: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def settle(place: Place, store: Store, case: Path, known: Known, jobs: dict[str, Job], day: date) -> Settled:
    """Settle every day up to two before the delivery day whose series are real, then look ahead to its start.

    A day whose books cannot be made is told and costs its books alone: tonight's plan does not wait for it.

    Parameters
    ----------
    case : the books of this night: a case folder with everything known now
    jobs : every job of the queue, done or not
    """
    books = Books(place, store, case, jobs, pd.Timestamp(known.known_at))
    opening = load_state(place.beside(place.config.state)) if place.config.state else State()
    first = store.row("SELECT min(night) AS night FROM plans WHERE night < ?", str(day))
    if first is None or first["night"] is None:
        return Settled(opened(store, opening, jobs, books.known_at))
    last = {policy: _last(store, policy, day) for policy in (PLAN, RUN_NOW)}
    begin = max(date.fromisoformat(str(first["night"])), _next(last[PLAN]))
    opening = opened(store, opening, jobs, min(pd.Timestamp(place.config.begin(begin)), books.known_at))
    states = {policy: found[1] if found else opening for policy, found in last.items()}
    out, open_ = Settled(opening), True
    begin = _within_reach(books, out, states, begin, day)
    for each in (begin + timedelta(days=k) for k in range((day - begin).days)):
        open_ = open_ and _ready(place, known, each, day, out)
        open_ = _booked(books, out, states, each, open_, day)
    out.state = states[PLAN]
    return out


def _last(store: Store, policy: str, day: date) -> tuple[date, State] | None:
    row = store.row(
        "SELECT day, state FROM days WHERE policy = ? AND day < ? ORDER BY day DESC LIMIT 1",
        policy,
        str(day - timedelta(days=1)),
    )
    return (date.fromisoformat(row["day"]), State.model_validate_json(row["state"])) if row else None


def _next(last: tuple[date, State] | None) -> date:
    return last[0] + timedelta(days=1) if last else date.min


def _within_reach(books: Books, out: Settled, states: dict[str, State], begin: date, day: date) -> date:
    """First day that the series reach back to; those before it are given up, but for their work."""
    earliest = day - timedelta(days=REACH_DAYS)
    if begin >= earliest:
        return begin
    for each in (begin + timedelta(days=k) for k in range((earliest - begin).days)):
        states[PLAN] = work_alone(books, states[PLAN], each)
    out.reasons.append(
        f"{begin} to {earliest - timedelta(days=1)} were never settled and lie before the {HISTORY_DAYS} days of series "
        "that a night keeps: given up, their work counts, bills, peaks and balances do not"
    )
    return earliest


def _ready(place: Place, known: Known, each: date, day: date, out: Settled) -> bool:
    """Whether a day has passed and is known in full; one that never will be is settled with what stands in."""
    if (day - each).days < 2:
        return False
    config = place.config
    missing = known.real(config.begin(each), config.begin(each + timedelta(days=1)))
    if missing and (day - each).days <= PATIENCE_DAYS:
        out.notes.append(f"{each} is not settled yet: {', '.join(missing)} not known in full")
        return False
    if missing:
        out.notes.append(f"{each} is settled with what stands in for {', '.join(missing)}")
    return True


def _booked(books: Books, out: Settled, states: dict[str, State], each: date, settled: bool, day: date) -> bool:
    """Book one day; returns whether the days after it may be settled."""
    try:
        booked = book_day(books, states, each, settled)
    except StoreError:
        raise
    except Exception as e:  # whatever is wrong with a past day, tonight's plan does not depend on it
        logger().exception("day without books", extra={"day": str(each)})
        give_up = settled and (day - each).days > PATIENCE_DAYS
        out.reasons.append(_why_not(each, e, settled, give_up))
        states[PLAN] = work_alone(books, states[PLAN], each)
        return give_up
    states.update(booked.states)
    out.days += booked.days
    out.work += booked.work
    return settled


def _why_not(each: date, error: Exception, settled: bool, give_up: bool) -> str:
    what = str(error) if isinstance(error, InputError | OSError) else f"{type(error).__name__}: {error}"
    if not settled:
        return f"{each} has no books on the way to this night ({what}); its work counts all the same"
    then = f"after {PATIENCE_DAYS} days it is given up" if give_up else "the next night tries again"
    return f"{each} cannot be settled ({what}); {then}, its work counts all the same"


def promise(case: Path, day: date, schedule: Path, state: State, jobs: dict[str, Job]) -> float:
    """What a night's plan costs on its own day by what the night knows [EUR]."""
    inputs = inputs_of(case, day)
    table = executed(inputs, read_schedule(schedule), jobs, dict(state.work_done))
    return cost_of(inputs, state, table, read_held_back(schedule.parent))


@dataclass(frozen=True)
class InForce:
    """A published plan and what its night knew.

    Attributes
    ----------
    row : of the table `plans`
    night : the kept case
    schedule : job, site, hall, pool, start, hours, gpus over the night's horizon
    held : site, start, solar_limit_mw of solar arrays that it holds back
    jobs : every job that was submitted by then, by id
    """

    row: dict[str, Any]
    night: Inputs
    schedule: pd.DataFrame
    held: pd.DataFrame
    jobs: dict[str, Job]

    def seen_now(self, now: Inputs) -> Inputs:
        """Fleet, plants, tariffs and market time unit of then, with the series and rates of `now`."""
        case = now.case.model_copy(update={"horizon": self.night.case.horizon})
        n = self.night
        return replace(
            now, case=case, fleet=n.fleet, powers=n.powers, plants=n.plants, tariffs=n.tariffs, limits=n.limits
        )

    def as_seen(self, day: date) -> Inputs | None:
        """A day as the night saw it, series too; None behind its horizon, of which it knew nothing."""
        return inputs_of(self.night.case_path, day, self.night) if day <= self.night.case.horizon.end else None

    def without_series(self, day: date) -> Inputs:
        """A day for whoever asks for its work alone."""
        horizon = self.night.case.horizon.model_copy(update={"start": day, "end": day})
        return replace(self.night, case=self.night.case.model_copy(update={"horizon": horizon}))

    def jobs_with(self, later: dict[str, Job]) -> dict[str, Job]:
        """The jobs of then and those submitted since that its fleet can run."""
        queue = Queue({**later, **self.jobs})
        set_aside(
            queue, self.night.fleet, dict(self.night.powers), most_gpus(self.night.fleet, self.night.horizon.time[:1])
        )
        return {**queue.jobs, **self.jobs}


def in_force(place: Place, store: Store, day: date, before: InForce | None = None) -> InForce:
    """The plan in force on a day that has one.

    Parameters
    ----------
    before : the plan of another day, which need not be read again where it is the same

    Raises
    ------
    InputError, OSError : what the night kept or published cannot be read.
    """
    row = store.rows("SELECT * FROM plans WHERE night <= ? ORDER BY night DESC LIMIT 1", str(day))[0]
    if before is not None and before.row == row:
        return before
    kept = place.kept / row["kept"]
    night = read_inputs(kept / CASE)
    jobs = recall(kept).queue.jobs if (kept / QUEUE).is_file() else {j.id: j for j in night.jobs}
    folder = place.out / row["folder"]
    return InForce(row, night, read_schedule(folder / "schedule.parquet"), read_held_back(folder), jobs)


def fitted(state: State, tariffs: Mapping[str, Tariff]) -> State:
    """The state without sites and demand charges that fleet and tariffs have no more: a case that names them is refused.

    Parameters
    ----------
    tariffs : by site of the fleet
    """
    return state.model_copy(
        update={"sites": {name: _site(s, tariffs[name]) for name, s in state.sites.items() if name in tariffs}}
    )


def _site(state: SiteState, tariff: Tariff) -> SiteState:
    windows, lines = windowed(tariff), demand_lines(tariff)
    invoices = {
        month: i.model_copy(update={"charges": {k: c for k, c in i.charges.items() if k in lines}})
        for month, i in state.invoice_so_far.items()
    }
    peaks = {k: v for k, v in state.window_peaks_mw.items() if k in windows}
    return state.model_copy(update={"invoice_so_far": invoices, "window_peaks_mw": peaks})


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
    guess = replace(then, state=before)
    priced = replace(guess, series=replace(guess.series, prices=inputs.series.prices), fx=inputs.fx)
    truth = replace(inputs, state=before)
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
