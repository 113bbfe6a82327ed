"""The one HTTP client: requests, urllib3's Retry and requests-cache, with the rules every source shares.

    with Client(from_environment(folder, SOURCES), SOURCES) as client:
        answer = client.get("hvakosterstrommen", "2026/11-25_NO4.json", ttl_s=600)

Every answer is classified (`answer.Kind`), kept raw with its fetch time (`cache.py`), and fresh answers come from the
cache without a request. With `as_of` nothing is sent at all: the answers are those known then.

Adapters are mounted under the base URLs of the sources and nothing else is mounted, so the mounted addresses ARE the
allow-list. Credentials are added to a copy of the request below the cache: neither the cache nor an exception ever sees
them. Bodies are read there as well, so that limits hold before anything is stored.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import numpy as np
import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import _basic_auth_str
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict
from requests_cache import CacheMixin
from requests_cache.backends.sqlite import SQLiteCache
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from energy.series.local_time import Span
from energy.sources.client.answer import OK, Answer, Kind, SourceError, Verdict
from energy.sources.client.cache import Archive, Health, Ledger
from energy.sources.client.credentials import redact, redact_logs, scrub
from energy.sources.client.deadline import Deadline, give_pools, plausible
from energy.sources.client.rate_limits import Limits, policy
from energy.sources.client.settings import Settings, Source, loopback

#: Never stored, should a credential ever get into a request above the adapter.
IGNORED = ("securityToken", "SECURITY_TOKEN", "apikey", "X-Api-Key", "auth-token", "X-API-Key", "Authorization")
#: Redirects followed, all on the source's own origin: providers add a slash, nothing more.
MOST_REDIRECTS = 3
#: "Nothing there" is believed for this part of the time that data would be: 20 s for tomorrow's prices, a day
#: for last month's. It is never in the HTTP cache (acknowledgements in a 200 must not be), only in the ledger.
EMPTY_SHARE = 30


class _Session(CacheMixin, requests.Session):
    """A cached session that refuses to leave the origin it was sent to."""

    def get_redirect_target(self, resp: Response) -> str | None:
        """Address that the answer redirects to; SourceError (fatal) for another scheme, host or port."""
        target = super().get_redirect_target(resp)
        if target is not None:
            here, there = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                raise SourceError("client", "fatal", f"{here.netloc} redirects to {there.scheme}://{there.netloc}")
        return target

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Add nothing on a redirect: requests would look into ~/.netrc; the adapter adds what the source needs."""


