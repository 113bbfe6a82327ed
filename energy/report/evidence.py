"""Evidence for the figures: certificate, objective against bill, executability, series and reservoirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy.report import charts
from energy.report.charts import HEADROOM, Picture
from energy.report.figures import RunFigures
from energy.report.formatting import MONTHS, listed, number, power_of_ten, share, short_day, utc
from energy.report.view import Cell, Column, Table, left, prose, table
from energy.schema import QUALITY

#: Named differences between objective and bill: key in summary.json, name, where it comes from.
DIFFERENCES = (
    ("chords_eur", "Cooling chords", "the program draws overhead as chords, which lie above the plant's curve"),
    (
        "negative_hour_chords_eur",
        "Chords where drawing may earn money",
        "negative prices, and hours in which a contract or a minimum bill outweighs the price: there one chord spans "
        "the whole load range",
    ),
    ("peaks_on_chords_eur", "Peaks on chords", "demand charges on peaks that include the chords' excess"),
    ("contracts_on_chords_eur", "Contracts and feed-in on chords", "volumes taken, fed in and sold as heat"),
    ("clipped_prices_eur", "Feed-in above the price", "the program earns no more for a MWh fed in than one drawn costs"),
    ("unserved_penalty_eur", "Penalty for undone work", "not money: what keeps the program from leaving work"),
    ("terminal_value_eur", "Terminal value", "what work left for after the horizon is likely to cost then: no bill yet"),
    ("cap_penalty_eur", "Penalty for exceeded PUE caps", "not money: what keeps the program from breaking a cap"),
    ("unexplained_eur", "Without a name", "must be below a cent"),
)  # fmt: skip
#: Undone work below this share of all work is the solver's rounding.
LEAST_UNDONE = 1e-7
#: Qualities that were not seen on a market or by an instrument at the place and time.
NOT_SEEN = ("proxy", "persistence", "scenario")
#: Limits of every certificate.
SCOPE = "Not proven: that prices, weather and jobs come as assumed, or that fractions of GPUs can be had."


def executability(run: RunFigures) -> Table | None:
    """Distance of the schedule from whole GPUs, one site per job and few starts."""
    shape = run.record.summary.get("shape")
    if not shape:
        return None
    fraction = "whole numbers come with the executable plan"
    rows = (
        ("Job-periods with GPUs", number(shape["active_job_periods"]), "a job holding GPUs in one period"),
        ("of them with a fraction of a GPU", share(shape["fractional_share"]), fraction),
        ("of them on two sites or more", share(shape["two_sites_share"]), "a real job runs at one site at a time"),
        ("Starts per job", number(shape["starts_per_job"], 1), "one is a job that never pauses"),
        ("Moves per job", number(shape["moves_per_job"], 1), "changes of the site that holds most of its GPUs"),
    )
    return table((left("Measure"), Column("Plan"), prose("Meaning")), rows)


def reconciliation(run: RunFigures) -> Table | None:
    """The program's objective, its named differences and the bill [EUR], in this order."""
    found: dict[str, Any] = run.record.summary.get("reconciliation", {})
    if not found:
        return None
    rows = [("Objective of the program", number(found["objective_eur"], 2), "")]
    rows += [(f"less: {name}", number(-found[key], 2, sign=True), why) for key, name, why in DIFFERENCES]
    contents = "spot, energy charges, taxes, demand charges; no VAT"
    total = "Bill of the plan, from raw inputs", number(found["bill_eur"], 2), contents
    return table((left("Item"), Column("Amount", "EUR"), prose("Cause")), rows, total)


def reconciliation_text(run: RunFigures) -> str:
    """Verdict on whether objective and bill agree, with the share of the named differences."""
    found = run.record.summary.get("reconciliation", {})
    if not found:
        return "The run folder holds no reconciliation."
    verdict = "agree" if found["agrees"] else "do NOT agree"
    return (
        f"The bill is worked out apart from the program, from raw prices, tariffs and the cooling plant's own curves. "
        f"The two {verdict}: differences with a name are {share(found['named_share'], 4)} of the bill."
    )


