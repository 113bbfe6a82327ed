"""ENTSO-E Transparency Platform: day-ahead prices (A44) of every European zone; needs a token.

Contract (Transparency Platform RESTful API guide; docs/sources.md): times ``yyyyMMddHHmm`` in
UTC, whole published documents that overlap the window come back, at most a year per request, 100 TimeSeries
per answer (then `offset`), "no data" as an acknowledgement in a 200 (earlier in a 400), 400 requests per
minute or a ban of ten minutes. The token travels in the header SECURITY_TOKEN, never in the address.

Auctions are told apart by their sequence: 1 is the coupled day-ahead auction (SDAC), 2 for DE-LU and AT
another one (EXAA). Sequences are never mixed; where 1 is missing there is no price, and the note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
import xarray as xr

from energy.schema import Floats, Times
from energy.sources.answer import Answer, SourceError, Verdict, by_status, reading, words
from energy.sources.clock import Span, blocks, iso, newest_first
from energy.sources.eic import DEFAULT_CLOCK, eic
from energy.sources.entsoe_document import Period, periods
from energy.sources.gathered import gathered, given
from energy.sources.http import Client
from energy.sources.labelled import clip, dataset, hours
from energy.sources.spec import Key, Source, ttl
from energy.sources.xmltree import parse_xml

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
    """What an answer means; an acknowledgement is judged by its text, since its code is always 999."""
    if status in (401, 429, 304) or status >= 500:
        return by_status(status, body, keyed=True)
    if b"<!DOCTYPE" in body[:4096] and not body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return Verdict("fatal", "XML with a document type declaration")
    if b"Acknowledgement_MarketDocument" in body[:1000]:
        return _acknowledged(body)
    if status == 200 and b"_MarketDocument" in body[:1000] and body.rstrip().endswith(b"_MarketDocument>"):
        return Verdict("ok")
    if status in (200, 404):  # 404 and pages in a 200 were seen in the outage of September 2026
        return Verdict("retry", f"HTTP {status} without a whole document: {words(body)}")
    return by_status(status, body, keyed=True)


def _acknowledged(body: bytes) -> Verdict:
    try:
        said = " ".join((parse_xml(body).findtext("Reason/text") or "").split())
    except ValueError as e:
        return Verdict("retry", f"acknowledgement cut off: {e}")
    if "No matching data found" in said:
        return Verdict("empty", said)
    if "token" in said.lower() or "authori" in said.lower():
        return Verdict("auth", said)
    return Verdict("fatal", said or "acknowledgement without a reason")


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
    """Day-ahead prices of the periods that begin in [start, end) (UTC) [EUR/MWh]; quality `auction`.

    Raises
    ------
    SourceError : of the kind the server's answer has; periods without a price are absent.
    """
    area = eic(zone)
    params = {"documentType": "A44", "in_Domain": area, "out_Domain": area, "contract_MarketAgreement.type": "A01"}

    def year(span: Span) -> xr.Dataset | None:
        return given(parse_prices, *ask(client, params, *span))

    ds = gathered(_prices([], ""), newest_first(blocks(start, end, YEAR)), year)
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
    """`price` [EUR/MWh] of the coupled auction, from the pages of one answer.

    Raises
    ------
    SourceError : (fatal) not the documented form, another currency or unit.
    """
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
    hourly, quarterly = (_series(sorted(found, key=lambda p: sign * p.step_h)) for sign in (-1.0, 1.0))
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
            until = time[i] + hours(dt[i])
    return time[keep], dt[keep], value[keep]
