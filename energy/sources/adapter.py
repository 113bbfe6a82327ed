"""What happens between the cache and the socket: budget, credentials, limits on time and size, verdict.

The adapter is mounted under its source's base URL and nothing else is mounted, so the mounted addresses ARE
the allow-list. Credentials are added to a copy of the request here, below the cache: neither the cache nor
an exception ever sees them. Bodies are read here as well, so that limits hold before anything is stored.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import _basic_auth_str
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from energy.sources.answer import Kind, SourceError, Verdict
from energy.sources.limits import Limits
from energy.sources.retry import policy
from energy.sources.secret import redact, scrub
from energy.sources.settings import Settings
from energy.sources.spec import Source

#: Bytes asked of the socket at once; what is there comes at once, however little it is.
CHUNK = 65_536
#: Attempts for a body that breaks off: urllib3's retries end where the body begins.
BODY_TRIES = 2
#: A full counter that its source says is cleared within this time [s] is waited for, once: that of a minute.
COUNTER_S = 60.0
#: A source that cannot be reached is not tried again for this long [s]: a fetch asks it dozens of questions, and
#: without a network each would cost two time-outs.
LEAVE_ALONE_S = 120.0
#: A source that cannot be reached is so in one of these ways; the exceptions' own texts hold addresses.
FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (NewConnectionError, "no connection"),
    (ConnectTimeoutError, "no connection in time"),
    (ReadTimeoutError, "no answer in time"),
    (SSLError, "its certificate does not hold"),
    (ProxyError, "the proxy does not answer"),
)
#: All of them.
UNREACHABLE = frozenset(text for _, text in FAILURES)


class Unmounted(BaseAdapter):
    """Refuses every address that is not a source's."""

    def send(self, request: PreparedRequest, *args: Any, **kw: Any) -> Response:
        """Never sends.

        Raises
        ------
        SourceError : (fatal) always.
        """
        host = (request.url or "").split("?")[0]
        raise SourceError("client", "fatal", f"{host} is not an address of the catalogue")

    def close(self) -> None:
        """Nothing is open."""


