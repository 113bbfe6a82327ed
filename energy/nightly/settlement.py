"""Settle past days: each one that is known in full gets its account, and the work of the others counts.

`PastDays` reads what a day needs; `settle_day` and all below it take and return frozen objects and arrays.
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
from energy.inputs.fx import read_fx
from energy.inputs.jobs import Job
from energy.inputs.load import Inputs, demand_lines, read_inputs, windowed
from energy.inputs.series import read_all
from energy.inputs.state import State, load_state
from energy.inputs.tariffs import Tariff
from energy.nightly import accounts
from energy.nightly.accounts import DayAccount, executed
from energy.nightly.inputs import CASE, QUEUE, SeriesSnapshot, Settlement, load_snapshot
from energy.nightly.logs import logger
from energy.nightly.metering import Report, meter_of, reports_of
from energy.nightly.outcome import PLAN, RUN_NOW, NightContext
from energy.nightly.queue import Queue, most_gpus, set_aside
from energy.nightly.snapshot import HISTORY_DAYS
from energy.runs.record import read_setpoints
from energy.schedule.table import read_schedule

#: Days after which a day is settled with imputed hours of a series that never came, or given up where it has no account.
PATIENCE_DAYS = 7
#: Days before the delivery day that the series of a night reach back to, whole local days of every site.
REACH_DAYS = HISTORY_DAYS - 2


@dataclass(frozen=True)
class ActivePlan:
    """The plan that is active on a past day, and what its night knew: fleet and jobs of then.

    Attributes
    ----------
    row : of the table `plans`
    night : the kept case
    schedule : job, site, hall, pool, start, hours, gpus over the night's horizon
    held : device, start, setpoint_mw of the devices that it limits
    jobs : every job that was submitted by then, by id
    """

    row: dict[str, Any]
    night: Inputs
    schedule: pd.DataFrame
    held: pd.DataFrame
    jobs: dict[str, Job]

    def with_series_of(self, now: Inputs) -> Inputs:
        """Fleet, plants, tariffs and market time unit of then, with the series and rates of `now`."""
        of_then = {k: getattr(self.night, k) for k in ("fleet", "powers", "plants", "tariffs", "limits")}
        return replace(now, case=now.case.model_copy(update={"horizon": self.night.case.horizon}), **of_then)

    def jobs_with(self, later: dict[str, Job]) -> dict[str, Job]:
        """The jobs of then and those submitted since that its fleet can run."""
        queue, n = Queue({**later, **self.jobs}), self.night
        set_aside(queue, n.fleet, dict(n.powers), most_gpus(n.fleet, n.horizon.time[:1]))
        return {**queue.jobs, **self.jobs}


@dataclass(frozen=True)
class PastDay:
    """A past day as a night settles it, everything that it needs being read.

    Attributes
    ----------
    inputs : the day with the fleet that its plan was made for and the series of now
    meter : readings of the day; None on a day that is not settled yet
    reports : progress reports of the day that are known now
    jobs : every job of the queue of now, by id
    """

    day: date
    plan: ActivePlan
    inputs: Inputs
    meter: pd.DataFrame | None
    reports: list[Report]
    jobs: dict[str, Job]


@dataclass
class PastDays:
    """Reads past days from the database, from what their nights kept, and from a case with every series known now.

    Attributes
    ----------
    case : case folder with every series that is known now
    jobs : every job of the queue of now, by id
    known_at : moment of the night (UTC)
    """

    context: NightContext
    case: Path
    jobs: dict[str, Job]
    known_at: pd.Timestamp
    _plan: ActivePlan | None = field(default=None, repr=False)
    _now: Inputs | None = field(default=None, repr=False)

    def plan(self, day: date) -> ActivePlan:
        """The plan that is active on a day; that of the day before is not read again.

        Raises
        ------
        InputError, OSError : a kept or published file of the night cannot be read.
        """
        store, workspace = self.context.store, self.context.workspace
        row = store.rows("SELECT * FROM plans WHERE night <= ? ORDER BY night DESC LIMIT 1", str(day))[0]
        if self._plan is None or self._plan.row != row:
            kept, folder = workspace.snapshots / row["snapshot"], workspace.out / row["folder"]
            night = read_inputs(kept / CASE)
            jobs = load_snapshot(kept)[1].jobs if (kept / QUEUE).is_file() else {j.id: j for j in night.jobs}
            schedule = read_schedule(folder / "schedule.parquet")
            self._plan = ActivePlan(row, night, schedule, read_setpoints(folder), jobs)
        return self._plan

    def read(self, day: date, settled: bool) -> PastDay:
        """Read one day, and its meter where it is settled now.

        Raises
        ------
        InputError, OSError : the series of now or the inputs kept then cannot be read.
        """
        plan = self.plan(day)
        self._now = self._now or read_inputs(self.case)
        inputs, folder = accounts.on_day(plan.with_series_of(self._now), day), self.case.parent
        sunny = frozenset(name for name, site in inputs.fleet.sites.items() if site.solar)
        series = read_all(inputs.case, folder, False, sunny)  # whether or not a job of the case touches the day
        fx = read_fx(inputs.case.fx, folder, inputs.case.horizon.bounds()[0])
        inputs = replace(inputs, series=series, fx=fx)
        meter = meter_of(self.context.store, inputs) if settled else None
        return PastDay(day, plan, inputs, meter, self.reports(inputs), self.jobs)

    def reports(self, inputs: Inputs) -> list[Report]:
        """Progress reports of a day that are known now."""
        first, after = (pd.Timestamp(b) for b in inputs.case.horizon.bounds())
        return reports_of(self.context.store, min(after, self.known_at), first)

    def after_work_alone(self, state: State, day: date) -> State:
        """The state after a day that cannot be settled: its plan's work is done, and would else be done again.

        Where its plan cannot be read either, the state is as it was.
        """
        try:
            plan = self.plan(day)
            inputs = accounts.on_day(plan.night, day)
            table = executed(inputs, plan.schedule, plan.jobs, dict(state.work_done))
            work = accounts.work_of(inputs, table, plan.jobs)
            done = {**state.work_done, **{k: state.work_done.get(k, 0.0) + v for k, v in sorted(work.items())}}
            done = accounts.with_reports(self.reports(inputs), inputs, table, done, plan.jobs | self.jobs)
        except StoreError:
            raise
        except Exception:  # why the day has no account is reported already; the plan of this night comes first
            return state
        return state.model_copy(update={"work_done": done})


def settle(context: NightContext, case: Path, known: SeriesSnapshot, jobs: dict[str, Job]) -> Settlement:
    """Settle every day up to two before the delivery day whose series are real, then look ahead to its start.

    A day whose account cannot be made is reported and costs its account alone: the plan of this night does not wait.

    Parameters
    ----------
    case : a case folder with every series that is known now
    jobs : every job of the queue, done or not
    """
    config, store, day = context.config, context.store, context.day
    past = PastDays(context, case, jobs, pd.Timestamp(known.known_at))
    opening = load_state(context.workspace.beside(config.state)) if config.state else State()
    first = store.row("SELECT min(night) AS night FROM plans WHERE night < ?", str(day))
    if first is None or first["night"] is None:
        return Settlement(accounts.opening_state(opening, reports_of(store, past.known_at), jobs))
    query = "SELECT day, state FROM settled_days WHERE policy = ? AND day < ? ORDER BY day DESC LIMIT 1"
    last = {policy: store.row(query, policy, str(day - timedelta(days=1))) for policy in (PLAN, RUN_NOW)}
    begin = date.fromisoformat(str(first["night"]))
    if mine := last[PLAN]:
        begin = max(begin, date.fromisoformat(mine["day"]) + timedelta(days=1))
    until = min(pd.Timestamp(config.begin(begin)), past.known_at)
    opening = accounts.opening_state(opening, reports_of(store, until), jobs)
    states = {policy: State.model_validate_json(row["state"]) if row else opening for policy, row in last.items()}
    out, settled = Settlement(opening), True
    earliest = day - timedelta(days=REACH_DAYS)
    if begin < earliest:
        out.reasons.append(
            f"{begin} to {earliest - timedelta(days=1)} were never settled and lie before the {HISTORY_DAYS} days of "
            "series that a night keeps: given up, their work counts, bills, peaks and balances do not"
        )
    for each in (begin + timedelta(days=k) for k in range((day - begin).days)):
        if each < earliest:
            states[PLAN] = past.after_work_alone(states[PLAN], each)
        else:
            settled = _settle_next(past, out, states, each, settled and _is_ready(context, known, each, out))
    return replace(out, state=states[PLAN])


def _is_ready(context: NightContext, known: SeriesSnapshot, each: date, out: Settlement) -> bool:
    """Whether a day has passed and is known in full; one that never will be is settled with imputed hours."""
    age = (context.day - each).days
    if age < 2:
        return False
    missing = known.not_real(context.config.begin(each), context.config.begin(each + timedelta(days=1)))
    if missing and age <= PATIENCE_DAYS:
        out.notes.append(f"{each} is not settled yet: {', '.join(missing)} not known in full")
        return False
    if missing:
        out.notes.append(f"{each} is settled with imputed hours of {', '.join(missing)}")
    return True


def _settle_next(past: PastDays, out: Settlement, states: dict[str, State], each: date, settled: bool) -> bool:
    """Settle one day, or roll the plan's state over it; returns whether the days after it may be settled."""
    try:
        after, days, work = settle_day(past.read(each, settled), states, settled)
    except StoreError:
        raise
    except Exception as e:  # whatever is wrong with a past day, the plan of this night does not depend on it
        logger().exception("day not settled", extra={"day": str(each)})
        give_up = settled and (past.context.day - each).days > PATIENCE_DAYS
        what = str(e) if isinstance(e, InputError | OSError) else f"{type(e).__name__}: {e}"
        then = f"after {PATIENCE_DAYS} days settlement is abandoned" if give_up else "the next night tries again"
        out.reasons.append(
            f"{each} cannot be settled ({what}); {then}, its work counts all the same" if settled
            else f"{each} has no account on the way to this night ({what}); its work counts all the same"
        )  # fmt: skip
        states[PLAN] = past.after_work_alone(states[PLAN], each)
        return give_up
    states.update(after)
    out.days.extend(days)
    out.work.extend(work)
    return settled


