"""NVE reservoir statistics, ECB and Norges Bank exchange rates."""

from __future__ import annotations

import re
from datetime import date, timedelta

from werkzeug import Request, Response

from tests.sources.contracts.base import Contract, Refusal, as_json, need

#: Currency -> units per euro.
PER_EURO = {"NOK": 11.5, "SEK": 11.0, "DKK": 7.46, "GBP": 0.86}


def filling(number: int, week: date) -> float:
    """Filling of an area in the week that begins then [share]."""
    return round(0.5 + 0.04 * number + 0.002 * week.isocalendar()[1], 6)


def median(number: int, week: int) -> float:
    """Twenty-year median of an area in an ISO week [share]."""
    return 0.55 + 0.001 * week


class Nve(Contract):
    """No parameters; unsorted; EL and VASS rows share numbers; dates with and without a time."""

    first = date(2024, 1, 1)

    def answer(self, request: Request, path: str) -> Response:
        need(not request.args, 400, "{}")
        if path == "HentOffentligDataMinMaxMedian":
            return as_json([self._normal(n, w) for n in range(1, 6) for w in range(1, 54)])
        need(path == "HentOffentligData", 404, "{}")
        last = self.time.now.date() - timedelta(days=9)  # published on the Wednesday after
        weeks = [self.first + timedelta(weeks=w) for w in range((last - self.first).days // 7 + 1)]
        rows = [self._row(kind, n, w) for kind in ("EL", "VASS") for n in range(1, 6) for w in weeks]
        return as_json(rows[::-1])

    def _row(self, kind: str, number: int, monday: date) -> dict[str, object]:
        sunday, share = monday + timedelta(days=6), filling(number, monday) / (1 if kind == "EL" else 2)
        year, week, _ = monday.isocalendar()
        return {"dato_Id": sunday.isoformat() + ("T00:00:00" if week % 2 else ""), "omrType": kind, "omrnr": number,
                "iso_aar": year, "iso_uke": week, "fyllingsgrad": share, "kapasitet_TWh": 20.0,
                "fylling_TWh": 20 * share,
                "neste_Publiseringsdato": f"{sunday + timedelta(days=10)}T13:00:00"}  # fmt: skip

    def _normal(self, number: int, week: int) -> dict[str, object]:
        middle = median(number, week)
        return {"omrType": "EL", "omrnr": number, "iso_uke": week, "minFyllingsgrad": middle - 0.2,
                "medianFyllingsGrad": middle, "maxFyllingsgrad": middle + 0.2}  # fmt: skip


def business_days(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return [d for d in days if d.weekday() < 5]


class Ecb(Contract):
    """CSV on request; business days; an empty observation on the day of a holiday; 404 for no result."""

    def answer(self, request: Request, path: str) -> Response:
        match = re.fullmatch(r"EXR/D\.([A-Z+]+)\.EUR\.SP00\.A", path)
        need(match and request.args.get("format") == "csvdata", 406, "not acceptable")
        assert match
        days = business_days(request.args["startPeriod"], request.args["endPeriod"])
        names = [c for c in match[1].split("+") if c in PER_EURO]
        need(days and names, 404, "No results found.")
        lines = ["KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS"]
        for c in names:
            lines += [f"EXR.D.{c}.EUR.SP00.A,D,{c},EUR,SP00,A,{d},{PER_EURO[c] if d.day != 25 else ''},A" for d in days]
        return Response("\r\n".join(lines) + "\r\n", content_type="text/csv;charset=UTF-8")


class NorgesBank(Contract):
    """Semicolons; SEK and DKK per hundred; errors as XML."""

    def answer(self, request: Request, path: str) -> Response:
        match = re.fullmatch(r"EXR/B\.([A-Z+]+)\.NOK\.SP", path)
        if not match or request.args.get("format") != "csv":
            raise Refusal(404, '<?xml version="1.0"?><message:Error>No data</message:Error>', "application/xml")
        lines = ["FREQ;BASE_CUR;Base Currency;QUOTE_CUR;Quote Currency;TENOR;DECIMALS;UNIT_MULT;TIME_PERIOD;OBS_VALUE"]
        for c in match[1].split("+"):
            power = 2 if c in ("SEK", "DKK") else 0
            value = PER_EURO["NOK"] / (1.0 if c == "EUR" else PER_EURO[c]) * 10**power
            days = business_days(request.args["startPeriod"], request.args["endPeriod"])
            lines += [f"B;{c};x;NOK;Norwegian krone;SP;4;{power};{d};{value:.6f}" for d in days]
        return Response("\ufeff" + "\n".join(lines), content_type="text/csv")
