"""MET Norway Locationforecast and Frost, Open-Meteo, NASA POWER, PVGIS."""

# ruff: noqa: DTZ001, DTZ007 - times are naive UTC, as everywhere in the house
from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from werkzeug import Request, Response

from tests.sources.contracts.base import Contract, Refusal, as_json, need, steps
from tests.sources.truth import dew_point, humidity, temp_air


def stamp(moment: datetime) -> str:
    return format_datetime(moment.replace(tzinfo=UTC), usegmt=True)


class Locationforecast(Contract):
    """403 without a contact in the User-Agent or with five decimals; Expires; 304 for the exact Last-Modified only."""

    def __init__(self, time: Any) -> None:
        super().__init__(time)
        self.life = timedelta(minutes=30)
        self.issued = time.now
        self.status = 200

    def answer(self, request: Request, path: str) -> Response:
        need(path in ("complete", "compact"), 404, "no such product")
        need("(" in request.headers["User-Agent"], 403, "<html>no contact in User-Agent</html>")
        for name in ("lat", "lon"):
            need(re.fullmatch(r"-?\d{1,3}(\.\d{1,4})?", request.args[name]), 403, "<html>too many decimals</html>")
        need(re.fullmatch(r"-?\d+", request.args.get("altitude", "0")), 400, "altitude is an integer")
        need(abs(float(request.args["lat"])) <= 85, 422, "<html>outside the area</html>")
        modified = stamp(self.issued)
        headers = {"Last-Modified": modified, "Expires": stamp(datetime.now(UTC) + self.life), "Vary": "Accept"}
        if request.headers.get("If-Modified-Since") == modified:
            return Response(status=304, headers=headers)
        first = self.issued.replace(minute=0, second=0)
        times = steps(first, first + timedelta(hours=60), 60)
        times += steps(times[-1] + timedelta(hours=6), first + timedelta(days=10), 360)
        altitude = float(request.args.get("altitude", "12"))
        place = [float(request.args["lon"]), float(request.args["lat"]), altitude]
        body = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {"meta": {"updated_at": f"{self.issued:%Y-%m-%dT%H:%M:%SZ}", "units": self.units()},
                           "timeseries": [self._step(t) for t in times]},
        }  # fmt: skip
        return as_json(body, self.status, **headers)

    def units(self) -> dict[str, str]:
        return {"air_temperature": "celsius", "relative_humidity": "%", "dew_point_temperature": "celsius",
                "wind_speed": "m/s", "air_pressure_at_sea_level": "hPa", "cloud_area_fraction": "%"}  # fmt: skip

    def _step(self, t: datetime) -> dict[str, Any]:
        details = {"air_temperature": temp_air(t), "relative_humidity": humidity(t), "wind_speed": 3.0,
                   "dew_point_temperature": dew_point(t), "air_pressure_at_sea_level": 1010.0,
                   "cloud_area_fraction": 40.0}  # fmt: skip
        return {"time": f"{t:%Y-%m-%dT%H:%M:%SZ}", "data": {"instant": {"details": details}}}


