"""Answers of sources and their verdicts: ok, empty, retry, auth, quota or fatal.

HTTP 200 is not success (ENTSO-E acknowledges "no data" inside one, Open-Meteo breaks off in mid-stream) and
404 is often just "nothing published yet"; so every source says itself what its answers mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from energy.sources.client.credentials import redact

Kind = Literal["ok", "empty", "retry", "auth", "quota", "fatal"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Answers that a later attempt may turn into data: timeouts and overload; 529 is PVGIS' and Cloudflare's overload.
TEMPORARY = frozenset({408, 425, 500, 502, 503, 504, 520, 522, 524, 529})
#: Longest piece of a server's own words that goes into a message [characters].
REASON_LENGTH = 200


@dataclass(frozen=True)
class Verdict:
    """Meaning of an answer; `wait_s` is the time for which its server wants to be left alone [s]."""

    kind: Kind
    reason: str = ""
    wait_s: float | None = None


OK = Verdict("ok")
#: Status and body of an answer -> what it means.
Classifier = Callable[[int, bytes], Verdict]


@dataclass(frozen=True)
class Answer:
    """A body as it came, with when it came and how.

    Attributes
    ----------
    kind : ok, or empty (the server has nothing for this question; `body` may say so in words)
    fetched_at : when the body left the server (UTC, naive)
    from_cache, stale : served from the cache; served although expired, because the server failed
    note : why it is stale, or what the server warns of
    """

    source: str
    kind: Kind
    body: bytes
    fetched_at: datetime
    from_cache: bool = False
    stale: bool = False
    note: str = ""


class SourceError(Exception):
    """A source that gave no data, with the kind of failure; its text never holds a credential.

    Parameters
    ----------
    source : name in the catalogue
    kind : retry (try later), auth (key), quota (too many requests) or fatal (wrong request or broken contract)
    wait_s : how long to leave the server alone [s], where known
    """

    def __init__(self, source: str, kind: Kind, reason: str, wait_s: float | None = None) -> None:
        self.source, self.kind, self.reason, self.wait_s = source, kind, redact(reason), wait_s
        super().__init__(f"{source}: {kind}: {self.reason}")


class LicenceError(SourceError):
    """Data whose licence does not allow this use; the licence text is in the reason."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, "fatal", f"licence: {reason}")


def by_status(status: int, body: bytes = b"", keyed: bool = False) -> Verdict:
    """Meaning of a status by itself. A source without a key takes 401 and 403 for a wrong request."""
    if status in (200, 304):
        return OK
    if status == 203:
        return Verdict("ok", "203: the provider has deprecated this product")
    if status in (204, 404):
        return Verdict("empty", server_text(body) or f"HTTP {status}")
    reason = f"HTTP {status}" + (f": {server_text(body)}" if server_text(body) else "")
    if status in (401, 403):
        return Verdict("auth" if keyed else "fatal", reason)
    if status == 429:
        return Verdict("quota", reason)
    return Verdict("retry" if status in TEMPORARY else "fatal", reason)


def json_answer(status: int, body: bytes, keyed: bool = False) -> Verdict:
    """`by_status`, and a 200 that is no JSON (cut off, a maintenance page, an error in mid-stream) is to be retried."""
    verdict = by_status(status, body, keyed)
    if verdict.kind != "ok" or status == 304:
        return verdict
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return Verdict("retry", f"HTTP {status} but not JSON: {server_text(body[-REASON_LENGTH:])}")
    return verdict


def csv_answer(status: int, body: bytes) -> Verdict:
    """`by_status`, and a 200 without the banks' column of values in its first line (a page, XML) is to be retried."""
    verdict = by_status(status, body)
    if verdict.kind == "ok" and status != 304 and b"OBS_VALUE" not in body.lstrip().split(b"\n", 1)[0]:
        return Verdict("retry", f"HTTP {status} but not CSV: {server_text(body)}")
    return verdict


def server_text(body: bytes) -> str:
    """The server's own words in a body, JSON message or text of a page, on one line and short."""
    text = _message(body) or re.sub(r"<[^>]*>", " ", body[:20_000].decode("utf-8", "replace"))
    return redact(" ".join(text.split())[:REASON_LENGTH])


def _message(body: bytes) -> str:
    """First string under a key that error bodies use."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for key in ("reason", "message", "detail", "error", "errors", "title", ""):
        value: Any = data.get(key) if isinstance(data, dict) else None
        if isinstance(value, dict | list):
            return _message(json.dumps(value).encode()) or json.dumps(value)
        if isinstance(value, str) and value:
            return value
    return ""


def number(value: object) -> float:
    """A number of a JSON body; NaN for null."""
    return float("nan") if value is None else float(str(value))


def check_unit(name: str, found: str, *documented: str) -> None:
    """ValueError where a variable is not in (one of) its documented units."""
    if found not in documented:
        raise ValueError(f"{name} is in {found!r}, not in {documented[0]!r}")


@contextmanager
def reading(source: str) -> Iterator[None]:
    """A body that does not have the documented form is a SourceError (fatal) that says where it broke."""
    try:
        yield
    except SourceError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as e:
        raise SourceError(source, "fatal", f"body is not as documented: {type(e).__name__} {e}") from None