class SourceAdapter(HTTPAdapter):
    """The only way to one source."""

    def __init__(self, source: Source, settings: Settings, limits: Limits) -> None:
        self.source, self._settings, self._limits = source, settings, limits
        self.problem: SourceError | None = None
        self.sent = 0
        self._unreachable, self._until = "", 0.0
        retry = policy(settings.tries, settings.backoff_s, source.no_retry, self._again, settings.sleep)
        super().__init__(max_retries=retry)

    def _again(self) -> None:
        """Book a repeated attempt; its weight is one, as errors weigh."""
        self.sent += 1
        self._limits.take(self.source, 1.0)

    def send(self, request: PreparedRequest, stream: bool = False, timeout: Any = None, verify: Any = True,
             cert: Any = None, proxies: Mapping[str, str] | None = None) -> Response:  # fmt: skip
        """Book a place, send, read the body, judge it.

        Raises
        ------
        SourceError : no answer, or a body that breaks the limits.
        """
        try:
            response = self._exchange(request, verify, cert, proxies)
            if wait := self._full(response):
                self._settings.sleep(wait)
                response = self._exchange(request, verify, cert, proxies)
        except SourceError as e:
            self.problem = e
            raise
        self._judge(response)
        return response

    def _full(self, response: Response) -> float:
        """Seconds until a counter is cleared that the source says is full; 0 where none is, or not within COUNTER_S."""
        if response.status_code != 429:  # the rest is judged once, by `_judge`: bodies are megabytes
            return 0.0
        wait = self.source.classify(response.status_code, response.content).wait_s or 0.0
        return wait if wait <= COUNTER_S else 0.0

    def _exchange(self, request: PreparedRequest, verify: Any, cert: Any, proxies: Any) -> Response:
        """An answer with its whole body; broken bodies are asked for again."""
        if self._settings.wall() < self._until:
            raise self._error("retry", self._unreachable)
        for left in range(BODY_TRIES - 1, -1, -1):
            self._limits.take(self.source, self.source.weight(request.url or ""))
            self.sent += 1
            response = self._open(request, verify, cert, proxies)
            try:
                body = self._read(response)
            except SourceError as e:
                response.close()
                if e.kind != "retry" or not left:
                    raise
                self._settings.sleep(self._settings.backoff_s)
                continue
            break
        return _closed(response, request, body)

    def _open(self, request: PreparedRequest, verify: Any, cert: Any, proxies: Any) -> Response:
        times = (self._settings.connect_s, self._settings.read_s)
        try:
            return super().send(self._armed(request), True, times, verify, cert, proxies)
        except (RequestException, HTTPError, OSError) as e:
            if words := _in_words(e):
                self._unreachable, self._until = words, self._settings.wall() + LEAVE_ALONE_S
            raise self._error("retry", words or "the connection broke") from None
        except ValueError as e:  # http.client quotes the header that it refuses: the credential
            reason = f"the request cannot be sent: a header or address holds what none may ({type(e).__name__})"
            raise self._error("fatal", reason) from None

    def _armed(self, request: PreparedRequest) -> PreparedRequest:
        """A copy with the credential, without what the cache wrote into the headers for itself."""
        armed = request.copy()
        armed.headers.pop("Cache-Control", None)
        key = self.source.key
        secret = self._settings.credentials.get(key.variable) if key else None
        if key and secret:
            value = secret.get_secret_value()
            armed.headers[key.header] = _basic_auth_str(value, "") if key.form == "basic" else value
        return armed

    def _read(self, response: Response) -> bytes:
        """The decompressed body, within size and time."""
        parts, size, late = [], 0, time.monotonic() + self._settings.total_s
        try:
            while part := response.raw.read1(CHUNK, decode_content=True):
                size += len(part)
                parts.append(part)
                if size > self._settings.most_bytes:
                    raise self._error("fatal", f"body is larger than {self._settings.most_bytes} bytes")
                if time.monotonic() > late:
                    raise self._error("retry", f"body took longer than {self._settings.total_s:g} s")
        except (HTTPError, OSError) as e:
            raise self._error("retry", f"body broke off after {size} bytes ({type(e).__name__})") from None
        return b"".join(parts)

    def _error(self, kind: Kind, reason: str) -> SourceError:
        return SourceError(self.source.name, kind, reason)

    def _judge(self, response: Response) -> None:
        """Remember what was wrong with an answer, and leave a server alone that asks for it."""
        verdict = Verdict("ok")
        if not response.is_redirect:
            verdict = self.source.classify(response.status_code, response.content)
        response.verdict = verdict  # type: ignore[attr-defined]  # read again by the cache's filter and by the client
        if verdict.kind in ("ok", "empty"):
            return
        retry_after = self.max_retries.get_retry_after(response.raw)
        wait = verdict.wait_s or retry_after or (self.source.ban_s if verdict.kind == "quota" else None)
        self.problem = SourceError(self.source.name, verdict.kind, verdict.reason, wait)
        if verdict.kind == "quota" and wait:
            self._limits.block(self.source, wait, verdict.reason)


def _in_words(error: BaseException) -> str:
    """Why a source cannot be reached; empty where it was reached. requests and urllib3 wrap the cause up to twice."""
    for _ in range(3):
        for kind, text in FAILURES:
            if isinstance(error, kind):
                return text
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return ""


def _closed(response: Response, request: PreparedRequest, body: bytes) -> Response:
    """The answer with its body in memory, tied to the request without credentials, secrets blotted out, no cookies."""
    response.request, response._content, response._content_consumed = request, scrub(body), True  # type: ignore[attr-defined]
    kept = {k: redact(v) for k, v in response.headers.items() if k.lower() != "set-cookie"}
    response.headers = CaseInsensitiveDict(kept)
    response.close()
    response.cookies.clear()
    response.raw._original_response = None  # where requests would read cookies for the next request
    return response