class Frost(Contract):
    """Basic auth with an empty password; start included, end not; 404 for no data, 412 for no such series."""

    client_id = "canary-frost-8a2b4c6d"

    def answer(self, request: Request, path: str) -> Response:
        expected = "Basic " + base64.b64encode(f"{self.client_id}:".encode()).decode()
        if request.headers.get("Authorization") != expected:
            raise Refusal(
                401, '{"@type":"ErrorResponse","error":{"code":401,"reason":"Invalid client ID"}}', "application/json"
            )
        if path == "sources/v0.jsonld":
            need(re.fullmatch(r"nearest\(POINT\(-?[\d.]+ -?[\d.]+\)\)", request.args["geometry"]), 400, "{}")
            return as_json({"data": [{"id": "SN84700", "distance": 3.1}, {"id": "SN00001", "distance": 0.4}]})
        need(path == "observations/v0.jsonld", 404, "{}")
        if request.args["sources"] == "SN00001":
            raise Refusal(412, '{"error":{"code":412,"reason":"No available timeseries"}}', "application/json")
        first, last = (datetime.strptime(t, "%Y-%m-%dT%H:%MZ") for t in request.args["referencetime"].split("/"))
        rows = [self._row(t) for t in steps(first, min(last, self.time.now), 60)]
        if not rows:
            text = '{"@type":"ErrorResponse","error":{"code":404,"message":"Not found","reason":"No data found"}}'
            raise Refusal(404, text, "application/json")
        return as_json({"@type": "ObservationResponse", "totalItemCount": len(rows), "data": rows})

    def _row(self, t: datetime) -> dict[str, Any]:
        values = [("air_temperature", temp_air(t), "degC", 2), ("relative_humidity", str(humidity(t)), "percent", 2),
                  ("air_temperature", -99.0, "degC", 10), ("wind_speed", 3.0, "m/s", 10)]  # fmt: skip
        observations = [
            {"elementId": e, "value": v, "unit": u, "level": {"value": h}, "timeOffset": "PT0H",
             "timeResolution": "PT1H", "qualityCode": 0} for e, v, u, h in values
        ]  # fmt: skip
        return {"sourceId": "SN84700:0", "referenceTime": f"{t:%Y-%m-%dT%H:%M:%S.000Z}", "observations": observations}


class OpenMeteo(Contract):
    """m/s and GMT on request only; ranges; weights per minute; keys of the customer hosts."""

    path, back, ahead = "forecast", 93, 16
    key = "canary-meteo-1e3f5a7b"
    per_minute = 600.0

    def __init__(self, time: Any) -> None:
        super().__init__(time)
        self.used: list[tuple[float, float]] = []
        self.customer = True

    def answer(self, request: Request, path: str) -> Response:
        need(path == self.path, 404, "{}")
        if self.customer and request.headers.get("X-Api-Key") != self.key:
            raise Refusal(401, '{"error":true,"reason":"API key required"}', "application/json")
        args = request.args
        today = self.time.now.date()
        first, last = (datetime.fromisoformat(args[n]) for n in ("start_date", "end_date"))
        low, high = today - timedelta(days=self.back), today + timedelta(days=self.ahead)
        if first.date() < low or last.date() > high:
            text = f"Parameter 'end_date' is out of allowed range from {low} to {high}"
            raise Refusal(400, f'{{"error":true,"reason":"{text}"}}', "application/json")
        self._weigh(args, (last - first).days + 1)
        hours = steps(first, last + timedelta(days=1), 60)
        places = [self._place(float(lat), args, hours) for lat in args["latitude"].split(",")]
        return as_json(places if len(places) > 1 else places[0])

    def _weigh(self, args: Any, days: int) -> None:
        variables = len(args["hourly"].split(",")) / 10
        weight = len(args["latitude"].split(",")) * max(1.0, variables, variables * days / 14)
        minute = [w for at, w in self.used if self.time.seconds - at < 60]
        if sum(minute) + weight > self.per_minute:
            text = "Minutely API request limit exceeded. Please try again in one minute."
            raise Refusal(429, f'{{"error":true,"reason":"{text}"}}', "application/json")
        self.used.append((self.time.seconds, weight))

    def _place(self, latitude: float, args: Any, hours: list[datetime]) -> dict[str, Any]:
        fast = 1.0 if args.get("wind_speed_unit") == "ms" else 3.6
        units = {"temperature_2m": "°C", "relative_humidity_2m": "%", "dew_point_2m": "°C", "surface_pressure": "hPa",
                 "wind_speed_10m": "m/s" if fast == 1.0 else "km/h", "shortwave_radiation": "W/m²",
                 "direct_normal_irradiance": "W/m²", "diffuse_radiation": "W/m²"}  # fmt: skip
        columns = {"temperature_2m": [temp_air(t) for t in hours], "relative_humidity_2m": [humidity(t) for t in hours],
                   "dew_point_2m": [dew_point(t) for t in hours], "surface_pressure": [1001.0] * len(hours),
                   "wind_speed_10m": [3.0 * fast] * len(hours),
                   "shortwave_radiation": [float(t.hour) for t in hours],  # mean of the hour BEFORE t
                   "direct_normal_irradiance": [0.0] * len(hours), "diffuse_radiation": [0.0] * len(hours)}  # fmt: skip
        table = {"time": [int(t.replace(tzinfo=UTC).timestamp()) for t in hours]} | columns
        offset = 0 if args.get("timezone", "GMT") == "GMT" else 3600
        return {"latitude": round(latitude, 2), "utc_offset_seconds": offset, "hourly_units": units, "hourly": table}