class Client:
    """Asks the sources of a catalogue.

    Parameters
    ----------
    as_of : replay: answer every question as it was known at this time (UTC, naive), without any request
    """

    def __init__(self, settings: Settings, sources: Mapping[str, Source], as_of: datetime | None = None) -> None:
        self.settings, self.sources, self.as_of = settings, sources, as_of
        self._ledger = Ledger(settings.folder / "ledger.sqlite")
        self.archive = Archive(settings.folder / "raw", self._ledger)
        limits = Limits(self._ledger, settings.wall, settings.sleep)
        self._adapters = {name: SourceAdapter(s, settings, limits) for name, s in sources.items()}
        self._session = self._open_session()
        self._began: datetime | None = None
        redact_logs()

    def _open_session(self) -> _Session:
        """The cached session, with no way to an address that is not a source's."""
        session = _Session(
            backend=SQLiteCache(self.settings.folder / "http.sqlite", wal=True, serializer="json"),
            cache_control=True, expire_after=0, allowable_codes=(200, 203),
            filter_fn=lambda r: getattr(r, "verdict", OK).kind == "ok",  # no acknowledgements, pages, cut-off bodies
            ignored_parameters=IGNORED, stale_if_error=self.settings.stale_s,
        )  # fmt: skip
        session.max_redirects = MOST_REDIRECTS
        session.mount("https://", Unmounted())
        session.mount("http://", Unmounted())
        for name, adapter in self._adapters.items():
            url = self.settings.base_url(self.sources[name])
            session.mount(url, adapter)
            session.mount(f"{url[:-1]}?", adapter)
        # Answers that are too old even to stand in for a failing server go; the raw ones stay.
        with session.cache.responses.connection(commit=True) as db:  # type: ignore[attr-defined]  # SQLite's
            db.execute("DELETE FROM responses WHERE expires < ?", (time.time() - self.settings.stale_s,))
        return session

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and cache."""
        self._session.close()  # type: ignore[no-untyped-call]  # the cache closes with it
        self._ledger.close()

    def now(self) -> np.datetime64:
        """The time it is, the time that is replayed, or within a session the time it began (UTC)."""
        return np.datetime64(self._began or self.as_of or self.settings.clock(), "ns")

    def hour(self) -> np.datetime64:
        """The full hour before `now`: questions that end here are the same for an hour, and the cache knows them."""
        return np.datetime64(self.now().astype("datetime64[h]"), "ns")

    @contextmanager
    def session(self, name: str, span: Span) -> Iterator[Span]:
        """One fetch under one clock, put on file when it ends; gives the hours to ask for.

        In a replay those are the hours of the last fetch for `name` that covers `span` and had ended by then.

        Raises NotOnFile: a replay of what nobody had fetched by then.
        """
        asked, began = self.archive.session(name, span, self.as_of) if self.as_of else (span, self.settings.clock())
        self._began = began
        try:
            yield asked
        finally:
            self._began = None
        if self.as_of is None:
            self.archive.save_session(name, span, began, self.settings.clock())

    def sent(self, source: str) -> int:
        """Requests that this client has sent to a source, cache hits not counted."""
        return self._adapters[source].sent

    def has_key(self, source: str) -> bool:
        """Tell whether there is a credential for the source."""
        key = self.sources[source].key
        return key is not None and self.settings.credentials.get(key.variable) is not None

    def health(self, source: str) -> Health:
        """Last success and last failure of a source, in a replay those known then."""
        return self.archive.health(source, self.as_of or self.settings.clock())

    def get(self, source: str, path: str = "", params: Mapping[str, str] | None = None, ttl_s: int = 0) -> Answer:
        """Ask a source.

        Parameters
        ----------
        path, params : what is asked for under the base URL; never a credential
        ttl_s : how long the answer stays good [s] where the server does not say

        Returns
        -------
        Answer : ok, or empty.

        Raises SourceError: retry, auth, quota or fatal.
        """
        params = params or {}
        asked = f"{source} {path}?{urlencode(sorted(params.items()))}"  # names the request for good
        if self.as_of is not None:
            return self.archive.load(source, asked, self.as_of)
        lifetime = ttl_s if self.settings.ttl_s is None else self.settings.ttl_s
        since = self.settings.clock() - timedelta(seconds=lifetime / EMPTY_SHARE)
        if lifetime and (nothing := self.archive.last_empty(source, asked, since)):
            return nothing
        self._adapters[source].problem = None
        before = self.sent(source)
        try:
            answer = self._ask(source, path, params, lifetime)
        except SourceError as e:
            error = e if e.source == source else SourceError(source, e.kind, e.reason, e.wait_s)
            self.archive.save(asked, self.settings.clock(), error)
            raise error from None
        if self.sent(source) > before or answer.stale:
            self.archive.save(asked, self.settings.clock(), answer)
        return answer

    def _ask(self, source: str, path: str, params: Mapping[str, str], lifetime: int) -> Answer:
        """The answer from the cache or the server.

        The request is prepared outside the session, so that neither ~/.netrc nor a cookie can add to it.
        """
        headers = {"User-Agent": self.settings.user_agent, "Accept-Encoding": "gzip, deflate"}
        url = (self.settings.base_url(self.sources[source]) + path).rstrip("/")
        adapter = self._adapters[source]
        try:
            request = requests.Request("GET", url, headers=headers, params=dict(sorted(params.items()))).prepare()
            # Proxies and certificates that the environment asks for; no proxy on the way to this machine.
            route: dict[str, Any] = dict(
                self._session.merge_environment_settings(request.url or "", {}, None, None, None)
            )
            route |= {"proxies": {}} if loopback(urlsplit(url).hostname or "") else {}
            response = self._session.send(request, expire_after=lifetime, **route)
        except requests.RequestException as e:  # the adapter's own failures are SourceErrors
            reason = f"{type(e).__name__} outside the adapter"
            raise adapter.problem or SourceError(source, "fatal", reason) from None
        from_cache = bool(getattr(response, "from_cache", False))
        expired = from_cache and bool(getattr(response, "is_expired", False))
        stale = expired and not getattr(response, "revalidated", False)
        problem = adapter.problem
        if problem is not None and (not stale or problem.kind not in ("retry", "quota")):
            raise problem
        verdict: Verdict = getattr(response, "verdict", OK)
        fetched = response.created_at.replace(tzinfo=None) if from_cache else self.settings.clock()
        note = f"stale: {problem.reason}" if problem else verdict.reason
        return Answer(source, verdict.kind, response.content, fetched, from_cache, stale, note)


#: Bytes asked of the socket at once; what is there comes at once, however little it is.
CHUNK = 65_536
#: Attempts for a body that breaks off: urllib3's retries end where the body begins.
BODY_TRIES = 2
#: A full counter that its source says is cleared within this time [s] is waited for, once: that of a minute.
COUNTER_S = 60.0
#: A source that cannot be reached is not tried again for this long [s]: a fetch asks it dozens of questions, and
#: without a network each would cost two time-outs.
LEAVE_ALONE_S = 120.0
#: Ways in which a source cannot be reached, in words: the exceptions' own texts hold addresses.
FAILURES: dict[type[Exception], str] = {
    NewConnectionError: "no connection",
    ConnectTimeoutError: "no connection in time",
    ReadTimeoutError: "no answer in time",
    SSLError: "its certificate does not hold",
    ProxyError: "the proxy does not answer",
}
UNREACHABLE = frozenset(FAILURES.values())


class Unmounted(BaseAdapter):
    """Refuses every address that is not a source's."""

    def send(self, request: PreparedRequest, *args: Any, **kw: Any) -> Response:
        """Never sends.

        Raises SourceError: (fatal) always.
        """
        host = (request.url or "").split("?")[0]
        raise SourceError("client", "fatal", f"{host} is not an address of the catalogue")

    def close(self) -> None:
        """Do nothing: no connection is open."""


