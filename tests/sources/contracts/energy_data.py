"""hvakosterstrommen.no, energy-charts.info, Elexon MID, Carbon Intensity GB."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from werkzeug import Request, Response

from tests.sources.contracts.base import Contract, Refusal, as_json, naive, need, steps
from tests.sources.truth import LEVELS, NOK_PER_EUR, price, quarter

OSLO, BERLIN = ZoneInfo("Europe/Oslo"), ZoneInfo("Europe/Berlin")


def local_day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First moment of a local day and of the next (UTC, naive)."""
    first = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return naive(first), naive(datetime(following.year, following.month, following.day, tzinfo=zone))


class Hvakosterstrommen(Contract):
    """A static file per day and zone; tomorrow from 13:00 on; older than December 2021 is not there."""

    minutes = 60

    def answer(self, request: Request, path: str) -> Response:
        match = re.fullmatch(r"(\d{4})/(\d\d)-(\d\d)_(NO[1-5])\.json", path)
        need(match, 404, "not found")
        assert match
        day, zone = date(int(match[1]), int(match[2]), int(match[3])), match[4]
        local = self.time.now.replace(tzinfo=UTC).astimezone(OSLO)
        last = local.date() + timedelta(days=1 if local.hour >= 13 else 0)
        need(date(2021, 12, 1) <= day <= last, 404, "<html>404 not found</html>")
        begin, end = local_day(day, OSLO)
        return as_json([self._row(zone, t) for t in steps(begin, end, self.minutes)])

    def _row(self, zone: str, moment: datetime) -> dict[str, object]:
        value = (price if self.minutes == 60 else quarter)(zone, moment)
        end = moment + timedelta(minutes=self.minutes)
        start, stop = (t.replace(tzinfo=UTC).astimezone(OSLO).isoformat() for t in (moment, end))
        return {"NOK_per_kWh": value * NOK_PER_EUR / 1000, "EUR_per_kWh": value / 1000, "EXR": NOK_PER_EUR,
                "time_start": start, "time_end": stop}  # fmt: skip


class EnergyCharts(Contract):
    """Berlin days, both included; a licence in each answer; a request a second; 404 where nothing is yet."""

    restricted = ("NO1", "NO2", "NO3", "NO4", "NO5", "SE3")
    minutes = 15

    def __init__(self, time: object) -> None:
        super().__init__(time)
        self.last_at = -10.0

    def answer(self, request: Request, path: str) -> Response:
        need(path == "price", 404, "not found")
        need(self.time.seconds - self.last_at >= 1.0, 429, "slow down")
        self.last_at = self.time.seconds
        zone = request.args["bzn"]
        need(zone in LEVELS and zone != "GB", 400, '{"detail": "bzn not valid"}')
        first, last = (date.fromisoformat(request.args[n]) for n in ("start", "end"))
        known = self.time.now + timedelta(hours=33)
        rows = [t for t in steps(local_day(first, BERLIN)[0], local_day(last, BERLIN)[1], self.minutes) if t < known]
        need(rows, 404, '{"detail": "Not Found"}')
        terms = "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de"
        if zone in self.restricted:
            terms = "The data provided herein is for private and internal use only; commercial purposes prohibited."
        seconds = [int(t.replace(tzinfo=UTC).timestamp()) for t in rows]
        return as_json({"license_info": terms, "unix_seconds": seconds, "price": [quarter(zone, t) for t in rows],
                        "unit": "EUR / MWh", "deprecated": False})  # fmt: skip


class MarketIndex(Contract):
    """At most seven days, both ends included; N2EX rows are zeros."""

    def answer(self, request: Request, path: str) -> Response:
        need(path == "balancing/pricing/market-index" and request.args.get("format") == "json", 400, "{}")
        first, last = (datetime.strptime(request.args[n], "%Y-%m-%dT%H:%MZ") for n in ("from", "to"))  # noqa: DTZ007
        if last - first >= timedelta(days=7):
            text = '{"errors":{"":["The date range between From and To inclusive must not exceed 7 days"]}}'
            raise Refusal(400, text, "application/problem+json")
        rows = []
        for t in steps(first, min(last + timedelta(minutes=30), self.time.now), 30):
            settled = {"startTime": f"{t:%Y-%m-%dT%H:%M:%SZ}", "settlementDate": f"{t:%Y-%m-%d}", "settlementPeriod": 1}
            rows.append(settled | {"dataProvider": "APXMIDP", "price": price("GB", t), "volume": 900.5})
            rows.append(settled | {"dataProvider": "N2EXMIDP", "price": 0.0, "volume": 0.0})
        return as_json({"metadata": {"datasets": ["MID"]}, "data": rows[::-1]})


class CarbonIntensity(Contract):
    """At most fourteen days in the path; the half hour that ends at `from` comes along; actual null in the future."""

    def answer(self, request: Request, path: str) -> Response:
        match = re.fullmatch(r"intensity/([^/]+)/([^/]+)", path)
        need(match, 404, "{}")
        assert match
        first, last = (datetime.strptime(t, "%Y-%m-%dT%H:%MZ") for t in match.groups())  # noqa: DTZ007
        if last - first > timedelta(days=14):
            raise Refusal(
                400, '{"error":{"code":"400 Bad Request","message":"range over 14 days"}}', "application/json"
            )
        rows = [self._row(t) for t in steps(first - timedelta(minutes=30), last, 30)]
        return as_json({"data": rows})

    def _row(self, t: datetime) -> dict[str, object]:
        grams = 150 + t.hour * 5
        known = t + timedelta(minutes=30) <= self.time.now
        values = {"forecast": grams + 7, "actual": grams if known else None, "index": "moderate"}
        return {
            "from": f"{t:%Y-%m-%dT%H:%MZ}",
            "to": f"{t + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}",
            "intensity": values,
        }
