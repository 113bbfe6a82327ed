"""ENTSO-E Transparency Platform: day-ahead prices (A44), reservoirs, hydro generation of European zones; needs a token.

Contract (Transparency Platform RESTful API guide; docs/sources.md): times ``yyyyMMddHHmm`` in
UTC, whole published documents that overlap the window come back, at most a year per request, 100 TimeSeries
per answer (then `offset`), "no data" as an acknowledgement in a 200 (earlier in a 400), 400 requests per
minute or a ban of ten minutes. The token travels in the header SECURITY_TOKEN, never in the address.

Auctions are distinguished by their sequence: 1 is the coupled day-ahead auction (SDAC), 2 for DE-LU and AT
another one (EXAA). Sequences are never mixed; where 1 is missing there is no price, and the note says so.

Curve types: A01: each position counts for itself, a missing one is a gap. A03: a value holds until the next position that
is there, and the LAST one to the end of its Period; never across Periods. Positions count steps of the Period's resolution;
days and weeks are counted in the zone's local time (a week across the spring change has 167 hours).

Hydropower: reservoir filling (A72) is one number per local week, published on the third working day after it. Generation
(A75) has one TimeSeries per production type, `inBiddingZone` for generation and `outBiddingZone` for what pumps draw; it
trails real time by up to sixteen hours, and is asked for by months as the platform's export limits want it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

import numpy as np
import xarray as xr

from energy.schema import Floats, Times
from energy.series.labels import clip, dataset, duration, join, touching, utc
from energy.series.local_time import Span, iso, local_steps
from energy.sources.bidding_zones import DEFAULT_CLOCK, EIC, clock_of, eic
from energy.sources.client.answer import OK, Answer, SourceError, Verdict, by_status, reading, server_text
from energy.sources.client.http import Client
from energy.sources.client.settings import Key, Source, ttl
from energy.sources.client.windows import blocks, fetch_windows, months, parse_answers

ZONES = frozenset(EIC)
#: Longest window of a request: "P1Y" is 365 days at the server, in leap years too.
YEAR = timedelta(days=365)
#: TimeSeries per answer, and the last offset the server accepts.
PAGE, LAST_OFFSET = 100, 4800
#: Ban after too many requests, as the platform states it [s].
BAN_S = 600.0
#: From this delivery period on the coupled auction is in quarter hours; before it, hours are the auction's.
QUARTER_HOURS = np.datetime64("2025-09-30T22:00", "ns")
#: The coupled day-ahead auction.
SDAC = 1


def classify(status: int, body: bytes) -> Verdict:
    """Meaning of an answer. An acknowledgement is judged by its text, since its code is always 999."""
    if status in (401, 429, 304) or status >= 500:
        return by_status(status, body, keyed=True)
    if b"<!DOCTYPE" in body[:4096] and not body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return Verdict("fatal", "XML with a document type declaration")
    if b"Acknowledgement_MarketDocument" in body[:1000]:
        try:
            said = " ".join((parse_xml(body).findtext("Reason/text") or "").split())
        except ValueError as e:
            return Verdict("retry", f"acknowledgement cut off: {e}")
        if "No matching data found" in said:
            return Verdict("empty", said)
        no_access = "token" in said.lower() or "authori" in said.lower()
        return Verdict("auth" if no_access else "fatal", said or "acknowledgement without a reason")
    if status == 200 and b"_MarketDocument" in body[:1000] and body.rstrip().endswith(b"_MarketDocument>"):
        return OK
    if status in (200, 404):  # 404 and pages in a 200 were seen in the outage of September 2026
        return Verdict("retry", f"HTTP {status} without a whole document: {server_text(body)}")
    return by_status(status, body, keyed=True)


SOURCE = Source(
    name="entsoe",
    gives="day-ahead prices, reservoir filling, hydro generation of Europe's bidding zones",
    base_url="https://web-api.tp.entsoe.eu/api",
    licence="CC BY 4.0 for items on its list for free re-use; else its terms of 29 March 2023",
    attribution="ENTSO-E Transparency Platform",
    classify=classify,
    commercial="as each response says",
    key=Key("HYDROCOOL_ENTSOE_TOKEN", "SECURITY_TOKEN"),
    budget=((60.0, 300.0), (1.0, 8.0)),
    no_retry=frozenset({429}),
    ban_s=BAN_S,
)


def get_prices(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Day-ahead prices of the periods that begin in [start, end) (UTC) [EUR/MWh]; quality `auction`."""
    area = eic(zone)
    params = {"documentType": "A44", "in_Domain": area, "out_Domain": area, "contract_MarketAgreement.type": "A01"}

    def year(span: Span) -> xr.Dataset | None:
        return parse_answers(parse_prices, *ask(client, params, *span))

    ds = fetch_windows(_prices([], ""), blocks(start, end, YEAR), year)
    return clip(ds, start, end).assign_attrs(zone=zone)