class SourceAdapter(HTTPAdapter):
    """The only way to one source."""

    def __init__(self, source: Source, settings: Settings, limits: Limits) -> None:
        self.source, self._settings, self._limits = source, settings, limits
        self.problem: SourceError | None = None
        self.sent = 0
        self._unreachable, self._until = "", 0.0
        self._deadline = Deadline()
        super().__init__(max_retries=policy(source, settings, self._again))

    def init_poolmanager(self, *args: Any, **kw: Any) -> None:
        """As requests does, with connections that end at the deadline of the exchange."""
        super().init_poolmanager(*args, **kw)
        give_pools(self.poolmanager, self._deadline)

    def proxy_manager_for(self, *args: Any, **kw: Any) -> Any:
        """The same for a proxy."""
        manager = super().proxy_manager_for(*args, **kw)
        give_pools(manager, self._deadline)
        return manager

    def _again(self) -> None:
        """Count a repeated attempt; its weight is one, as errors weigh."""
        self.sent += 1
        self._limits.take(self.source, 1.0)

    def send(self, request: PreparedRequest, stream: bool = False, timeout: Any = None, verify: Any = True,
             cert: Any = None, proxies: Mapping[str, str] | None = None) -> Response:  # fmt: skip
        """Reserve a place, send, read the body, judge it.

        Raises SourceError: no answer, or a body that breaks the limits.
        """
        try:
            response = self._exchange(request, verify, cert, proxies)
            if response.status_code == 429:  # the rest is judged once, by `_judge`: bodies are megabytes
                wait = self.source.classify(response.status_code, response.content).wait_s or 0.0
                if 0 < wait <= COUNTER_S:
                    self._settings.sleep(wait)
                    response = self._exchange(request, verify, cert, proxies)
        except SourceError as e:
            self.problem = e
            raise
        self._judge(response)
        return response

    def _exchange(self, request: PreparedRequest, verify: Any, cert: Any, proxies: Any) -> Response:
        """An answer with its whole body; broken bodies are asked for again."""
        if self._settings.wall() < self._until:
            raise self._error("retry", self._unreachable)
        self._deadline.begin(self._settings.total_s)
        for left in range(BODY_TRIES - 1, -1, -1):
            self._limits.take(self.source, self.source.weight(request.url or ""))
            self.sent += 1
            response = self._open(request, verify, cert, proxies)
            try:
                body = self._read(response)
                break
            except SourceError as e:
                response.close()
                if e.kind != "retry" or not left or self._deadline.over():
                    raise
                self._settings.sleep(self._settings.backoff_s)
        return _closed(response, request, body)

    def _open(self, request: PreparedRequest, verify: Any, cert: Any, proxies: Any) -> Response:
        """Send a copy with the credential, without what the cache wrote into the headers for itself."""
        times = (self._settings.connect_s, self._settings.read_s)
        armed, key = request.copy(), self.source.key
        armed.headers.pop("Cache-Control", None)
        try:
            if key and (secret := self._settings.credentials.get(key.variable)):
                value = secret.get_secret_value()
                armed.headers[key.header] = _basic_auth_str(value, "") if key.form == "basic" else value
            return super().send(armed, True, times, verify, cert, proxies)
        except (RequestException, HTTPError, OSError) as e:
            if self._deadline.over():
                raise self._error("retry", f"answer took longer than {self._settings.total_s:g} s") from None
            if reason := _reason(e):
                self._unreachable, self._until = reason, self._settings.wall() + LEAVE_ALONE_S
            raise self._error("retry", reason or "the connection broke") from None
        except ValueError as e:  # http.client quotes the header that it refuses: the credential
            reason = f"the request cannot be sent: a header or address holds what none may ({type(e).__name__})"
            raise self._error("fatal", reason) from None

    def _read(self, response: Response) -> bytes:
        """The decompressed body, within size and time."""
        parts, size = [], 0
        try:
            while part := response.raw.read1(CHUNK, decode_content=True):
                size += len(part)
                parts.append(part)
                if size > self._settings.most_bytes:
                    raise self._error("fatal", f"body is larger than {self._settings.most_bytes} bytes")
                if self._deadline.over():
                    raise self._error("retry", f"body took longer than {self._settings.total_s:g} s")
        except (HTTPError, OSError) as e:
            raise self._error("retry", f"body broke off after {size} bytes ({type(e).__name__})") from None
        return b"".join(parts)

    def _error(self, kind: Kind, reason: str) -> SourceError:
        return SourceError(self.source.name, kind, reason)

    def _judge(self, response: Response) -> None:
        """Remember what was wrong with an answer, and leave a server alone that asks for it."""
        verdict = OK if response.is_redirect else self.source.classify(response.status_code, response.content)
        response.verdict = verdict  # type: ignore[attr-defined]  # read again by the cache's filter and by the client
        if verdict.kind in ("ok", "empty"):
            return
        retry_after = self.max_retries.get_retry_after(response.raw)
        wait = verdict.wait_s or retry_after or (self.source.ban_s if verdict.kind == "quota" else None)
        self.problem = SourceError(self.source.name, verdict.kind, verdict.reason, wait)
        if verdict.kind == "quota" and wait:
            self._limits.block(self.source, wait, verdict.reason)


def _reason(error: BaseException) -> str:
    """Reason why a source cannot be reached, empty where it was. requests and urllib3 wrap the cause up to twice."""
    for _ in range(3):
        for kind, text in FAILURES.items():
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
    kept = plausible({k: redact(v) for k, v in response.headers.items() if k.lower() != "set-cookie"})
    response.headers = CaseInsensitiveDict(kept)
    response.close()
    response.cookies.clear()
    response.raw._original_response = None  # where requests would read cookies for the next request
    return response
