"""Output of the commands: stages with their time, and tables. Plain when not a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr
from rich.console import Console
from rich.table import Table

from energy.inputs.provenance import low_confidence_rates, series_origins
from energy.problem import notices

if TYPE_CHECKING:
    from energy.audit.invoice import Bill
    from energy.inputs.load import Inputs
    from energy.optimize import Run
    from energy.plant_study import Figures
    from energy.sources.status import Row


#: Width when there is no terminal to ask: fits a log viewer and a mail.
PLAIN_WIDTH = 110
#: Lines of binding limits; the report has all of them.
MOST_HELP = 5


def console(stderr: bool = False) -> Console:
    """A console that keeps colour and width to real terminals."""
    probe = Console(stderr=stderr, markup=False)  # a source named "[mem]" is text, not a style
    return probe if probe.is_terminal else Console(stderr=stderr, width=PLAIN_WIDTH, highlight=False, markup=False)


class Progress:
    """Stages with elapsed time on stderr: a spinner on a terminal, a line each elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet, self.console = quiet, console(stderr=True)
        self.began, self.name, self.total = 0.0, "", time.perf_counter()
        self.status: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end()
        elif self.status is not None:
            self.status.stop()

    def stage(self, name: str) -> None:
        """End the stage before and begin this one."""
        self._end()
        self.name, self.began = name, time.perf_counter()
        if self.console.is_terminal and not self.quiet:
            self.status = self.console.status(name)
            self.status.start()

    def _end(self) -> None:
        if self.status is not None:
            self.status.stop()
            self.status = None
        if self.name and not self.quiet:
            self.console.print(f"{time.perf_counter() - self.began:7.2f} s  {self.name}")


