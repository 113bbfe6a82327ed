"""The one HTTP client: requests, urllib3's Retry and requests-cache, with the rules every source shares.

    with Client(from_environment(folder, SOURCES), SOURCES) as client:
        answer = client.get("hvakosterstrommen", "2026/11-25_NO4.json", ttl_s=600)

Every answer is classified (`answer.Kind`), kept raw with its fetch time (`archive.py`), and fresh answers come
from the cache without a request. With `as_of` nothing is sent at all: the answers are those known then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
import requests
from requests import PreparedRequest, Response
from requests_cache import CacheMixin
from requests_cache.backends.sqlite import SQLiteCache

from energy.sources.adapter import SourceAdapter, Unmounted
from energy.sources.answer import Answer, SourceError, Verdict
from energy.sources.archive import Archive, Health, question
from energy.sources.clock import Span
from energy.sources.ledger import Ledger
from energy.sources.limits import Limits
from energy.sources.secret import redact_logs
from energy.sources.sessions import Sessions
from energy.sources.settings import Settings, loopback
from energy.sources.spec import Source

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
        """Where the answer points.

        Raises
        ------
        SourceError : (fatal) to another scheme, host or port.
        """
        target = super().get_redirect_target(resp)
        if target is not None:
            here, there = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                raise SourceError("client", "fatal", f"{here.netloc} redirects to {there.scheme}://{there.netloc}")
        return target

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Add nothing on a redirect: requests would look into ~/.netrc; the adapter adds what the source needs."""


def _cacheable(response: Response) -> bool:
    """The cache's filter: whatever is not data (acknowledgements, cut-off bodies, pages) is not stored."""
    verdict: Verdict | None = getattr(response, "verdict", None)
    return verdict is None or verdict.kind == "ok"


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
        self.sessions = Sessions(self._ledger)
        self._began: datetime | None = None
        self._forget()
        redact_logs()

    def _open_session(self) -> _Session:
        session = _Session(
            backend=SQLiteCache(self.settings.folder / "http.sqlite", wal=True, serializer="json"),
            cache_control=True, expire_after=0, allowable_codes=(200, 203), filter_fn=_cacheable,
            ignored_parameters=IGNORED, stale_if_error=self.settings.stale_s,
        )  # fmt: skip
        session.max_redirects = MOST_REDIRECTS
        session.mount("https://", Unmounted())
        session.mount("http://", Unmounted())
        for name, adapter in self._adapters.items():
            url = self.settings.base_url(self.sources[name])
            session.mount(url, adapter)
            session.mount(f"{url[:-1]}?", adapter)
        return session

    def _forget(self) -> None:
        """Drop cached answers that are too old even to stand in for a failing server; the raw ones stay."""
        with self._session.cache.responses.connection(commit=True) as db:  # type: ignore[attr-defined]  # SQLite's
            db.execute("DELETE FROM responses WHERE expires < ?", (time.time() - self.settings.stale_s,))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

        Raises
        ------
        NotOnFile : a replay of what nobody had fetched by then.
        """
        past = None if self.as_of is None else self.sessions.known(name, span, self.as_of)
        began = self._began = past.began if past else self.settings.clock()
        try:
            yield past.span if past else span
        finally:
            self._began = None
        if not past:
            self.sessions.note(name, span, began, self.settings.clock())

    def sent(self, source: str) -> int:
        """Requests that this client has sent to a source, cache hits not counted."""
        return self._adapters[source].sent

    def has_key(self, source: str) -> bool:
        """Is there a credential for the source?"""
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

        Raises
        ------
        SourceError : retry, auth, quota or fatal.
        """
        params = params or {}
        asked = question(source, path, params)
        if self.as_of is not None:
            return self.archive.known(source, asked, self.as_of)
        lifetime = ttl_s if self.settings.ttl_s is None else self.settings.ttl_s
        if nothing := self._known_nothing(source, asked, lifetime):
            return nothing
        self._adapters[source].problem = None
        before = self.sent(source)
        try:
            answer = self._ask(source, path, params, lifetime)
        except SourceError as e:
            error = e if e.source == source else SourceError(source, e.kind, e.reason, e.wait_s)
            self.archive.keep_failure(asked, self.settings.clock(), error)
            raise error from None
        if self.sent(source) > before or answer.stale:
            self.archive.keep(asked, self.settings.clock(), answer)
        return answer

    def _known_nothing(self, source: str, asked: str, lifetime: int) -> Answer | None:
        since = self.settings.clock() - timedelta(seconds=lifetime / EMPTY_SHARE)
        return self.archive.nothing(source, asked, since) if lifetime else None

    def _ask(self, source: str, path: str, params: Mapping[str, str], lifetime: int) -> Answer:
        try:
            request = self._request(source, path, params)
            response = self._session.send(request, expire_after=lifetime, **self._environment(request))
        except requests.RequestException as e:  # the adapter's own failures are SourceErrors
            problem = self._adapters[source].problem
            raise problem or SourceError(source, "fatal", f"{type(e).__name__} outside the adapter") from None
        return self._answer(source, response)

    def _request(self, source: str, path: str, params: Mapping[str, str]) -> PreparedRequest:
        """Prepared outside the session, so that neither ~/.netrc nor a cookie can add to it."""
        headers = {"User-Agent": self.settings.user_agent, "Accept-Encoding": "gzip, deflate"}
        url = (self.settings.base_url(self.sources[source]) + path).rstrip("/")
        return requests.Request("GET", url, headers=headers, params=dict(sorted(params.items()))).prepare()

    def _environment(self, request: PreparedRequest) -> dict[str, Any]:
        """Proxies and certificates that the environment asks for; none on the way to this machine."""
        url = request.url or ""
        settings = dict(self._session.merge_environment_settings(url, {}, None, None, None))
        return settings | ({"proxies": {}} if loopback(urlsplit(url).hostname or "") else {})

    def _answer(self, source: str, response: Response) -> Answer:
        from_cache = bool(getattr(response, "from_cache", False))
        expired = from_cache and bool(getattr(response, "is_expired", False))
        stale = expired and not getattr(response, "revalidated", False)
        problem = self._adapters[source].problem
        if problem is not None and (not stale or problem.kind not in ("retry", "quota")):
            raise problem
        verdict: Verdict = getattr(response, "verdict", Verdict("ok"))
        fetched = response.created_at.replace(tzinfo=None) if from_cache else self.settings.clock()  # type: ignore[attr-defined]
        note = f"stale: {problem.reason}" if problem else verdict.reason
        return Answer(source, verdict.kind, response.content, fetched, from_cache, stale, note)