def certificate(run: RunFigures) -> list[str]:
    """Sentences on the proof: its size, the bound, gap and violations."""
    proof: dict[str, Any] = run.record.summary.get("certificate", {})
    if not proof:
        return ["The run folder holds no certificate."]
    sizes = (
        f"{number(proof['rows'])} rows, {number(proof['columns'])} columns and {number(proof['nonzeros'])} coefficients"
    )
    first = f"The whole program ({sizes}) was rebuilt from the saved Problem with numpy, without modeller or solver."
    of = "gross bill" if "gross_bill_eur" in proof else "objective"  # as older run folders measured it
    measured = (
        f"Duality gap {power_of_ten(proof['relative_gap'])} of the {of}; the largest violation of any row or bound is "
        f"{power_of_ten(proof['max_violation'])} (scaled), at {proof['worst_row'] or 'none'}."
    )
    if not proof["pass"]:
        return [first, "The proof FAILED: the plan must not be used.", measured]
    bound = (
        f"No plan under the same limits can cost less than {number(proof['dual_eur'], 2)} EUR, penalties included; "
        f"this one costs {number(proof['primal_eur'], 2)} EUR."
    )
    return [first, bound, measured, SCOPE]


def undone_table(run: RunFigures, most: int = 10) -> Table | None:
    """Jobs with work left undone, most first; None where all is done."""
    short, work = run.solution["unserved"].values * run.submitted, run.problem["work_left"].values
    least = LEAST_UNDONE * work.sum()
    if not run.record.summary["unserved_gpu_hours"] > least:
        return None
    return table((left("Job"), Column("Left undone", "GPU-h"), Column("Of its work")), [
        (run.jobs[j], number(float(short[j]), 1), share(float(short[j] / work[j])))
        for j in (-short).argsort(kind="stable")[:most] if short[j] > least
    ])  # fmt: skip


#: Meaning of each quality to a reader.
MEANING = {
    "auction": "cleared in the day-ahead auction",
    "measured": "measured at the place and time",
    "forecast": "forecast",
    "secondary": "taken from a second-hand source",
    "proxy": "measured elsewhere or in another year",
    "persistence": "a gap filled with earlier values",
    "scenario": "made up from summary figures",
}


def series_table(run: RunFigures) -> Table | None:
    """One row per series of the manifest."""
    columns = left("Kind"), left("For"), left("Quality, periods"), prose("Source"), prose("Licence"), left("File")
    rows = []
    for series in run.record.manifest.get("series", []):
        quality: dict[str, int] = series.get("quality", {})
        counts = ", ".join(f"{name} {number(count)}" for name, count in quality.items())
        mark = "bad" if set(quality) & set(NOT_SEEN) else ""
        rows.append((series["kind"], series["name"], Cell(counts, mark=mark),
                     *(series.get(key, "") for key in ("source", "licence", "file"))))  # fmt: skip
    return table(columns, rows)


def credits_due(run: RunFigures) -> list[str]:
    """Credits that the licences of the series, rates and hydropower signals ask for, each once."""
    manifest, water = run.record.manifest, (run.record.reservoirs, run.record.hydro)
    owed = [*manifest.get("series", []), *manifest.get("rates", []), *(ds.attrs for ds in water if ds is not None)]
    texts = [(str(o.get("attribution", "")), str(o.get("licence", ""))) for o in owed]
    return list(dict.fromkeys(f"{who} ({terms})" if terms else who for who, terms in texts if who))


def warnings(run: RunFigures) -> list[str]:
    """One line per quality that was not seen: its meaning, and the series that have it."""
    out = []
    for quality in NOT_SEEN:
        names = []
        for kind in ("price", "weather"):
            parts = (run.problem[f"{kind}_quality"].values == QUALITY.index(quality)).mean(axis=1)
            sites = [name if part == 1 else f"{name} ({share(part, 0)} of periods)"
                     for name, part in zip(run.sites, parts.tolist(), strict=True) if part > 0]  # fmt: skip
            names += [f"{kind} of {listed(sites, 8)}"] if sites else []
        out += [f"{quality} ({MEANING[quality]}): {listed(names, 6)}"] if names else []
    return out