Rows = list[dict[str, Any]]
#: Columns of a settled day that only one of the two policies has.
COSTS = (
    "night",
    "idle_cost_eur",
    "ex_ante_cost_eur",
    "price_variance_eur",
    "weather_variance_eur",
    "load_variance_eur",
    "other_variance_eur",
)


def settle_day(past: PastDay, states: Mapping[str, State], settled: bool) -> tuple[dict[str, State], Rows, Rows]:
    """Account of the active plan and, where the day is settled, of run-now: states after it, rows of days and of work.

    Parameters
    ----------
    states : at the start of the day, by policy
    settled : False: only the plan's state is rolled forward, and there are no rows
    """
    plan, inputs, before = past.plan, past.inputs, states[PLAN]
    table = executed(inputs, plan.schedule, plan.jobs, dict(before.work_done))
    mine = accounts.account_of(inputs, before, table, plan.jobs, past.meter, plan.held)
    planned = dict(mine.state.work_done)
    done = accounts.with_reports(past.reports, inputs, table, planned, plan.jobs | past.jobs)
    reported = {k: max(v - before.work_done.get(k, 0.0), 0.0) for k, v in done.items() if v != planned.get(k)}
    mine = replace(mine, work=mine.work | reported, state=mine.state.model_copy(update={"work_done": done}))
    if not settled:
        return {PLAN: mine.state}, [], []
    jobs = plan.jobs_with(past.jobs)
    base = accounts.account_of(inputs, states[RUN_NOW], accounts.run_now_table(inputs, states[RUN_NOW], jobs), jobs)
    variance = attribute_variance(past, before, mine, table)
    metered = past.meter is not None and not past.meter.empty
    own = variance | {"night": plan.row["night"], "metered": int(metered)}
    idle = {
        "idle_cost_eur": accounts.cost_of(inputs, states[RUN_NOW], accounts.EMPTY)
    }  # what the day costs with no job at all
    days: Rows = []
    work: Rows = []
    for policy, account, more in ((PLAN, mine, own), (RUN_NOW, base, idle)):
        of = {"policy": policy, "day": str(past.day)}
        work += [of | {"job": job, "gpu_hours": account.work[job]} for job in sorted(account.work)]
        days.append(dict.fromkeys(COSTS) | of | {
            "realised_cost_eur": account.eur, "energy_mwh": account.energy_mwh, "metered": 0,
            "gpu_hours": sum(account.work[k] for k in sorted(account.work)),
            "state": json.dumps(account.state.model_dump(mode="json", exclude_defaults=True)), **more,
        })  # fmt: skip
    return {PLAN: mine.state, RUN_NOW: base.state}, days, work


