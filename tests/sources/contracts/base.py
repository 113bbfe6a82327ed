"""What all contracts share: a log, faults on order, and the User-Agent that every provider asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from werkzeug import Request, Response

#: What to answer instead: a response, or a function of the request.
Fault = Response | Callable[[Request], Response | None]


class Refusal(Exception):
    """A request that breaks the contract."""

    def __init__(self, status: int, body: str | bytes = "", content_type: str = "text/html", **headers: str) -> None:
        super().__init__(f"{status}: {body!r}")
        self.response = Response(body, status, headers, content_type=content_type)


class Contract:
    """One source's server."""

    keyed_by: ClassVar[str] = ""

    def __init__(self, time: Any) -> None:
        self.time = time
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.always: Fault | None = None

    @staticmethod
    def pattern(name: str) -> re.Pattern[str]:
        return re.compile(rf"^/{name}(/.*)?$")

    @property
    def count(self) -> int:
        return len(self.requests)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else self.always
        answer = fault(request) if callable(fault) and not isinstance(fault, Response) else fault
        if answer is not None:
            return answer
        try:
            if request.method != "GET" or not re.match(r"hydrocool/\d", request.headers.get("User-Agent", "")):
                raise Refusal(403, "who are you?")
            path = "/".join(request.path.split("/")[2:])
            return self.answer(request, path)
        except Refusal as refusal:
            return refusal.response

    def answer(self, request: Request, path: str) -> Response:
        raise NotImplementedError


def as_json(data: Any, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(data), status, headers, content_type="application/json")


def need(condition: object, status: int, body: str = "bad request", **kw: Any) -> None:
    """Enforce one clause of a contract."""
    if not condition:
        raise Refusal(status, body, **kw)


def steps(start: datetime, end: datetime, minutes: int) -> list[datetime]:
    """Starts of the steps in [start, end)."""
    out = []
    while start < end:
        out.append(start)
        start += timedelta(minutes=minutes)
    return out


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
