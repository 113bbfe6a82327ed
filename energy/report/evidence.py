"""What the figures rest on: certificate, objective against bill, executability, series and reservoirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from energy.report import charts
from energy.report.charts import HEADROOM, Picture, light
from energy.report.figures import RunFigures
from energy.report.formatting import MONTHS, listed, number, power_of_ten, share, short_day, utc
from energy.report.tables import Cell, Column, Table, left, prose, row, table
from energy.schema import QUALITY, Floats, Times

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
#: What no certificate can say.
SCOPE = "Not proven: that prices, weather and jobs come as assumed, or that fractions of GPUs can be had."


def executability(run: RunFigures) -> Table | None:
    """How far the schedule is from whole GPUs, one site per job and few starts."""
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
    return table((left("Measure"), Column("Plan"), prose("Meaning")), [row(*r) for r in rows])


def reconciliation(run: RunFigures) -> Table | None:
    """From the program's objective to the bill, difference by difference [EUR]."""
    found: dict[str, Any] = run.record.summary.get("reconciliation", {})
    if not found:
        return None
    rows = [row("Objective of the program", number(found["objective_eur"], 2), "")]
    rows += [row(f"less: {name}", number(-found[key], 2, sign=True), why) for key, name, why in DIFFERENCES]
    contents = "spot, energy charges, taxes, demand charges; no VAT"
    total = row("Bill of the plan, from raw inputs", number(found["bill_eur"], 2), contents)
    return table((left("Item"), Column("Amount", "EUR"), prose("Cause")), rows, total)


def reconciliation_text(run: RunFigures) -> str:
    """Whether objective and bill agree."""
    found = run.record.summary.get("reconciliation", {})
    if not found:
        return "The run folder holds no reconciliation."
    verdict = "agree" if found["agrees"] else "do NOT agree"
    return (
        f"The bill is worked out apart from the program, from raw prices, tariffs and the cooling plant's own curves. "
        f"The two {verdict}: differences with a name are {share(found['named_share'], 4)} of the bill."
    )


