"""PUE (ISO/IEC 30134-2) by hour, PUE caps by window, and the year's balance of limits on PUE, WUE and ERF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from energy.report import charts
from energy.report.charts import Panel, Picture, Range, TimeAxis, span
from energy.report.figures import RunFigures, ratio
from energy.report.formatting import counted, eur, hours, limit, number
from energy.report.view import LIMIT_STATUS, Cell, Column, Row, Table, left, table
from energy.schema import Floats, Ints

#: Height of the panel, and room at its right for the caps' limits [px].
HEIGHT, RIGHT = 110.0, 34.0
#: A cap further above the highest PUE than this is named, not drawn: its line would flatten all others.
FAR = 0.02
#: Limits closer than this in a picture get their labels pushed apart [px].
APART = 11.0
#: Height of the mark that shows the horizon's PUE [px].
MARK = 5.0
#: Colour role of the windows of rolling caps.
WINDOWS = "series3"
#: The step of a cap whose marginal value is shown.
LOOSER = 0.01


@dataclass(frozen=True)
class Cap:
    """All windows of one PUE cap. `site` is -1 for the fleet; `pue` and `base` are by window, (R,)."""

    name: str
    site: int
    limit: float
    rows: Ints
    lengths: Floats
    pue: Floats
    base: Floats
    room_mwh: float
    bound: int
    value_eur: float

    @property
    def rolling(self) -> bool:
        """True with several windows longer than a period: then the cap does not limit the hourly PUE."""
        return len(self.rows) > 1 and bool((self.lengths > self.lengths.min()).any() or self.lengths[0] > 1)


def caps(run: RunFigures) -> list[Cap]:
    """The caps in the order of the Problem, windows of one name taken together."""
    names = np.array([str(c).split("@")[0] for c in run.problem["cap"].values], dtype=object)
    return [_cap(run, name, np.flatnonzero(names == name)) for name in dict.fromkeys(names.tolist())]


def _cap(run: RunFigures, name: str, rows: Ints) -> Cap:
    p = run.problem
    start, stop = p["cap_start"].values[rows], p["cap_stop"].values[rows]
    site, limits = int(p["cap_site"].values[rows[0]]), p["cap_limit"].values[rows]
    facility, it = window_energy(run, run.plan, site, start, stop)
    base_facility, base_it = window_energy(run, run.base, site, start, stop)
    value = run.prices["value_cap"].values[rows]
    room = p["cap_credit"].values[rows] + limits * it - facility
    return Cap(name, site, float(limits[0]), rows, run.edges[stop] - run.edges[start], ratio(facility, it, 1.0),
               ratio(base_facility, base_it, 1.0), float(room.min()), int((value > 0).sum()),
               float(value.sum()) * LOOSER)  # fmt: skip


def window_energy(run: RunFigures, replay: xr.Dataset, site: int, start: Ints, stop: Ints) -> tuple[Floats, Floats]:
    """Facility and IT energy inside windows, each (R,) [MWh]."""
    out = []
    for name in ("facility_mw", "site_it_mw"):
        power = replay[name].values
        energy = (power.sum(axis=0) if site < 0 else power[site]) * run.dt
        total = np.concatenate([[0.0], np.cumsum(energy)])
        out.append(total[stop] - total[start])
    return out[0], out[1]


def hourly(run: RunFigures, replay: xr.Dataset, site: int) -> Floats:
    """PUE of each period, 1 without IT load, (T,); site -1 is the fleet."""
    periods = np.arange(len(run.dt))
    return ratio(*window_energy(run, replay, site, periods, periods + 1), 1.0)


def pictures(run: RunFigures, time: TimeAxis, found: list[Cap]) -> list[Picture]:
    """Hourly PUE of plan and run-now against the caps, per shown site and for the fleet."""
    who = [*run.shown, *([-1] if len(run.sites) > 1 else [])]
    curves = {s: [time.mean(hourly(run, replay, s)) for replay in (run.plan, run.base)] for s in who}
    low, high = span(np.concatenate([c for pair in curves.values() for c in pair]))
    near = [c.limit for c in found if c.limit <= high + FAR]
    scale = (low, max([high, *(value + 0.1 * (high - low) for value in near)]))
    return [_picture(run, time, s, curves[s], [c for c in found if c.site == s], scale) for s in who]


def _picture(run: RunFigures, time: TimeAxis, s: int, curves: list[Floats], mine: list[Cap], scale: Range) -> Picture:
    name = run.sites[s] if s >= 0 else "fleet"
    panels = [panel] = charts.panels([HEIGHT], right=RIGHT)
    for curve, role, width in zip(curves[::-1], ("base", "plan"), (1.1, 1.5), strict=True):
        time.steps(panel, curve, role, width)
    time.label(panel)
    panel.y = scale
    panel.digits = 2
    drawn = [c for c in mine if c.limit <= scale[1]]
    rolling = [c for c in drawn if c.rolling]
    for cap in rolling:  # the PUE of each window at the window's end
        panel.line(run.edges[run.problem["cap_stop"].values[cap.rows]], cap.pue, WINDOWS, 1.3)
    plan, base = (run.record.summary[k].get(name) for k in ("pue", "pue_baseline"))
    end = float(time.edges[-1])
    if plan is not None:  # energy-weighted, a mark at the right end
        panel.line(np.array([0.982 * end, end]), np.array([plan, plan]), "plan", MARK)
    _limits(panel, sorted({c.limit for c in drawn}), scale)
    keys = [("plan", "plan"), ("▪ horizon", "plan"), ("run-now", "soft")]
    keys += ([("windows", WINDOWS)] if rolling else []) + ([("cap", "warm")] if drawn else [])
    panel.title("PUE by period", keys)
    facts = f"horizon {number(plan, 4)}, run-now {number(base, 4)}" if plan and base else "no IT load"
    limits = ", ".join(f"{c.name.split(':')[-1]} {limit(c.limit)}" for c in mine)
    caption = f"{name}: PUE of each period against its caps"
    svg = charts.svg(panels, caption)
    return Picture(name, f"{facts}; caps: {limits}" if mine else f"{facts}; no cap", svg)


def _limits(panel: Panel, limits: list[float], scale: Range) -> None:
    """Dashed lines with the limit at their right end, labels apart."""
    pixel = (scale[1] - scale[0]) / HEIGHT
    at = -np.inf
    for value in limits:
        panel.level(value, "warm", 1.0)
        at = max(value, at + APART * pixel)
        panel.note(at, limit(value), "warm")


COLUMNS = (
    left("Cap"), Column("Limit"), left("Windows in the horizon"), Column("Highest, plan"), Column("Highest, run-now"),
    Column("Least room", "MWh"), Column("Windows that bind"), Column("Worth of 0.01 more"),
)  # fmt: skip


def cap_table(found: list[Cap]) -> Table | None:
    """Each cap with its highest window PUE and the marginal value of loosening it by 0.01 in all its windows."""
    return table(COLUMNS, [
        (
            cap.name, limit(cap.limit), f"{counted(len(cap.rows), 'window')} of {hours(float(cap.lengths.max()))}",
            number(float(cap.pue.max()), 4),
            Cell(number(float(cap.base.max()), 4), *(("above the cap", "bad") if cap.base.max() > cap.limit else ())),
            number(cap.room_mwh, 3), number(cap.bound), eur(cap.value_eur) if cap.value_eur > 0 else "0",
        )
        for cap in found
    ])  # fmt: skip


#: Unit of the room left, and digits of the figure, by metric.
ROOM = {"pue": ("MWh", 4), "wue": ("m³", 3), "erf": ("MWh", 3)}
LIMIT_COLUMNS = (
    left("Site"), left("Limit"), left("Figure"), Column("Limit"), Column("Year so far"), Column("This plan"),
    Column("Together"), Column("Room left"), Column("Tighter by 0.01"), Column("Breach", "EUR/MWh"),
)  # fmt: skip


def limit_table(run: RunFigures) -> Table | None:
    """One row per limit and year; None where no site names one that is in force."""
    return table(LIMIT_COLUMNS, [_limit_row(x) for x in run.record.summary.get("limits", [])])


def missed(run: RunFigures) -> list[str]:
    """Limits that the year misses with this plan."""
    return [
        f"{x['site']}: {x['metric'].upper()} of {x['year']} stands at {_figure(x, 'together')} with this plan, "
        f"limit {x['limit']:g} ({x['limit_name']}, {LIMIT_STATUS[x['status']]})."
        for x in run.record.summary.get("limits", [])
        if x["met"] is False
    ]


def sources(run: RunFigures) -> list[str]:
    """Boundary of each preset, where its numbers come from, and the fine it names, each once."""
    return list(dict.fromkeys(
        f"{x['limit_name']}: {x['boundary']}. Source: {x['source']} (confidence {x['confidence']})."
        + (f" Fine: {x['fine']}." if x["fine"] else "")
        for x in run.record.summary.get("limits", [])
    ))  # fmt: skip


def _limit_row(x: Mapping[str, Any]) -> Row:
    limit = "reported" if x["limit"] is None else f"{'≥' if x['metric'] == 'erf' else '≤'} {x['limit']:g}"
    return (
        x["site"], Cell(x["limit_name"], f"{x['year']}, {LIMIT_STATUS[x['status']]}"), x["metric"].upper(), limit,
        _figure(x, "so_far"), _figure(x, "plan"),
        Cell(_figure(x, "together"), *(("missed", "bad") if x["met"] is False else ())),
        None if x["room"] is None else Cell(number(x["room"], 1), ROOM[x["metric"]][0]),
        eur(x["tighter_eur"]), number(x["breach_eur_per_mwh"]),
    )  # fmt: skip


def _figure(x: Mapping[str, Any], key: str) -> str:
    return number(x[key], ROOM[x["metric"]][1])