def ask(client: Client, params: Mapping[str, str], start: np.datetime64, end: np.datetime64) -> Iterator[Answer]:
    """Answers with data, page by page."""
    if not client.has_key(SOURCE.name) and client.as_of is None:
        raise SourceError(SOURCE.name, "auth", f"no token in {SOURCE.key.variable if SOURCE.key else ''}")
    window = {"periodStart": iso(start, "%Y%m%d%H%M"), "periodEnd": iso(end, "%Y%m%d%H%M")}
    for offset in range(0, LAST_OFFSET + 1, PAGE):
        page = {"offset": str(offset)} if offset else {}
        answer = client.get(SOURCE.name, "", {**params, **window, **page}, ttl_s=ttl(end, client.now()))
        if answer.kind == "empty":
            return
        yield answer
        if answer.body.count(b"<TimeSeries>") < PAGE:
            return


def parse_prices(*bodies: bytes) -> xr.Dataset:
    """`price` [EUR/MWh] of the coupled auction, from the pages of one answer."""
    with reading(SOURCE.name):
        found = [p for body in bodies for p in periods(body, "price.amount", DEFAULT_CLOCK)]
        if wrong := {(p.currency, p.unit) for p in found} - {("EUR", "MWH")}:
            raise ValueError(f"prices in {' per '.join(wrong.pop())}, not in EUR per MWH")
        others = sorted({p.sequence for p in found} - {SDAC})
        mine = [p for p in found if p.sequence == SDAC]
        note = f"only auction sequence {others[0]} was published; not used" if others and not mine else ""
    return _prices(mine, note)


def _prices(found: list[Period], note: str) -> xr.Dataset:
    """One series of the Periods: where a time comes in hours and in quarters, the auction's own step stands."""
    hourly, quarterly = (
        _series(sorted(found, key=lambda p: float(sign * p.dt.min(initial=np.inf)))) for sign in (-1.0, 1.0)
    )
    old, new = hourly[0] < QUARTER_HOURS, quarterly[0] >= QUARTER_HOURS
    time, dt, price = (np.concatenate([a[old], b[new]]) for a, b in zip(hourly, quarterly, strict=True))
    ds = dataset(SOURCE, time, dt, {"price": (price, "EUR MWh-1")}, "auction", currency="EUR")
    return ds.assign_attrs(note=note) if note else ds


def _series(found: list[Period]) -> tuple[Times, Floats, Floats]:
    """Starts, lengths and values of the Periods, the first to have a time standing, none inside another."""
    none = (np.zeros(0, dtype="datetime64[ns]"), np.zeros(0), np.zeros(0))
    time, dt, value = (
        np.concatenate(columns) for columns in zip(none, *((p.time, p.dt, p.value) for p in found), strict=True)
    )
    _, first = np.unique(time, return_index=True)
    keep, until = [], np.datetime64("1900-01-01", "ns")
    for i in first:
        if time[i] >= until:
            keep.append(i)
            until = time[i] + duration(dt[i])
    return time[keep], dt[keep], value[keep]


