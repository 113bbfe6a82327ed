"""ENTSO-E: token in the header, a year at most, pages of 100, whole documents, A03 curves, 200 acknowledgements."""

# ruff: noqa: DTZ001, DTZ007 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from werkzeug import Request, Response

from energy.sources.bidding_zones import EIC, clock_of
from tests.sources.contracts.base import Contract, Refusal, naive, need, steps
from tests.sources.contracts.energy_data import local_day
from tests.sources.truth import LEVELS, price, quarter

TOKEN = "canary-entsoe-5f1d9c7e"
SDAC_QUARTERS = datetime(2025, 9, 30, 22)
ZONES = {code: zone for zone, code in EIC.items()}
PUBLICATION = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
LOAD = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"


def acknowledgement(text: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>x</mRID><Reason><code>999</code><text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    )


def document(kind: str, namespace: str, series: list[str]) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{namespace}"><type>A</type>{"".join(series)}</{kind}>'
    )


def period(begin: datetime, end: datetime, step: str, values: list[float], tag: str, held: bool = True) -> str:
    """A Period; A03 leaves out positions whose value repeats the one before."""
    points = [
        f"<Point><position>{n}</position><{tag}>{v:g}</{tag}></Point>"
        for n, v in enumerate(values, start=1)
        if not held or n == 1 or v != values[n - 2]
    ]
    span = f"<start>{begin:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end>"
    return f"<Period><timeInterval>{span}</timeInterval><resolution>{step}</resolution>{''.join(points)}</Period>"


def series(about: str, periods: str, curve: str = "A03") -> str:
    return f"<TimeSeries><mRID>1</mRID>{about}<curveType>{curve}</curveType>{periods}</TimeSeries>"


class Entsoe(Contract):
    """The platform."""

    def __init__(self, time: object) -> None:
        super().__init__(time)
        self.sequences: Callable[[str], list[int]] = lambda zone: [1, 2] if zone == "DE-LU" else [1]
        self.published = timedelta(hours=33)

    def answer(self, request: Request, path: str) -> Response:
        need(path == "", 404, "404 page not found", content_type="text/plain")
        need("securityToken" not in request.args, 400, "the token belongs into the header")
        need(
            request.environ["raw.headers"].get("security_token") == TOKEN,
            401,
            acknowledgement("Unauthorized. Invalid token"),
        )
        first, last = (self._moment(request, n) for n in ("periodStart", "periodEnd"))
        if last - first > timedelta(days=365):
            self._refuse(
                "Provided time interval (a - b) is larger than maximum allowed period 'P1Y' for 'X:XML' export."
            )
        kind = request.args.get("documentType")
        need(kind in ("A44", "A72", "A75"), 400, acknowledgement("Input parameter does not exist: documentType"))
        made = {"A44": self._prices, "A72": self._reservoirs, "A75": self._generation}[str(kind)](request, first, last)
        if not made:
            said = acknowledgement("No matching data found for Data item ENERGY_PRICES and interval a/b.")
            return Response(
                said, 200, {"Content-Disposition": 'inline; filename="acknowledgement.xml"'}, content_type="text/xml"
            )
        offset = int(request.args.get("offset", "0"))
        need(offset % 100 == 0 and offset <= 4800, 400, acknowledgement("offset"))
        name, space = ("Publication", PUBLICATION) if kind == "A44" else ("GL", LOAD)
        text = document(f"{name}_MarketDocument", space, made[offset : offset + 100])
        return Response(text, 200, content_type="text/xml;charset=UTF-8")

    def _refuse(self, text: str) -> None:
        raise Refusal(400, acknowledgement(text), "text/xml")

    def _moment(self, request: Request, name: str) -> datetime:
        text = request.args.get(name, "")
        if not re.fullmatch(r"\d{12}", text):
            self._refuse(f"Input parameter does not exist: {name}")
        return datetime.strptime(text, "%Y%m%d%H%M")

    def _prices(self, request: Request, first: datetime, last: datetime) -> list[str]:
        args = request.args
        if args["in_Domain"] != args["out_Domain"] or args.get("contract_MarketAgreement.type") != "A01":
            self._refuse("check you request against dependency tables")
        zone = ZONES.get(args["in_Domain"], "")
        if zone not in LEVELS or zone == "GB":
            return []
        out = []
        for day in steps(first - timedelta(days=1), last + timedelta(days=1), 1440):
            begin, end = local_day(day.date(), ZoneInfo(clock_of(zone)))
            if end > first and begin < last and end <= self.time.now + self.published:
                out += [self._day(zone, begin, end, sequence) for sequence in self.sequences(zone)]
        return out

    def _day(self, zone: str, begin: datetime, end: datetime, sequence: int) -> str:
        fine = begin >= SDAC_QUARTERS or sequence == 2
        value = quarter if fine else price
        numbers = [value(zone, t) + (1000 if sequence == 2 else 0) for t in steps(begin, end, 15 if fine else 60)]
        about = (
            "<currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>"
            f"<classificationSequence_AttributeInstanceComponent.position>{sequence}"
            "</classificationSequence_AttributeInstanceComponent.position>"
        )
        return series(about, period(begin, end, "PT15M" if fine else "PT60M", numbers, "price.amount"))

    def _reservoirs(self, request: Request, first: datetime, last: datetime) -> list[str]:
        if last - first < timedelta(days=30):
            self._refuse("windows below 30 days get nothing here")
        zone = ZoneInfo(clock_of(ZONES[request.args["in_Domain"]]))
        monday = (first - timedelta(days=first.weekday() + 7)).date()
        periods = []
        for week in range((last - first).days // 7 + 3):
            begin, _ = local_day(monday + timedelta(weeks=week), zone)
            end, _ = local_day(monday + timedelta(weeks=week + 1), zone)
            if end > first and begin < last and end + timedelta(days=3) <= self.time.now:
                periods.append(period(begin, end, "P7D", [reservoir(begin)], "quantity"))
        about = "<quantity_Measure_Unit.name>MWH</quantity_Measure_Unit.name>"
        return [series(about, "".join(periods))] if periods else []

    def _generation(self, request: Request, first: datetime, last: datetime) -> list[str]:
        if last - first > timedelta(days=31):
            self._refuse("The number of instances (400) exceeds the allowed maximum (200)")
        psr, end = request.args["psrType"], min(last, self.time.now - timedelta(hours=16))
        if psr == "B11" or first >= end:
            return []
        about = "<{0}BiddingZone_Domain.mRID>x</{0}BiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW"
        about += f"</quantity_Measure_Unit.name><MktPSRType><psrType>{psr}</psrType></MktPSRType>"
        hours = steps(first.replace(minute=0), end, 60)
        made = period(hours[0], hours[-1] + timedelta(hours=1), "PT60M", [generation(t) for t in hours], "quantity")
        pumps = [series(about.format("out"), made)] if psr == "B10" else []
        return [series(about.format("in"), made), *pumps]


def reservoir(begin: datetime) -> float:
    """Filling of the week that begins then [MWh]."""
    return 9e6 + 1e4 * begin.replace(tzinfo=UTC).timetuple().tm_yday


def generation(moment: datetime) -> float:
    """Generation of one type in the hour [MW]."""
    return 1000.0 + moment.hour


__all__ = ["Entsoe", "acknowledgement", "document", "generation", "naive", "period", "reservoir", "series"]