def attribute_variance(past: PastDay, before: State, account: DayAccount, table: pd.DataFrame) -> dict[str, float]:
    """Ex-ante cost, and its difference from the realised cost by price, weather, load and the rest; all five add up to it.

    The rest: work done or state different from what the night assumed. A day of an older plan has no ex-ante cost
    of its own: it is priced with that night's forecast, and one behind its horizon with what was real.
    """
    plan, inputs = past.plan, past.inputs
    then = accounts.cut_to_day(plan.night, past.day) if past.day <= plan.night.case.horizon.end else inputs
    guess, truth = replace(then, state=before), replace(inputs, state=before)
    priced = replace(guess, series=replace(guess.series, prices=inputs.series.prices), fx=inputs.fx)
    old_air, new_air = (
        replay(known, accounts.day_schedule(on, table, plan.held)) for known, on in ((guess, then), (truth, inputs))
    )
    by_forecast, by_price = bill(guess, old_air).total(), bill(priced, old_air).total()
    by_weather = bill(truth, new_air).total()
    own = plan.row["night"] == str(past.day)
    ex_ante = float(plan.row["ex_ante_cost_eur"]) if own else by_forecast
    return {"ex_ante_cost_eur": ex_ante, "price_variance_eur": by_price - by_forecast, "weather_variance_eur": by_weather - by_price,
            "load_variance_eur": account.eur - by_weather, "other_variance_eur": by_forecast - ex_ante}  # fmt: skip


def fitted(state: State, tariffs: Mapping[str, Tariff]) -> State:
    """The state without sites and demand charges that fleet and tariffs have no more: a case that names them is refused.

    Parameters
    ----------
    tariffs : by site of the fleet
    """
    sites = {}
    for name, site in state.sites.items():
        if name in tariffs:
            windows, lines = windowed(tariffs[name]), demand_lines(tariffs[name])
            invoices = {
                month: i.model_copy(update={"charges": {k: c for k, c in i.charges.items() if k in lines}})
                for month, i in site.invoice_so_far.items()
            }
            peaks = {k: v for k, v in site.window_peaks_mw.items() if k in windows}
            sites[name] = site.model_copy(update={"invoice_so_far": invoices, "window_peaks_mw": peaks})
    return state.model_copy(update={"sites": sites})