def run_tables(run: RunFigures) -> list[tuple[str, Table]]:
    """The manifest's small print: run, versions, seconds, input hashes."""
    m = run.record.manifest
    solver = m.get("solver", {})
    first = {
        "run id": m.get("run_id", ""), "written": utc(str(m.get("created_utc", ""))),
        "solver status": solver.get("status", ""), "solver iterations": number(solver.get("iterations", 0)),
    }  # fmt: skip
    seconds = {k: f"{v:.3f}" for k, v in m.get("seconds", {}).items()}
    found = {"Run": first, "Versions": m.get("versions", {}), "Seconds by stage": seconds,
             "Input files, SHA-256": m.get("inputs_sha256", {})}  # fmt: skip
    tables = {
        name: table((left("Item"), prose("Value")), [(str(k), str(v)) for k, v in pairs.items()])
        for name, pairs in found.items()
    }
    return [(name, t) for name, t in tables.items() if t]


#: Height of the panel [px], and of the scale: full is 100 %.
HEIGHT, FULL = 110.0, 100.0
#: Months between labels, so that twelve months show four.
MONTHS_APART = 3
#: Days between labels under a week.
DAYS_APART = 2.0


def hydropower(run: RunFigures) -> list[tuple[xr.Dataset, str, str]]:
    """The times that a zone has values of, the zone and the signal: first all fillings, then all generation."""
    out, files = [], {"filling": run.record.reservoirs, "hydro_mw": run.record.hydro}
    for ds, signal in ((ds, signal) for signal, ds in files.items() if ds is not None):
        for name in [str(n) for n in ds.data_vars if str(n).endswith(f"_{signal}")]:
            at = np.flatnonzero(np.isfinite(ds[name].values))
            out += [(ds.isel(time=at), name.removesuffix(f"_{signal}"), signal)] if len(at) else []
    return out


def reservoir_pictures(run: RunFigures) -> list[Picture]:
    """One per zone whose reservoirs are known, then one per zone whose generation is."""
    return [_filling(ds, z) if signal == "filling" else _generation(ds, z) for ds, z, signal in hydropower(run)]


def _filling(ds: xr.Dataset, zone: str) -> Picture:
    """Weeks of filling over its range, labelled with the name of every third month at its first week."""
    names = (f"{zone}_{n}" for n in ("filling", "minimum", "median", "maximum"))
    unknown = np.full(ds.sizes["time"], np.nan)
    filling, low, middle, high = (100.0 * (ds[n].values if n in ds else unknown) for n in names)
    panels = [panel] = charts.panels([HEIGHT])
    week = np.arange(len(filling), dtype=float)
    panel.area(week, low, high, "rule")
    panel.line(week, middle, "soft", 1.0)
    panel.line(week, filling, "plan", 1.6)
    panel.y = (0.0, FULL)
    panel.title("Reservoir filling, %", [("filling", "plan"), ("median", "soft")])
    month = ds["time"].values.astype("datetime64[M]").astype(int) % 12
    first = [i for i in range(1, len(week)) if month[i] != month[i - 1] and month[i] % MONTHS_APART == 0]
    panel.x = (0.0, max(len(week) - 1.0, 1.0))
    panel.x_labels = [(float(i), MONTHS[month[i]]) for i in first]
    week_of = short_day(ds["time"].values[-1] + np.timedelta64(1, "D"))
    facts = f"{share(filling[-1] / 100)} full in the week of {week_of}"
    if np.isfinite(middle[-1]):
        points = filling[-1] - middle[-1]
        facts += f", {number(abs(points), 1)} points {'above' if points >= 0 else 'below'} the median"
    caption = f"{zone}: weekly reservoir filling against its twenty-year range"
    return Picture(zone, facts, charts.svg(panels, caption))


def _generation(ds: xr.Dataset, zone: str) -> Picture:
    time, power = ds["time"].values, ds[f"{zone}_hydro_mw"].values
    panels = [panel] = charts.panels([HEIGHT])
    at = (time - time[0]) / np.timedelta64(1, "D")
    panel.line(at, power, "plan", 1.3)
    panel.x = (0.0, max(float(at[-1]), 1.0))
    panel.y = (0.0, HEADROOM * float(power.max()) or 1.0)
    days = np.arange(0.0, float(at[-1]) + 1.0, DAYS_APART)
    panel.x_labels = [(d, short_day(time[0] + np.timedelta64(round(24 * d), "h"))) for d in days.tolist()]
    panel.title("Hydro generation, MW")
    facts = f"{number(power.mean())} MW on average, {number(power.min())} to {number(power.max())} MW"
    svg = charts.svg(panels, f"{zone}: hydro generation by hour")
    return Picture(f"{zone} generation", facts, svg)