def result_table(run: Run, folder: Path) -> None:
    """Headline, one row per site, and where everything is."""
    s, out = run.summary, console()
    out.print(headline(run))
    for reason in run.outcome.reasons:
        out.print(f"  - {reason}")
    table = Table(title="Plan against running every job at once, at home")
    for name, justify in (("site", "left"), ("zone", "left"), ("energy MWh", "right"), ("cost EUR", "right"),
                          ("run-now EUR", "right"), ("EUR/MWh", "right"), ("peak MW", "right"), ("PUE", "right"),
                          ("GPUs busy", "right")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    dt = run.problem["dt"].values
    for i, name in enumerate(map(str, run.problem["site"].values)):
        power = run.plan.replay["facility_mw"].values[i]
        mwh, cost, base_eur = float(power @ dt), run.plan.bill.total(site=name), run.baseline.bill.total(site=name)
        table.add_row(
            name, run.inputs.fleet.sites[name].bidding_zone, f"{mwh:,.1f}", f"{cost:,.0f}", f"{base_eur:,.0f}",
            f"{cost / mwh:.2f}" if mwh else "-", f"{power.max():.2f}",
            f"{s['pue'].get(name, float('nan')):.4f}", f"{_busy(run, i):.1%}",  # type: ignore[attr-defined]
        )  # fmt: skip
    energy, bill, base = s["energy_mwh"]["plan"], s["bill_eur"], s["baseline_eur"]  # type: ignore[index]
    table.add_section()
    table.add_row("fleet", "", f"{energy:,.1f}", f"{bill:,.0f}", f"{base:,.0f}", f"{bill / energy:.2f}", "",
                  f"{s['pue']['fleet']:.4f}", f"{s['busy_share']:.1%}")  # type: ignore[index]  # fmt: skip
    out.print(table)
    for line in helpful(run.summary):
        out.print(line, soft_wrap=True)
    for name, h in s["cooling"]["halls"].items():  # type: ignore[index]
        if h["derated_hours"] > 0:
            held = (
                f"DERATED: hall {name} for {h['derated_hours']:g} h, by up to {h['most_derated_mw']:.3f} MW of IT power"
            )
            out.print(f"{held}: its plant cannot hold the supply setpoint at full load", soft_wrap=True)
    for line in s["notices"]:  # type: ignore[attr-defined]
        out.print(f"NOTICE: {line}", soft_wrap=True)
    c = run.certificate
    out.print(
        f"Certificate: {'passed' if c.passed else 'FAILED'}, gap {c.relative_gap:.1e} of the gross bill, "
        f"violation {c.max_violation:.1e}; {c.rows:,} rows, {c.columns:,} columns; "
        f"solver {run.raw.seconds:.1f} s",
        soft_wrap=True,
    )
    out.print(f"Run folder: {folder}", soft_wrap=True)


def headline(run: Run) -> str:
    """Status and saving in one line."""
    s = run.summary
    h: Any = s["horizon"]
    text = f"{s['status']}: {h['first']} … {h['last']}: saves {s['saving_eur']:,.0f} EUR ({s['saving_share']:.1%})"
    return text + ("" if s["equal_work"] else "; run-now does not finish the same work: not a comparison of equals")


def helpful(summary: dict[str, Any]) -> list[str]:
    """Remedies, one line each: of undone jobs and breached caps the cheapest, else the dearest limits."""
    found = [f"  - {x['message']}" for x in summary["binding_limits"]]
    more = [f"  - and {len(found) - MOST_HELP} more in the report"] if len(found) > MOST_HELP else []
    return ["Binding limits:", *found[:MOST_HELP], *more] if found else []


def _busy(run: Run, site: int) -> float:
    """GPU-hours used of those available at a site, firm ones included."""
    p = run.problem
    mine = p["hall_site"].values[p["pool_hall"].values] == site
    entry = run.plan.schedule
    held = mine[entry["entry_pool"].values]
    dt = p["dt"].values
    used = entry["entry_gpus"].values[held] @ dt[entry["entry_time"].values[held]] + (p["firm"].values[mine] @ dt).sum()
    return float(used / (p["available"].values[mine] @ dt).sum())


def pue_table(found: Sequence[Figures], load: float) -> None:
    """Sites and halls at a constant load."""
    table = Table(title=f"At load {load:g} of design, {found[0].hours:g} h")
    for name in ("site/hall", "PUE", "WUE L/kWh", "free cooling h", "worst PUE", "worst hour", "derated h"):
        table.add_column(name, justify="left" if name in ("site/hall", "worst hour") else "right")
    for f in found:
        table.add_row(
            f.name, f"{f.pue:.4f}", f"{f.wue_l_per_kwh:.3f}", f"{f.free_cooling_hours:g}", f"{f.worst_pue:.3f}",
            f.worst_hour, f"{f.derated_hours:g}",
        )  # fmt: skip
    console().print(table)


def check_table(inputs: Inputs, problem: xr.Dataset) -> None:
    """Sizes of a case, and the origin of each series."""
    out = console()
    names = {dim: f"{dim}s" for dim in ("site", "hall", "pool", "job", "group")} | {"time": "periods"}
    sizes = ", ".join(f"{problem.sizes[dim]} {name}" for dim, name in names.items())
    expected = f" ({hoped} of the jobs expected arrivals)" if (hoped := int(problem["expected"].sum())) else ""
    out.print(f"OK: {inputs.case.name}: {sizes}{expected}; {len(inputs.left_out)} jobs outside the horizon")
    table = Table(title="Series")
    for name in ("kind", "for", "quality (periods)", "file", "source"):
        table.add_column(name)
    for row in series_origins(inputs):
        quality: Any = row["quality"]
        parts = ", ".join(f"{k} {v}" for k, v in quality.items())
        table.add_row(str(row["kind"]), str(row["name"]), parts, str(row["file"]), str(row["source"]))
    out.print(table)
    if rates := low_confidence_rates(inputs):
        how = "are assumed at low confidence (L weak source or assumption, MEM from memory)"
        out.print(f"{len(rates)} rates in force {how}:")
        for d in rates:
            where = f"{d.change}: {d.component} = {d.rate} ({d.confidence}) at {', '.join(d.sites)}"
            out.print(f"  {where}: {d.source}", soft_wrap=True)
        out.print("  To change one, name an own copy of its file by tariff in the fleet file")
    else:
        out.print("No rate in force is assumed at low confidence")
    for line in notices(inputs, problem):
        out.print(f"NOTICE: {line}", soft_wrap=True)


def bill_table(bill: Bill) -> None:
    """Invoice lines of a run and their sums; what running months have billed before is a column where there is any."""
    table, before = Table(title="Invoice lines, EUR without VAT"), any(x.so_far_eur for x in bill.lines)
    figures = ("quantity", "EUR per unit", "billed before", "EUR")
    for name in ("site", "month", "component", "quantity", "unit", "EUR per unit", "billed before", "EUR"):
        if before or name != "billed before":
            table.add_column(name, justify="right" if name in figures else "left")
    for x in bill.lines:
        so_far = [f"{x.so_far_eur:,.2f}"] if before else []
        table.add_row(x.site, x.month, x.component, f"{x.quantity:,.3f}", x.unit, f"{x.rate_eur:,.2f}", *so_far,
                      f"{x.amount_eur:,.2f}")  # fmt: skip
    table.add_section()
    table.add_row("fleet", *[""] * (6 if before else 5), f"{bill.total():,.2f}")
    console().print(table)


def attribution_table(summary: dict[str, Any]) -> None:
    """The waterfall as a table, where a run has one."""
    if "attribution" not in summary:
        return
    table = Table(title="What each kind of foresight saves")
    for name in ("step", "cost EUR", "saving EUR", "GPU-hours", "certified"):
        table.add_column(name, justify="left" if name in ("step", "certified") else "right")
    for part in ("steps", "rules"):
        for s in summary["attribution"][part]:
            proof = {True: "yes", False: "no", None: ""}[s["certified"]]
            figures = (f"{s[key]:,.0f}" for key in ("cost_eur", "saving_eur", "work_gpu_hours"))
            table.add_row(s["name"], *figures, proof)
        table.add_section()
    console().print(table)


def sources_table(rows: Sequence[Row]) -> None:
    """The live sources, a block each: a table of eight columns fits no terminal."""
    out = console()
    for row in rows:
        failure = f"; last failure {row.last_failure}" if row.last_failure else ""
        out.print(f"{row.name}: {row.gives}", soft_wrap=True)
        out.print(f"    key {row.key}; commercial use: {row.commercial}; {row.licence}", soft_wrap=True)
        out.print(f"    credit: {row.attribution}", soft_wrap=True)
        out.print(f"    last success {row.last_success} ({row.freshness}){failure}", soft_wrap=True)
