"""Settling: every past day that is known in full goes into the books, and the work of those that are not yet counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from energy.inputs.errors import InputError
from energy.inputs.jobs import Job
from energy.inputs.state import State, load_state
from energy.operate.books import cost_of, executed, inputs_of
from energy.operate.config import Place
from energy.operate.errors import StoreError
from energy.operate.known import HISTORY_DAYS, Known
from energy.operate.logs import logger
from energy.operate.one_day import PLAN, RUN_NOW, Books, book_day, work_alone
from energy.operate.planner import read_held_back, read_schedule
from energy.operate.reported import opened
from energy.operate.store import Store

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
