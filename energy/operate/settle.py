"""Settling: days that have passed, priced with what prices, weather and meters really were, and why it differs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from energy.audit.bill import bill
from energy.audit.replay import replay
from energy.inputs.jobs import Job
from energy.inputs.state import State, load_state
from energy.operate.books import Entry, book, cost_of, day_schedule, executed, inputs_of, run_now_table, work_of
from energy.operate.config import Place
from energy.operate.known import Known
from energy.operate.night_case import CASE
from energy.operate.planner import read_schedule
from energy.operate.store import Store
from energy.optimize import facts
from energy.problem import Inputs, read_inputs

#: Days after which a day is settled with what stands in for a series that never came.
PATIENCE_DAYS = 7
#: The two policies with books of their own.
PLAN, RUN_NOW = "plan", "run_now"
NO_METER = pd.DataFrame({"site": [], "utc": [], "hours": [], "import_mwh": [], "it_mwh": []})
EMPTY = pd.DataFrame(
    {"job": [], "site": [], "hall": [], "pool": [], "start": pd.Series([], dtype="datetime64[ns]"), "gpus": []}
)


@dataclass
class Settled:
    """Days settled by this night, and the state in which the delivery day begins.

    Attributes
    ----------
    days, work : rows of the database
    state : at the start of the delivery day, by what is known
    """

    state: State
    days: list[dict[str, Any]] = field(default_factory=list)
    work: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def settle(place: Place, store: Store, case: Path, known: Known, jobs: dict[str, Job], day: date) -> Settled:
    """Settle every day up to two before the delivery day whose series are real, then look ahead to its start.

    Parameters
    ----------
    case : the books of this night: a case folder with everything known now
    jobs : every job that was ever submitted
    """
    opening = load_state(place.beside(place.config.state)) if place.config.state else State()
    first = store.row("SELECT min(night) AS night FROM plans WHERE night < ?", str(day))
    if first is None or first["night"] is None:
        return Settled(opening)
    states = {policy: _last(store, policy, day) for policy in (PLAN, RUN_NOW)}
    begin = max(date.fromisoformat(str(first["night"])), _next(states[PLAN]))
    now = {policy: s[1] if s else opening for policy, s in states.items()}
    out, open_, inputs = Settled(now[PLAN]), True, None
    for offset in range((day - begin).days):
        each = begin + timedelta(days=offset)
        open_ = open_ and _ready(place, known, each, day, out)
        inputs = inputs_of(case, each, inputs)
        out.state = _plan_day(place, store, inputs, jobs, out, now, open_, known.known_at)
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


def _plan_day(
    place: Place, store: Store, inputs: Inputs, jobs: dict[str, Job], out: Settled, now: dict[str, State],
    settled: bool, known_at: Any,
) -> State:  # fmt: skip
    """Book one day of the plan in force, and, where it is settled, of run-now; returns the state after it."""
    each = inputs.case.horizon.start
    plan = store.row("SELECT * FROM plans WHERE night <= ? ORDER BY night DESC LIMIT 1", str(each))
    whole = read_schedule(place.out / plan["folder"] / "schedule.parquet") if plan else EMPTY
    table = executed(inputs, whole, jobs, dict(out.state.work_done))
    meter = meter_of(store, inputs) if settled else NO_METER
    before = out.state
    entry = book(inputs, before, table, jobs, meter)
    entry = _with_progress(store, inputs, entry, table, jobs, known_at)
    if settled:
        why = _why(place, plan, each, inputs, before, entry, table, jobs) if plan else {}
        out.days.append(_row(PLAN, each, plan, entry, why, not meter.empty))
        out.work += _work(PLAN, each, entry.work)
        at_once = run_now_table(inputs, now[RUN_NOW], jobs)
        base = book(inputs, now[RUN_NOW], at_once, jobs, NO_METER)
        idle = cost_of(inputs, now[RUN_NOW], EMPTY)
        out.days.append(_row(RUN_NOW, each, None, base, {"idle_eur": idle}, False))
        out.work += _work(RUN_NOW, each, base.work)
        now[RUN_NOW] = base.state
    return entry.state


def _why(
    place: Place, plan: dict[str, Any], each: date, inputs: Inputs, before: State, entry: Entry,
    table: pd.DataFrame, jobs: dict[str, Job],
) -> dict[str, float]:  # fmt: skip
    """Promised, and the difference by price, weather, load and the rest; the five add up to what was real.

    The rest: work done or state different from what the night took for granted. A day of an older plan has no
    promise of its own: it is priced with that night's forecast, and one behind its horizon with what was real.
    """
    night = read_inputs(place.kept / plan["kept"] / CASE)
    then = inputs_of(night.case_path, each, night) if each <= night.case.horizon.end else inputs
    schedule = day_schedule(inputs, table)
    guess = replace(facts(then), state=before)
    priced = replace(guess, series=replace(guess.series, prices=inputs.series.prices))
    truth = replace(facts(inputs), state=before)
    old_air, new_air = replay(guess, schedule), replay(truth, schedule)
    by_forecast, by_price = bill(guess, old_air).total(), bill(priced, old_air).total()
    by_weather = bill(truth, new_air).total()
    own = plan["night"] == str(each)
    promised = float(plan["promised_eur"]) if own else by_forecast
    return {"promised_eur": promised, "price_eur": by_price - by_forecast, "weather_eur": by_weather - by_price,
            "load_eur": entry.eur - by_weather, "other_eur": by_forecast - promised}  # fmt: skip


def _row(
    policy: str, day: date, plan: dict[str, Any] | None, entry: Entry, why: dict[str, float], meter: bool
) -> dict[str, Any]:
    return {
        "policy": policy, "day": str(day), "night": plan["night"] if plan else None, "real_eur": entry.eur,
        "idle_eur": None, "promised_eur": None, "price_eur": None, "weather_eur": None, "load_eur": None, "other_eur": None, **why,
        "energy_mwh": entry.energy_mwh, "gpu_hours": sum(entry.work[k] for k in sorted(entry.work)),
        "metered": int(meter), "state": json.dumps(entry.state.model_dump(mode="json", exclude_defaults=True)),
    }  # fmt: skip


def _work(policy: str, day: date, work: dict[str, float]) -> list[dict[str, Any]]:
    return [{"policy": policy, "day": str(day), "job": k, "gpu_hours": work[k]} for k in sorted(work)]


def meter_of(store: Store, inputs: Inputs) -> pd.DataFrame:
    """Readings of the day."""
    first, after = (str(b.astype("datetime64[s]")) for b in inputs.case.horizon.bounds())
    rows = store.rows("SELECT site, utc, hours, import_mwh, it_mwh FROM meter WHERE utc >= ? AND utc < ?", first, after)
    table = pd.DataFrame(rows, columns=list(NO_METER.columns))
    return table.assign(utc=pd.to_datetime(table["utc"]).astype("datetime64[ns]"))


def _with_progress(
    store: Store, inputs: Inputs, entry: Entry, table: pd.DataFrame, jobs: dict[str, Job], known_at: Any
) -> Entry:
    """What the cluster reported of a job during the day, and what the plan does of it afterwards, instead of the plan alone."""
    first, after = inputs.case.horizon.bounds()
    until = str(min(after, known_at).astype("datetime64[s]"))
    rows = store.rows("SELECT at, job, gpu_hours FROM progress WHERE at >= ? AND at < ? ORDER BY at",
                      str(first.astype("datetime64[s]")), until)  # fmt: skip
    if not rows:
        return entry
    done, work = dict(entry.state.work_done), dict(entry.work)
    for r in (r for r in rows if r["job"] in jobs):
        job = jobs[r["job"]]
        later = table[(table["job"] == job.id) & (table["start"] >= pd.Timestamp(r["at"]))]
        reached = min(r["gpu_hours"] + sum(_work_in(inputs, later, job)), job.gpu_hours)
        before = entry.state.work_done.get(job.id, 0.0) - entry.work.get(job.id, 0.0)
        done[job.id], work[job.id] = reached, max(reached - before, 0.0)
    return replace(entry, work=work, state=entry.state.model_copy(update={"work_done": done}))


def _work_in(inputs: Inputs, table: pd.DataFrame, job: Job) -> list[float]:
    return list(work_of(inputs, table, {job.id: job}).values())


def promise(case: Path, day: date, schedule: Path, state: State, jobs: dict[str, Job]) -> float:
    """What a night's plan costs on its own day by what the night knows [EUR]."""
    inputs = inputs_of(case, day)
    table = executed(inputs, read_schedule(schedule), jobs, dict(state.work_done))
    return cost_of(inputs, state, table)