#: Resolutions of fixed length [min], and those counted in local days.
MINUTES = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}
LOCAL_DAYS = {"P1D": 1, "P7D": 7}
#: Most steps of a Period: a leap year of quarter hours has 35 136.
MOST_STEPS = 40_000


@dataclass(frozen=True)
class Period:
    """One Period with what its TimeSeries says about it; `sequence` is the auction's, 1 where not stated."""

    sequence: int
    unit: str
    currency: str
    psr: str
    consumption: bool
    time: Times
    dt: Floats
    value: Floats


def periods(body: bytes, value: str, clock: str) -> list[Period]:
    """All Periods of a document.

    Parameters
    ----------
    value : element that holds the number, ``price.amount`` or ``quantity``
    clock : time zone in which days and weeks are counted
    """
    found = []
    for series in parse_xml(body).findall("TimeSeries"):
        sequence = series.findtext("classificationSequence_AttributeInstanceComponent.position")
        held = series.findtext("curveType", "A01").strip() == "A03"
        unit = series.findtext("price_Measure_Unit.name") or series.findtext("quantity_Measure_Unit.name") or ""
        about = (
            int(sequence) if sequence else 1, unit.strip(), series.findtext("currency_Unit.name", "").strip(),
            series.findtext("MktPSRType/psrType", "").strip(), series.find("outBiddingZone_Domain.mRID") is not None,
        )  # fmt: skip
        found += [Period(*about, *_points(period, value, held, clock)) for period in series.findall("Period")]
    return found


def _points(period: Element, value: str, held: bool, clock: str) -> tuple[Times, Floats, Floats]:
    """Starts, lengths [h] and values of the steps that have one."""
    start, end = utc([text(period, "timeInterval/start"), text(period, "timeInterval/end")])
    edges = _edges(start, end, text(period, "resolution"), clock)
    given = sorted((int(text(p, "position")), float(text(p, value))) for p in period.findall("Point"))
    at = np.array([position for position, _ in given], dtype=int)
    if len(at) == 0 or at[0] < 1 or at[-1] >= len(edges) or (np.diff(at) == 0).any():
        raise ValueError(f"positions {at[:1]} … {at[-1:]} do not fit {len(edges) - 1} steps, each once")
    numbers = np.full(len(edges) - 1, np.nan)
    numbers[at - 1] = [number for _, number in given]
    if held:
        last = np.maximum.accumulate(np.where(np.isfinite(numbers), np.arange(len(numbers)), -1))
        numbers = np.where(last >= 0, numbers[np.maximum(last, 0)], np.nan)
    keep = np.isfinite(numbers)
    return edges[:-1][keep], (np.diff(edges) / np.timedelta64(1, "h"))[keep], numbers[keep]


def _edges(start: np.datetime64, end: np.datetime64, resolution: str, clock: str) -> Times:
    """Starts of all steps of a Period and its end."""
    if resolution in MINUTES:
        step = np.timedelta64(MINUTES[resolution], "m")
        edges = start + np.arange(min(int((end - start) / step), MOST_STEPS) + 1) * step
    elif resolution in LOCAL_DAYS:
        days = LOCAL_DAYS[resolution]
        count = min(round((end - start) / np.timedelta64(days, "D")), MOST_STEPS)
        edges = local_steps(start, count + 1, timedelta(days=days), clock)
    else:
        raise ValueError(f"resolution {resolution} is not one of {', '.join([*MINUTES, *LOCAL_DAYS])}")
    if len(edges) < 2 or edges[-1] != end:
        raise ValueError(f"Period {start} … {end} is no whole number of {resolution} in {clock}")
    return edges


#: Windows shorter than this get a whole week or nothing, differently by country; so it is always asked for.
MARGIN = np.timedelta64(30, "D")
#: Production types: pumped storage, run of river, reservoir.
HYDRO = {"B10": "hydro_pumped_mw", "B11": "hydro_river_mw", "B12": "hydro_reservoir_mw"}
PUMPED, PUMPING = "B10", "hydro_pumping_mw"