class OpenMeteoArchive(OpenMeteo):
    """The same for history, up to today."""

    path, back, ahead = "archive", 31_000, 0


class NasaPower(Contract):
    """Local solar time unless UTC is asked for; at most 15 parameters; -999 where nothing is known yet."""

    def __init__(self, time: Any) -> None:
        super().__init__(time)
        self.lag = timedelta(days=4)

    def answer(self, request: Request, path: str) -> Response:
        need(path == "point", 404, "{}")
        names = request.args["parameters"].split(",")
        need(len(names) <= 15, 422, '{"messages":["too many parameters"]}')
        first, last = (datetime.strptime(request.args[n], "%Y%m%d") for n in ("start", "end"))
        need(last.date() <= self.time.now.date() and first.year >= 2001, 422, '{"messages":["outside the range"]}')
        shift = timedelta(0) if request.args.get("time-standard") == "utc" else timedelta(hours=1)
        hours = steps(first, last + timedelta(days=1), 60)
        table = {n: {f"{t + shift:%Y%m%d%H}": self._value(n, t) for t in hours} for n in names}
        units = {"T2M": "C", "RH2M": "%", "T2MDEW": "C", "PS": "kPa", "WS10M": "m/s"}
        about = {"fill_value": -999.0, "time_standard": "LST" if shift else "UTC"}
        return as_json({"properties": {"parameter": table}, "header": about,
                        "parameters": {n: {"units": units.get(n, "Wh/m^2")} for n in names}})  # fmt: skip

    def _value(self, name: str, t: datetime) -> float:
        if t > self.time.now - self.lag:
            return -999.0
        known = {"T2M": temp_air(t), "RH2M": humidity(t), "T2MDEW": dew_point(t), "PS": 100.1, "WS10M": 3.0}
        return known.get(name, float(t.hour))


class Pvgis(Contract):
    """A typical year, in whole; 400 with a message; 529 on too many at once."""

    def answer(self, request: Request, path: str) -> Response:
        need(path == "tmy" and request.args.get("outputformat") == "json", 404, "{}")
        if abs(float(request.args["lat"])) > 75:
            raise Refusal(
                400, '{"message": "Location over the sea. Please, select another location"}', "application/json"
            )
        rows = [row for month in range(1, 13) for row in self._month(2004 + month, month)]
        months = [{"month": m, "year": 2004 + m} for m in range(1, 13)]
        inputs = {"location": {"latitude": 1.0, "longitude": 1.0, "elevation": 9.0, "irradiance_time_offset": 0.1761}}
        return as_json(
            {"inputs": inputs, "outputs": {"months_selected": months, "tmy_hourly": rows}, "meta": {"inputs": {}}}
        )

    def _month(self, year: int, month: int) -> list[dict[str, Any]]:
        first = datetime(year, month, 1)
        last = datetime(year + month // 12, month % 12 + 1, 1) if month != 2 else datetime(year, 3, 1)
        hours = [t for t in steps(first, last, 60) if (t.month, t.day) != (2, 29)]
        return [{"time(UTC)": f"{t:%Y%m%d:%H%M}", "T2m": temp_air(t), "RH": humidity(t), "G(h)": 1.0, "Gb(n)": 2.0,
                 "Gd(h)": 3.0, "IR(h)": 300.0, "WS10m": 3.0, "WD10m": 200.0, "SP": 9.9e4} for t in hours]  # fmt: skip