def certificate(run: RunFigures) -> list[str]:
    """What was proven, in sentences."""
    proof: dict[str, Any] = run.record.summary.get("certificate", {})
    if not proof:
        return ["The run folder holds no certificate."]
    sizes = (
        f"{number(proof['rows'])} rows, {number(proof['columns'])} columns and {number(proof['nonzeros'])} coefficients"
    )
    first = f"The whole program ({sizes}) was rebuilt from the saved Problem with numpy, without modeller or solver."
    measured = (
        f"Relative gap {power_of_ten(proof['relative_gap'])}; the largest violation of any row or bound is "
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
    short, work = run.solution["short"].values * run.there, run.problem["work_left"].values
    least = LEAST_UNDONE * work.sum()
    if not run.record.summary["unserved_gpu_hours"] > least:
        return None
    order = [int(j) for j in (-short).argsort(kind="stable")[:most] if short[j] > least]
    rows = [row(run.jobs[j], number(float(short[j]), 1), share(float(short[j] / work[j]))) for j in order]
    return table((left("Job"), Column("Left undone", "GPU-h"), Column("Of its work")), rows)


#: What a quality means to a reader.
MEANING = {
    "auction": "cleared in the day-ahead auction",
    "measured": "measured at the place and time",
    "forecast": "forecast",
    "secondary": "taken from a second-hand source",
    "proxy": "measured elsewhere or in another year",
    "persistence": "a gap filled with earlier values",
    "scenario": "made up from summary figures",
}
COLUMNS = (left("Kind"), left("For"), left("Quality, periods"), prose("Source"), prose("Licence"), left("File"))


def series_table(run: RunFigures) -> Table | None:
    """One row per series of the manifest."""
    found: list[dict[str, Any]] = run.record.manifest.get("series", [])
    return table(COLUMNS, [_row(s) for s in found]) if found else None


def _row(series: dict[str, Any]) -> tuple[Cell, ...]:
    quality: dict[str, int] = series.get("quality", {})
    counts = ", ".join(f"{name} {number(count)}" for name, count in quality.items())
    mark = "bad" if set(quality) & set(NOT_SEEN) else ""
    return row(series["kind"], series["name"], Cell(counts, mark=mark), series.get("source", ""),
               series.get("licence", ""), series.get("file", ""))  # fmt: skip


def credits_due(run: RunFigures) -> list[str]:
    """What the licences of the series, rates and hydropower signals ask to be credited, each once."""
    manifest, water = run.record.manifest, (run.record.reservoirs, run.record.hydro)
    owed = [*manifest.get("series", []), *manifest.get("rates", []), *(ds.attrs for ds in water if ds is not None)]
    texts = [(str(o.get("attribution", "")), str(o.get("licence", ""))) for o in owed]
    return list(dict.fromkeys(f"{who} ({terms})" if terms else who for who, terms in texts if who))


def warnings(run: RunFigures) -> list[str]:
    """One line per quality that was not seen: which series, and what it means."""
    out = []
    for quality in NOT_SEEN:
        found = {kind: _sites_with(run, kind, quality) for kind in ("price", "weather")}
        names = [f"{kind} of {listed(sites, 8)}" for kind, sites in found.items() if sites]
        out += [f"{quality} ({MEANING[quality]}): {listed(names, 6)}"] if names else []
    return out


def _sites_with(run: RunFigures, kind: str, quality: str) -> list[str]:
    """Sites whose price or weather has periods of a quality, with their share."""
    shares = (run.problem[f"{kind}_quality"].values == QUALITY.index(quality)).mean(axis=1)
    parts = {name: float(part) for name, part in zip(run.sites, shares, strict=True) if part > 0}
    return [name if part == 1 else f"{name} ({share(part, 0)} of periods)" for name, part in parts.items()]


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
    columns = (left("Item"), prose("Value"))
    return [
        (name, table(columns, [row(str(k), str(v)) for k, v in pairs.items()]))
        for name, pairs in found.items()
        if pairs
    ]


#: Height of the panel [px], and of the scale: full is 100 %.
HEIGHT, FULL = 110.0, 100.0
#: Months between labels, so that twelve months show four.
MONTHS_APART = 3
#: Days between labels under a week.
DAYS_APART = 2.0


def reservoir_pictures(run: RunFigures) -> list[Picture]:
    """One per zone whose reservoirs are known, then one per zone whose generation is, in the order of the files."""
    filling, generation = _known(run.record.reservoirs, "_filling"), _known(run.record.hydro, "_hydro_mw")
    return [_zone(ds, z) for ds, z in filling] + [_generation(ds, z) for ds, z in generation]


def has_reservoirs(run: RunFigures) -> bool:
    """Whether a zone's reservoirs or generation are known."""
    return bool(_known(run.record.reservoirs, "_filling") or _known(run.record.hydro, "_hydro_mw"))


def _known(ds: xr.Dataset | None, suffix: str) -> list[tuple[xr.Dataset, str]]:
    """The times that a zone has a value of, and the zone, for each that has any."""
    if ds is None:
        return []
    names = [str(n) for n in ds.data_vars if str(n).endswith(suffix)]
    known = [(n, np.flatnonzero(np.isfinite(ds[n].values))) for n in names]
    return [(ds.isel(time=at), n.removesuffix(suffix)) for n, at in known if len(at)]


def _zone(ds: xr.Dataset, zone: str) -> Picture:
    low, middle, high = (_percent(ds, f"{zone}_{n}") for n in ("minimum", "median", "maximum"))
    filling = _percent(ds, f"{zone}_filling")
    figure, (ax,) = charts.panels([HEIGHT])
    week = np.arange(len(filling), dtype=float)
    ax.fill_between(week, low, high, color=light("rule"), linewidth=0)
    ax.plot(week, middle, color=light("soft"), linewidth=1.0)
    ax.plot(week, filling, color=light("plan"), linewidth=1.6)
    ax.set_ylim(0, FULL)
    charts.title(ax, "Reservoir filling, %", [("filling", "plan"), ("median", "soft")])
    _label(ax, ds["time"].values)
    caption = f"{zone}: weekly reservoir filling against its twenty-year range"
    return Picture(
        zone, _facts(ds["time"].values, filling, middle), charts.inline(figure, f"reservoirs {zone}", caption)
    )


def _generation(ds: xr.Dataset, zone: str) -> Picture:
    time, power = ds["time"].values, ds[f"{zone}_hydro_mw"].values
    figure, (ax,) = charts.panels([HEIGHT])
    at = (time - time[0]) / np.timedelta64(1, "D")
    ax.plot(at, power, color=light("plan"), linewidth=1.3)
    ax.set_xlim(0, max(float(at[-1]), 1.0))
    ax.set_ylim(0, HEADROOM * float(power.max()) or 1.0)
    days = np.arange(0.0, float(at[-1]) + 1.0, DAYS_APART)
    ax.set_xticks(days, [short_day(time[0] + np.timedelta64(round(24 * d), "h")) for d in days])
    charts.title(ax, "Hydro generation, MW")
    facts = f"{number(power.mean())} MW on average, {number(power.min())} to {number(power.max())} MW"
    svg = charts.inline(figure, f"generation {zone}", f"{zone}: hydro generation by hour")
    return Picture(f"{zone} generation", facts, svg)


def _percent(ds: xr.Dataset, name: str) -> Floats:
    values = ds[name].values if name in ds else np.full(ds.sizes["time"], np.nan)
    return np.asarray(100.0 * values)


def _label(ax: Axes, weeks: Times) -> None:
    """The first week of every third month by the month's name."""
    month = weeks.astype("datetime64[M]").astype(int) % 12
    first = [i for i in range(1, len(weeks)) if month[i] != month[i - 1] and month[i] % MONTHS_APART == 0]
    ax.set_xlim(0, max(len(weeks) - 1, 1))
    ax.set_xticks(first, [MONTHS[month[i]] for i in first])


def _facts(weeks: Times, filling: Floats, middle: Floats) -> str:
    last = f"{share(filling[-1] / 100)} full in the week of {short_day(weeks[-1] + np.timedelta64(1, 'D'))}"
    if not np.isfinite(middle[-1]):
        return last
    points = filling[-1] - middle[-1]
    return f"{last}, {number(abs(points), 1)} points {'above' if points >= 0 else 'below'} the median"
