"""ENTSO-E's hydropower signals: weekly reservoir filling (A72) and hydro generation (A75).

A72 is one number per local week, published on the third working day after it. A75 has one TimeSeries per
production type, `inBiddingZone` for generation and `outBiddingZone` for what pumps draw; it trails real time
by up to sixteen hours, and is asked for by months as the platform's export limits want it.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from energy.sources.answer import reading
from energy.sources.clock import Span, blocks, months, newest_first
from energy.sources.eic import DEFAULT_CLOCK, clock_of, eic
from energy.sources.entsoe import SOURCE, YEAR, ask
from energy.sources.entsoe_document import Period, periods
from energy.sources.gathered import gathered, given
from energy.sources.http import Client
from energy.sources.labelled import clip, dataset, join, touching

#: Windows shorter than this get a whole week or nothing, differently by country; so it is always asked for.
MARGIN = np.timedelta64(30, "D")
#: Production types: pumped storage, run of river, reservoir.
HYDRO = {"B10": "hydro_pumped_mw", "B11": "hydro_river_mw", "B12": "hydro_reservoir_mw"}
PUMPED, PUMPING = "B10", "hydro_pumping_mw"


def get_reservoirs(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Weeks that touch [start, end) (UTC): `reservoir_mwh`; quality `measured`.

    Raises
    ------
    SourceError : of the kind the server's answer has.
    """
    params = {"documentType": "A72", "processType": "A16", "in_Domain": eic(zone)}

    def year(span: Span) -> xr.Dataset | None:
        return given(partial(parse_reservoirs, clock=clock_of(zone)), *ask(client, params, *span))

    ds = gathered(_weeks([]), newest_first(blocks(start - MARGIN, end + MARGIN, YEAR)), year)
    return touching(ds, start, end).assign_attrs(zone=zone)


def parse_reservoirs(*bodies: bytes, clock: str = DEFAULT_CLOCK) -> xr.Dataset:
    """`reservoir_mwh` [MWh] at the end of each week; time is the week's local Monday, as UTC.

    Parameters
    ----------
    clock : time zone in which the zone's weeks begin

    Raises
    ------
    SourceError : (fatal) not the documented form, another unit, or Periods that are no whole weeks.
    """
    with reading(SOURCE.name):
        found = [p for body in bodies for p in periods(body, "quantity", clock)]
        if wrong := {p.unit for p in found} - {"MWH"}:
            raise ValueError(f"reservoir filling in {wrong.pop()}, not in MWH")
    return _weeks(found)


def _weeks(found: list[Period]) -> xr.Dataset:
    parts = [dataset(SOURCE, p.time, p.dt, {"reservoir_mwh": (p.value, "MWh")}, "measured") for p in found]
    return join([dataset(SOURCE, [], 168.0, {"reservoir_mwh": ([], "MWh")}, "measured"), *parts])


def get_generation(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Hydro generation of the periods that begin in [start, end) (UTC); see `parse_generation`.

    Raises
    ------
    SourceError : of the kind the server's answer has.
    """
    params = {"documentType": "A75", "processType": "A16", "in_Domain": eic(zone)}

    def month(span: Span) -> xr.Dataset | None:  # of all types or none: a sum without one would be too low
        answers = [a for psr in HYDRO for a in ask(client, params | {"psrType": psr}, *span)]
        return given(parse_generation, *answers)

    return clip(gathered(_generation([]), newest_first(months(start, end)), month), start, end).assign_attrs(zone=zone)


def parse_generation(*bodies: bytes) -> xr.Dataset:
    """`hydro_mw` (all of it), by type, and `hydro_pumping_mw` [MW]; quality `measured`.

    A type that the answer lacks counts as nothing: zones without rivers or reservoirs publish none. A time that
    lacks one of them which other times have is left out: the sum would be too low. Pumped storage is published
    now as generation, now as consumption, so there a time without is nothing.

    Raises
    ------
    SourceError : (fatal) not the documented form, or another unit.
    """
    with reading(SOURCE.name):
        found = [p for body in bodies for p in periods(body, "quantity", DEFAULT_CLOCK)]
        if wrong := {p.unit for p in found} - {"MAW"}:
            raise ValueError(f"generation in {wrong.pop()}, not in MAW")
    return _generation([p for p in found if p.psr in HYDRO])


def _generation(found: list[Period]) -> xr.Dataset:
    names = {(psr, False): name for psr, name in HYDRO.items()} | {(PUMPED, True): PUMPING}
    dt: dict[np.datetime64, float] = {}
    columns: dict[str, dict[np.datetime64, float]] = {name: {} for name in names.values()}
    for p in found:
        if (p.psr, p.consumption) in names:
            dt |= dict(zip(p.time, p.dt, strict=True))
            columns[names[p.psr, p.consumption]] |= dict(zip(p.time, p.value, strict=True))
    steady = [columns[n] for psr, n in HYDRO.items() if psr != PUMPED and columns[n]]
    time = sorted(t for t in dt if all(t in column for column in steady))
    values = {name: np.array([column.get(t, 0.0) for t in time]) for name, column in columns.items()}
    values["hydro_mw"] = np.sum([values[name] for name in HYDRO.values()], axis=0)
    starts = np.array(time, dtype="datetime64[ns]")
    units = {name: (column, "MW") for name, column in values.items()}
    return dataset(SOURCE, starts, [dt[t] for t in time], units, "measured")