def get_reservoirs(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Weeks that touch [start, end) (UTC): `reservoir_mwh`; quality `measured`."""
    params = {"documentType": "A72", "processType": "A16", "in_Domain": eic(zone)}

    def year(span: Span) -> xr.Dataset | None:
        return parse_answers(partial(parse_reservoirs, clock=clock_of(zone)), *ask(client, params, *span))

    ds = fetch_windows(_weeks([]), blocks(start - MARGIN, end + MARGIN, YEAR), year)
    return touching(ds, start, end).assign_attrs(zone=zone)


def parse_reservoirs(*bodies: bytes, clock: str = DEFAULT_CLOCK) -> xr.Dataset:
    """`reservoir_mwh` [MWh] at the end of each week; time is the week's local Monday by `clock`, as UTC."""
    return _weeks(_quantities(bodies, clock, "reservoir filling", "MWH"))


def _quantities(bodies: Iterable[bytes], clock: str, what: str, unit: str) -> list[Period]:
    with reading(SOURCE.name):
        found = [p for body in bodies for p in periods(body, "quantity", clock)]
        if wrong := {p.unit for p in found} - {unit}:
            raise ValueError(f"{what} in {wrong.pop()}, not in {unit}")
    return found


def _weeks(found: list[Period]) -> xr.Dataset:
    parts = [dataset(SOURCE, p.time, p.dt, {"reservoir_mwh": (p.value, "MWh")}, "measured") for p in found]
    return join([dataset(SOURCE, [], 168.0, {"reservoir_mwh": ([], "MWh")}, "measured"), *parts])


def get_generation(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Hydro generation of the periods that begin in [start, end) (UTC); see `parse_generation`."""
    params = {"documentType": "A75", "processType": "A16", "in_Domain": eic(zone)}

    def month(span: Span) -> xr.Dataset | None:  # of all types or none: a sum without one would be too low
        answers = [a for psr in HYDRO for a in ask(client, params | {"psrType": psr}, *span)]
        return parse_answers(parse_generation, *answers)

    return clip(fetch_windows(_generation([]), months(start, end), month), start, end).assign_attrs(zone=zone)


def parse_generation(*bodies: bytes) -> xr.Dataset:
    """`hydro_mw` (all of it), by type, and `hydro_pumping_mw` [MW]; quality `measured`.

    A type that the answer lacks counts as nothing: zones without rivers or reservoirs publish none. A time that
    lacks one of them which other times have is left out: the sum would be too low. Pumped storage is published
    now as generation, now as consumption, so there a time without is nothing.
    """
    return _generation([p for p in _quantities(bodies, DEFAULT_CLOCK, "generation", "MAW") if p.psr in HYDRO])


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


#: ENTSO-E's documents are six levels deep.
MOST_LEVELS = 32


def parse_xml(body: bytes) -> Element:
    """The root element by expat; names without namespaces, since ENTSO-E puts a version into those.

    No document that we read has a document type declaration, and entities can only be declared inside one; so the first
    ``<!DOCTYPE`` ends the parse, before any entity exists (billion laughs, quadratic blow-up, external entities). The
    size of a body is limited before it gets here, its depth here.

    Raises ValueError: not well-formed, a document type declaration, or nested deeper than MOST_LEVELS.
    """
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_LEVELS:
            raise ValueError(f"XML nested deeper than {MOST_LEVELS} levels")
        builder.start(name.rpartition(" ")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition(" ")[2])

    def refuse(*_: object) -> None:
        raise ValueError("XML with a document type declaration")

    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except ExpatError as e:
        raise ValueError(f"not well-formed XML: {e}") from None
    return builder.close()


def text(element: Element, path: str) -> str:
    """Text of the one element at a path; ValueError where it is not there."""
    found = element.findtext(path)
    if found is None:
        raise ValueError(f"<{element.tag}> has no <{path}>")
    return found.strip()
